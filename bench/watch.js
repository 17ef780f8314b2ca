// How soon a change is seen, and what it costs to wait for one: from the POST of an instance until `watch()` emits, and
// an idle application that follows providers beside one that does not. The registry has a process of its own.
// `npm run bench:watch -- [--changes 200] [--providers 20] [--idle-slices 9] [--json]`
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { Discovery, Registration, RegistryModule, ServiceCenterClient } from 'nestjs-servicecomb';
import { cpuMsOf, median, percentile, rounded } from './figures.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changes: { type: 'string', default: '200' },
    providers: { type: 'string', default: '20' },
    'idle-slices': { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
  },
});
const names = Array.from({ length: Number(values.providers) }, (_, nth) => `provider-${nth}`);
/** A heartbeat and a poll fall into each. */
const sliceMs = 15_000;
/** The pulls of a provider have a distance of 250 to 500 ms; this bench waits for it, since it measures one change. */
const pauseMs = 600;

const [role = 'main', ...parameters] = positionals;
await { main, registry, idle }[role](...parameters);

async function main() {
  const url = await said('registry');
  const latency = await latencyOf(url);
  const kinds = Number(values['idle-slices']) > 0 ? ['registered', 'following'] : [];
  const [alone, following] = await Promise.all(kinds.map(kind => said('idle', kind, url)));
  const idle = kinds.length > 0 && {
    'registered, % of a core': rounded(alone),
    'following, % of a core': rounded(following),
    'more, % of a core': rounded(following - alone),
  };
  const figures = { latency, idle };
  if (values.json) process.stdout.write(JSON.stringify(figures));
  else {
    console.table(latency);
    console.table(idle);
  }
  process.exit();
}

/** Starts a role of this program in a process of its own, and waits for what it says. */
async function said(...args) {
  const child = fork(new URL(import.meta.url).pathname, [...args, ...process.argv.slice(2)]);
  const [message] = await once(child, 'message');
  return message;
}

/** An embedded Service Center without lag, with an instance of each provider. */
async function registry() {
  const center = new EmbeddedServiceCenter({ port: 0 });
  const { url } = await center.start();
  const healthCheck = { mode: 'push', interval: 3_600, times: 3 };
  const services = names.map((serviceName, nth) => ({
    service: { serviceName, serviceId: serviceName, version: '1.0.0' },
    instances: Array.from({ length: 20 }, (_, index) => ({
      hostName: `host-${index}`,
      endpoints: [`rest://10.0.${nth}.${index}:8080`],
      healthCheck,
    })),
  }));
  center.load({ format: 1, services });
  process.on('disconnect', () => process.exit());
  process.send(url);
}

/** Milliseconds from the POST until `watch()` emits the instance. */
async function latencyOf(url) {
  const app = await started(url);
  const discovery = app.get(Discovery);
  const client = app.get(ServiceCenterClient);
  let onAdded = () => undefined;
  for (const name of names) discovery.watch(name).subscribe(({ added }) => onAdded(added));
  await followed(discovery);
  const figures = [];
  for (let nth = 0; nth < Number(values.changes); nth += 1) {
    const instanceId = `late-${nth}`;
    const emitted = new Promise(resolve => {
      onAdded = added => added.some(each => each.instanceId === instanceId) && resolve();
    });
    const serviceId = names[nth % names.length];
    const endpoints = [`rest://10.1.${nth >> 8}.${nth & 255}:8080`];
    const startedAt = performance.now();
    await client.registerInstance(serviceId, {
      instanceId,
      hostName: 'late',
      endpoints,
      status: 'UP',
      healthCheck: { mode: 'push', interval: 3_600, times: 3 },
    });
    await emitted;
    figures.push(performance.now() - startedAt);
    await wait(pauseMs / names.length);
  }
  await app.close();
  return {
    changes: figures.length,
    'median ms': rounded(median(figures)),
    'p99 ms': rounded(percentile(figures, 99)),
    'longest ms': rounded(Math.max(...figures)),
  };
}

/** An application that keeps its registration, and follows the providers or does not. */
async function idle(kind, url) {
  const app = await started(url);
  const discovery = app.get(Discovery);
  if (kind === 'following') {
    for (const name of names) discovery.watch(name).subscribe();
    await followed(discovery);
  }
  await wait(5_000);
  const slices = [];
  for (let nth = 0; nth < Number(values['idle-slices']); nth += 1)
    slices.push(await cpuMsOf(() => wait(sliceMs)));
  process.send((median(slices) * 100) / sliceMs);
  process.exit();
}

async function started(url) {
  class Root {}
  const registry = RegistryModule.forRoot({
    serviceCenter: { addresses: [url] },
    microservice: { serviceName: 'bench', version: '1.0.0' },
  });
  Module({ imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), registry] })(Root);
  const app = await NestFactory.create(Root, { logger: false });
  await app.listen(0, '127.0.0.1');
  await app.get(Registration).register();
  return app;
}

/** Waits until all are known and the connection for changes is open, and for the pulls that follow. */
async function followed(discovery) {
  for (let isReady = false; !isReady;) {
    await wait(50);
    const { watching, providers } = discovery.snapshot();
    isReady = watching && providers.every(({ state }) => state === 'known');
  }
  await wait(1_500);
}
