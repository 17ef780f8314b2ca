import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from './command.js';
import { consumer } from './consumer.js';
import { pack, type Package, packages, type Tarball } from './packages.js';

/** A project of a user, with both packed packages installed in it. */
let project: string;
const tarballs = new Map<Package, Tarball>();

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'nestjs-servicecomb-'));
  for (const name of packages) await install(name);
  await linkPeers();
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "commonjs" }');
});

afterAll(() => rm(project, { recursive: true, force: true }));

async function install(name: Package): Promise<void> {
  const tarball = await pack(name, project);
  tarballs.set(name, tarball);
  await mkdir(installedAt(name), { recursive: true });
  const options = ['-C', installedAt(name), '--strip-components=1'];
  await runCommand(['tar', '-xzf', tarball.path, ...options], { cwd: project });
}

function installedAt(name: Package): string {
  return join(project, 'node_modules', name);
}

/** Returns the paths in a tarball. */
function filesOf(name: Package): readonly string[] {
  return tarballs.get(name)?.files ?? [];
}

function textOf(name: Package, file: string): Promise<string> {
  return readFile(join(installedAt(name), file), 'utf8');
}

interface Manifest {
  readonly version: string;
  readonly homepage: string;
  readonly repository: { readonly url: string };
  readonly bugs: { readonly url: string };
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

async function manifestOf(name: Package): Promise<Manifest> {
  return JSON.parse(await textOf(name, 'package.json')) as Manifest;
}

/** Links each package of this repository into the project, as an installation would put it there. */
async function linkPeers(): Promise<void> {
  const from = resolve('node_modules');
  const names = await readdir(from);
  const own: ReadonlySet<string> = new Set(packages);
  for (const name of names.filter(name => !name.startsWith('.') && !own.has(name)))
    await symlink(join(from, name), join(project, 'node_modules', name));
}

/** Runs a program of the user's and resolves with what it prints. */
async function runInProject(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const options = ['--disable-warning=ExperimentalWarning', name];
  const printed = await runCommand([process.execPath, ...options], { cwd: project });
  return printed.trim();
}

/** Compiles a program of the user's; resolves with what the compiler prints. */
async function compileInProject(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const options =
    '--noEmit --strict --target es2023 --types node --module nodenext --moduleResolution nodenext ' +
    '--experimentalDecorators --emitDecoratorMetadata --exactOptionalPropertyTypes';
  try {
    return await runCommand([process.execPath, tsc, ...options.split(' '), name], { cwd: project });
  } catch (error) {
    return String(error);
  }
}

describe.each(packages)('the tarball of %s', name => {
  it('holds both forms, the documents and what npm needs, and nothing else', () => {
    const allowed =
      /^(dist\/(esm|cjs)\/.+\.(js|d\.ts)|dist\/cjs\/package\.json|dist\/schematics\/(nest-add\.cjs|\w+\.json)|docs\/reference\.md|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
    expect(filesOf(name).filter(file => !allowed.test(file))).toEqual([]);
    expect(filesOf(name)).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/cjs/package.json']),
    );
  });

  it('holds the same declarations for both forms', () => {
    const declarationsOf = (form: string): readonly string[] =>
      filesOf(name)
        .filter(file => file.startsWith(`dist/${form}/`) && file.endsWith('.d.ts'))
        .map(file => file.slice(`dist/${form}/`.length));
    expect(declarationsOf('esm')).toContain('index.d.ts');
    expect(declarationsOf('cjs')).toEqual(declarationsOf('esm'));
  });

  it('holds each declaration that another one imports', async () => {
    const declarations = filesOf(name).filter(file => file.endsWith('.d.ts'));
    for (const file of declarations)
      for (const [, path = ''] of (await textOf(name, file)).matchAll(/["'](\.[^"']*)\.js["']/g))
        expect(declarations).toContain(join(dirname(file), `${path}.d.ts`));
  });

  it('holds no class that the bundler had to rename, and no link to a source map', async () => {
    for (const file of filesOf(name).filter(each => each.endsWith('.js'))) {
      const text = await textOf(name, file);
      expect(text.match(/\bclass \w+\$\d+/g)).toBeNull();
      expect(text).not.toContain('sourceMappingURL');
    }
  });

  it('holds each file that its documents link to', async () => {
    for (const document of filesOf(name).filter(file => file.endsWith('.md'))) {
      const links = (await textOf(name, document)).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g);
      const paths = [...links].map(([, path = '']) => join(dirname(document), path));
      expect(paths.filter(path => !filesOf(name).includes(path))).toEqual([]);
    }
  });

  it('names its repository, its home page and where to report a bug', async () => {
    const { homepage, repository, bugs } = await manifestOf(name);
    expect(homepage).toMatch(/^https:\/\/\S+#readme$/);
    expect(repository.url).toMatch(/^git\+https:\/\/\S+\.git$/);
    expect(bugs.url).toMatch(/^https:\/\/\S+\/issues$/);
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
  for (const file of filesOf(name).filter(each => /^dist\/.*\.(js|d\.ts)$/.test(each))) {
    const text = await textOf(name, file);
    const imports = /(?:^(?:import|.* from) |^const .* = require\()'([^'.][^']*)'\)?;$/gm;
    for (const [, from = ''] of text.matchAll(imports)) {
      if (from.startsWith('node:')) continue;
      const length = from.startsWith('@') ? 2 : 1;
      imported.add(from.split('/').slice(0, length).join('/'));
    }
  }
  return imported;
}

describe('the tarball of the client', () => {
  it('is little more than half of version 0.1.0, which had neither discovery nor metrics nor a command, but the embedded Service Center, its maps and sources', () => {
    const { size, unpackedSize } = tarballs.get('nestjs-servicecomb') ?? {};
    expect(size).toBeLessThan(678_000 * 0.55);
    expect(unpackedSize).toBeLessThan(2_850_000 * 0.6);
  });

  it('has one file of JavaScript in each form, which is read faster than a hundred, and one for each subpath', () => {
    const modules = filesOf('nestjs-servicecomb').filter(file => file.endsWith('.js'));
    const expected = ['index.js', 'metrics/index.js', 'tracing/index.js'];
    const ofTheCommand = /^dist\/esm\/cli\/(command|main)\.js$/;
    expect(modules.filter(file => !ofTheCommand.test(file)).toSorted()).toEqual(
      ['cjs', 'esm'].flatMap(form => expected.map(file => `dist/${form}/${file}`)),
    );
  });

  it('shares the classes of the main entry with its subpaths, which it does not load', async () => {
    for (const form of ['cjs', 'esm']) {
      const main = await textOf('nestjs-servicecomb', `dist/${form}/index.js`);
      expect(main).not.toMatch(/(?:from|require\()\s*'\./);
      for (const subpath of ['metrics', 'tracing']) {
        const text = await textOf('nestjs-servicecomb', `dist/${form}/${subpath}/index.js`);
        const own = [...text.matchAll(/(?:from |require\()'(\.[^']*)'/g)].map(([, path]) => path);
        expect(new Set(own)).toEqual(new Set(['../index.js']));
      }
    }
  });

  it('has a command that loads neither Nest nor the library besides', async () => {
    const text = await textOf('nestjs-servicecomb', 'dist/esm/cli/command.js');
    const imported = [...text.matchAll(/^import .*'([^']+)';$/gm)].map(([, name = '']) => name);
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter(name => !/^(node:.*|axios|rxjs)$/.test(name))).toEqual([]);
  });

  it('has a command that names a package that is missing', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'nestjs-servicecomb-'));
    const folder = join(alone, 'node_modules', 'nestjs-servicecomb');
    await cp(installedAt('nestjs-servicecomb'), folder, { recursive: true });
    const command = [process.execPath, join(folder, 'dist/esm/cli/main.js'), 'ls'] as const;
    await expect(runCommand(command, { cwd: alone })).rejects.toThrow(
      'The package axios, which nestjs-servicecomb needs, is not installed here: npm install axios',
    );
    await rm(alone, { recursive: true });
  });

  it('holds nothing of the embedded Service Center, and depends on nothing but its peers', async () => {
    expect(filesOf('nestjs-servicecomb').filter(file => file.includes('embedded'))).toEqual([]);
    expect(await manifestOf('nestjs-servicecomb')).not.toHaveProperty('dependencies');
    expect(await importsOf('nestjs-servicecomb')).toContain('@nestjs/common');
  });
});

describe('the tarball of the embedded Service Center', () => {
  it('imports nothing but ws', async () => {
    expect([...(await importsOf('embedded-service-center'))]).toEqual(['ws']);
  });

  it.each([
    ['page.mjs', "import { EmbeddedServiceCenter } from 'embedded-service-center';"],
    ['page.cjs', "const { EmbeddedServiceCenter } = require('embedded-service-center');"],
  ])('serves the page from where it is installed: %s', async (file, line) => {
    const source = `
      ${line}
      async function main() {
        const registry = new EmbeddedServiceCenter({ port: 0 });
        const { url } = await registry.start();
        const paths = ['', 'style.css', 'browser/main.js', 'browser/board.js'];
        const answers = await Promise.all(paths.map(path => fetch(url + '/-/' + path)));
        console.log(answers.map(({ status }) => status).join());
        await registry.stop();
      }
      main();
    `;
    expect(await runInProject(file, source)).toBe('200,200,200,200');
  });
});

const names = ['RegistryModule', 'Registration', 'ServiceCenterClient', 'OnRegistryEvent'];

describe('the installed packages', () => {
  it.each(packages)('bring a command, which tells its version: %s', async name => {
    const { bin = {}, version } = await manifestOf(name);
    expect(Object.keys(bin)).toEqual([name]);
    const file = join(installedAt(name), bin[name] ?? '');
    expect(await readFile(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const printed = await runCommand([process.execPath, file, '--version'], { cwd: project });
    expect(printed.trim()).toBe(version);
  });

  it.each([
    ['metrics.mjs', names => `import { ${names} } from`],
    ['metrics.cjs', names => `const { ${names} } = require`],
  ] satisfies readonly (readonly [string, (names: string) => string])[])(
    'have metrics that name the optional package that is missing: %s',
    async (file, load) => {
      const line = (names: string, from: string) =>
        file.endsWith('.mjs') ? `${load(names)} '${from}';` : `${load(names)}('${from}');`;
      const source = `
        ${line('Module', '@nestjs/common')}
        ${line('NestFactory', '@nestjs/core')}
        ${line('EventEmitterModule', '@nestjs/event-emitter')}
        ${line('ScheduleModule', '@nestjs/schedule')}
        ${line('isServiceCombError, RegistryModule', 'nestjs-servicecomb')}
        ${line('RegistryMetricsModule', 'nestjs-servicecomb/metrics')}
        async function start(options) {
          class AppModule {}
          const metrics = RegistryMetricsModule.forRoot(options);
          const registry = RegistryModule.forRoot({ enabled: false, microservice: { serviceName: 'orders' } });
          const imports = [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), metrics, registry];
          Module({ imports })(AppModule);
          const settings = { logger: false, abortOnError: false };
          const app = await NestFactory.createApplicationContext(AppModule, settings);
          await app.close();
        }
        async function main() {
          for (const exporter of ['prometheus', 'opentelemetry'])
            await start({ exporter }).then(
              () => console.log('started'),
              error => console.log(isServiceCombError(error), error.message),
            );
        }
        main();
      `;
      const optional = ['prom-client', '@opentelemetry'];
      const links = optional.map(name => join(project, 'node_modules', name));
      expect(await runInProject(file, source)).toBe('started\nstarted');
      for (const link of links) await rm(link);
      try {
        expect((await runInProject(file, source)).split('\n')).toEqual([
          expect.stringMatching(
            /^true Invalid options.*'prometheus' needs the package prom-client/,
          ),
          expect.stringMatching(/^true Invalid options.*needs the package @opentelemetry\/api/),
        ]);
      } finally {
        for (const [nth, link] of links.entries())
          await symlink(resolve('node_modules', optional[nth] ?? ''), link);
      }
    },
  );

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

  it('have traces that name the optional package when it is missing', async () => {
    const source = `
      const { Module } = require('@nestjs/common');
      const { NestFactory } = require('@nestjs/core');
      const { EventEmitterModule } = require('@nestjs/event-emitter');
      const { ScheduleModule } = require('@nestjs/schedule');
      const { RegistryModule } = require('nestjs-servicecomb');
      const { RegistryTracingModule } = require('nestjs-servicecomb/tracing');
      class AppModule {}
      const microservice = { serviceName: 'orders' };
      const registry = RegistryModule.forRoot({ enabled: false, microservice });
      const host = [ScheduleModule.forRoot(), EventEmitterModule.forRoot()];
      Module({ imports: [...host, RegistryTracingModule.forRoot(), registry] })(AppModule);
      NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false })
        .then(app => app.close())
        .then(() => console.log('started'), error => console.log(error.message));
    `;
    const link = join(project, 'node_modules', '@opentelemetry');
    expect(await runInProject('traced.cjs', source)).toBe('started');
    await rm(link);
    try {
      expect(await runInProject('traced.cjs', source)).toMatch(
        /^Invalid registry options: RegistryTracingModule needs the package @opentelemetry\/api/,
      );
    } finally {
      await symlink(resolve('node_modules/@opentelemetry'), link);
    }
  });

  it.each([
    ['optional.mjs', "import * as modules from 'node:module';", 'import'],
    ['optional.cjs', "const modules = require('node:module');", 'require'],
  ])('load no optional package until it is used: %s', async (file, line, load) => {
    const source = `
      ${line}
      const isOptional = /^(ws|prom-client|@opentelemetry\\/.*|@nestjs\\/(terminus|swagger))$/;
      const hook = "import { writeSync } from 'node:fs';" +
        "export async function resolve(name, context, next) {" +
        "  if (" + isOptional + ".test(name)) writeSync(1, 'import ' + name + '\\\\n');" +
        "  return next(name, context);" +
        "}";
      modules.register('data:text/javascript,' + encodeURIComponent(hook));
      const { require: original } = modules.Module.prototype;
      modules.Module.prototype.require = function (name) {
        if (isOptional.test(name)) console.log('require ' + name);
        return original.call(this, name);
      };
      const load = async name => ${load}(name);
      async function main() {
        const { Module } = await load('@nestjs/common');
        const { NestFactory } = await load('@nestjs/core');
        const { EventEmitterModule } = await load('@nestjs/event-emitter');
        const { ScheduleModule } = await load('@nestjs/schedule');
        const client = await load('nestjs-servicecomb');
        const { RegistryModule, DiscoveryHttpModule, RegistryHealthModule } = client;
        class AppModule {}
        const registry = RegistryModule.forRoot({ enabled: false, microservice: { serviceName: 'orders' } });
        const host = [ScheduleModule.forRoot(), EventEmitterModule.forRoot()];
        const others = [DiscoveryHttpModule.register(), RegistryHealthModule.forRoot(), registry];
        Module({ imports: [...host, ...others] })(AppModule);
        const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
        await app.init();
        await app.close();
        console.log('started and ended');
        await load('ws');
      }
      main().catch(error => console.log(error));
    `;
    expect(await runInProject(file, source)).toBe(`started and ended\n${load} ws`);
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

  it.each([
    ['names.mjs', "import * as client from 'nestjs-servicecomb';"],
    ['names.cjs', "const client = require('nestjs-servicecomb');"],
  ])('give every class and function the name that it is exported by: %s', async (file, line) => {
    const source = `
      ${line}
      const functions = Object.entries(client).filter(([, value]) => typeof value === 'function');
      const renamed = functions.filter(([name, value]) => value.name !== name);
      console.log(JSON.stringify({ count: functions.length, renamed }));
    `;
    const { count, renamed } = JSON.parse(await runInProject(file, source)) as {
      readonly count: number;
      readonly renamed: readonly string[];
    };
    expect(count).toBeGreaterThan(10);
    expect(renamed).toEqual([]);
  });

  it('export the same names in both forms', async () => {
    const source = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const same = [];
      for (const name of ${JSON.stringify(packages)}) {
        const imported = Object.keys(await import(name)).filter(key => key !== 'default').sort();
        same.push(imported.length > 0 && imported.join() === Object.keys(require(name)).sort().join());
      }
      console.log(same.join());
    `;
    expect(await runInProject('same.mjs', source)).toBe('true,true');
  });

  it('know an error of the other form, where a process has loaded both', async () => {
    const source = `
      import { createRequire } from 'node:module';
      import * as modules from 'nestjs-servicecomb';
      const common = createRequire(import.meta.url)('nestjs-servicecomb');
      const ofModules = new modules.RegistryOptionsError([]);
      const ofCommon = new common.RegistryOptionsError([]);
      console.log([
        modules.RegistryOptionsError === common.RegistryOptionsError,
        modules.isServiceCombError(ofCommon),
        common.isServiceCombError(ofModules),
        ofCommon.name,
      ].join());
    `;
    expect(await runInProject('brand.mjs', source)).toBe('false,true,true,RegistryOptionsError');
  });

  it('hide what they do not export', async () => {
    const source = `
      for (const path of ['nestjs-servicecomb/dist/esm/index.js', 'embedded-service-center/dist/esm/command/main.js'])
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

  it.each(['consumer.mts', 'consumer.cts'])('have types for a program in %s', async name => {
    expect(await compileInProject(name, consumer)).toBe('');
  });

  it('have types that refuse a wrong option', async () => {
    const source = `
      import { RegistryModule } from 'nestjs-servicecomb';
      RegistryModule.forRoot({ heartbeat: { intervalMs: '15s' } });
    `;
    expect(await compileInProject('wrong.mts', source)).toMatch(/error TS2322.*'number/);
  });
});
