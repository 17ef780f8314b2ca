// What choosing an instance costs: picks a second beside a bare array index, the pickers, and what a call adds to
// its action. All contenders take turns in one run; each figure is the median of the rounds, each ratio too.
// `npm run bench:pick -- [--rounds 11] [--picks 1000000] [--calls 50000] [--json]`
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DiscoveryCore } from '../build/lib/discovery/core.js';
import { Discovery } from '../build/lib/index.js';
import { Balancer } from '../build/lib/discovery/balancer.js';
import { pickers } from '../build/lib/discovery/pickers.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    picks: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '50000' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const picks = Number(values.picks);
const calls = Number(values.calls);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const clock = {
  now: () => performance.now(),
  random: Math.random,
  delay: (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined),
};
const events = { ejected() {}, restored() {}, failed() {}, skipped() {} };

/** An instance as a registry lists it. */
function instanceOf(provider, index) {
  return {
    instanceId: `${provider}-${index}`,
    serviceId: provider,
    hostName: 'bench',
    endpoints: [`rest://10.0.${index}.7:3000`],
    status: 'UP',
    version: '1.0.0',
  };
}

function balancerOf(name, picker = pickers.balanced) {
  const provider = { environment: '', appId: 'default', serviceName: name };
  const ejection = { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 };
  const settings = { picker, zone: 'prefer', ejection, dataCenter: undefined };
  const balancer = new Balancer(provider, settings, clock, events);
  balancer.update(Array.from({ length: 20 }, (_, index) => instanceOf(name, index)));
  return balancer;
}

/** All that is asked before a pick: the query, and the provider that it means. The registry has answered already. */
async function knownBy(providers) {
  const instances = name => Array.from({ length: 20 }, (_, index) => instanceOf(name, index));
  const client = {
    address: 'http://bench',
    findInstances: async ({ serviceName }) => {
      return { modified: true, revision: '1', instances: instances(serviceName) };
    },
  };
  const settings = {
    enabled: true,
    pollIntervalMs: 15_000,
    neverEarly: false,
    watch: false,
    keepMs: 120_000,
    warmUp: [],
    picker: pickers.balanced,
    zone: 'prefer',
    ejection: { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 },
    providers: new Map(),
    own: { environment: '', appId: 'default', dataCenter: undefined },
  };
  const publisher = { publish() {}, note() {} };
  const core = new DiscoveryCore(settings, { client, clock, random: Math.random, publisher });
  for (const name of providers) await core.find(name);
  return core;
}

const one = balancerOf('one');
const many = Array.from({ length: 1_000 }, (_, index) => balancerOf(`provider-${index}`));
const byName = new Map(many.map((balancer, index) => [`provider-${index}`, balancer]));
const names = [...byName.keys()];
const known = await knownBy(names);
const discovery = new Discovery(known);
/** The candidates of each, to index: the same memory without choosing. */
const lists = many.map(balancer => Array.from({ length: 20 }, () => balancer.pick()));
const [list] = lists;
const busy = balancerOf('busy');
const withKey = { key: 'customer-4711' };
/** Nobody is idle, so that the second look is taken: these calls never end. */
for (const _ of list) void busy.call(() => new Promise(() => undefined), { timeoutMs: 1e9 });

/** Each runs so many picks; what it returns keeps the compiler from leaving them out. */
const core = {
  'array index': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += list[at % 20].url.length;
    return length;
  },
  'pick, one provider': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += one.pick().url.length;
    return length;
  },
  'pick, one provider, all busy': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += busy.pick().url.length;
    return length;
  },
  'array index, 1,000 lists': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += lists[at % 1_000][at % 20].url.length;
    return length;
  },
  'pick, 1,000 providers': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += many[at % 1_000].pick().url.length;
    return length;
  },
  'pick, 1,000 providers by name': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += byName.get(names[at % 1_000]).pick().url.length;
    return length;
  },
  'core.pickKnown, one provider': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += known.pickKnown('provider-7').url.length;
    return length;
  },
  'core.pickKnown, 1,000 providers': count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += known.pickKnown(names[at % 1_000]).url.length;
    return length;
  },
};
const awaited = {
  'await discovery.pick, one provider': async count => {
    let length = 0;
    for (let at = 0; at < count; at++) length += (await discovery.pick('provider-7')).url.length;
    return length;
  },
  'await discovery.pick, 1,000 providers': async count => {
    let length = 0;
    for (let at = 0; at < count; at++)
      length += (await discovery.pick(names[at % 1_000])).url.length;
    return length;
  },
};
/** Measured last: an application has one picker or two, and the compiler makes less of five. */
const others = Object.fromEntries(
  ['roundRobin', 'random', 'fastest', 'sticky'].map(name => {
    const balancer = balancerOf(name, pickers[name]);
    const run = count => {
      let length = 0;
      for (let at = 0; at < count; at++) length += balancer.pick(withKey).url.length;
      return length;
    };
    return [`pick, ${name}`, run];
  }),
);

/** Millions a second, and bytes that one takes of the heap. */
async function measured(run) {
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  const startedAt = performance.now();
  await run(picks);
  const tookMs = performance.now() - startedAt;
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / picks;
  return { rate: picks / tookMs / 1_000, bytes };
}

/** Microseconds of CPU of one call, bare and through the balancer, one at a time. */
async function callCost(run) {
  const before = process.cpuUsage();
  for (let at = 0; at < calls; at++) await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

const answer = { status: 200, headers: {}, data: '' };
const action = async () => answer;
const readSignal = async (_candidate, { signal }) => {
  if (signal.aborted) throw signal.reason;
  return answer;
};
const callers = {
  'bare action': () => action(),
  'balancer.call': () => one.call(action, { isSafe: true }),
  'balancer.call, action reads the signal': () => one.call(readSignal, { isSafe: true }),
};

/** Lets the contenders take turns, and returns the figures of each round. */
async function compared(contenders, measure) {
  const figures = Object.fromEntries(Object.keys(contenders).map(name => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const [name, run] of Object.entries(contenders)) {
      const figure = await measure(run);
      // The first round is for the compiler.
      if (round >= 0) figures[name].push(figure);
    }
  return figures;
}

const figures = await compared(core, measured);
Object.assign(figures, await compared(awaited, measured));
const costs = await compared(callers, callCost);
Object.assign(figures, await compared(others, measured));

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function rounded(figure) {
  return Number(figure.toPrecision(3));
}

/** Memory is most of what 1,000 lists cost, also without a picker. */
function indexOf(name) {
  return figures[name.includes('1,000') ? 'array index, 1,000 lists' : 'array index'];
}

const picked = Object.entries(figures).map(([name, each]) => ({
  name,
  millionsPerSecond: rounded(median(each.map(({ rate }) => rate))),
  toIndex: rounded(median(each.map(({ rate }, round) => rate / indexOf(name)[round].rate))),
  bytes: rounded(median(each.map(({ bytes }) => bytes))),
}));
const called = Object.entries(costs).map(([name, each]) => ({
  name,
  microseconds: rounded(median(each)),
}));

if (values.json) console.log(JSON.stringify({ picked, called }));
else {
  console.log(`| median of ${rounds} | M/s | to the index | bytes |`);
  console.log('| --- | --- | --- | --- |');
  for (const { name, millionsPerSecond, toIndex, bytes } of picked)
    console.log(`| ${name} | ${millionsPerSecond} | ${toIndex} | ${bytes} |`);
  console.log('\n| one call | CPU, µs |');
  console.log('| --- | --- |');
  for (const { name, microseconds } of called) console.log(`| ${name} | ${microseconds} |`);
}
process.exit();
