import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { version } from '../../../lib/embedded/version.js';

it('the version is the one of package.json', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8'))).toHaveProperty('version', version);
});
