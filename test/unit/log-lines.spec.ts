import { describe, expect, it } from '@jest/globals';
import { codesIn, tableOf } from '../support/docs.js';
import { LibraryTexts, type Line } from '../support/log-lines.js';

const page = 'docs/troubleshooting.md';
const texts = new LibraryTexts('build/tree/lib');

/** A table of the page: the heading of its first column, and the lines that belong there. */
const tables: readonly (readonly [heading: string, lines: readonly Line[]])[] = [
  ['level', texts.loggedLines()],
  ['class', texts.errorSentences()],
];

const columns = ['line as logged', 'what it means', 'what to do'] as const;

/** The row of a line, as it begins. */
function rowOf({ kind, text }: Pick<Line, 'kind' | 'text'>): string {
  return `| \`${kind}\` | \`${text}\` |`;
}

describe('the warnings and errors of docs/troubleshooting.md', () => {
  it.each(tables)(
    'have a row for each line that the code can log, by %s, and no other',
    (heading, lines) => {
      const rows = tableOf(page, heading, ...columns).map(row =>
        rowOf({
          kind: codesIn(row[heading])[0] ?? '',
          text: codesIn(row['line as logged'])[0] ?? '',
        }),
      );
      const missing = lines.filter(line => !rows.includes(rowOf(line)));
      expect({
        [`write these rows into the table "${heading}" of ${page}, with meaning and remedy`]:
          missing.map(line => `${rowOf(line)} … | … |   (logged by ${line.file})`),
        'remove these rows, which the code cannot log': rows.filter(
          row => !lines.some(line => rowOf(line) === row),
        ),
      }).toEqual({
        [`write these rows into the table "${heading}" of ${page}, with meaning and remedy`]: [],
        'remove these rows, which the code cannot log': [],
      });
    },
  );

  it.each(tables)('say of each line what it means and what to do, by %s', heading => {
    const rows = tableOf(page, heading, ...columns);
    expect(rows.length).toBeGreaterThan(5);
    const unexplained = rows.filter(row => columns.some(column => (row[column]?.length ?? 0) < 5));
    expect(unexplained).toEqual([]);
  });

  it('are lines whose texts can be read in the code: one that is passed on in another way is "…"', () => {
    const unreadable = tables
      .flatMap(([, lines]) => lines)
      .filter(({ text }) => !/\w{3}/.test(text));
    expect(
      unreadable.map(({ file }) => `write the text of the line in the call in ${file}`),
    ).toEqual([]);
  });
});
