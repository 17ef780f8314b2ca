import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from './command.js';
import { consumer, peersAlone } from './consumer.js';
import { pack, packages } from './packages.js';
import { peersOf } from './peers.js';

/** How TypeScript finds packages, and the kind of module that asks. */
interface Resolution {
  readonly name: string;
  readonly module: string;
  readonly moduleResolution: 'node10' | 'node16' | 'nodenext' | 'bundler';
  readonly extension: 'ts' | 'cts' | 'mts';
}

const resolutions: readonly Resolution[] = [
  { name: 'node10', module: 'commonjs', moduleResolution: 'node10', extension: 'ts' },
  { name: 'node16, .cts', module: 'node16', moduleResolution: 'node16', extension: 'cts' },
  { name: 'node16, .mts', module: 'node16', moduleResolution: 'node16', extension: 'mts' },
  { name: 'nodenext, .cts', module: 'nodenext', moduleResolution: 'nodenext', extension: 'cts' },
  { name: 'nodenext, .mts', module: 'nodenext', moduleResolution: 'nodenext', extension: 'mts' },
  { name: 'bundler', module: 'esnext', moduleResolution: 'bundler', extension: 'ts' },
];

interface Cell {
  readonly nest: 11 | 12;
  readonly typescript: number;
  readonly resolution: Resolution;
}

/** Returns why the peers alone do not compile in a cell; undefined where they do. */
function obstacleIn({ nest, typescript, resolution }: Cell): string | undefined {
  const { moduleResolution, extension } = resolution;
  if (moduleResolution === 'node10' && typescript >= 7) return 'TypeScript 7 has no node10';
  if (nest === 11 || extension !== 'cts') return undefined;
  if (moduleResolution === 'node16') return 'Nest 12 is ES modules, which node16 never requires';
  return typescript < 5.8 ? 'Nest 12 is ES modules, required from TypeScript 5.8 on' : undefined;
}

/** Compiles a program that uses the packed library with each version of TypeScript and each way of resolution. */
export function describeTypes(versions: readonly number[]): void {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'types-'));
    const tarballs = await Promise.all(packages.map(name => pack(name, root)));
    const files = tarballs.map(({ path }) => path);
    for (const nest of [11, 12] as const)
      await install(join(root, `nest-${nest}`), [...peersOf(nest), '@types/node@20', ...files]);
    const compilers = versions.map(
      version => `${aliasOf(version)}@npm:typescript@${version.toFixed(1)}`,
    );
    await install(join(root, 'compilers'), compilers);
  }, 300_000);

  afterAll(() => rm(root, { recursive: true, force: true }));

  const cells: readonly Cell[] = ([11, 12] as const).flatMap(nest =>
    versions.flatMap(typescript =>
      resolutions.map(resolution => ({ nest, typescript, resolution })),
    ),
  );
  const possible = cells.filter(cell => obstacleIn(cell) === undefined);
  const impossible = cells.filter(cell => obstacleIn(cell) !== undefined);
  const withReason = impossible.map(cell => [titleOf(cell), obstacleIn(cell), cell] as const);

  describe('a program that uses the library, with skipLibCheck: false', () => {
    it.each(possible.map(cell => [titleOf(cell), cell] as const))(
      'compiles with %s',
      async (_title, cell) => {
        expect(await compile(root, cell, consumer)).toBe('');
      },
    );
  });

  describe('the peers alone', () => {
    it.each(withReason)('do not compile with %s: %s', async (_title, _reason, cell) => {
      expect(await compile(root, cell, peersAlone)).toMatch(/error TS(1479|5108)/);
    });
  });
}

function titleOf({ nest, typescript, resolution }: Cell): string {
  return `Nest ${nest}, TypeScript ${typescript.toFixed(1)}, ${resolution.name}`;
}

function aliasOf(version: number): string {
  return `typescript-${version.toFixed(1)}`;
}

async function install(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const options = ['--no-audit', '--no-fund', '--prefer-offline'];
  await runCommand(['npm', 'install', ...options, ...packages], { cwd: folder });
}

/** Resolves with what the compiler prints. */
async function compile(root: string, cell: Cell, program: string): Promise<string> {
  const { nest, typescript, resolution } = cell;
  const { module, moduleResolution, extension } = resolution;
  const folder = await mkdtemp(join(root, `nest-${nest}`, 'program-'));
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    types: ['node'],
    ...(typescript === 6 && moduleResolution === 'node10' ? { ignoreDeprecations: '6.0' } : {}),
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await writeFile(join(folder, `program.${extension}`), program);
  const tsc = join(root, 'compilers', 'node_modules', aliasOf(typescript), 'bin', 'tsc');
  try {
    return await runCommand([process.execPath, tsc, '-p', '.'], { cwd: folder });
  } catch (error) {
    return String(error);
  }
}
