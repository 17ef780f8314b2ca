import { readFileSync } from 'node:fs';

/** A text that is the first argument of `it`, `test`, `concurrently`, `inFirst` and so on, or of what `it.each` made. */
const named = /(?:\b(?:it|test|concurrently|in[A-Z]\w+)|\))\(\s*(['"`])((?:\\.|(?!\1).)+)\1,/g;

/** What stands for the cases of a test that has several. */
const cases = / \([^()]*[%$][^()]*\)$/;

/** Names of the tests of a file of this repository, without the cases of those that have several. */
export function testNamesIn(file: string): readonly string[] {
  const calls = readFileSync(file, 'utf8').matchAll(named);
  return [...calls].map(([, , name = '']) => name.replace(cases, ''));
}
