// How soon an instance is back, at the default heartbeat of 15 s, in real time, over real sockets.
// `npm run bench:recovery -- [RUNS] [WORD]`: about three minutes, the long ones side by side; with a word,
// only the scenarios with that word in their name.
// Prints a line a scenario: seconds, min / median / max. docs/lifecycle.md has these figures.
import 'reflect-metadata';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { Registration, RegistryModule } from 'nestjs-servicecomb';
import { EmbeddedServiceCenter } from 'embedded-service-center';

const runs = Number(process.argv[2] ?? 20);
const word = process.argv[3] ?? '';

const scenarios = {
  'deleted at the server, until it is back': deleted,
  'refused for 100 s, from the return until it is back': refused,
  'hangs for 40 s': hung,
  'answers 500 for 50 s': busy,
};
/** Short ones, one run after the other: they measure what this machine takes. */
const alone = {
  'started under the id of a killed one on another port, until that is listed': replaced,
  'SIGTERM, until it is gone': stopped,
};

if (process.send === undefined) await main();
else await serve(process.argv[3]);

async function main() {
  for (const [title, scenario] of wanted(alone)) {
    const outcomes = [];
    for (let run = 0; run < runs; run += 1) outcomes.push(await scenario());
    process.stdout.write(`${title}: ${summary(outcomes)}\n`);
  }
  const lines = wanted(scenarios).map(async ([title, scenario]) => {
    const outcomes = await Promise.all(Array.from({ length: runs }, () => scenario()));
    return `${title}: ${summary(outcomes)}\n`;
  });
  process.stdout.write((await Promise.all(lines)).join(''));
}

function wanted(all) {
  return Object.entries(all).filter(([title]) => title.includes(word));
}

function summary(outcomes) {
  const values = outcomes.filter(value => typeof value === 'number').sort((a, b) => a - b);
  const words = outcomes.filter(value => typeof value === 'string');
  const counts = [...new Set(words)].map(
    word => `${word} ${words.filter(each => each === word).length} of ${outcomes.length}`,
  );
  const times =
    values.length === 0
      ? []
      : [values[0], median(values), values.at(-1)].map(value => value.toFixed(value < 1 ? 3 : 1));
  return [...counts, ...(times.length > 0 ? [`${times.join(' / ')} s`] : [])].join(', ');
}

function median(sorted) {
  const half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
}

async function deleted() {
  const { registry, registration, close } = await start();
  await wait(15_000 * (1 + Math.random()));
  registry.forget(registration.snapshot().instanceId);
  return secondsUntilListed(registry, close);
}

async function refused() {
  const { registry, close } = await start();
  await wait(15_000 * (1 + Math.random()));
  const open = await registry.faults.refuse();
  await wait(100_000);
  await open();
  return secondsUntilListed(registry, close);
}

function hung() {
  return keptThrough(40_000, registry => registry.faults.hang());
}

function busy() {
  return keptThrough(50_000, registry => registry.faults.answer(500, { errorCode: 500_003 }));
}

/** What became of the lease in a fault of so many milliseconds. */
async function keptThrough(ms, fault) {
  const { registry, registration, close } = await start();
  await wait(15_000 * (1 + Math.random()));
  const end = fault(registry);
  await wait(ms);
  const at = performance.now();
  end();
  while (registration.state !== 'registered') await wait(5);
  const seconds = (performance.now() - at) / 1_000;
  const { registrations } = registration.snapshot();
  await close();
  return registrations === 1 ? 'kept' : seconds;
}

async function replaced() {
  const instance = { instanceId: 'stable', hostName: 'pod' };
  const first = await start({ instance });
  const { registry } = first;
  await first.abandon();
  const before = registry.instances()[0]?.endpoints?.[0];
  const at = performance.now();
  const second = await start({ instance }, registry);
  while (registry.instances()[0]?.endpoints?.[0] === before || registry.instances().length === 0)
    await wait(1);
  const seconds = (performance.now() - at) / 1_000;
  await second.close();
  return seconds;
}

async function stopped() {
  const registry = new EmbeddedServiceCenter({ port: 0 });
  const { url } = await registry.start();
  const child = fork(new URL(import.meta.url).pathname, ['0', url], { stdio: 'inherit' });
  await once(child, 'message');
  const at = performance.now();
  child.kill('SIGTERM');
  while (registry.instances().length > 0) await wait(1);
  const seconds = (performance.now() - at) / 1_000;
  await once(child, 'exit');
  await registry.stop();
  return seconds;
}

async function serve(url) {
  const { app } = await createApp(url);
  app.enableShutdownHooks();
  app.get(EventEmitter2).on('servicecomb.instance.registered', () => process.send('registered'));
  await app.listen(0, '127.0.0.1');
}

async function start(options = {}, known) {
  const registry = known ?? new EmbeddedServiceCenter({ port: 0 });
  const { url } = await registry.start();
  const { app } = await createApp(url, options);
  const registration = app.get(Registration);
  await app.listen(0, '127.0.0.1');
  await registration.register();
  const close = async () => {
    await app.close();
    await registry.stop();
  };
  // As kill -9 leaves it: the record stays, and nobody renews it.
  const abandon = async () => {
    const open = await registry.faults.refuse();
    await app.close();
    await open();
  };
  return { app, registry, registration, close, abandon };
}

async function createApp(url, options = {}) {
  class Root {}
  const registry = RegistryModule.forRoot({
    serviceCenter: { addresses: [url] },
    microservice: { serviceName: 'orders', version: '1.0.0' },
    ...options,
  });
  Module({ imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), registry] })(Root);
  return { app: await NestFactory.create(Root, { logger: false }) };
}

async function secondsUntilListed(registry, close) {
  const at = performance.now();
  while (registry.instances().length === 0) await wait(5);
  const seconds = (performance.now() - at) / 1_000;
  await close();
  return seconds;
}
