import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  ErrorCode,
  isRetriable,
  RegistryEvents,
  ServiceCenterResponseError,
} from '../../lib/index.js';
import { profileNames, profiles } from '../../lib/options/profiles.js';
import { optionDefaults } from '../support/option-defaults.js';
import {
  anchorsOf,
  codesIn,
  pages,
  proseOf,
  publishedDocuments,
  tableOf,
} from '../support/docs.js';
import { statePages, withStates } from '../support/state-diagram.js';
import { testNamesIn } from '../support/test-names.js';

const manifest: {
  readonly files: readonly string[];
  readonly repository: { readonly url: string };
  readonly homepage: string;
  readonly bugs: { readonly url: string };
} = JSON.parse(readFileSync('package.json', 'utf8'));

/** The repository's address, where its files can be read. */
const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '');

/** Targets of the reference links of a document (`[name]: target`), by name. */
function referencesIn(document: string): ReadonlyMap<string, string> {
  const found = proseOf(document).matchAll(/^\[([^\]]+)\]: (\S+)$/gm);
  return new Map([...found].map(([, name = '', target = '']) => [name, target]));
}

/** Targets of all links and pictures of a document. */
function linksIn(document: string): readonly string[] {
  const inline = proseOf(document).matchAll(/\]\(([^)\s]+)\)/g);
  return [...[...inline].map(([, target = '']) => target), ...referencesIn(document).values()];
}

function relativeLinksIn(document: string): readonly string[] {
  return linksIn(document).filter(link => !/^https?:/.test(link));
}

/** The file that a relative link of a document leads to, and the heading in it. */
function targetOf(link: string, document: string) {
  const [path = '', anchor] = link.split('#');
  return { file: path === '' ? document : join(dirname(document), path), anchor };
}

/** Whether npm puts a file into the package. */
function isShipped(file: string): boolean {
  const always = ['README.md', 'LICENSE', 'package.json'];
  const patterns = [...always, ...manifest.files].map(
    entry => new RegExp(`^${entry.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/.*)?$`),
  );
  return patterns.some(pattern => pattern.test(file));
}

/** Documents that stay in the repository. */
const otherDocuments = [
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  'embedded/bench/README.md',
  'embedded/docs/reference.md',
  'sample-app/README.md',
  'deploy/README.md',
  'embedded/README.md',
];

describe('the documents', () => {
  it('list every option with its default, and no other', () => {
    const rows = tableOf('docs/options.md', 'option', 'default', 'meaning');
    const listed = rows.map(row => [codesIn(row['option'])[0], row['default']]);
    const expected = optionDefaults().map(({ path, value }) => [
      path,
      value === undefined ? '–' : `\`${JSON.stringify(value)}\``,
    ]);
    expect(listed).toEqual(expected);
  });

  it('list every event, and no other', () => {
    const rows = tableOf('docs/events.md', 'event', 'payload', 'when');
    const listed = rows.map(row => codesIn(row['event'])[0]);
    expect(listed).toEqual(Object.values(RegistryEvents));
  });

  it.each([
    { page: 'docs/lifecycle.md', least: 25 },
    { page: 'docs/discovery.md', least: 20 },
  ])('name a test that exists for all that may happen: $page', ({ page, least }) => {
    const rows = tableOf(page, 'what happens', 'what the library does', 'test');
    expect(rows.length).toBeGreaterThan(least);
    const references = referencesIn(page);
    for (const { test = '' } of rows) {
      const [, name, reference = ''] = /^\[(.+)\]\[(.+)\]$/.exec(test) ?? [];
      const file = references.get(reference)?.slice(`${repository}/blob/main/`.length) ?? '';
      expect(testNamesIn(file)).toContain(name);
    }
  });

  it.each([...publishedDocuments, ...otherDocuments])('%s links to what exists', document => {
    for (const link of relativeLinksIn(document)) {
      const { file, anchor } = targetOf(link, document);
      expect([link, existsSync(file)]).toEqual([link, true]);
      if (anchor !== undefined) expect([link, ...anchorsOf(file)]).toContain(anchor);
    }
  });

  const shipped = publishedDocuments.filter(isShipped);
  it.each(shipped)('%s links only to files that npm gets', document => {
    const files = relativeLinksIn(document).map(link => targetOf(link, document).file);
    expect(files.filter(file => !isShipped(file))).toEqual([]);
  });

  it.each(publishedDocuments)('%s links to files of the repository that exist', document => {
    const own = linksIn(document).filter(link => link.startsWith(`${repository}/`));
    for (const link of own) {
      const [, path = ''] = /\/(?:blob|tree)\/main\/([^#]+)/.exec(link) ?? [];
      expect([link, existsSync(path)]).toEqual([link, true]);
    }
  });

  it('are listed in an index', () => {
    const listed = linksIn('docs/README.md').map(link => `docs/${link}`);
    const others = pages.filter(page => page !== 'docs/README.md');
    expect(listed).toEqual(expect.arrayContaining(others));
  });

  it('say what each profile means', () => {
    const columns = ['profile', 'engine', 'interval of heartbeats and polls', 'least interval'];
    const rows = tableOf('docs/cse.md', ...columns, 'changes are pushed');
    const listed = rows.map(row => [
      codesIn(row['profile'])[0],
      row['interval of heartbeats and polls'],
      row['least interval'],
      row['changes are pushed']?.startsWith('yes'),
    ]);
    const inMs = (ms: number) => `${ms.toLocaleString('en')} ms`;
    const expected = profileNames.map(name => {
      const { intervalMs, leastIntervalMs, watch } = profiles[name];
      return [name, inMs(intervalMs), inMs(leastIntervalMs), watch];
    });
    expect(listed).toEqual(expected);
  });

  it('list every errorCode, and whether waiting helps', () => {
    const columns = ['errorCode', '`ErrorCode`', 'waiting helps', 'what it means', 'what to do'];
    const rows = tableOf('docs/troubleshooting.md', ...columns);
    const listed = rows.map(row => columns.slice(0, 3).map(column => row[column]));
    const expected = Object.entries(ErrorCode).map(([name, code]) => {
      const refusal = { status: Math.floor(code / 1_000), errorCode: code };
      const error = new ServiceCenterResponseError('heartbeat', 'http://a', refusal);
      return [String(code), `\`${name}\``, isRetriable(error) ? 'yes' : 'no'];
    });
    expect(listed).toEqual(expected);
  });

  it.each([...statePages])(
    'draw the states as the code decides them: else run npm run docs:states: %s',
    (path, language) => {
      const page = readFileSync(path, 'utf8');
      expect(page).toBe(withStates(page, language));
    },
  );

  it('say where the repository is as package.json does', () => {
    expect(manifest.homepage).toBe(`${repository}#readme`);
    expect(manifest.bugs.url).toBe(`${repository}/issues`);
  });

  it('begin with a README of less than 200 lines', () => {
    expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThan(200);
  });
});
