import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { version } from '../../lib/version.js';
import { packagePath } from '../support/package-path.js';

it('the version is the one of package.json', () => {
  const manifest: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'));
  expect(manifest).toHaveProperty('version', version);
});
