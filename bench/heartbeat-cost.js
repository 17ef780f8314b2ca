// What a heartbeat costs: CPU time of this process alone, side by side in one run, the server in a process of its
// own. `npm run bench:heartbeat -- [--rounds 7] [--beats 1500] [--idle-slices 8] [--json]`
// Then what an application costs that waits for its next heartbeat: turns of the event loop, CPU time, memory.
// docs/performance.md has these figures.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setImmediate as immediate, setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import axios from 'axios';
import { Eureka } from 'eureka-js-client';
import { firstValueFrom } from 'rxjs';
import { Registration, RegistryModule } from '../build/lib/index.js';
import { Ticker } from '../build/lib/nest/ticker.js';
import { REGISTRY_CLOCK } from '../build/lib/nest/tokens.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    beats: { type: 'string', default: '1500' },
    'idle-slices': { type: 'string', default: '8' },
    /** Measures the contenders with that word in their name alone, for a profile. */
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const beats = Number(values.beats);
const intervalMs = 15_000;

const [role = 'main', ...parameters] = positionals;
await { main, server, idle }[role](...parameters);

async function main() {
  const server = await start('server');
  const costs = await costsOf(await contenders(server.said));
  const kinds = values.only === '' ? ['Nest alone', 'with the library'] : [];
  const idle = Object.fromEntries(
    await Promise.all(kinds.map(async kind => [kind, await idleFigures(kind, server.said)])),
  );
  server.stop();
  report({ costs, idle });
  process.exit();
}

/** Starts a role of this program in a process of its own, and waits for the first thing that it says. */
async function start(...args) {
  const child = fork(new URL(import.meta.url).pathname, [...args, ...process.argv.slice(2)]);
  const [said] = await once(child, 'message');
  return { said, stop: () => child.kill() };
}

/** The least registry that a client can register with; the other clients' heartbeats are answered as well. */
async function server() {
  let instance;
  const answerTo = (method, url, body) => {
    if (url.endsWith('/heartbeat') || url.startsWith('/eureka')) return '';
    if (url.includes('/existence')) return JSON.stringify({ serviceId: 'bench' });
    if (method === 'POST') ({ instance } = JSON.parse(body));
    return JSON.stringify({ instanceId: instance?.instanceId, instance });
  };
  const listening = createServer({ keepAliveTimeout: 600_000 }, (asked, answer) => {
    let body = '';
    asked.on('data', piece => (body += piece));
    asked.on('end', () => {
      const text = answerTo(asked.method, asked.url, body);
      answer.writeHead(200, { 'Content-Length': Buffer.byteLength(text) }).end(text);
    });
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  process.on('disconnect', () => process.exit());
  process.send(`http://127.0.0.1:${listening.address().port}`);
}

/** The ways to send a heartbeat; each resolves once it is known to have succeeded. */
async function contenders(url) {
  const heartbeatUrl = `${url}/v4/default/registry/microservices/bench/instances/bench/heartbeat`;
  return {
    'node:http': bareNode(heartbeatUrl),
    'HttpService.put': bareHttpService(heartbeatUrl),
    'eureka-js-client': eureka(url),
    'from tick to event': await library(url),
  };
}

function bareNode(url) {
  const agent = new Agent({ keepAlive: true });
  return () =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method: 'PUT', agent }, answer => {
        answer.resume().on('end', resolve);
      });
      sent.on('error', reject).end();
    });
}

function bareHttpService(url) {
  const http = new HttpService(axios.create({ httpAgent: new Agent({ keepAlive: true }) }));
  return () => firstValueFrom(http.put(url));
}

function eureka(url) {
  const { hostname, port } = new URL(url);
  const silent = { warn() {}, info() {}, debug() {}, error() {}, level() {} };
  const client = new Eureka({
    logger: silent,
    instance: {
      app: 'bench',
      hostName: 'bench',
      ipAddr: '127.0.0.1',
      vipAddress: 'bench',
      port: { $: 3000, '@enabled': true },
      dataCenterInfo: { '@class': 'com.netflix.appinfo.MyDataCenterInfo', name: 'MyOwn' },
    },
    eureka: { host: hostname, port: Number(port), servicePath: '/eureka/apps/' },
  });
  return () =>
    new Promise(resolve => {
      client.once('heartbeat', resolve);
      client.renew();
    });
}

/** The real client in an application, with a clock that leaps from one heartbeat to the next. */
async function library(url) {
  let leaptMs = 0;
  const clock = {
    now: () => performance.now() + leaptMs,
    wallNow: () => Date.now() + leaptMs,
    delay: (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined),
  };
  const testing = Test.createTestingModule({
    imports: modulesWith(url, { verifyEvery: 0, jitter: 0 }),
  });
  const app = (
    await testing.overrideProvider(REGISTRY_CLOCK).useValue(clock).compile()
  ).createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  await app.get(Registration).register();
  // Its turns would take each leap for a standstill of the process.
  app.get(SchedulerRegistry).deleteInterval('servicecomb.heartbeat');
  const ticker = app.get(Ticker);
  await immediate(); // The turn that registered has to end first.
  let succeeded;
  app.get(EventEmitter2).on('servicecomb.heartbeat.succeeded', () => succeeded());
  return async () => {
    leaptMs += intervalMs; // Further than that, and the ticker would take it for a standstill.
    const event = new Promise(resolve => (succeeded = resolve));
    ticker.wake();
    await event;
    await immediate(); // The turn ends after its event.
  };
}

function modulesWith(url, heartbeat) {
  const registry = RegistryModule.forRoot({
    serviceCenter: { addresses: [url] },
    microservice: { serviceName: 'bench', version: '1.0.0' },
    instance: { instanceId: 'bench' },
    heartbeat,
  });
  return [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), registry];
}

/** Microseconds of CPU time a heartbeat, for each round; the contenders take turns. */
async function costsOf(all) {
  const contenders = Object.entries(all).filter(([name]) => name.includes(values.only));
  const costs = Object.fromEntries(contenders.map(([name]) => [name, []]));
  for (let round = -1; round < rounds; round += 1)
    for (const [name, beat] of contenders) {
      const before = process.cpuUsage();
      for (let nth = 0; nth < beats; nth += 1) await beat();
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round >= 0) costs[name].push((user + system) / beats);
    }
  return Object.fromEntries(Object.entries(costs).map(([name, each]) => [name, median(each)]));
}

async function idleFigures(kind, url) {
  const { said, stop } = await start('idle', kind, url);
  stop();
  return said;
}

/** An application that does nothing but keep its registration, or not even that. */
async function idle(kind, url) {
  const registry = kind === 'Nest alone' ? [] : modulesWith(url, { intervalMs });
  class Root {}
  Module({ imports: registry })(Root);
  const testing = await Test.createTestingModule({ imports: [Root] }).compile();
  const app = testing.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  if (kind !== 'Nest alone') await app.get(Registration).register();
  // Ready once what follows a start is done.
  await wait(5_000);
  // A heartbeat falls into each slice. Medians, since V8 tidies up for a second or two now and then.
  const slices = [];
  for (let nth = 0; nth < Number(values['idle-slices']); nth += 1) {
    const before = { cpu: process.cpuUsage(), turns: turns() };
    await wait(intervalMs);
    const { user, system } = process.cpuUsage(before.cpu);
    slices.push({ turns: turns() - before.turns, cpuMs: (user + system) / 1_000 });
  }
  process.send({
    'turns a minute': (median(slices.map(slice => slice.turns)) * 60_000) / intervalMs,
    '% of a core': rounded((median(slices.map(slice => slice.cpuMs)) * 100) / intervalMs),
    'RSS MB': rounded(process.memoryUsage.rss() / 1_048_576),
  });
}

/** Turns of the event loop so far. */
function turns() {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

function report({ costs, idle }) {
  const bare = costs['HttpService.put'];
  const rows = Object.entries(costs).map(([name, micros]) => ({
    name,
    'CPU µs': rounded(micros),
    'of HttpService.put': rounded(micros / bare),
  }));
  if (values.json) return process.stdout.write(JSON.stringify({ heartbeat: rows, idle }));
  console.table(rows);
  console.table(idle);
}

function median(figures) {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
}

function rounded(figure) {
  return Number(figure.toPrecision(3));
}
