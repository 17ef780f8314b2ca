import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Returns what bundles the compiler's JavaScript into the two forms of a package: ES modules in `dist/esm`,
 * CommonJS in `dist/cjs`, one file for each entry and one for what entries share. A subpath imports the main
 * entry as it stands: no class exists twice in one form, and who does not import the subpath reads nothing of it.
 *
 * Reading a hundred small files takes three times as long as reading one, and that is paid by each start of
 * each application. The text stays as the compiler writes it, names included.
 *
 * @param compiled folder of the compiler's output
 * @param code folder of its JavaScript without comments, which would be a third of the package
 * @param entries modules in it, without `.js`, that each form has
 * @param subpaths folders in it with an `index.js` that imports `../index.js` and nothing else outside its folder
 * @param programs further entries of the ES modules: CommonJS has no top-level await
 */
export function forms({ compiled, code = compiled, entries, subpaths = [], programs = [] }) {
  const bundle = (folder, format, input) => ({
    input,
    external: id =>
      id === mainEntry || (!id.startsWith('.') && !id.startsWith('/') && id !== 'tslib'),
    plugins: [emitHelpers],
    output: {
      dir: folder,
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
  const form = (folder, format, names) => {
    const input = Object.fromEntries(names.map(name => [name, join(code, `${name}.js`)]));
    const main = bundle(join('dist', folder), format, input);
    const declared = [...entries, ...subpaths.map(subpath => `${subpath}/index`)];
    const plugins = [...main.plugins, declarations(compiled, declared, format)];
    const others = subpaths.map(subpath =>
      bundle(join('dist', folder, subpath), format, join(code, subpath, 'index.js')),
    );
    return [{ ...main, plugins }, ...others];
  };
  return [...form('esm', 'es', [...entries, ...programs]), ...form('cjs', 'cjs', entries)];
}

/** The main entry as a subpath imports it. */
const mainEntry = '../index.js';

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

/**
 * The command is an ES module of its own, with its own copy of what it needs: an application that does not run it
 * loads no more files for it.
 */
const [command] = forms({ compiled: 'build/bare', entries: [], programs: ['cli/main'] });
command.output.chunkFileNames = 'cli/[name].js';

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
  ...forms({
    compiled: 'build/lib',
    code: 'build/bare',
    entries: ['index'],
    subpaths: ['metrics', 'tracing'],
  }),
  command,
  schematics,
];
