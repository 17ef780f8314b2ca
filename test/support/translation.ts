import { codesIn } from './docs.js';

/** A heading, and what follows it up to the next one. */
interface Section {
  readonly title: string;
  readonly level: number;
  /** What both languages have in common, by what it is called in a message. */
  readonly parts: Readonly<Record<string, readonly string[]>>;
}

/** Resolves the target of a link, as far as it can be compared: the same for both languages. */
export type Target = (link: string) => string;

/**
 * Returns how the structure of a translation differs from its original: headings, tables, code blocks without their
 * comments, list items, links, names in backticks and numbers. Each line names the section and says what to do.
 */
export function differences(
  original: { readonly text: string; readonly target: Target },
  translation: { readonly text: string; readonly target: Target },
): readonly string[] {
  const [expected, found] = [sectionsOf(original), sectionsOf(translation)];
  const levels = (sections: readonly Section[]) => sections.map(({ level }) => level).join(' ');
  if (levels(expected) !== levels(found)) return headingDifference(expected, found);
  return expected.flatMap(({ title, parts }, index) => {
    const translated = found[index];
    return Object.entries(parts).flatMap(([what, codes]) =>
      listDifference(codes, translated?.parts[what] ?? []).map(
        difference => `${title} (${translated?.title}): ${what}: ${difference}`,
      ),
    );
  });
}

function headingDifference(
  expected: readonly Section[],
  found: readonly Section[],
): readonly string[] {
  const index = expected.findIndex(({ level }, at) => found[at]?.level !== level);
  const name = (section: Section | undefined) =>
    section === undefined ? 'the end' : `${'#'.repeat(section.level)} ${section.title}`;
  const at = index === -1 ? expected.length : index;
  return [
    `heading ${at}: expected a translation of "${name(expected[at])}", found "${name(found[at])}"`,
  ];
}

function listDifference(expected: readonly string[], found: readonly string[]): readonly string[] {
  const missing = without(expected, found).map(code => `add ${code}`);
  const surplus = without(found, expected).map(code => `remove ${code}`);
  const isMoved = missing.length + surplus.length === 0 && expected.join() !== found.join();
  return [...missing, ...surplus, ...(isMoved ? [`in this order: ${expected.join(', ')}`] : [])];
}

/** Returns the items of a list that another one lacks, as often as it lacks them. */
function without(items: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return items.filter(item => {
    const index = left.indexOf(item);
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
}

const fence = /^( *)```(\w*)\n(.*?)^\1```$/gms;

function sectionsOf({ text, target }: { text: string; target: Target }): readonly Section[] {
  const blocks: string[] = [];
  const plain = text.replaceAll(fence, (_, __, language: string, code: string) => {
    blocks.push(`\`\`\`${language}\n${withoutComments(code, language)}\`\`\``);
    return `⟦${blocks.length - 1}⟧\n`;
  });
  return plain.split(/^(?=#+ )/m).flatMap(part => {
    const [, marks = '', title = ''] = /^(#+) (.*)$/m.exec(part) ?? [];
    if (marks === '' && part.trim() === '') return [];
    return [{ title, level: marks.length, parts: partsOf(part, blocks, target) }];
  });
}

function partsOf(part: string, blocks: readonly string[], target: Target): Section['parts'] {
  const lines = part.split('\n');
  const prose = part
    .replaceAll(/`[^`]+`/g, '')
    .replaceAll(/\]\([^)]+\)|\]\[[^\]]+\]|^\[[^\]]+\]: .*$/gm, ']');
  return {
    'tables by their first column': tablesOf(lines),
    'code blocks': [...part.matchAll(/⟦(\d+)⟧/g)].map(([, at]) => blocks[Number(at)] ?? ''),
    'list items': lines.filter(line => /^ *(?:[-*]|\d+\.) /.test(line)).map(() => 'a list item'),
    'names of tests': testsOf(lines),
    links: linksOf(part).map(target).sort(),
    'names in backticks': [...new Set(codesIn(part))].sort(),
    numbers: numbersIn(prose),
  };
}

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const monthOfYear = new RegExp(`\\b(?:${months.join('|')})(?= \\d)`, 'g');

/** Returns all numbers of a text once, those of months included. */
function numbersIn(prose: string): readonly string[] {
  const text = prose.replaceAll(monthOfYear, month => `${months.indexOf(month) + 1}`);
  const numbers = text.match(/\d[\d,.]*/g)?.map(number => number.replaceAll(/[,.]+/g, ''));
  return [...new Set(numbers)].sort();
}

function tablesOf(lines: readonly string[]): readonly string[] {
  return lines
    .filter(line => line.trim().startsWith('|'))
    .map(line => {
      const [, first = '', ...others] = line.trim().split(/(?<!\\)\|/);
      return `a row of ${others.length} columns ${codesIn(first).join(' ')}`.trim();
    });
}

/** Returns the tests that the tables with such a column name, each with its link. */
function testsOf(lines: readonly string[]): readonly string[] {
  return lines
    .join('\n')
    .split(/\n(?!\|)/)
    .filter(table => /^\|.*\| (test|测试) \|$/m.test(table))
    .flatMap(table => table.match(/\[[^|]+\]\[[^|]+\](?= \|$)/gm) ?? []);
}

function linksOf(part: string): readonly string[] {
  const inline = part.matchAll(/\]\(([^)\s]+)\)/g);
  const defined = part.matchAll(/^\[[^\]]+\]: (\S+)$/gm);
  return [...inline, ...defined].map(([, link = '']) => link);
}

/** What a translator may change in a block: comments, but not the name of a file, and labels of arrows. */
const words = new Map([
  ['ts', /(?:^|\s)\/\/(?! (?:src|test)\/).*$|\/\*\*.*?\*\//gm],
  ['js', /(?:^|\s)\/\/.*$/gm],
  ['mermaid', / : .*$/gm],
]);

/** Returns code without its comments and without spaces at the ends of its lines. */
function withoutComments(code: string, language: string): string {
  const lines = code.replaceAll(words.get(language) ?? /(?:^|\s)#.*$/gm, '').split('\n');
  return lines
    .map(line => `${line.trimEnd()}\n`)
    .join('')
    .replaceAll(/^\n/gm, '');
}
