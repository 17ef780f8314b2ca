import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { codeBlocksOf } from '../support/docs.js';

const folder = 'test/recipes';
const blocks = codeBlocksOf('docs/recipes.md').map(({ code }) => code);

/** Files that begin with the name that they have in the document. */
const recipes = readdirSync(folder)
  .map(name => ({ name, text: readFileSync(`${folder}/${name}`, 'utf8') }))
  .filter(({ text }) => /^\/\/ (?:src|test)\//.test(text));

/** A recipe imports the library by its name, and its files are beside it. */
function asDocumented(text: string): string {
  return text
    .replaceAll(`'../../lib/index.js'`, `'nestjs-servicecomb'`)
    .replaceAll(`${folder}/`, '');
}

describe('the recipes', () => {
  it.each(recipes)('are documented as they are tested: $name', ({ name, text }) => {
    const [, documented] = /^\/\/ (?:src|test)\/(.+)\n/.exec(text) ?? [];
    expect(documented).toBe(name);
    expect(blocks).toContain(asDocumented(text));
  });

  it('are all of the code in the document', () => {
    expect(blocks).toHaveLength(recipes.length);
  });
});
