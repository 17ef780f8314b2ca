import { describe, expect, it } from '@jest/globals';
import { codesIn, tableOf } from '../support/docs.js';
import { LibraryTexts, type Line, modulesIn } from '../support/log-lines.js';

const page = 'docs/troubleshooting.md';
const texts = new LibraryTexts(modulesIn('build/tree/lib'));

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

describe('the reading of lines from code', () => {
  const modules = {
    'a.js': `
      import { warnings, unused } from './b.js';
      class A {
        start(logger, options) {
          for (const warning of [...this.options.hints, ...warnings(options)]) this.logger.warn(warning);
          const { text } = this.#made();
          this.parts.logger.error(text);
          logger.log('Not loud');
          logger.warn(\`\${unused}: \${options.a}\${options.b} is set\`);
          this.#warnOnce('A text that is passed on');
        }
        #made() { return { text: 'A property of what is returned' }; }
        #warnOnce(message) { this.logger.warn(message); }
        #use({ remarks }) {
          for (const remark of remarks) this.#logOnce('warn', remark);
          this.#logOnce('log', 'Not loud');
        }
        #logOnce(level, message) { this.logger[level](message); }
      }
      export const lines = [
        event(({ n }) => (n ? ['error', 'One of ' + n] : undefined)),
        event(({ n }) => { const next = n ? 'now' : 'later'; return ['warn', \`Again \${next}\`]; }),
        event(() => ['debug', 'Not loud either']),
      ];`,
    'b.js': `
      export const unused = 'No effect';
      export function warnings(options) {
        return [one(options), ...many(options).map(name => \`Wrong: \${name}\`)].filter(Boolean);
      }
      function one({ a }) { if (a) return undefined; return 'Set a'; }
      function many({ names }) { return names; }
      export const resolve = parts => ({ hints: [parts.a ? 'A hint' : undefined], remarks: remarksOf(parts) });
      function remarksOf(parts) {
        const remarks = parts.flatMap(({ remark }) => remark ?? []);
        return [...new Set(parts.b ? [...remarks, 'Another remark'] : remarks)];
      }
      export const part = { remark: 'A remark' };
      export const none = { remark: undefined };`,
  };
  const lines = new LibraryTexts(modules)
    .loggedLines()
    .map(({ kind, text, file }) => `${kind} ${text} ${file}`);

  it.each([
    ['in a list that a function of another file returns', 'warn Set a lib/a.ts'],
    ['in a list that is mapped', 'warn Wrong: … lib/a.ts'],
    ['in a property of a returned object', 'error A property of what is returned lib/a.ts'],
    ['with a constant of another file, and one value for two', 'warn No effect: … is set lib/a.ts'],
    ['at the caller of the function that logs', 'warn A text that is passed on lib/a.ts'],
    ['in a list that an object holds', 'warn A hint lib/a.ts'],
    ['in a list that a function takes from an object', 'warn A remark lib/a.ts'],
    ['in a list that has one text more at times', 'warn Another remark lib/a.ts'],
    ['of an event', 'error One of … lib/a.ts'],
    ['of an event that has one of two words', 'warn Again later lib/a.ts'],
  ])('finds a text %s', (_, line) => {
    expect(lines).toContain(line);
  });

  it('finds no others', () => {
    expect(lines).toHaveLength(11);
  });
});
