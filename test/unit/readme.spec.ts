import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { RegistryEvents } from '../../lib/events/events.js';
import { optionDefaults } from '../support/option-defaults.js';
import { testNamesIn } from '../support/test-names.js';

const readme = readFileSync('README.md', 'utf8');

/** Rows of a table by their first cell, which is a name in backticks. */
function rows(pattern: RegExp): ReadonlyMap<string, string> {
  const found = readme.matchAll(/^\| `([^`]+)` +\| (.*?) +\|/gm);
  return new Map(
    [...found]
      .map(([, name = '', second = '']): [string, string] => [name, second])
      .filter(([name]) => pattern.test(name)),
  );
}

describe('the README', () => {
  it('lists every option with its default, and no other', () => {
    const listed = rows(
      /^(enabled|isGlobal|profile|(serviceCenter|microservice|instance|heartbeat|registration|shutdown)\.[\w.]+)$/,
    );
    const expected = optionDefaults().map(({ path, value }) => [
      path,
      value === undefined ? '–' : `\`${JSON.stringify(value)}\``,
    ]);
    expect([...listed]).toEqual(expected);
  });

  it('lists every event, and no other', () => {
    expect([...rows(/^servicecomb\./).keys()]).toEqual(Object.values(RegistryEvents));
  });

  it('names a test that exists for all that may happen', () => {
    const [, table = ''] = readme.split('| what happens |');
    const named = [...table.matchAll(/\| \[(.+?)\]\(((?:embedded\/)?test\/[^)]+)\) \|$/gm)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, name, file = ''] of named) expect(testNamesIn(file)).toContain(name);
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, file = '']) => file);
    expect(links.length).toBeGreaterThan(5);
    for (const file of links) expect(() => readFileSync(file)).not.toThrow();
  });
});
