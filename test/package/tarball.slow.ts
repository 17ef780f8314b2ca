import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** Packing builds the library first. */
const patienceMs = 180_000;
const run = promisify(execFile);

const packages = ['nestjs-servicecomb', 'embedded-service-center'] as const;
type Package = (typeof packages)[number];

/** A project of a user, with both packed packages installed in it. */
let project: string;
/** Every file of each tarball, as paths below the package. */
const files: Record<Package, readonly string[]> = {
  'nestjs-servicecomb': [],
  'embedded-service-center': [],
};

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'nestjs-servicecomb-'));
  for (const name of packages) files[name] = await install(name);
  await linkPeers();
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "commonjs" }');
}, patienceMs);

afterAll(() => rm(project, { recursive: true, force: true }));

/** Packs a package and unpacks it in the project; resolves with its files. */
async function install(name: Package): Promise<readonly string[]> {
  const folder = name === 'nestjs-servicecomb' ? '.' : 'embedded';
  const pack = ['pack', '--silent', '--pack-destination', project];
  const { stdout } = await run('npm', pack, { cwd: resolve(folder) });
  const tarball = join(project, stdout.trim().split('\n').at(-1) ?? '');
  const installed = installedAt(name);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const listing = await readdir(installed, { recursive: true, withFileTypes: true });
  return listing
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(installed.length + 1))
    .sort();
}

function installedAt(name: Package): string {
  return join(project, 'node_modules', name);
}

async function manifestOf(name: Package): Promise<Record<string, Record<string, string>>> {
  const text = await readFile(join(installedAt(name), 'package.json'), 'utf8');
  return JSON.parse(text) as Record<string, Record<string, string>>;
}

/** Links each package of this repository into the project, as an installation would put it there. */
async function linkPeers(): Promise<void> {
  const from = resolve('node_modules');
  const names = await readdir(from);
  const own: ReadonlySet<string> = new Set(packages);
  for (const name of names.filter(name => !name.startsWith('.') && !own.has(name)))
    await symlink(join(from, name), join(project, 'node_modules', name));
}

/** Runs a program of the user's and tells what it printed. */
async function runInProject(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const options = ['--disable-warning=ExperimentalWarning', name];
  const { stdout } = await run(process.execPath, options, { cwd: project });
  return stdout.trim();
}

/** Compiles a program of the user's; resolves with what the compiler complains about. */
async function compileInProject(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const options =
    '--noEmit --strict --target es2023 --types node --module nodenext --moduleResolution nodenext ' +
    '--experimentalDecorators --emitDecoratorMetadata --exactOptionalPropertyTypes';
  try {
    await run(process.execPath, [tsc, ...options.split(' '), name], { cwd: project });
    return '';
  } catch (error) {
    return String(Reflect.get(Object(error), 'stdout'));
  }
}

describe.each(packages)('the tarball of %s', name => {
  it('holds the library, its source, its documents and what npm needs, and nothing else', () => {
    const allowed =
      /^(dist\/|lib\/|docs\/[\w-]+\.md$|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/;
    expect(files[name].filter(file => !allowed.test(file))).toEqual([]);
    expect(files[name]).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'dist/index.js',
        'dist/index.d.ts',
      ]),
    );
  });

  it('holds no test, no sample and no build information', () => {
    const unwanted = /(spec|slow|test|sample|bench|tsbuildinfo)/i;
    const code = files[name].filter(file => !file.startsWith('docs/'));
    expect(code.filter(file => unwanted.test(file))).toEqual([]);
  });

  it('holds the declarations and the source of every module', () => {
    const sources = files[name].filter(file => /^lib\/.*\.ts$/.test(file));
    const modules = sources.map(file => file.slice(4, -3));
    for (const module of modules)
      expect(files[name]).toEqual(
        expect.arrayContaining([
          `dist/${module}.js`,
          `dist/${module}.js.map`,
          `dist/${module}.d.ts`,
        ]),
      );
    expect(files[name].filter(file => file.endsWith('.js'))).toHaveLength(modules.length);
    expect(files[name].filter(file => file.endsWith('.json'))).toEqual(['package.json']);
  });

  it('has source maps that lead to the source it holds', async () => {
    const { sources }: { sources: readonly string[] } = JSON.parse(
      await readFile(join(installedAt(name), 'dist/index.js.map'), 'utf8'),
    );
    expect(sources.map(source => join('dist', source))).toEqual(['lib/index.ts']);
  });

  it('names every package that it imports, and no other dependency', async () => {
    const imported = await importsOf(name);
    const { dependencies = {}, peerDependencies = {} } = await manifestOf(name);
    const named = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    expect([...imported].filter(each => !named.has(each))).toEqual([]);
    expect(Object.keys(dependencies).filter(each => !imported.has(each))).toEqual([]);
  });
});

/** Returns the packages that the modules and declarations of a package import. */
async function importsOf(name: Package): Promise<ReadonlySet<string>> {
  const imported = new Set<string>();
  for (const file of files[name].filter(each => /^dist\/.*\.(js|d\.ts)$/.test(each))) {
    const text = await readFile(join(installedAt(name), file), 'utf8');
    for (const [, from = ''] of text.matchAll(/^(?:import|.* from) '([^'.][^']*)';$/gm)) {
      if (from.startsWith('node:')) continue;
      const length = from.startsWith('@') ? 2 : 1;
      imported.add(from.split('/').slice(0, length).join('/'));
    }
  }
  return imported;
}

describe('the tarball of the client', () => {
  it('holds nothing of the embedded Service Center, and depends on nothing but its peers', async () => {
    expect(files['nestjs-servicecomb'].filter(file => file.includes('embedded'))).toEqual([]);
    expect(await manifestOf('nestjs-servicecomb')).not.toHaveProperty('dependencies');
    expect(await importsOf('nestjs-servicecomb')).toContain('@nestjs/common');
  });
});

describe('the tarball of the embedded Service Center', () => {
  it('imports nothing but ws', async () => {
    expect([...(await importsOf('embedded-service-center'))]).toEqual(['ws']);
  });

  it('holds the modules of the page', () => {
    expect(files['embedded-service-center']).toContain('dist/page/browser/main.js');
  });

  it('serves the page from where it is installed', async () => {
    const source = `
      import { EmbeddedServiceCenter } from 'embedded-service-center';
      const registry = new EmbeddedServiceCenter({ port: 0 });
      const { url } = await registry.start();
      const paths = ['', 'style.css', 'browser/main.js', 'browser/board.js'];
      const answers = await Promise.all(paths.map(path => fetch(url + '/-/' + path)));
      console.log(answers.map(({ status }) => status).join());
      await registry.stop();
    `;
    expect(await runInProject('page.mjs', source)).toBe('200,200,200,200');
  });
});

const names = ['RegistryModule', 'Registration', 'ServiceCenterClient', 'OnRegistryEvent'];

describe('the installed packages', () => {
  it('bring a command, which tells its version', async () => {
    const { bin = {}, version } = await manifestOf('embedded-service-center');
    expect(Object.keys(bin)).toEqual(['embedded-service-center']);
    const command = bin['embedded-service-center'] ?? '';
    const file = join(installedAt('embedded-service-center'), command);
    expect(await readFile(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { stdout } = await run(process.execPath, [file, '--version'], { cwd: project });
    expect(stdout.trim()).toBe(version);
  });

  it('can be imported', async () => {
    const source = `
      import * as main from 'nestjs-servicecomb';
      import { EmbeddedServiceCenter } from 'embedded-service-center';
      import manifest from 'nestjs-servicecomb/package.json' with { type: 'json' };
      const found = ${JSON.stringify(names)}.map(name => typeof main[name]);
      console.log(JSON.stringify([...found, typeof EmbeddedServiceCenter, main.version === manifest.version]));
    `;
    const functions = [...names, 'EmbeddedServiceCenter'].map(() => 'function');
    expect(JSON.parse(await runInProject('esm.mjs', source))).toEqual([...functions, true]);
  });

  it('can be required by CommonJS', async () => {
    const source = `
      const main = require('nestjs-servicecomb');
      const { EmbeddedServiceCenter } = require('embedded-service-center');
      const found = ${JSON.stringify(names)}.map(name => typeof main[name]);
      console.log(JSON.stringify([...found, typeof EmbeddedServiceCenter]));
    `;
    const functions = [...names, 'EmbeddedServiceCenter'].map(() => 'function');
    expect(JSON.parse(await runInProject('cjs.cjs', source))).toEqual(functions);
  });

  it('hide what they do not export', async () => {
    const source = `
      for (const path of ['nestjs-servicecomb/dist/errors.js', 'embedded-service-center/dist/clock.js'])
        await import(path).then(() => console.log('found'), error => console.log(error.code));
    `;
    const code = 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    expect(await runInProject('deep.mjs', source)).toBe(`${code}\n${code}`);
  });

  it('start nothing when they are imported', async () => {
    const source = `
      import 'nestjs-servicecomb';
      import 'embedded-service-center';
      console.log(process.getActiveResourcesInfo().filter(name => /Timeout|Server|Socket/.test(name)).join());
    `;
    expect(await runInProject('idle.mjs', source)).toBe('');
  });

  it.each(['consumer.mts', 'consumer.cts'])(
    'have types for a program in %s',
    async name => {
      expect(await compileInProject(name, consumer)).toBe('');
    },
    patienceMs,
  );

  it(
    'have types that refuse a wrong option',
    async () => {
      const source = `
        import { RegistryModule } from 'nestjs-servicecomb';
        RegistryModule.forRoot({ heartbeat: { intervalMs: '15s' } });
      `;
      expect(await compileInProject('wrong.mts', source)).toMatch(/error TS2322.*'number/);
    },
    patienceMs,
  );
});

const consumer = `
  import { Injectable, Module } from '@nestjs/common';
  import {
    type HeartbeatFailedEvent,
    isServiceCombError,
    OnRegistryEvent,
    Registration,
    RegistryEvents,
    RegistryModule,
    ServiceCenterClient,
  } from 'nestjs-servicecomb';
  import { EmbeddedServiceCenter } from 'embedded-service-center';

  @Injectable()
  export class Watcher {
    constructor(readonly registration: Registration, readonly client: ServiceCenterClient) {}

    @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
    warn({ failures, error }: HeartbeatFailedEvent): number {
      return isServiceCombError(error) ? failures : 0;
    }
  }

  @Module({
    imports: [
      RegistryModule.forRoot({
        serviceCenter: { domain: process.env['DOMAIN'] },
        heartbeat: { intervalMs: 15_000 },
      }),
    ],
    providers: [Watcher],
  })
  export class AppModule {}

  export const serviceCenter: Promise<{ readonly url: string }> = new EmbeddedServiceCenter({
    port: 0,
  }).start();
`;
