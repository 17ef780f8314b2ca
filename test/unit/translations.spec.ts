import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, chineseDocuments, pages } from '../support/docs.js';
import { differences, type Target } from '../support/translation.js';

/** The Chinese documents by the English ones. */
const translations = new Map([
  ['README.md', 'README-zh-CN.md'],
  ...pages.map(page => [page, page.replace('docs/', 'docs/zh-CN/')] as const),
]);
const originals = new Map([...translations].map(([english, chinese]) => [chinese, english]));

/** The repository's files. npm gets `README-zh-CN.md` without the Chinese pages, so it links to them here. */
const repository = 'https://github.com/nestjs-servicecomb/nestjs-servicecomb/blob/main/';

/** Returns where links of a document lead to: the English file, and the heading by its place in the file. */
function targetsIn(document: string): Target {
  return link => {
    const [path = '', anchor] = link.split('#');
    const inRepository = path.startsWith(repository) ? path.slice(repository.length) : '';
    const isPage = originals.has(inRepository);
    if (/^https?:/.test(link) && !isPage) return link;
    const relative = path === '' ? document : join(dirname(document), path);
    const file = isPage ? inRepository : relative;
    const english = originals.get(file) ?? file;
    if (anchor === undefined) return english;
    const at = anchorsOf(file).indexOf(decodeURIComponent(anchor));
    return `${english}, heading ${at} (${anchorsOf(english)[at]})`;
  };
}

function document(path: string) {
  return { text: readFileSync(path, 'utf8'), target: targetsIn(path) };
}

describe('the Chinese documents', () => {
  it('are all there, or none of them is', () => {
    const expected = chineseDocuments.length === 0 ? [] : [...translations.values()];
    expect(chineseDocuments.toSorted()).toEqual(expected.toSorted());
  });

  const pairs = [...translations].filter(([, chinese]) => existsSync(chinese));
  it('have the structure of the English ones', () => {
    const found = pairs.flatMap(([english, chinese]) =>
      differences(document(english), document(chinese)).map(line => `${chinese}: ${line}`),
    );
    expect(found).toEqual([]);
  });
});

describe('differences()', () => {
  const english = [
    '# Events',
    'A [link](options.md) and `heartbeat.intervalMs`, 15 s.',
    '- one',
    '- two',
    '## Table',
    '| event | when | test |',
    '| --- | --- | --- |',
    '| `lost` | gone | [is gone][tests] |',
    '',
    '```ts',
    '// src/a.ts',
    '/** Calls it. */',
    'a(1); // the first',
    '```',
    '```mermaid',
    'a --> b : lost',
    '```',
    '',
  ].join('\n');
  const chinese = [
    '# 事件',
    '一个[链接](options.md)和 `heartbeat.intervalMs`，15 秒。',
    '- 一',
    '- 二',
    '## 表',
    '| 事件 | 何时 | 测试 |',
    '| --- | --- | --- |',
    '| `lost` | 丢失 | [is gone][tests] |',
    '',
    '```ts',
    '// src/a.ts',
    '/** 调用它。 */',
    'a(1); // 第一个',
    '```',
    '```mermaid',
    'a --> b : 丢失',
    '```',
    '',
  ].join('\n');
  const between = (translation: string) =>
    differences(
      { text: english, target: link => link },
      { text: translation, target: link => link },
    );

  it('finds none in a translation that is complete', () => {
    expect(between(chinese)).toEqual([]);
  });

  it('takes the name of a month for its number', () => {
    const dated = (text: string) => ({ text: `# 1\n${text}\n`, target: String });
    expect(differences(dated('In March 2026.'), dated('2026 年 3 月。'))).toEqual([]);
  });

  it.each([
    {
      part: 'a heading',
      from: '## 表',
      to: '',
      message: 'heading 1: expected a translation of "## Table", found "the end"',
    },
    {
      part: 'a row',
      from: '| `lost` | 丢失 | [is gone][tests] |\n',
      to: '',
      message: 'tables by their first column: add a row of 3 columns lost',
    },
    {
      part: 'an event in a row',
      from: '`lost`',
      to: '`gone`',
      message: 'names in backticks: add lost',
    },
    {
      part: 'the name of a test',
      from: '[is gone][tests]',
      to: '[丢失][tests]',
      message: 'names of tests: add [is gone][tests]',
    },
    {
      part: 'an arrow of a diagram',
      from: 'a --> b : 丢失',
      to: 'b --> a : 丢失',
      message: 'code blocks: add ```mermaid\na --> b\n```',
    },
    {
      part: 'a line of code',
      from: 'a(1)',
      to: 'a(2)',
      message: 'code blocks: add ```ts\n// src/a.ts\na(1);\n```',
    },
    { part: 'a list item', from: '- 二\n', to: '', message: 'list items: add a list item' },
    { part: 'a link', from: 'options.md', to: 'events.md', message: 'links: add options.md' },
    {
      part: 'a name in backticks',
      from: '`heartbeat.intervalMs`',
      to: '心跳间隔',
      message: 'names in backticks: add heartbeat.intervalMs',
    },
    { part: 'a number', from: '15 秒', to: '30 秒', message: 'numbers: add 15' },
  ])('says what to do about $part that is lacking or another', ({ from, to, message }) => {
    expect(chinese).toContain(from);
    expect(between(chinese.replace(from, to))).toContainEqual(expect.stringContaining(message));
  });
});
