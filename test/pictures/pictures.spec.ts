import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dashboard } from '../deploy/expressions.js';
import { proseOf, publishedDocuments } from '../support/docs.js';
import { dashboardPicture, inTwoColumns } from './dashboard-picture.js';
import { doctorPicture } from './doctor-picture.js';
import { withVariables } from './outage.js';
import { drawPanel, type DrawnPanel, formatted, type Series } from './panel.js';
import { terminalPicture } from './terminal.js';

const raw = 'https://raw.githubusercontent.com/nestjs-servicecomb/nestjs-servicecomb/main/';
const documents = [...publishedDocuments, 'embedded/README.md', 'sample-app/README.md'];

/** The pictures of a document with their texts. */
function picturesIn(document: string): readonly { readonly alt: string; readonly url: string }[] {
  const found = proseOf(document).matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g);
  return [...found].map(([, alt = '', url = '']) => ({ alt, url }));
}

describe('the pictures of the documents', () => {
  it.each(documents)('exist, are small, and are described in words: %s', document => {
    for (const { alt, url } of picturesIn(document)) {
      // npm shows neither relative pictures nor files that are not in the package.
      const file = url.startsWith(raw) ? url.slice(raw.length) : join(dirname(document), url);
      expect([document, url]).toEqual([document, `${raw}${file}`]);
      expect([url, existsSync(file)]).toEqual([url, true]);
      expect(statSync(file).size).toBeLessThan(150_000);
      expect(alt.length).toBeGreaterThan(20);
    }
  });

  it('are two at most in the README', () => {
    expect(picturesIn('README.md').length).toBeLessThanOrEqual(2);
  });

  it('are those that the script makes', () => {
    const shown = new Set(documents.flatMap(picturesIn).map(({ url }) => url.slice(raw.length)));
    const made = ['dashboard', 'doctor', 'outage'].map(name => `docs/pictures/${name}.svg`);
    expect(shown).toEqual(new Set([...made, 'embedded/docs/page.png']));
  });
});

describe('the picture of a terminal', () => {
  it('shows colours, bold text and columns', () => {
    const svg = terminalPicture('x', '\u001b[1mRegistry <a>\u001b[22m\n  \u001b[32m✓\u001b[39m ok');
    expect(svg).toMatch(/<text [^>]*font-weight="bold"[^>]*>Registry &lt;a&gt;<\/text>/);
    expect(svg).toMatch(/<text x="33.6" [^>]*fill="#8fd694"[^>]*>✓<\/text>/);
    expect(svg).toMatch(/<text x="49.2" [^>]*fill="#d6d9e6"[^>]*>ok<\/text>/);
  });

  it('keeps the format from one line to the next', () => {
    const svg = terminalPicture('x', '\u001b[1mfirst\nsecond\u001b[22m third');
    expect(svg).toMatch(/font-weight="bold"[^>]*>second</);
    expect(svg).not.toMatch(/font-weight="bold"[^>]*>third</);
  });

  it('is not drawn with a colour that is not known', () => {
    expect(() => terminalPicture('x', '\u001b[35mpink\u001b[39m')).toThrow(/no colour 35/);
  });

  it('shows what doctor prints, with one thing to change', async () => {
    const svg = await doctorPicture();
    for (const words of ['npx nestjs-servicecomb doctor', '✓', '✗', '1 thing to change.'])
      expect(svg).toContain(words);
  });
});

const range = { start: 100, end: 160, step: 1, outage: { start: 120, end: 140 } };
const box = { x: 0, y: 0, width: 400, height: 200 };

function drawn(defaults: DrawnPanel['fieldConfig']['defaults'], series: readonly Series[]): string {
  return drawPanel({ title: 'Lease left', fieldConfig: { defaults } }, series, { box, range });
}

function series(...points: readonly (readonly [number, number])[]): Series {
  return { legend: 'caller-1', points };
}

/** The texts of a drawing, in their order. */
function textsIn(svg: string): readonly string[] {
  return [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text = '']) => text);
}

describe('the picture of a panel', () => {
  it('has title, axes in its unit, and legend', () => {
    const svg = drawn({ unit: 's', min: 0 }, [series([100, 20], [101, 19])]);
    expect(textsIn(svg)).toEqual([
      'Lease left',
      '0 s',
      '5 s',
      '10 s',
      '15 s',
      '20 s',
      '0:00',
      '0:20',
      '0:40',
      'caller-1',
    ]);
  });

  it('names values that have a name', () => {
    const mappings = [{ options: { 0: { text: 'down' }, 1: { text: 'up' } } }];
    const svg = drawn({ unit: 'none', min: 0, max: 1.2, mappings }, [series([100, 1])]);
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['down', 'up']));
  });

  it('breaks a line where nothing was scraped', () => {
    const svg = drawn({ unit: 's' }, [series([100, 1], [101, 2], [110, 2], [111, 1])]);
    const [, line = ''] = / d="([^"]+)"/.exec(svg) ?? [];
    expect(line.match(/[ML]/g)).toEqual(['M', 'L', 'M', 'L']);
  });

  it('shows a value that stands alone', () => {
    const svg = drawn({ unit: 's' }, [series([100, 1])]);
    expect(svg).toMatch(/ d="M[\d. ]+h0"/);
  });

  it('says when there is nothing', () => {
    expect(textsIn(drawn({ unit: 's' }, []))).toContain('No data');
  });

  it.each([
    { value: 0.002, unit: 's', top: 0.01, text: '2 ms' },
    { value: 2, unit: 's', top: 20, text: '2 s' },
    { value: 0.5, unit: 'ops', top: 1, text: '0.5 ops/s' },
    { value: 3, unit: 'none', top: 4, text: '3' },
  ])('writes $text', ({ value, text, ...unit }) => {
    expect(formatted(value, unit)).toBe(text);
  });
});

describe('the picture of the dashboard', () => {
  const { panels } = dashboard();

  it('has each panel, and knows all units', () => {
    const data = new Map(panels.map(({ id }) => [id, [series([100, 1], [101, 2])]]));
    const texts = textsIn(dashboardPicture({ panels, data, range, caption: 'The sample' }));
    expect(texts).toEqual(expect.arrayContaining(panels.map(({ title }) => title)));
  });

  it('can have some panels alone', () => {
    const some = inTwoColumns(panels, ['State', 'Calls', 'Lease left']);
    expect(some.map(({ gridPos: { x, y } }) => [x, y])).toEqual([
      [0, 0],
      [12, 0],
      [0, 8],
    ]);
    expect(() => inTwoColumns(panels, ['Lease'])).toThrow(/no panel Lease/);
  });

  it('is asked for with the variables of its expressions', () => {
    const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    for (const expr of exprs) expect(withVariables(expr)).not.toContain('$');
    expect(() => withVariables('up{x="$other"}')).toThrow(/no variable \$other/);
  });
});
