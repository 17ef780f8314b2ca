// What it costs to know 1,000 providers: memory beside their JSON, the poll that finds nothing new, and the change of
// one provider; with 20 and with 100 instances each. Each size has a process of its own, the registry as well.
// `npm run bench:providers -- [--rounds 9] [--sizes 50x20,1000x20,1000x100] [--json]`
import 'reflect-metadata';
import diagnostics from 'node:diagnostics_channel';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate as immediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { DiscoveryCore } from '../build/lib/discovery/core.js';
import { RegistryModule, ServiceCenterClient } from '../build/lib/index.js';
import { REGISTRY_CLOCK } from '../build/lib/nest/tokens.js';
import { cpuMsOf, median, rounded } from './figures.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    sizes: { type: 'string', default: '50x20,1000x20,1000x100' },
    json: { type: 'boolean', default: false },
  },
});
const pollIntervalMs = 15_000;
/** Of each list. */
const revision = '97784746dbf4b3e5a1e1e9a9e6a9b1c2d3e4f506';
const pollsOfRound = 3;
const changesOfRound = 100;

async function main() {
  const [url] = await started('registry');
  const sizes = values.sizes.split(',');
  const clients = [];
  const known = [];
  for (const size of sizes) {
    const [figures, ask] = await started('client', url, ...size.split('x'));
    known.push(figures);
    clients.push(ask);
  }
  const rounds = [];
  for (let round = -1; round < Number(values.rounds); round += 1) {
    const figures = [];
    for (const ask of clients) figures.push(await ask());
    // The first round is for the compiler.
    if (round >= 0) rounds.push(figures);
  }
  const rows = sizes.map((size, at) => rowOf(size, known[at], rounds, at));
  if (values.json) process.stdout.write(JSON.stringify(rows));
  else console.table(rows);
  process.exit();
}

/** Starts a role of this program in a process of its own. Returns what it says first, and what asks it for more. */
async function started(...args) {
  const child = fork(new URL(import.meta.url).pathname, args);
  const [said] = await once(child, 'message');
  const ask = async () => {
    child.send('measure');
    const [answer] = await once(child, 'message');
    return answer;
  };
  return [said, ask];
}

function rowOf(size, { heap, json }, rounds, at) {
  const middle = name => rounded(median(rounds.map(round => round[at][name])));
  return {
    size,
    'JSON MB': rounded(json / 1e6),
    'heap : JSON': rounded(heap.listed / json),
    'heap : JSON, picked from': rounded(heap.picked / json),
    'requests a poll': middle('requests'),
    'KB received': middle('received'),
    'KB sent': middle('sent'),
    'poll CPU ms': middle('pollMs'),
    'poll : first': rounded(median(rounds.map(round => round[at].pollMs / round[0].pollMs))),
    'change CPU µs': middle('changeUs'),
    'change : first': rounded(median(rounds.map(round => round[at].changeUs / round[0].changeUs))),
  };
}

/** The least registry that lists providers: `100-7` is the seventh of those with 100 instances. */
async function registry() {
  const instances = name => JSON.stringify(instancesOf(name));
  const batch = body => {
    const { services } = JSON.parse(body);
    const notModified = [...services.keys()].filter(index => services[index].rev === revision);
    const updated = [...services.keys()]
      .filter(index => services[index].rev !== revision)
      .map(index => {
        const { serviceName } = services[index].service;
        return `{"index":${index},"rev":"${revision}","instances":${instances(serviceName)}}`;
      });
    return `{"services":{"notModified":${JSON.stringify(notModified)},"updated":[${updated.join()}]}}`;
  };
  const one = url => {
    const query = new URL(url, 'http://a').searchParams;
    const isKnown = query.get('rev') === revision;
    return isKnown ? '' : `{"instances":${instances(query.get('serviceName'))}}`;
  };
  const listening = createServer({ keepAliveTimeout: 600_000 }, (asked, answer) => {
    let body = '';
    asked.on('data', piece => (body += piece));
    asked.on('end', () => {
      const text = asked.method === 'POST' ? batch(body) : one(asked.url);
      const headers = { 'X-Resource-Revision': revision, 'Content-Type': 'application/json' };
      const status = text === '' ? 304 : 200;
      answer.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
    });
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  process.on('disconnect', () => process.exit());
  process.send(`http://127.0.0.1:${listening.address().port}`);
}

/** Instances as a Service Center lists them. */
function instancesOf(name) {
  const [count, nth] = name.split('-').map(Number);
  const serviceId = nth.toString(16).padStart(40, '5916811bf46342178e4f7d3944e90013deadbeef');
  return Array.from({ length: count }, (_, index) => ({
    instanceId: `${serviceId.slice(0, 24)}${(nth * 1_000 + index).toString(16).padStart(8, '0')}`,
    serviceId,
    endpoints: [`rest://10.${nth >> 8}.${nth & 255}.${index}:8080?sslEnabled=false`],
    hostName: `provider-${nth}-7d9f8b6c5-${index}`,
    status: 'UP',
    properties: { zone: 'a', 'started-by': 'bench' },
    healthCheck: { mode: 'push', interval: 15, times: 3 },
    dataCenterInfo: { name: 'dc', region: 'north', availableZone: 'a' },
    timestamp: String(1_700_000_000 + nth + index),
    modTimestamp: String(1_700_000_000 + nth + index),
    version: '1.0.0',
  }));
}

async function client(url, providers, instances) {
  process.on('disconnect', () => process.exit());
  const bench = await ClientBench.start(url);
  const names = Array.from({ length: Number(providers) }, (_, nth) => `${instances}-${nth}`);
  // With the first one the code is loaded, which is not counted.
  const [first, ...others] = names;
  await bench.find(first);
  bench.pick(first);
  const before = heapUsed();
  for (const name of others) await bench.find(name);
  const listed = heapUsed() - before;
  for (const name of others) bench.pick(name);
  const picked = heapUsed() - before;
  const json = others.reduce((sum, name) => sum + JSON.stringify(instancesOf(name)).length, 0);
  process.on('message', async () => process.send(await bench.measure(names)));
  process.send({ heap: { listed, picked }, json });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

function heapUsed() {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Discovery of an application that has not started: its clock leaps from one poll to the next, and nothing else is sent. */
class ClientBench {
  #leaptMs = 0;
  #core;
  #client;
  #sockets = new Set();
  #requests = 0;
  #left = 0;
  #polled = () => undefined;
  #listed = new Map();

  static async start(url) {
    const bench = new ClientBench();
    await bench.#start(url);
    return bench;
  }

  async #start(url) {
    const registry = RegistryModule.forRoot({
      serviceCenter: { addresses: [url] },
      microservice: { serviceName: 'bench' },
      discovery: { pollIntervalMs, watch: false },
    });
    const clock = {
      now: () => performance.now() + this.#leaptMs,
      wallNow: () => Date.now() + this.#leaptMs,
      delay: () => Promise.resolve(),
    };
    const testing = Test.createTestingModule({
      imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), registry],
    }).setLogger(false);
    const app = await testing.overrideProvider(REGISTRY_CLOCK).useValue(clock).compile();
    this.#core = app.get(DiscoveryCore);
    this.#client = app.get(ServiceCenterClient);
    this.#countAnswers();
    diagnostics.subscribe('http.client.response.finish', ({ request }) => {
      this.#requests += 1;
      this.#sockets.add(request.socket ?? request);
    });
  }

  #countAnswers() {
    const findInstances = this.#client.findInstances.bind(this.#client);
    const findInstancesInBatch = this.#client.findInstancesInBatch.bind(this.#client);
    this.#client.findInstancesInBatch = async (...args) => {
      const found = await findInstancesInBatch(...args);
      this.#answered(found.length);
      return found;
    };
    this.#client.findInstances = async (query, options) => {
      const listed = this.#listed.get(query.serviceName);
      const found = listed ?? (await findInstances(query, options));
      this.#answered(1);
      return found;
    };
  }

  #answered(providers) {
    this.#left -= providers;
    if (this.#left <= 0) this.#polled();
  }

  find(name) {
    return this.#core.find(name);
  }

  pick(name) {
    return this.#core.pickKnown(name);
  }

  /** Resolves when all have been answered for. */
  async poll(providers) {
    this.#leaptMs += pollIntervalMs * 1.2;
    this.#left = providers;
    const polled = new Promise(resolve => (this.#polled = resolve));
    await this.#core.tick(0);
    await polled;
    await immediate();
  }

  /** Each fourth poll reads the lists of those that were picked from. After that, nothing is new. */
  async settle(names) {
    for (let poll = 0; poll < 4; poll += 1) await this.poll(names.length);
  }

  async measure(names) {
    await this.settle(names);
    const before = this.#network;
    const pollMs = await cpuMsOf(async () => {
      for (let poll = 0; poll < pollsOfRound; poll += 1) await this.poll(names.length);
    });
    const after = this.#network;
    const each = name => (after[name] - before[name]) / pollsOfRound;
    return {
      pollMs: pollMs / pollsOfRound,
      requests: each('requests'),
      received: each('received') / 1_000,
      sent: each('sent') / 1_000,
      changeUs: await this.#changeUs(names),
    };
  }

  get #network() {
    const sum = name => [...this.#sockets].reduce((bytes, socket) => bytes + socket[name], 0);
    return { requests: this.#requests, received: sum('bytesRead'), sent: sum('bytesWritten') };
  }

  /** An instance of one provider changes each time, and is picked from. The answer is there at once, without HTTP. */
  async #changeUs([name]) {
    const [first, ...others] = instancesOf(name);
    const answers = Array.from({ length: changesOfRound }, (_, nth) => {
      const changed = { ...first, properties: { nth: `${nth} ${this.#leaptMs}` } };
      const copies = others.map(other => structuredClone(other));
      return { modified: true, revision, instances: [changed, ...copies] };
    });
    collectGarbage();
    const ms = await cpuMsOf(async () => {
      for (const answer of answers) {
        this.#listed.set(name, answer);
        await this.#core.find(name, { fresh: true });
        this.pick(name);
      }
    });
    this.#listed.clear();
    return (ms * 1_000) / changesOfRound;
  }
}

const [role = 'main', ...parameters] = positionals;
await { main, registry, client }[role](...parameters);
