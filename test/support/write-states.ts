import { readFileSync, writeFileSync } from 'node:fs';
import { statePages, withStates } from './state-diagram.js';

// `npm run docs:states`: makes the diagram of docs/lifecycle.md anew, in both languages.

for (const [page, language] of statePages) {
  writeFileSync(page, withStates(readFileSync(page, 'utf8'), language));
}
