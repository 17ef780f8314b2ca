import { readFileSync } from 'node:fs';

/** The README, as it stands. */
export const readme = readFileSync('README.md', 'utf8');

/** The rows of the README's table with this heading, each cell by the heading of its column. */
export function tableOf(
  ...headings: readonly string[]
): readonly Readonly<Record<string, string>>[] {
  const heading = `| ${headings.join(' | ')} |\n`;
  const [, table = ''] = readme.split(heading);
  const [, ...rows] = table.split('\n\n', 1)[0]?.split('\n') ?? [];
  return rows.map(row => {
    const cells = row.split('|').slice(1, -1);
    return Object.fromEntries(headings.map((name, index) => [name, cells[index]?.trim() ?? '']));
  });
}

/** What stands in backticks in a cell. */
export function codesIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
