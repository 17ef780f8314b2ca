import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

// `npm run docs:api` in the root of the repository.

const root = resolve(import.meta.dirname, '../..');
const { exports: entries } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));

/** The source of each entry of the package: its declarations have the same path as in `lib`. */
const sources = Object.values(entries)
  .map(({ import: form }) => form?.types)
  .filter(types => types !== undefined)
  .map(types => types.replace('./dist/esm/', 'lib/').replace('.d.ts', '.ts'));

/** @type {import('typedoc').TypeDocOptions} */
const options = {
  name: 'nestjs-servicecomb',
  entryPoints: sources.map(source => resolve(root, source)),
  tsconfig: resolve(root, 'tsconfig.build.json'),
  readme: resolve(import.meta.dirname, 'README.md'),
  out: resolve(root, 'build/api'),
  excludeInternal: true,
  excludePrivate: true,
  githubPages: false,
  sort: ['alphabetical'],
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // Properties whose name says all have no docstring.
  requiredToBeDocumented: [
    'Enum',
    'Variable',
    'Function',
    'Class',
    'Interface',
    'Method',
    'CallSignature',
    'Accessor',
    'TypeAlias',
  ],
  // The method of the decorator's user.
  intentionallyNotDocumented: ['OnRegistryEvent.__type.Handler'],
  // A mapped type, and the list that a union of strings is made of: both are shown where they are used.
  intentionallyNotExported: ['Resolved', 'instanceStatuses'],
};

export default options;
