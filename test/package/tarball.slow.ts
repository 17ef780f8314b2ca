import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** Packing builds the library first. */
const patienceMs = 180_000;
const run = promisify(execFile);

/** A project of a user, with the packed library installed in it. */
let project: string;
/** Every file of the tarball, as paths below the package. */
let files: readonly string[];

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'nestjs-servicecomb-'));
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project]);
  const tarball = join(project, stdout.trim().split('\n').at(-1) ?? '');
  const installed = join(project, 'node_modules', 'nestjs-servicecomb');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const listing = await readdir(installed, { recursive: true, withFileTypes: true });
  files = listing
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(installed.length + 1))
    .sort();
  await linkPeers();
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "commonjs" }');
}, patienceMs);

afterAll(() => rm(project, { recursive: true, force: true }));

/** Links each package of this repository into the project, as an installation would put it there. */
async function linkPeers(): Promise<void> {
  const from = resolve('node_modules');
  const names = await readdir(from);
  for (const name of names.filter(name => !name.startsWith('.') && name !== 'nestjs-servicecomb'))
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

describe('the tarball', () => {
  it('holds the library, its source, its documents and what npm needs, and nothing else', () => {
    const allowed =
      /^(dist\/|lib\/|docs\/[\w-]+\.md$|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/;
    expect(files.filter(file => !allowed.test(file))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']),
    );
  });

  it('holds no test, no sample and no build information', () => {
    expect(files.filter(file => /(spec|slow|test|sample|bench|tsbuildinfo)/i.test(file))).toEqual(
      [],
    );
  });

  it('holds the declarations and the source of every module', () => {
    const modules = files.filter(file => /^lib\/.*\.ts$/.test(file)).map(file => file.slice(4, -3));
    for (const name of modules)
      expect(files).toEqual(
        expect.arrayContaining([`dist/${name}.js`, `dist/${name}.js.map`, `dist/${name}.d.ts`]),
      );
    expect(files.filter(file => file.endsWith('.js'))).toHaveLength(modules.length);
  });

  it('holds the modules of the page, and nothing that only its compiler needs', () => {
    expect(files).toContain('dist/embedded/page/browser/main.js');
    expect(files.filter(file => file.endsWith('.json'))).toEqual(['package.json']);
  });

  it('serves the page from where it is installed', async () => {
    const source = `
      import { EmbeddedServiceCenter } from 'nestjs-servicecomb/embedded';
      const registry = new EmbeddedServiceCenter({ port: 0 });
      const { url } = await registry.start();
      const paths = ['', 'style.css', 'browser/main.js', 'browser/board.js'];
      const answers = await Promise.all(paths.map(path => fetch(url + '/-/' + path)));
      console.log(answers.map(({ status }) => status).join());
      await registry.stop();
    `;
    expect(await runInProject('page.mjs', source)).toBe('200,200,200,200');
  });

  it('has source maps that lead to the source it holds', async () => {
    const map = files.find(file => file === 'dist/index.js.map') ?? '';
    const installed = join(project, 'node_modules', 'nestjs-servicecomb');
    const { sources }: { sources: readonly string[] } = JSON.parse(
      await readFile(join(installed, map), 'utf8'),
    );
    expect(sources.map(source => join('dist', source))).toEqual(['lib/index.ts']);
  });

  it('names every package that it imports', async () => {
    const installed = join(project, 'node_modules', 'nestjs-servicecomb');
    const imported = new Set<string>();
    for (const file of files.filter(
      name => name.startsWith('dist/') && /\.(js|d\.ts)$/.test(name),
    )) {
      const text = await readFile(join(installed, file), 'utf8');
      for (const [, name = ''] of text.matchAll(/^(?:import|.* from) '([^'.][^']*)';$/gm))
        imported.add(
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(
      await readFile(join(installed, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;
    const named = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    const others = [...imported].filter(name => !name.startsWith('node:'));
    expect(others).toContain('@nestjs/common');
    expect(others.filter(name => !named.has(name))).toEqual([]);
  });
});

const names = ['RegistryModule', 'Registration', 'ServiceCenterClient', 'OnRegistryEvent'];

describe('the installed package', () => {
  it('brings a command of its own name, which tells its version', async () => {
    const installed = join(project, 'node_modules', 'nestjs-servicecomb');
    const { bin, version } = JSON.parse(
      await readFile(join(installed, 'package.json'), 'utf8'),
    ) as {
      readonly bin: Readonly<Record<string, string>>;
      readonly version: string;
    };
    expect(Object.keys(bin)).toEqual(['nestjs-servicecomb']);
    const file = join(installed, bin['nestjs-servicecomb'] ?? '');
    expect(await readFile(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { stdout } = await run(process.execPath, [file, '--version'], { cwd: project });
    expect(stdout.trim()).toBe(version);
  });

  it('can be imported', async () => {
    const source = `
      import * as main from 'nestjs-servicecomb';
      import { EmbeddedServiceCenter } from 'nestjs-servicecomb/embedded';
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
      const { EmbeddedServiceCenter } = require('nestjs-servicecomb/embedded');
      const found = ${JSON.stringify(names)}.map(name => typeof main[name]);
      console.log(JSON.stringify([...found, typeof EmbeddedServiceCenter]));
    `;
    const functions = [...names, 'EmbeddedServiceCenter'].map(() => 'function');
    expect(JSON.parse(await runInProject('cjs.cjs', source))).toEqual(functions);
  });

  it('hides what it does not export', async () => {
    const source = `
      import('nestjs-servicecomb/dist/errors.js').then(
        () => console.log('found'),
        error => console.log(error.code),
      );
    `;
    expect(await runInProject('deep.mjs', source)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('starts nothing when it is imported', async () => {
    const source = `
      import 'nestjs-servicecomb';
      import 'nestjs-servicecomb/embedded';
      console.log(process.getActiveResourcesInfo().filter(name => /Timeout|Server|Socket/.test(name)).join());
    `;
    expect(await runInProject('idle.mjs', source)).toBe('');
  });

  it.each(['consumer.mts', 'consumer.cts'])(
    'has types for a program in %s',
    async name => {
      expect(await compileInProject(name, consumer)).toBe('');
    },
    patienceMs,
  );

  it(
    'has types that refuse a wrong option',
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
  import { EmbeddedServiceCenter } from 'nestjs-servicecomb/embedded';

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
