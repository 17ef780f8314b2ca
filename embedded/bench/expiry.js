// What it costs to end a lease, and to ask in vain whether one has ended, with more and more instances.
// The clock is a fake one: a minute passes at once.
import { parseArgs } from 'node:util';
import { registerInstance } from '../build/lib/model/instance-operations.js';
import { RegistryModel } from '../build/lib/model/registry-model.js';
import { registerService } from '../build/lib/model/service-operations.js';
import { median, rounded } from './figures.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    most: { type: 'string', default: '100000' },
    json: { type: 'boolean', default: false },
  },
});
/** As many leases are ended for each size, so that the small one is measured for as long. */
const leasesPerRound = Number(values.most);
const sizes = [100, 1000, 10_000, 100_000].filter(size => size <= leasesPerRound);
const leaseMs = 60_000;

measureRound();
const rounds = Array.from({ length: Number(values.rounds) }, measureRound);
const results = sizes.map((instances, at) => ({
  instances,
  'expiry µs each': rounded(median(rounds.map(round => round[at].expiryUs))),
  'renewal µs each': rounded(median(rounds.map(round => round[at].renewalUs))),
  'look in vain µs': rounded(median(rounds.map(round => round[at].vainUs))),
  // Of the quickest rounds: what else the machine does only ever adds to the others.
  'expiry : 100': rounded(quickest(at) / quickest(0)),
}));
if (values.json) console.log(JSON.stringify(results));
else console.table(results);

function quickest(at) {
  return Math.min(...rounds.map(round => round[at].expiryUs));
}

function measureRound() {
  return sizes.map(measure);
}

function measure(instances) {
  let now = 0;
  const model = new RegistryModel(
    { now: () => now, setTimer: () => () => undefined },
    { floors: { minIntervalMs: 5000, minTimes: 3 } },
  );
  const serviceId = registerService(model.root, {
    serviceName: 'orders',
    appId: 'shop',
    version: '1',
  });
  const totals = { expiryMs: 0, renewalMs: 0, vainMs: 0 };
  for (let done = 0; done < leasesPerRound; done += instances) {
    fill(model, serviceId, instances);
    totals.vainMs += timed(() => lookInVain(model, instances));
    // Renewed at half time, a lease moves in the queue when its first end comes.
    now += leaseMs / 2;
    renewAll(model, serviceId);
    now += leaseMs / 2;
    totals.renewalMs += timed(() => model.root);
    if (countOf(model, serviceId) !== instances) throw new Error('a renewed lease has ended');
    now += leaseMs / 2;
    totals.expiryMs += timed(() => model.root);
    if (countOf(model, serviceId) !== 0) throw new Error('a lease has outlived its time');
  }
  const each = ms => (ms * 1000) / leasesPerRound;
  return {
    expiryUs: each(totals.expiryMs),
    renewalUs: each(totals.renewalMs),
    vainUs: each(totals.vainMs),
  };
}

function fill(model, serviceId, instances) {
  const healthCheck = { mode: 'push', interval: 15, times: 3 };
  for (let at = 0; at < instances; at += 1)
    registerInstance(model.root, serviceId, { hostName: 'host', status: 'UP', healthCheck });
}

function renewAll(model, serviceId) {
  for (const { lease } of model.root.services.get(serviceId).instances.values()) lease.renew();
}

function lookInVain(model, times) {
  for (let at = 0; at < times; at += 1) void model.root;
}

function countOf(model, serviceId) {
  return model.root.services.get(serviceId).instances.size;
}

/** Milliseconds of CPU time: others that run on this core do not count. */
function timed(act) {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
