// Measures what the library costs an application at its start: how long importing it takes once its peers are
// imported, and how much later the server listens. Each figure is the median of alternating runs, each in a
// fresh process. Options: --rounds 13
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { rounds } = parseArgs({ options: { rounds: { type: 'string', default: '13' } } }).values;

const peers = [
  'reflect-metadata',
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/event-emitter',
  '@nestjs/schedule',
  '@nestjs/axios',
  'axios',
  'rxjs',
];

const timed = load => `
  const before = performance.now();
  ${load}
  console.log(performance.now() - before);
`;

const imports = {
  'ES modules': [
    '--input-type=module',
    `${peers.map(name => `import '${name}';`).join('\n')} ${timed("await import('nestjs-servicecomb');")}`,
  ],
  CommonJS: [
    '--input-type=commonjs',
    `${peers.map(name => `require('${name}');`).join('\n')} ${timed("require('nestjs-servicecomb');")}`,
  ],
};

/** An application that prints after how many milliseconds of its process it listens, and ends. */
const application = ({ imports = '', modules = '' }) => [
  '--input-type=module',
  `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    ${imports}
    class AppModule {}
    Module({ imports: [${modules}] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    console.log(performance.now());
    process.exit();
  `,
];

const peerImports = `
  import { EventEmitterModule } from '@nestjs/event-emitter';
  import { ScheduleModule } from '@nestjs/schedule';
  import { HttpModule } from '@nestjs/axios';
`;
const peerModules = 'ScheduleModule.forRoot(), EventEmitterModule.forRoot(), HttpModule';

const listening = {
  'Nest alone': application({}),
  'with the peers': application({ imports: peerImports, modules: peerModules }),
  'with the library': application({
    imports: `${peerImports} import { RegistryModule } from 'nestjs-servicecomb';`,
    modules: `${peerModules}, RegistryModule.forRoot({ microservice: { serviceName: 'bench' } })`,
  }),
};

/** Returns the median of what each program prints, with the programs taking turns. */
function mediansOf(programs) {
  const figures = Object.fromEntries(Object.keys(programs).map(name => [name, []]));
  for (let round = 0; round < Number(rounds); round++)
    for (const [name, [inputType, source]] of Object.entries(programs)) {
      const args = ['--disable-warning=ExperimentalWarning', inputType, '--eval', source];
      figures[name].push(Number(execFileSync(process.execPath, args)));
    }
  return Object.fromEntries(Object.entries(figures).map(([name, each]) => [name, median(each)]));
}

function median(figures) {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
}

function rounded(figure) {
  return Number(figure.toPrecision(3));
}

console.log('| milliseconds, median of', rounds, '|  |');
console.log('| --- | --- |');
for (const [name, ms] of Object.entries(mediansOf(imports)))
  console.log(`| import over the peers' own, ${name} | ${rounded(ms)} |`);
const {
  'Nest alone': nest,
  'with the peers': peersListen,
  'with the library': library,
} = mediansOf(listening);
console.log(`| until Nest alone listens | ${rounded(nest)} |`);
console.log(`| more with the peers | ${rounded(peersListen - nest)} |`);
console.log(`| more with the library, over the peers | ${rounded(library - peersListen)} |`);
