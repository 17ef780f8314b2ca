import { readFileSync, writeFileSync } from 'node:fs';
import { withStates } from './state-diagram.js';

// `npm run docs:states`: makes the diagram of docs/lifecycle.md anew.

const page = 'docs/lifecycle.md';
writeFileSync(page, withStates(readFileSync(page, 'utf8')));
