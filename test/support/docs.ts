import { existsSync, readdirSync, readFileSync } from 'node:fs';

function documentsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter(name => name.endsWith('.md'));
  return names.map(name => `${folder}/${name}`);
}

/** Paths of the pages in `docs/`. */
export const pages = documentsIn('docs');

/** Paths of the Chinese documents that exist: the README and the pages. */
export const chineseDocuments: readonly string[] = [
  ...['README-zh-CN.md'].filter(name => existsSync(name)),
  ...documentsIn('docs/zh-CN'),
];

/** Paths of the READMEs, the changelog and the pages, in both languages. npm gets them without `docs/zh-CN`. */
export const publishedDocuments: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  ...pages,
  ...chineseDocuments,
];

/** A heading, a cell by the heading of its column. */
export type Row = Readonly<Record<string, string>>;

/** Returns the rows of the table with these headings; none where the document has no such table. */
export function tableOf(document: string, ...headings: readonly string[]): readonly Row[] {
  const heading = `| ${headings.join(' | ')} |\n`;
  const [, table = ''] = readFileSync(document, 'utf8').split(heading);
  const [, ...rows] = table.trimEnd().split('\n\n', 1)[0]?.split('\n') ?? [];
  return rows.map(row => {
    const cells = row.split(/(?<!\\)\|/).slice(1, -1);
    return Object.fromEntries(headings.map((name, index) => [name, cells[index]?.trim() ?? '']));
  });
}

/** Returns the texts in backticks of a cell. */
export function codesIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  /** The heading that it stands under. */
  readonly heading: string;
  readonly code: string;
}

/** Returns the fenced blocks of a document, in their order. */
export function codeBlocksOf(document: string): readonly CodeBlock[] {
  const text = readFileSync(document, 'utf8');
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(
    ({ index, 2: language = '', 3: code = '' }) => ({
      language,
      heading:
        text
          .slice(0, index)
          .match(/^#+ .*$/gm)
          ?.at(-1) ?? '',
      code,
    }),
  );
}

/** Returns the text of a document without its code: fenced blocks and texts in backticks. */
export function proseOf(document: string): string {
  return readFileSync(document, 'utf8')
    .replaceAll(/^( *)```.*?^\1```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '');
}

/** Returns the anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: string): readonly string[] {
  const text = readFileSync(document, 'utf8').replaceAll(/^( *)```.*?^\1```$/gms, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
