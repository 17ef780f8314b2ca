import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf } from '../support/docs.js';

const page = 'docs/registry-behaviour.md';

/** Folders and documents that refer to the facts. */
const places = [
  'lib',
  'embedded/lib',
  'embedded/docs',
  'embedded/README.md',
  'bench',
  'docs',
  'sample-app',
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
];

function filesIn(place: string): readonly string[] {
  if (!existsSync(place)) return [];
  if (place.endsWith('.md')) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .map(name => join(place, name))
    .filter(name => /(?<!\.d)\.(md|ts|js)$/.test(name) && !name.includes('node_modules'));
}

/** Returns what a person reads in a file: all of a document, the comments of a program. */
function wordsOf(file: string): string {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.md')) return text;
  return [...text.matchAll(/^\s*(?:\/\*\*|\*|\/\/)(.*)$|(?<=\s)\/\/(.*)$/gm)]
    .map(([whole]) => whole)
    .join('\n');
}

const files = places.flatMap(filesIn);
const facts = anchorsOf(page).filter(anchor => /^[ms]\d+$/.test(anchor));

describe('the facts about a real Service Center', () => {
  it('have a number each, without a gap', () => {
    const numbers = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    expect(facts).toEqual([...numbers('m', 18), ...numbers('s', 14)]);
  });

  it('have a source each', () => {
    const entries = readFileSync(page, 'utf8').split(/^### /m).slice(1);
    expect(entries).toHaveLength(facts.length);
    for (const entry of entries) expect(entry).toMatch(/^Source: \S/m);
  });

  it('are found under every number that a comment or a document names', () => {
    const named = files.flatMap(file =>
      [...wordsOf(file).matchAll(/\b[MS]\d{1,2}\b/g)].map(([number]) => ({ file, number })),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ number }) => !facts.includes(number.toLowerCase()))).toEqual([]);
  });

  it('are not cited by the section of a page that is not in the repository', () => {
    const cited = files.flatMap(file =>
      [...wordsOf(file).matchAll(/\bcontract \d+(\.\d+)*/gi)].map(([text]) => ({ file, text })),
    );
    expect(cited).toEqual([]);
  });
});
