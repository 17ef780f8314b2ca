import { expect, test } from '@jest/globals';
import type { Candidate } from '../../../lib/discovery/candidate.js';
import { pickers } from '../../../lib/discovery/pickers.js';
import type { Attempt } from '../../../lib/discovery/provider.js';
import { Balancing, instanceOf, zoneOf } from '../../support/balancing.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedClock } from '../../support/simulated-clock.js';

/** An instance that serves so many calls at a time and lets the others wait. */
class Server {
  calls = 0;
  readonly #queue: (() => void)[] = [];
  #serving = 0;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly slots: number,
    private readonly serviceMs: () => number,
  ) {}

  async answer(): Promise<void> {
    this.calls += 1;
    if (this.#serving >= this.slots) await new Promise<void>(resolve => this.#queue.push(resolve));
    this.#serving += 1;
    await this.clock.delay(this.serviceMs());
    this.#serving -= 1;
    this.#queue.shift()?.();
  }
}

/** Sends so many calls a second, evenly, and returns the latencies of those that succeeded, in order. */
async function send(
  of: Balancing<SimulatedClock>,
  action: (candidate: Candidate, attempt: Attempt) => Promise<void>,
  {
    perSecond,
    seconds,
    timeoutMs = 30_000,
  }: { perSecond: number; seconds: number; timeoutMs?: number },
): Promise<number[]> {
  const latencies: number[] = [];
  const work: Promise<void>[] = [];
  for (let call = 0; call < perSecond * seconds; call++) {
    const startedAt = of.clock.now();
    const took = () => void latencies.push(of.clock.now() - startedAt);
    work.push(of.balancer.call(action, { timeoutMs }).then(took, () => undefined));
    await of.clock.run(1_000 / perSecond);
  }
  await of.clock.run(timeoutMs);
  await Promise.all(work);
  return latencies.toSorted((a, b) => a - b);
}

test('one of ten that hangs gets a thousandth of the calls at most', async () => {
  const clock = new SimulatedClock();
  const ids = Array.from({ length: 10 }, (_, index) => `i${index}`);
  const of = new Balancing(
    ids.map(id => instanceOf(id)),
    {},
    clock,
  );
  const after = { all: 0, toHung: 0 };
  const action = ({ instance }: Candidate): Promise<void> => {
    const isHung = instance.instanceId === 'i3';
    if (of.ejected.length > 0) {
      after.all += 1;
      if (isHung) after.toHung += 1;
    }
    return isHung ? new Promise(() => undefined) : clock.delay(10);
  };
  const latencies = await send(of, action, { perSecond: 200, seconds: 60, timeoutMs: 2_000 });
  expect(latencies.length).toBeGreaterThanOrEqual(0.999 * 12_000);
  expect(after.toHung).toBeLessThanOrEqual(0.001 * after.all);
  expect(after.toHung).toBeGreaterThan(0);
});

const home = { name: 'center', region: 'north', availableZone: 'near' };
const zones = ['near', 'two', 'two', 'two', 'two', 'three', 'three', 'three', 'three'];

/** Nine instances in three zones, one of them near; each serves ten calls at a time, of 50 ms on average. */
async function inZones(load: number, zone: 'prefer' | 'ignore') {
  const clock = new SimulatedClock();
  const random = new SeededRandom(7);
  const serviceMs = () => -50 * Math.log(1 - random.next());
  const servers = new Map(zones.map((_, index) => [`i${index}`, new Server(clock, 10, serviceMs)]));
  const instances = zones.map((name, index) => instanceOf(`i${index}`, zoneOf('north', name)));
  const settings = { zone, dataCenter: home, picker: pickers.balanced, ejection: undefined };
  const of = new Balancing(instances, settings, clock);
  const action = async ({ instance }: Candidate) => servers.get(instance.instanceId)?.answer();
  const capacity = 200;
  const perSecond = capacity * load;
  const latencies = await send(of, action, { perSecond, seconds: 10 });
  const near = servers.get('i0')?.calls ?? 0;
  return {
    near,
    nearPerSecond: near / 10,
    all: perSecond * 10,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    capacity,
  };
}

test('a small zone under three times its load gets what it carries, and nobody waits long', async () => {
  const [preferred, even] = [await inZones(3, 'prefer'), await inZones(3, 'ignore')];
  expect(preferred.nearPerSecond).toBeGreaterThan(0.8 * preferred.capacity);
  expect(preferred.nearPerSecond).toBeLessThan(1.05 * preferred.capacity);
  expect(preferred.p99).toBeLessThanOrEqual(2 * even.p99);
});

test('at low load all calls stay in the zone', async () => {
  const { near, all } = await inZones(0.2, 'prefer');
  expect(near).toBe(all);
});
