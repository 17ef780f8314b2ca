import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Returns what bundles the compiler's JavaScript into the two forms of a package: ES modules in `dist/esm`,
 * CommonJS in `dist/cjs`, one file for each entry and one for what entries share.
 *
 * Reading a hundred small files takes three times as long as reading one, and that is paid by each start of
 * each application. The text stays as the compiler writes it, names included.
 *
 * @param compiled folder of the compiler's output
 * @param code folder of its JavaScript without comments, which would be a third of the package
 * @param entries modules in it, without `.js`, that each form has
 * @param programs further entries of the ES modules: CommonJS has no top-level await
 */
export function forms({ compiled, code = compiled, entries, programs = [] }) {
  const form = (folder, format, names) => ({
    input: Object.fromEntries(names.map(name => [name, join(code, `${name}.js`)])),
    external: id => !id.startsWith('.') && !id.startsWith('/') && id !== 'tslib',
    plugins: [emitHelpers, declarations(compiled, entries, format)],
    output: {
      dir: join('dist', folder),
      format,
      chunkFileNames: '[name].js',
      esModule: true,
      generatedCode: { preset: 'es2015', symbols: false },
      hoistTransitiveImports: false,
    },
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  return [form('esm', 'es', [...entries, ...programs]), form('cjs', 'cjs', entries)];
}

/** The helpers of the compiler (`importHelpers`): one copy of those that are used, instead of a dependency. */
const emitHelpers = {
  name: 'emit-helpers',
  resolveId: id =>
    id === 'tslib' ? createRequire(import.meta.url).resolve('tslib/tslib.es6.mjs') : null,
};

/** Puts the declarations that the entries lead to beside the bundle, which takes its form from there. */
function declarations(compiled, entries, format) {
  return {
    name: 'declarations',
    generateBundle() {
      const found = new Set(entries.map(name => `${name}.d.ts`));
      for (const fileName of found) {
        const source = readFileSync(join(compiled, fileName), 'utf8');
        for (const [, path] of source.matchAll(/(?:from |import\()["'](\.[^"']*)\.js["']/g))
          found.add(join(dirname(fileName), `${path}.d.ts`));
        this.emitFile({ type: 'asset', fileName, source });
      }
      // Within a package of ES modules, this is what makes a folder CommonJS.
      const source = '{ "type": "commonjs", "sideEffects": false }\n';
      if (format === 'cjs') this.emitFile({ type: 'asset', fileName: 'package.json', source });
    },
  };
}

/** `nest add`: one file in CommonJS, as the engine of the Nest CLI requires it, beside the files that describe it. */
const schematics = {
  input: 'build/schematics/nest-add.js',
  external: /^node:/,
  plugins: [
    {
      name: 'collection',
      generateBundle() {
        for (const fileName of ['collection.json', 'schema.json'])
          this.emitFile({
            type: 'asset',
            fileName,
            source: readFileSync(join('schematics', fileName)),
          });
      },
    },
  ],
  output: { file: 'dist/schematics/nest-add.cjs', format: 'cjs', generatedCode: 'es2015' },
};

export default [
  ...forms({ compiled: 'build/lib', code: 'build/bare', entries: ['index'] }),
  schematics,
];
