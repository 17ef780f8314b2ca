import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeBlocksOf } from '../support/docs.js';
import type { Form } from './quick-start.js';

/** Returns the tests that docs/testing.md shows, by their path in the application. */
export function testExamples(form: Form): Readonly<Record<string, string>> {
  const files = codeBlocksOf('docs/testing.md').flatMap(({ code }) => {
    const [, path] = /^\/\/ (test\/\S+)\n/.exec(code) ?? [];
    return path === undefined ? [] : [[path, form === 'CommonJS' ? asCommonJs(code) : code]];
  });
  if (files.length === 0) throw new Error('docs/testing.md has no tests');
  return Object.fromEntries(files) as Readonly<Record<string, string>>;
}

function asCommonJs(code: string): string {
  return code.replaceAll(/(from '\.[^']*)\.js'/g, "$1'");
}

/** Sets SERVICECOMB_ENABLED for all end-to-end tests, as docs/testing.md says. */
export async function switchRegistryOff(folder: string, form: Form): Promise<void> {
  const [path, before, after] = switches[form];
  const config = await readFile(join(folder, path), 'utf8');
  if (!config.includes(before)) throw new Error(`${path} has changed:\n${config}`);
  await writeFile(join(folder, path), config.replace(before, after));
}

/** A file of the starter, and what in it is replaced by what. */
const switches: Readonly<Record<Form, readonly [path: string, before: string, after: string]>> = {
  CommonJS: [
    'test/jest-e2e.json',
    '"rootDir": ".",',
    '"rootDir": ".", "setupFiles": ["<rootDir>/switch-off.ts"],',
  ],
  'ES modules': [
    'vitest.config.e2e.ts',
    'globals: true,',
    "globals: true, env: { SERVICECOMB_ENABLED: 'false' },",
  ],
};
