import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packagePath } from '../support/package-path.js';

function specsIn(folder: string): readonly string[] {
  return readdirSync(packagePath(folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.spec.ts'))
    .map(name => name.replace('.spec.ts', ''));
}

describe('the unit tests', () => {
  it('are named after the file of lib that they test', () => {
    const aboutThePackage = new Set(['layout', 'readme']);
    const others = specsIn('test/unit').filter(name => !existsSync(packagePath(`lib/${name}.ts`)));
    expect(others.filter(name => !aboutThePackage.has(name))).toEqual([]);
  });
});

describe('the reference', () => {
  it('names tests that exist', () => {
    const known = new Set([...specsIn('test/unit'), ...specsIn('test/e2e')].map(lastSegment));
    const named = testCells().flatMap(cell =>
      cell.split(', ').map(name => name.replace(/ \(over HTTP\)$/, '')),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(name => !known.has(name) && name !== '(contract/rbac)')).toEqual([]);
  });
});

function lastSegment(path: string): string {
  return path.split('/').at(-1) ?? path;
}

/** Returns the last cells of all tables whose last column is `test`. */
function testCells(): readonly string[] {
  const tables = readFileSync(packagePath('docs/reference.md'), 'utf8').match(/(^\|.*\n)+/gm) ?? [];
  return tables
    .filter(table => /^.*\| test \|\n/.test(table))
    .flatMap(table => table.trim().split('\n').slice(2))
    .map(row => row.split('|').at(-2)?.trim() ?? '')
    .filter(cell => cell !== '');
}
