import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { peersOf } from '../../../schematics/peers.js';
import { after, type Files, moduleAfter, plan, starter } from './project.js';

const registry = "RegistryModule.forRoot({ microservice: { serviceName: 'orders' } })";
const allThree = `ScheduleModule.forRoot(), // runs the heartbeat
    EventEmitterModule.forRoot(), // delivers the events
    ${registry}, // import it last: it then leaves first
`;

describe('nest add', () => {
  it('imports the three modules in order, the one of the registry last', () => {
    expect(after()['src/app.module.ts']).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';
import { ScheduleModule } from '@nestjs/schedule';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { RegistryModule } from 'nestjs-servicecomb';

@Module({
  imports: [
    ${allThree}  ],
  controllers: [AppController],
})
export class AppModule {}
`);
  });

  it('enables the shutdown hooks of the application', () => {
    expect(after()['src/main.ts']).toContain(`  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks(); // removes the instance when the process is stopped
  await app.listen(`);
  });

  it('changes nothing the second time', () => {
    expect(plan(after())).toEqual({ changes: new Map(), notes: [] });
  });

  it.each([
    ['11.1.0', '^6.0.0', '^3.0.0', '^4.0.0'],
    ['12.5.1', '^12.0.0', '^12.0.0', '^12.0.0'],
  ])('adds the peers for the installed Nest %s', (version, schedule, emitter, axios) => {
    const installed = { 'node_modules/@nestjs/common/package.json': JSON.stringify({ version }) };
    const { dependencies } = manifestAfter(installed);
    expect(dependencies).toMatchObject({
      '@nestjs/schedule': schedule,
      '@nestjs/event-emitter': emitter,
      '@nestjs/axios': axios,
      axios: '^1.5.0',
    });
    expect(Object.keys(dependencies)).toEqual(Object.keys(dependencies).toSorted());
  });

  it('adds peers in a range that the library itself names', () => {
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly peerDependencies: Readonly<Record<string, string>>;
    };
    for (const nest of ['11', '12'])
      for (const [name, range] of Object.entries(peersOf(nest)))
        expect(peerDependencies[name]?.split(' || ')).toContain(range);
  });

  it('keeps the indent and the end of package.json', () => {
    const text = '{\n\t"name": "orders",\n\t"dependencies": { "@nestjs/common": "12" }\n}';
    expect(after({ 'package.json': text })['package.json']).toMatch(/^\{\n\t"name"[^]*\n\}$/);
  });

  it('leaves a peer of another Nest as it is, and says so', () => {
    const dependencies = { '@nestjs/common': '^11.0.0', '@nestjs/schedule': '^12.0.2' };
    const files = { 'package.json': JSON.stringify({ name: 'orders', dependencies }) };
    expect(manifestAfter(files).dependencies).toMatchObject({ '@nestjs/schedule': '^12.0.2' });
    expect(plan(files).notes).toEqual([
      'package.json has @nestjs/schedule ^12.0.2, and ^6.0.0 belongs to this version of Nest',
    ]);
  });

  it('leaves a peer for development alone as it is, and says so', () => {
    const dependencies = { '@nestjs/common': '^11.0.0' };
    const manifest = { name: 'orders', dependencies, devDependencies: { axios: '^1.5.0' } };
    const files = { 'package.json': JSON.stringify(manifest) };
    expect(manifestAfter(files).dependencies).not.toHaveProperty('axios');
    expect(plan(files).notes).toEqual([
      'package.json has axios among its devDependencies: move it to dependencies',
    ]);
  });

  it('does not import what another module of the project imports', () => {
    const core = '@Module({ imports: [ScheduleModule.forRoot()] }) export class CoreModule {}';
    const files = { 'src/core/core.module.ts': core };
    expect(after(files)['src/app.module.ts']).not.toContain('ScheduleModule');
    expect(after(files)['src/app.module.ts']).toContain(registry);
    expect(plan(files).notes).toEqual([
      'ScheduleModule is not added, because src/core/core.module.ts imports it',
    ]);
  });
});

function manifestAfter(files: Files): { readonly dependencies: Readonly<Record<string, string>> } {
  return JSON.parse(after(files)['package.json'] ?? '') as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
}

describe('the options of nest add', () => {
  it('--address and --service-name reach the registry module, in lines that Prettier leaves', () => {
    const options = {
      address: 'http://10.0.0.5:30100, https://10.0.0.6:30100',
      serviceName: 'shop',
    };
    expect(after({}, options)['src/app.module.ts']).toContain(`
    RegistryModule.forRoot({
      serviceCenter: { addresses: ['http://10.0.0.5:30100', 'https://10.0.0.6:30100'] },
      microservice: { serviceName: 'shop' },
    }), // import it last`);
  });

  const monorepo: Files = {
    'nest-cli.json': JSON.stringify({
      sourceRoot: 'apps/gateway/src',
      projects: {
        gateway: { sourceRoot: 'apps/gateway/src' },
        billing: { sourceRoot: 'apps/billing/src', entryFile: 'server' },
      },
    }),
    'apps/billing/src/server.ts': starter['src/main.ts'],
    'apps/billing/src/app.module.ts': starter['src/app.module.ts'],
  };

  it.each([
    ['the project', { project: 'billing', sourceRoot: 'apps/billing/src' }],
    ['its short form', { p: 'billing' }],
    ['the folder that the CLI asked for', { sourceRoot: 'apps/billing/src' }],
  ])('choose a project of a monorepo, whose name the service gets: %s', (_, options) => {
    const { changes } = plan(monorepo, options);
    expect([...changes.keys()]).toEqual([
      'package.json',
      'apps/billing/src/app.module.ts',
      'apps/billing/src/server.ts',
    ]);
    expect(changes.get('apps/billing/src/app.module.ts')).toContain("serviceName: 'billing'");
  });

  it.each([
    [{ address: '10.0.0.5:30100' }, {}, '--address must be URLs of http or https'],
    [{ address: 'http://one:1,' }, {}, 'got ""'],
    [{ project: 'shop' }, {}, 'nest-cli.json has no project shop'],
    [{}, { 'package.json': '{ "dependencies": { "@nestjs/common": "10" } }' }, 'common 10'],
    [{}, { 'package.json': '{}' }, 'package.json has no @nestjs/common'],
    [
      {},
      { 'package.json': '{ "dependencies": { "@nestjs/common": "12" } }' },
      'name the service with --service-name',
    ],
  ])('are refused in a sentence: %j %j', (options, files, sentence) => {
    expect(() => plan(files, options)).toThrow(sentence);
  });
});

describe('a root module', () => {
  const added = `\n    ${allThree}  `;
  it.each([
    ['with no metadata', '@Module({})', `@Module({\n  imports: [${added}],\n})`],
    [
      'with other metadata alone',
      '@Module({\n  providers: [A],\n})',
      `@Module({\n  imports: [${added}],\n  providers: [A],\n})`,
    ],
    [
      'with imports in one line',
      '@Module({\n  imports: [A, B.forRoot({ a: [1] })],\n})',
      `@Module({\n  imports: [\n    A,\n    B.forRoot({ a: [1] }),${added}],\n})`,
    ],
    [
      'with imports in lines of their own',
      '@Module({\n  imports: [\n    A, // a\n    B // b\n  ]\n})',
      `@Module({\n  imports: [\n    A, // a\n    B, // b${added}]\n})`,
    ],
    [
      'with a comma after the last import',
      '@Module({\n  imports: [\n    A,\n    // more to come\n  ],\n})',
      `@Module({\n  imports: [\n    A,\n    // more to come${added}],\n})`,
    ],
    [
      'with a list that another one is spread into',
      '@Module({\n  imports: [...common],\n})',
      `@Module({\n  imports: [\n    ...common,${added}],\n})`,
    ],
  ])('%s gets the modules at the end', (_, before, expected) => {
    expect(moduleAfter(`${before}\nexport class AppModule {}\n`)).toBe(
      `${expected}\nexport class AppModule {}\n`,
    );
  });

  it('with the registry module gets what is missing before it', () => {
    const head = "import { RegistryModule } from 'nestjs-servicecomb';\n";
    const lines = '@Module({\n  imports: [\n    RegistryModule.forRoot(),\n  ],\n})';
    expect(moduleAfter(`${head}${lines}\nexport class AppModule {}`)).toContain(`imports: [
    ScheduleModule.forRoot(), // runs the heartbeat
    EventEmitterModule.forRoot(), // delivers the events
    RegistryModule.forRoot(),
  ],`);
    const line = '@Module({ imports: [A, RegistryModule.forRoot()] })';
    expect(moduleAfter(`${head}${line}\nexport class AppModule {}`)).toContain(
      'imports: [A, ScheduleModule.forRoot(), EventEmitterModule.forRoot(), RegistryModule.forRoot()]',
    );
  });

  it('is written on in its own style: quotes, no semicolons, tabs, newlines of Windows', () => {
    const text = [
      'import { Module } from "@nestjs/common"',
      'import { ScheduleModule as Timers } from "@nestjs/schedule" // timers',
      '',
      '@Module({',
      '\timports: [',
      '\t\tTimers.forRoot(),',
      '\t],',
      '})',
      'export class AppModule {}',
      '',
    ];
    const options = { serviceName: 'a-name-that-is-long-enough-for-a-line-of-its-own' };
    const changed = after({ 'src/app.module.ts': text.join('\r\n') }, options)['src/app.module.ts'];
    expect(changed?.split('\r\n')).toEqual([
      ...text.slice(0, 2),
      'import { EventEmitterModule } from "@nestjs/event-emitter"',
      'import { RegistryModule } from "nestjs-servicecomb"',
      ...text.slice(2, 6),
      '\t\tEventEmitterModule.forRoot(), // delivers the events',
      '\t\tRegistryModule.forRoot({',
      `\t\t\tmicroservice: { serviceName: "${options.serviceName}" },`,
      '\t\t}), // import it last: it then leaves first',
      ...text.slice(6),
    ]);
  });

  it.each([
    ['src/app.module', "import { AppModule } from 'src/app.module';"],
    ['another name', "import { AppModule as Root } from './app.module';"],
  ])('is found by %s', (_, line) => {
    const name = /as (\w+)/.exec(line)?.[1] ?? 'AppModule';
    const main = `import { NestFactory } from '@nestjs/core';\n${line}\nconst app = await NestFactory.create<Express>(${name}, {});\n`;
    expect([...plan({ 'src/main.ts': main }).changes.keys()]).toContain('src/app.module.ts');
  });
});

describe('what cannot be changed safely', () => {
  const common = "import { Module } from '@nestjs/common';\n";
  it.each([
    [
      '@Module(metadata) export class AppModule {}',
      'does not decorate AppModule with @Module({ … })',
    ],
    ['@Other({}) export class AppModule {}', 'does not decorate AppModule with @Module({ … })'],
    ['@Module({}) export class Root {}', 'does not declare the class AppModule'],
    [
      '@Module({ imports }) export class AppModule {}',
      'does not write the imports of @Module() as a',
    ],
    ['@Module({ imports: all() }) export class AppModule {}', 'does not write the imports of'],
    [
      '@Module({ ...rest }) export class AppModule {}',
      'does not write the imports of @Module() as a',
    ],
    [
      "import { RegistryModule } from './registry.js';\n@Module({}) export class AppModule {}",
      'another RegistryModule than that of nestjs-servicecomb',
    ],
    [
      'class ScheduleModule {}\n@Module({}) export class AppModule {}',
      'another ScheduleModule than',
    ],
    ['@Module({ imports: [ } export class AppModule {}', 'src/app.module.ts has a syntax error: '],
  ])('is refused in AppModule: %s', (text, sentence) => {
    expect(() => plan({ 'src/app.module.ts': common + text })).toThrow(sentence);
  });

  const factory = "import { NestFactory } from '@nestjs/core';\n";
  const module = "import { AppModule } from './app.module.js';\n";
  it.each([
    [undefined, 'src/main.ts does not exist'],
    [module, 'does not import NestFactory of @nestjs/core'],
    [factory + module, 'calls NestFactory.create() 0 times rather than once'],
    [
      `${factory}${module}const a = await NestFactory.create(AppModule);\nconst b = await NestFactory.createMicroservice(AppModule);`,
      'calls NestFactory.create() 2 times',
    ],
    [
      `${factory}${module}(await NestFactory.create(AppModule)).listen(3000);`,
      'does not keep the application in a variable',
    ],
    [
      `${factory}const app = await NestFactory.create(AppModule);`,
      'does not import the module that',
    ],
    [
      `${factory}${module}const app = await NestFactory.create(AppModule.forRoot());`,
      'does not import',
    ],
    [
      `${factory}import { AppModule } from '@acme/app';\nconst app = await NestFactory.create(AppModule);`,
      'from @acme/app, where no file is',
    ],
  ])('is refused in main.ts: %s', (text, sentence) => {
    expect(() => plan({ 'src/main.ts': text })).toThrow(sentence);
  });

  it('is no main.ts that enables the hooks already, wherever it does', () => {
    const text = `${starter['src/main.ts']}app.enableShutdownHooks([]);\n`;
    expect([...plan({ 'src/main.ts': text }).changes.keys()]).not.toContain('src/main.ts');
  });

  it('is no main.ts in one line', () => {
    const line = 'const app = await NestFactory.create(AppModule); await app.listen(3000); // go';
    expect(after({ 'src/main.ts': `${factory}${module}${line}` })['src/main.ts']).toBe(
      `${factory}${module}const app = await NestFactory.create(AppModule);\n` +
        'app.enableShutdownHooks(); // removes the instance when the process is stopped\n' +
        ' await app.listen(3000); // go',
    );
  });
});
