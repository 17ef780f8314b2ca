import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StarterFolder } from './starter.js';

/** A bundler: how it makes one file of `dist/main.js`, which is then run with no package beside it. */
export interface Bundler {
  /** What to install beside the application. */
  readonly packages: readonly string[];
  /** Writes the bundle to a folder, and resolves with its file there. */
  readonly bundle: (folder: StarterFolder, output: string) => Promise<string>;
}

/** Packages that Nest loads only where an application has them, or, in the case of file-type, only when it is used. */
const optional = [
  '@nestjs/microservices',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
  'file-type',
];

const externals = optional.flatMap(name => [`--external:${name}`, `--external:${name}/*`]);
const nodeBundle = [
  'esbuild',
  'dist/main.js',
  '--bundle',
  '--platform=node',
  ...externals,
] as const;

/** Packages in CommonJS that are bundled into an ES module ask for Node's modules by `require`. */
const requireInModule =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/** Returns the configuration of webpack, which rspack takes as well. */
function configuration(library: string, output: string, isModule: boolean): string {
  return `
    import { createRequire } from 'node:module';
    const { IgnorePlugin } = createRequire(import.meta.url)('${library}');
    const optional = new RegExp('^(${optional.join('|')})(/|$)');
    export default {
      target: 'node',
      mode: 'production',
      optimization: { minimize: false },
      entry: './dist/main.js',
      output: { path: ${JSON.stringify(output)}, filename: 'main.${isModule ? 'mjs' : 'cjs'}', module: ${isModule} },
      experiments: { outputModule: ${isModule} },
      plugins: [new IgnorePlugin({ checkResource: name => optional.test(name) })],
    };
  `;
}

function webpackLike(library: string, command: string): Bundler['bundle'] {
  return async (folder, output) => {
    const isModule = folder.starter.form === 'ES modules';
    await writeFile(join(folder.path, 'bundle.mjs'), configuration(library, output, isModule));
    await folder.run('npx', command, '--config', 'bundle.mjs');
    return isModule ? 'main.mjs' : 'main.cjs';
  };
}

export const bundlers = {
  'esbuild in CommonJS': {
    packages: ['esbuild'],
    bundle: async (folder, output) => {
      await folder.run(
        'npx',
        ...nodeBundle,
        '--format=cjs',
        `--outfile=${join(output, 'main.cjs')}`,
      );
      return 'main.cjs';
    },
  },
  'esbuild in CommonJS, minified': {
    packages: ['esbuild'],
    bundle: async (folder, output) => {
      const options = ['--format=cjs', '--minify', `--outfile=${join(output, 'main.cjs')}`];
      await folder.run('npx', ...nodeBundle, ...options);
      return 'main.cjs';
    },
  },
  'esbuild in ES modules': {
    packages: ['esbuild'],
    bundle: async (folder, output) => {
      const banner = `--banner:js=${requireInModule}`;
      const outfile = `--outfile=${join(output, 'main.mjs')}`;
      await folder.run('npx', ...nodeBundle, '--format=esm', banner, outfile);
      return 'main.mjs';
    },
  },
  webpack: { packages: ['webpack', 'webpack-cli'], bundle: webpackLike('webpack', 'webpack') },
  rspack: {
    packages: ['@rspack/core', '@rspack/cli'],
    bundle: webpackLike('@rspack/core', 'rspack'),
  },
  ncc: {
    packages: ['@vercel/ncc'],
    bundle: async (folder, output) => {
      await folder.run('npx', 'ncc', 'build', 'dist/main.js', '--out', output);
      return 'index.js';
    },
  },
} as const satisfies Readonly<Record<string, Bundler>>;

export type BundlerName = keyof typeof bundlers;

/** Makes the folder that a bundle is written to, outside the application: no package is found from there. */
export async function emptyFolder(folder: StarterFolder, name: string): Promise<string> {
  const path = join(folder.parent, name.replaceAll(/\W+/g, '-'));
  await mkdir(path);
  return path;
}
