import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { usage } from '../../lib/command/command-line.js';
import { packagePath } from '../support/package-path.js';

const readme = readFileSync(packagePath('README.md'), 'utf8');

describe('the README', () => {
  it('has a line for every folder of lib, and for no other', () => {
    const listed = [...readme.matchAll(/^\| `(\w+)\/` /gm)].map(([, name]) => name);
    const folders = readdirSync(packagePath('lib'), { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name);
    expect(listed).toEqual(folders.sort());
  });

  it('lists every flag of the command, and no other', () => {
    const flagsIn = (text: string) => new Set(text.match(/--[a-z][a-z-]+/g));
    const [, section = ''] = readme.split('## The command');
    const [listed = ''] = section.split('## The API');
    expect(flagsIn(listed)).toEqual(flagsIn(usage));
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, file = '']) => file);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter(file => !existsSync(packagePath(file)))).toEqual([]);
  });
});
