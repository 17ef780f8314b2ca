import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenterOptions } from 'embedded-service-center';
import type { RegistryModuleOptions } from '../../lib/index.js';
import { inTurn } from '../support/concurrently.js';
import { answeringAfter, startCaller, startGreeter } from '../support/greeter-app.js';
import { Load } from '../support/load.js';
import { OwnClock } from '../support/own-clock.js';
import { requestsTo } from '../support/requests.js';
import { SeededRandom } from '../support/seeded-random.js';
import { type Cleanup, startRegistry } from '../support/test-app.js';

// Three rows of scenarios run side by side for 105 s, the first of which is D1 alone. More at a time would need more
// than a processor.
const patienceMs = 400_000;
const [inFirst, inSecond, inThird] = [inTurn(patienceMs), inTurn(patienceMs), inTurn(patienceMs)];

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}

interface Rollout extends Pick<EmbeddedServiceCenterOptions, 'oddities'> {
  readonly shutdown: RegistryModuleOptions['shutdown'];
  readonly callsPerStep: number;
  /** How many providers there are when the first one closes. @default 10 */
  readonly most?: number;
  /** Whether the registry tells nobody of a removal, as one on its embedded etcd. @default false */
  readonly lostDeletions?: boolean;
}

/** One provider becomes ten, and ten become two, while they are called 200 times a second. */
async function growAndShrink(
  cleanup: Cleanup,
  { shutdown, oddities, callsPerStep, most = 10, lostDeletions = false }: Rollout,
) {
  const clock = OwnClock.start(cleanup);
  const registry = await startRegistry(cleanup, { oddities });
  registry.oddities.set({ lostDeletions });
  let registeredAt = NaN;
  registry.onRequest(({ operation }) => {
    if (operation === 'registerInstance') registeredAt = clock.now();
  });
  const start = async () => {
    let firstCallAt: number | undefined;
    const respond = answeringAfter(5);
    const answer = () => {
      firstCallAt ??= clock.now();
      return respond();
    };
    const greeter = await startGreeter(cleanup, registry.url, { shutdown, answer });
    const since = registeredAt;
    return { ...greeter, firstCallAfterMs: () => (firstCallAt ?? Infinity) - since };
  };
  const greeters = [await start()];
  const { http, events } = await startCaller(cleanup, registry.url);
  const load = new Load({ http, clock, perSecond: 200 }, cleanup);
  await load.sentMore(callsPerStep);
  while (greeters.length < most) {
    greeters.push(await start());
    await load.sentMore(callsPerStep);
  }
  for (const greeter of greeters.slice(0, -2)) {
    const closed = greeter.close();
    await load.sentMore(callsPerStep);
    await closed;
  }
  await load.end();
  const newcomers = greeters.slice(1).map(({ firstCallAfterMs }) => firstCallAfterMs());
  return { load, newcomers, ejections: events.of('servicecomb.endpoint.ejected') };
}

describe('providers that come and go under 200 calls a second', () => {
  inFirst(
    'cost no call of 20,000 with a drain of 1 s, and newcomers are called within 100 ms (D1)',
    async cleanup => {
      const { load, newcomers } = await growAndShrink(cleanup, {
        shutdown: { drainMs: 1_000 },
        callsPerStep: 1_120,
      });
      expect(load.failed).toEqual([]);
      expect(load.sent).toBeGreaterThanOrEqual(20_000);
      // Each of them on a machine that has nothing else to do; one or two take 150 ms on one that has.
      expect(median(newcomers)).toBeLessThanOrEqual(100);
      expect(Math.max(...newcomers)).toBeLessThanOrEqual(1_000);
    },
  );

  inSecond(
    'cost no call with a drain of 3 s and the delays of a real registry (D1)',
    async cleanup => {
      const { load } = await growAndShrink(cleanup, {
        shutdown: { drainMs: 3_000 },
        oddities: 'realistic',
        callsPerStep: 300,
      });
      expect(load.failed).toEqual([]);
    },
  );

  // Nobody can know of a removal that the registry tells nobody of: a drain after it is as good as none (D2). The
  // status before it is told.
  inSecond(
    'cost no call where the registry loses removals and they are OUTOFSERVICE first (D1)',
    async cleanup => {
      const { load, ejections } = await growAndShrink(cleanup, {
        shutdown: { drainMs: 3_000, statusFirst: true },
        oddities: 'realistic',
        lostDeletions: true,
        callsPerStep: 200,
        most: 4,
      });
      expect(load.failed).toEqual([]);
      // No call has found a port closed.
      expect(ejections).toEqual([]);
    },
  );

  inSecond(
    'cost no GET without a drain, and two POSTs at each closing at most (D2)',
    async cleanup => {
      const { load } = await growAndShrink(cleanup, {
        shutdown: { drainMs: 0 },
        callsPerStep: 200,
      });
      expect(load.failedOf('GET')).toEqual([]);
      for (const { instanceId } of load.failed)
        expect(load.failed.filter(call => call.instanceId === instanceId).length).toBeLessThan(3);
    },
  );
});

describe('an instance that fails', () => {
  inThird(
    'by never answering gets a thousandth of the calls, and fails no more (D4)',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const registry = await startRegistry(cleanup);
      const hung = await startGreeter(cleanup, registry.url, {
        answer: () => new Promise(() => undefined),
      });
      for (let count = 1; count < 10; count += 1)
        await startGreeter(cleanup, registry.url, { answer: () => 'hello' });
      const { http, discovery } = await startCaller(cleanup, registry.url);
      expect(await discovery.find('greeter')).toHaveLength(10);
      const load = new Load({ http, clock, perSecond: 200, timeoutMs: 2_000 }, cleanup);
      await load.sentMore(60 * 200);
      await load.end();
      expect(load.failed.length).toBeLessThanOrEqual(0.001 * load.sent);
      expect(hung.calls()).toBeGreaterThan(0);
      expect(hung.calls()).toBeLessThanOrEqual(0.001 * load.sent);
    },
  );

  inThird(
    'by a kill fails no GET, no POST but those that it had, and is called once per trial (D3)',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const registry = await startRegistry(cleanup);
      const killed = await startGreeterProcess(cleanup, registry.url);
      await startGreeterProcess(cleanup, registry.url);
      await startGreeterProcess(cleanup, registry.url);
      const { http, events } = await startCaller(cleanup, registry.url);
      const requests = requestsTo(cleanup, killed.host);
      const load = new Load({ http, clock, perSecond: 200 }, cleanup);
      await load.sentMore(400);
      killed.child.kill('SIGKILL');
      await events.nth('servicecomb.endpoint.ejected');
      const before = requests.length;
      const unanswered = requests.filter(
        ({ method, isAnswered }) => method === 'POST' && !isAnswered,
      );
      // The second trial comes some 15 s after the first refusal.
      await events.nth('servicecomb.endpoint.ejected', 3);
      await load.sentMore(200);
      await load.end();
      expect(load.failedOf('GET')).toEqual([]);
      expect(load.failed.length).toBeLessThanOrEqual(unanswered.length);
      expect(registry.instances()).toHaveLength(4);
      expect(requests.length - before).toBe(2);
      expect(events.of('servicecomb.endpoint.restored')).toEqual([]);
    },
  );
});

interface GreeterProcess {
  readonly child: ChildProcess;
  readonly host: string;
}

async function startGreeterProcess(cleanup: Cleanup, url: string): Promise<GreeterProcess> {
  const script = join(import.meta.dirname, '../support/greeter-context.js');
  const child = fork(script, [url], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  cleanup.add(async () => void child.kill('SIGKILL'));
  const [endpoint]: string[] = await once(child, 'message');
  return { child, host: new URL(endpoint ?? '').host };
}

describe('a registry that refuses', () => {
  // Five minutes at a poll each 15 s are here 20 s at a poll each second. The heartbeats are as much quicker, so
  // that all leases end meanwhile, as they would.
  const quick: RegistryModuleOptions = {
    heartbeat: { intervalMs: 1_000 },
    discovery: { pollIntervalMs: 1_000 },
  };
  const outageMs = 20_000;

  inSecond(
    'for 20 polls fails no call, says so once, and is asked 25 times at most (D6)',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const registry = await startRegistry(cleanup);
      const options = { ...quick, answer: answeringAfter(5) };
      for (const _ of [1, 2, 3]) await startGreeter(cleanup, registry.url, options);
      const { http, events } = await startCaller(cleanup, registry.url, quick);
      const requests = requestsTo(cleanup, new URL(registry.url).host);
      const load = new Load({ http, clock, perSecond: 100 }, cleanup);
      await load.sentMore(200);
      const before = requests.length;
      const serve = await registry.faults.refuse();
      await wait(outageMs);
      const questions = requests
        .slice(before)
        .filter(({ path }) => /\/instances(\?|\/action)/.test(path));
      await serve();
      await events.nth('servicecomb.discovery.recovered');
      // Until all are back, and what was kept is listed again.
      await load.sentMore(500);
      await load.end();
      expect(load.failed).toEqual([]);
      expect(registry.instances()).toHaveLength(4);
      expect(events.of('servicecomb.discovery.failed')).toHaveLength(1);
      expect(events.of('servicecomb.discovery.recovered')).toHaveLength(1);
      expect(questions.length).toBeLessThanOrEqual(25);
      expect(questions.length).toBeGreaterThanOrEqual(12);
    },
  );
});

/** Work of 50 ms on average, of which five calls are served at a time and the others wait: 100 a second. */
function workshop(random: SeededRandom) {
  const slots = 5;
  const queue: (() => void)[] = [];
  let serving = 0;
  return async () => {
    if (serving >= slots) await new Promise<void>(resolve => queue.push(resolve));
    serving += 1;
    await wait(-50 * Math.log(1 - random.next()));
    serving -= 1;
    queue.shift()?.();
    return 'hello';
  };
}

const capacity = 100;

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
}

describe('a zone with one instance of nine', () => {
  const zones = ['near', 'two', 'two', 'two', 'two', 'three', 'three', 'three', 'three'];
  const inZone = (availableZone: string) => ({
    dataCenter: { name: 'center', region: 'north', availableZone },
  });

  inThird(
    'gets what it carries of three times its load, all of a low load, and nobody waits long (D9)',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const random = new SeededRandom(7);
      const registry = await startRegistry(cleanup);
      const ids: string[] = [];
      for (const zone of zones) {
        const options = { instance: inZone(zone), answer: workshop(random) };
        ids.push((await startGreeter(cleanup, registry.url, options)).instanceId);
      }
      const run = async (zone: 'prefer' | 'ignore', perSecond: number, seconds: number) => {
        const microservice = { serviceName: `caller-${zone}-${perSecond}` };
        const options = { microservice, instance: inZone('near'), discovery: { zone } };
        const { http, discovery } = await startCaller(cleanup, registry.url, options);
        await discovery.find('greeter');
        const load = new Load({ http, clock, perSecond }, cleanup);
        await load.sentMore(perSecond * seconds);
        await load.end();
        expect(load.failed).toEqual([]);
        const { sent, tookMs, answered } = load;
        return { sent, tookMs, near: answered.get(ids[0] ?? '') ?? 0 };
      };
      const even = await run('ignore', 3 * capacity, 8);
      const preferred = await run('prefer', 3 * capacity, 8);
      const low = await run('prefer', 0.2 * capacity, 4);
      expect(preferred.near / 8).toBeGreaterThan(0.8 * capacity);
      expect(percentile(preferred.tookMs, 0.99)).toBeLessThanOrEqual(
        2 * percentile(even.tookMs, 0.99),
      );
      expect(low.near).toBe(low.sent);
    },
  );
});
