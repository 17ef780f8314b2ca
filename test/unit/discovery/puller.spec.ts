import { describe, expect, it } from '@jest/globals';
import { NoInstanceError, ServiceCenterProtocolError } from '../../../lib/errors.js';
import { DiscoveryHarness } from '../../support/discovery-harness.js';
import { instanceOf, refusal, unreachable } from '../../support/fake-providers.js';

/** Discovery that knows some providers, each of one instance; nothing is counted so far. */
async function knowing(
  names: readonly string[],
  settings: ConstructorParameters<typeof DiscoveryHarness>[0] = {},
): Promise<DiscoveryHarness> {
  const harness = new DiscoveryHarness(settings);
  for (const name of names) harness.registry.list(name, [instanceOf(`${name}-1`)]);
  await Promise.all(names.map(name => harness.core.find(name)));
  await harness.run(0);
  harness.clear();
  return harness;
}

function named(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `p-${index}`);
}

describe('the first question', () => {
  it('asks at once, for the truth, and by itself', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    await core.find('greeter');
    expect(registry.asked).toMatchObject([
      { isBatch: false, names: ['greeter'], revisions: ['0'], noCache: false },
    ]);
  });

  it('is asked once for a thousand that come in one turn (D13)', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    const found = await Promise.all(Array.from({ length: 1_000 }, () => core.find('greeter')));
    expect(found.every(instances => instances.length === 1)).toBe(true);
    expect(registry.count()).toBe(1);
  });

  it('fails like its request, and the next one asks again after a second', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    registry.fails = () => unreachable();
    await expect(core.find('greeter')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
    await expect(core.find('greeter')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
    expect(registry.count()).toBe(1);
    registry.fails = () => undefined;
    await clock.advance(1_000);
    await expect(core.find('greeter')).resolves.toHaveLength(1);
  });

  it('is answered to those that wait also when one of them gives up', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    registry.latencyMs = 100;
    const abort = new AbortController();
    const given = core.find('greeter', { signal: abort.signal });
    const patient = core.find('greeter');
    abort.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(100);
    await expect(patient).resolves.toHaveLength(1);
  });
});

describe('many first questions at once', () => {
  it('are asked sixteen at a time, the others in the order in which they came', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    const names = named(1_000);
    for (const name of names) registry.list(name, [instanceOf(name)]);
    registry.latencyMs = 100;
    const found = Promise.all(names.map(name => core.find(name)));
    await clock.advance(0);
    expect(registry.asked.map(({ names: [name] }) => name)).toEqual(names.slice(0, 16));
    await clock.advance(100);
    expect(registry.count()).toBe(32);
    await expect(clock.until(found)).resolves.toHaveLength(1_000);
    expect(registry.asked.map(({ names: [name] }) => name)).toEqual(names);
    // 63 rounds of 100 ms.
    expect(registry.asked.at(-1)?.at).toBe(1_000 + 62 * 100);
  });

  it('are asked sixteen at a time past the cache of the registry, too', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    const names = named(40);
    for (const name of names) registry.list(name, [instanceOf(name)]);
    registry.latencyMs = 100;
    const found = Promise.all(names.map(name => core.find(name, { fresh: true })));
    await clock.advance(0);
    expect(registry.count()).toBe(16);
    await expect(clock.until(found)).resolves.toHaveLength(40);
    expect(registry.asked.every(({ noCache }) => noCache)).toBe(true);
  });

  it('leave room for the next ones when a name is unknown', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    registry.latencyMs = 100;
    const found = Promise.allSettled(named(40).map(name => core.find(name)));
    const answers = await clock.until(found);
    expect(answers).toMatchObject(answers.map(() => ({ reason: { reason: 'unknown-provider' } })));
    expect(registry.count()).toBe(40);
  });

  it('fail together when the registry does not serve, and those that wait are not sent', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    registry.latencyMs = 100;
    registry.fails = () => unreachable();
    const found = Promise.allSettled(named(40).map(name => core.find(name)));
    const answers = await clock.until(found);
    expect(answers).toMatchObject(
      answers.map(() => ({ reason: { code: 'ERR_SERVICECOMB_UNREACHABLE' } })),
    );
    expect(registry.count()).toBe(16);
  });

  it('do not fail for the refusal of one of them', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    const names = named(40);
    for (const name of names) registry.list(name, [instanceOf(name)]);
    registry.latencyMs = 100;
    registry.fails = ({ names: [name] }) => (name === 'p-3' ? refusal(400_001) : undefined);
    const answers = await clock.until(Promise.allSettled(names.map(name => core.find(name))));
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  it('end when discovery ends, without being sent', async () => {
    const { core, registry, clock } = new DiscoveryHarness();
    registry.latencyMs = 100;
    const found = Promise.allSettled(named(40).map(name => core.find(name)));
    await clock.advance(0);
    await clock.until(core.stop());
    await found;
    expect(registry.count()).toBe(16);
  });
});

describe('a poll', () => {
  it('comes an interval later, give or take a fifth, and is cheap', async () => {
    const harness = await knowing(['greeter']);
    harness.random = () => 0;
    await harness.run(7_500);
    expect(harness.registry.asked).toMatchObject([{ revisions: ['r1'] }]);
    await harness.run(11_999);
    expect(harness.registry.count()).toBe(1);
    harness.random = () => 0.999_999;
    await harness.run(1);
    expect(harness.registry.count()).toBe(2);
    await harness.run(17_999);
    expect(harness.registry.count()).toBe(2);
    await harness.run(1);
    expect(harness.registry.count()).toBe(3);
  });

  it('comes first anywhere in the first interval, so that a fleet spreads', async () => {
    const harness = new DiscoveryHarness();
    harness.random = () => 0.1;
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    await harness.run(1_499);
    expect(harness.registry.count()).toBe(1);
    await harness.run(1);
    expect(harness.registry.count()).toBe(2);
  });

  it('reads the truth each fourth time, where somebody has asked since the last time', async () => {
    const harness = await knowing(['greeter']);
    for (const _ of [1, 2, 3, 4, 5, 6, 7, 8]) {
      await harness.core.find('greeter');
      await harness.run(15_000);
    }
    expect(harness.registry.asked.map(({ revisions: [revision] }) => revision)).toEqual([
      'r1',
      'r1',
      'r1',
      '0',
      'r1',
      'r1',
      'r1',
      '0',
    ]);
  });

  it('stays cheap where nobody asks', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.latencyMs = 10;
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.clock.until(harness.core.find('greeter'));
    harness.clear();
    await harness.run(8 * 15_000);
    expect(harness.registry.asked.map(({ revisions: [revision] }) => revision)).not.toContain('0');
  });

  it('that finds nothing new is followed by no tick, and any other by one', async () => {
    const harness = await knowing(named(3));
    harness.registry.latencyMs = 100;
    const wakesOfPoll = async () => {
      await harness.clock.advance((await harness.core.tick()) ?? 0);
      await harness.core.tick();
      const { wakes } = harness;
      await harness.clock.advance(100);
      return harness.wakes - wakes;
    };
    expect(await wakesOfPoll()).toBe(0);
    harness.registry.list('p-1', []);
    expect(await wakesOfPoll()).toBe(1);
    expect(harness.registry.count()).toBe(2);
  });

  it('during which a frame came is followed by a tick', async () => {
    const harness = await knowing(named(3), { watch: true });
    harness.registry.latencyMs = 100;
    await harness.clock.advance((await harness.core.tick()) ?? 0);
    await harness.core.tick();
    harness.watchers[0]?.events.hint('all');
    const { wakes } = harness;
    await harness.clock.advance(100);
    expect(harness.wakes - wakes).toBe(1);
  });

  it('asks for fifty in one request', async () => {
    const harness = await knowing(named(120));
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ names, isBatch }) => [names.length, isBatch])).toEqual([
      [50, true],
      [50, true],
      [20, true],
    ]);
  });

  it('of a thousand unchanged providers takes at most 25 requests', async () => {
    const harness = await knowing(named(1_000));
    await harness.run(15_000);
    expect(harness.registry.count()).toBe(20);
    expect(harness.registry.asked.every(({ revisions }) => !revisions.includes('0'))).toBe(true);
  });

  it('asks for the truth of fewer at a time where they have many instances', async () => {
    const harness = new DiscoveryHarness();
    const names = named(30);
    const many = Array.from({ length: 100 }, (_, index) => instanceOf(`i-${index}`));
    for (const name of names) harness.registry.list(name, many);
    await Promise.all(names.map(name => harness.core.find(name)));
    await harness.run(0);
    harness.clear();
    harness.register();
    await harness.run(0);
    expect(harness.registry.asked.map(request => request.names.length)).toEqual([10, 10, 10]);
  });

  it('asks for the other environment by itself, without the consumer', async () => {
    const harness = await knowing(['greeter', 'other']);
    harness.register();
    await harness.core.find({ serviceName: 'greeter', environment: 'testing' });
    await harness.run(0);
    harness.clear();
    await harness.run(15_000);
    expect(harness.registry.asked).toMatchObject([
      { names: ['greeter', 'other'], consumerId: 'consumer' },
      { names: ['greeter'], consumerId: undefined },
    ]);
  });

  it('asks for all others in the next one, where one batch fails each time', async () => {
    const harness = await knowing(named(170));
    const [bad = ''] = named(170).slice(60);
    harness.registry.fails = ({ names }) => (names.includes(bad) ? unreachable() : undefined);
    await harness.run(15_000);
    harness.clear();
    await harness.run(45_000);
    const batches = harness.registry.asked.filter(({ names }) => !names.includes(bad));
    const times = (name: string) => batches.filter(({ names }) => names.includes(name)).length;
    const ofOtherBatches = named(170).filter((_, index) => index < 50 || index >= 100);
    expect(Math.min(...ofOtherBatches.map(times))).toBeGreaterThanOrEqual(2);
  });

  it('that is refused as a batch is split for ten minutes', async () => {
    const harness = await knowing(['a', 'b']);
    harness.registry.fails = ({ isBatch }) => (isBatch ? refusal(403_205) : undefined);
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ isBatch }) => isBatch)).toEqual([true, false, false]);
    expect(harness.names()).not.toContain('discovery.failed');
    harness.clear();
    await harness.run(590_000);
    expect(harness.registry.asked.some(({ isBatch }) => isBatch)).toBe(false);
    await harness.run(25_000);
    expect(harness.registry.asked.some(({ isBatch }) => isBatch)).toBe(true);
  });

  it('that is not understood as a batch is split as well', async () => {
    const harness = await knowing(['a', 'b']);
    harness.registry.fails = ({ isBatch }) =>
      isBatch
        ? new ServiceCenterProtocolError('queryInstances', 'http://a:1', 'an answer', '404')
        : undefined;
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ isBatch }) => isBatch)).toEqual([true, false, false]);
  });

  it('asks for an alias by itself, since a batch does not know it', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    harness.registry.list('other', [instanceOf('b')]);
    harness.registry.aliases.set('hello', 'greeter');
    await Promise.all(['hello', 'other'].map(name => harness.core.find(name)));
    await harness.run(0);
    harness.clear();
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ names }) => names)).toEqual([
      ['hello', 'other'],
      ['hello'],
    ]);
    expect(harness.names()).toEqual([]);
    harness.clear();
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ names }) => names)).toEqual([['hello'], ['other']]);
  });

  it('does not ask by its alias for what a batch has found by its name', async () => {
    const harness = await knowing(['a', 'b']);
    await harness.run(15_000);
    harness.registry.list('a', undefined);
    harness.clear();
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ names }) => names)).toEqual([['a', 'b']]);
    expect(harness.names()).toEqual(['discovery.emptied']);
  });

  it.each(['ERR_ANSWER_TOO_LONG', 'not modified'])(
    'goes on when the answer for one provider is bad: %s',
    async received => {
      const harness = await knowing(['a', 'b']);
      harness.registry.fails = ({ isBatch, names: [name] }) =>
        isBatch || name === 'a'
          ? new ServiceCenterProtocolError('findInstances', 'http://a:1', 'a list', received)
          : undefined;
      await harness.run(15_000);
      expect(harness.registry.asked.map(({ names }) => names)).toEqual([['a', 'b'], ['a'], ['b']]);
      expect(harness.events).toMatchObject([
        { name: 'servicecomb.discovery.failed', payload: { provider: { serviceName: 'a' } } },
      ]);
    },
  );

  it('ends at the first request that is refused because of our account', async () => {
    const harness = await knowing(['a', 'b', 'c']);
    harness.registry.fails = () => refusal(401_201, 'token expired');
    await harness.run(15_000);
    expect(harness.registry.asked.map(({ names }) => names.length)).toEqual([3, 1]);
    expect(harness.names()).toEqual(['discovery.failed']);
    expect(harness.events[0]?.payload).not.toHaveProperty('provider');
  });

  it('is not sent on to a registry that does not serve', async () => {
    const harness = await knowing(named(120));
    harness.registry.fails = () => unreachable();
    await harness.run(15_000);
    expect(harness.registry.count()).toBe(1);
    expect(harness.core.snapshot().providers.every(({ failures }) => failures === 1)).toBe(true);
  });

  it('of a provider that is refused comes a minute later', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.fails = () => refusal(403_205);
    await harness.run(60_000);
    expect(harness.registry.count()).toBe(1);
    await harness.run(20_000);
    expect(harness.registry.count()).toBe(2);
  });

  it('of a provider that is refused is not due before, whatever frames say', async () => {
    const harness = await knowing(['greeter'], { watch: true, pollIntervalMs: 600_000 });
    await harness.run(1_000);
    harness.registry.fails = () => refusal(403_205);
    harness.watchers[0]?.events.hint('all');
    await harness.run(1_000);
    harness.watchers[0]?.events.hint('all');
    await harness.run(1_000);
    await expect(harness.core.tick()).resolves.toBe(58_000);
    await harness.run(57_999);
    expect(harness.registry.count()).toBe(1);
    await harness.run(1);
    expect(harness.registry.count()).toBe(2);
  });

  it('of a provider that is no longer refused comes as usual', async () => {
    const harness = await knowing(['greeter'], { watch: true });
    await harness.run(1_000);
    harness.registry.fails = () => refusal(403_205);
    await harness.core.find('greeter', { fresh: true }).catch((error: unknown) => error);
    harness.registry.fails = () => undefined;
    await harness.core.find('greeter', { fresh: true });
    await harness.run(1_000);
    harness.clear();
    harness.watchers[0]?.events.hint('all');
    expect(harness.registry.count()).toBe(1);
  });

  it('skips a provider whose pull still runs', async () => {
    const harness = await knowing(['greeter'], { pollIntervalMs: 1_000 });
    harness.registry.latencyMs = 5_000;
    await harness.run(4_900);
    expect(harness.registry.count()).toBe(1);
  });
});

describe('a frame', () => {
  async function watched(): Promise<DiscoveryHarness> {
    const harness = await knowing(['greeter', 'other'], { watch: true });
    await harness.run(1_000);
    harness.clear();
    return harness;
  }
  const greeter = { environment: '', appId: 'default', serviceName: 'greeter', alias: undefined };

  it('pulls the truth of the provider that it names, at once', async () => {
    const harness = await watched();
    harness.watchers[0]?.events.hint(greeter);
    expect(harness.registry.asked).toMatchObject([{ names: ['greeter'], revisions: ['0'] }]);
  });

  it('of a provider that was found by its alias pulls that', async () => {
    const harness = await watched();
    harness.registry.aliases.set('hello', 'greeter');
    await harness.core.find('hello');
    await harness.run(1_000);
    harness.clear();
    harness.watchers[0]?.events.hint({ ...greeter, serviceName: 'real-name', alias: 'hello' });
    expect(harness.registry.asked).toMatchObject([{ names: ['hello'], revisions: ['0'] }]);
  });

  it('of a provider that nobody asked for pulls nothing', async () => {
    const harness = await watched();
    harness.watchers[0]?.events.hint({ ...greeter, serviceName: 'unheard-of' });
    await harness.run(1_000);
    expect(harness.registry.count()).toBe(0);
  });

  it('that cannot be read pulls all', async () => {
    const harness = await watched();
    harness.watchers[0]?.events.hint('all');
    expect(harness.registry.asked).toMatchObject([
      { names: ['greeter', 'other'], revisions: ['0', '0'] },
    ]);
  });

  it('right after a pull waits for 250 to 500 ms after it', async () => {
    const harness = await watched();
    harness.watchers[0]?.events.hint(greeter);
    await harness.run(100);
    harness.watchers[0]?.events.hint(greeter);
    harness.watchers[0]?.events.hint(greeter);
    await harness.run(274);
    expect(harness.registry.count()).toBe(1);
    await harness.run(1);
    expect(harness.registry.count()).toBe(2);
  });

  it('that cannot be read, one after the other, pulls all as seldom', async () => {
    const harness = await watched();
    for (const _ of Array.from({ length: 100 })) {
      harness.watchers[0]?.events.hint('all');
      await harness.run(10);
    }
    expect(harness.registry.count()).toBeLessThanOrEqual(4);
    expect(harness.registry.asked.every(({ names }) => names.length === 2)).toBe(true);
  });

  it('that cannot be read waits after the last pull of any, and then pulls all together', async () => {
    const harness = await watched();
    harness.watchers[0]?.events.hint(greeter);
    await harness.run(100);
    harness.clear();
    harness.watchers[0]?.events.hint('all');
    await harness.run(274);
    expect(harness.registry.count()).toBe(0);
    await harness.run(1);
    expect(harness.registry.asked.map(({ names }) => names)).toEqual([['greeter', 'other']]);
  });

  it('during a pull is followed by one more', async () => {
    const harness = await watched();
    harness.registry.latencyMs = 100;
    harness.watchers[0]?.events.hint(greeter);
    await harness.run(50);
    harness.watchers[0]?.events.hint(greeter);
    harness.watchers[0]?.events.hint(greeter);
    expect(harness.registry.count()).toBe(1);
    await harness.run(50 + 374);
    expect(harness.registry.count()).toBe(1);
    await harness.run(1_000);
    const [first, second, third] = harness.registry.asked.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(100 + 250);
    expect(third).toBeUndefined();
  });
});

describe('a doubt', () => {
  it('pulls the truth of all within half a second once changes are pushed again', async () => {
    const harness = await knowing(['a', 'b'], { watch: true });
    harness.watchers[0]?.events.opened('http://a:1');
    await harness.run(249);
    expect(harness.registry.count()).toBe(0);
    await harness.run(1);
    expect(harness.registry.asked).toMatchObject([{ names: ['a', 'b'], revisions: ['0', '0'] }]);
  });

  it.each([
    ['our instance was lost', 'lost'],
    ['our instance is registered again', 'registered'],
    ['the process stood still', 'stalled'],
  ] as const)('pulls the truth within a third of the interval when %s', async (_, what) => {
    const harness = await knowing(['a', 'b']);
    const events = {
      lost: {
        name: 'servicecomb.instance.lost',
        payload: { reason: 'forgotten', foundBy: 'heartbeat', error: undefined, retryInMs: 1 },
      },
      registered: {
        name: 'servicecomb.instance.registered',
        payload: { registrations: 2, leaseMs: 60_000 },
      },
      stalled: { name: 'servicecomb.event-loop.stalled', payload: { lateMs: 9_000 } },
    } as const;
    harness.notice(events[what]);
    await harness.run(2_499);
    expect(harness.registry.count()).toBe(0);
    await harness.run(1);
    expect(harness.registry.asked).toMatchObject([{ revisions: ['0', '0'] }]);
  });

  it('does not arise from the first registration of our instance', async () => {
    const harness = await knowing(['a']);
    harness.notice({
      name: 'servicecomb.instance.registered',
      payload: { registrations: 1, leaseMs: 60_000 },
    });
    await harness.run(5_000);
    expect(harness.registry.count()).toBe(0);
  });

  it('pulls the truth within a third of the interval when an address serves again after failures', async () => {
    const harness = await knowing(['a']);
    const restored = { name: 'servicecomb.address.restored', payload: { address: 'x' } } as const;
    harness.notice(restored);
    await harness.run(5_000);
    expect(harness.registry.count()).toBe(0);
    harness.registry.fails = () => unreachable();
    await harness.run(2_500);
    harness.registry.fails = () => undefined;
    harness.clear();
    harness.notice(restored);
    await harness.run(2_500);
    expect(harness.registry.asked).toMatchObject([{ revisions: ['0'] }]);
  });

  it('pulls the truth of all when one is answered for that the registry had not served', async () => {
    const harness = await knowing(['a', 'b'], { watch: true, pollIntervalMs: 600_000 });
    await harness.run(1_000);
    const frame = { environment: '', appId: 'default', serviceName: 'a', alias: undefined };
    harness.registry.fails = () => unreachable();
    harness.watchers[0]?.events.hint(frame);
    await harness.run(1_000);
    harness.registry.fails = () => undefined;
    harness.watchers[0]?.events.hint(frame);
    await harness.run(1_000);
    harness.clear();
    await harness.run(100_000);
    expect(harness.registry.asked).toMatchObject([{ names: ['a', 'b'], revisions: ['0', '0'] }]);
  });

  it('of a failed call pulls at once, and then once a second', async () => {
    const harness = await knowing(['greeter']);
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const fail = () =>
      harness.core.call('greeter', () => Promise.reject(refused)).catch((error: unknown) => error);
    await expect(fail()).resolves.toBe(refused);
    expect(harness.registry.asked).toMatchObject([{ names: ['greeter'], revisions: ['0'] }]);
    for (const _ of Array.from({ length: 20 })) {
      await fail();
      await harness.run(100);
    }
    expect(harness.registry.count()).toBe(3);
  });

  it('does not arise from a call that failed on its way', async () => {
    const harness = await knowing(['greeter']);
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    await expect(
      harness.core.call('greeter', () => Promise.reject(reset), { retries: 0 }),
    ).rejects.toBe(reset);
    expect(harness.registry.count()).toBe(0);
  });

  it('makes polls read the truth until it is over', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.list('greeter', []);
    await harness.run(45_000);
    expect(harness.registry.asked.map(({ revisions: [revision] }) => revision)).toEqual([
      'r1',
      '0',
      '0',
    ]);
  });

  it('follows a "not modified" that answers a truth pull', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.listAs('0', 'greeter', [instanceOf('a')]);
    await expect(harness.core.find('greeter')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
    });
  });
});

describe('a fresh question', () => {
  it('reads the store of the registry, at once', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.list('greeter', [instanceOf('b'), instanceOf('a')]);
    await expect(harness.core.find('greeter', { fresh: true })).resolves.toHaveLength(2);
    expect(harness.registry.asked).toMatchObject([{ noCache: true, revisions: [undefined] }]);
  });

  it('does not take the answer to a question before it', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.latencyMs = 100;
    const all = Promise.all([
      harness.core.find('greeter', { fresh: true }),
      harness.core.find('greeter', { fresh: true }),
    ]);
    await harness.run(50);
    const later = harness.core.find('greeter', { fresh: true });
    await harness.run(1_000);
    await all;
    await later;
    expect(harness.registry.count()).toBe(2);
  });

  it('does not take the answer to a poll either, which was due when the pull before it ended', async () => {
    const harness = await knowing(['greeter'], { pollIntervalMs: 1_000 });
    harness.core.onChange('greeter', () => queueMicrotask(() => void harness.core.tick()));
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    harness.registry.latencyMs = 1_000;
    await harness.run(600);
    const fresh = harness.core.find('greeter', { fresh: true });
    await harness.run(4_000);
    await fresh;
    expect(harness.registry.asked.map(({ revisions: [revision] }) => revision).slice(0, 3)).toEqual(
      ['r1', 'r2', undefined],
    );
  });

  it('fails when it is answered "not modified"', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.findInstances = async () => ({ modified: false });
    await expect(harness.core.find('greeter', { fresh: true })).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
    });
  });

  it('fails when the registry does not answer, though a list is known', async () => {
    const harness = await knowing(['greeter']);
    harness.registry.fails = () => unreachable();
    await expect(harness.core.find('greeter', { fresh: true })).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
  });
});

describe('an unknown provider', () => {
  it('is asked for once a second at most, whatever the number of questions (D12)', async () => {
    const harness = new DiscoveryHarness();
    const ask = () => harness.core.find('greeter').catch((error: unknown) => error);
    for (const _ of Array.from({ length: 100 })) {
      const answers = await Promise.all(Array.from({ length: 100 }, ask));
      expect(answers.every(answer => answer instanceof NoInstanceError)).toBe(true);
      await harness.run(100);
    }
    const seconds = 10;
    expect(harness.registry.count()).toBeGreaterThanOrEqual(seconds);
    expect(harness.registry.count()).toBeLessThanOrEqual(seconds + 1);
  });

  it('works within a second of its registration when it is asked for, and with the next poll otherwise', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    const seen: number[] = [];
    harness.core.onChange('greeter', ({ instances }) => seen.push(instances.length));
    await harness.run(0);
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.run(1_000);
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await harness.run(15_000);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('is asked for without the consumer where the registry does not know that', async () => {
    const harness = await knowing(['a', 'b']);
    harness.register('forgotten');
    await harness.run(0);
    harness.registry.consumers.clear();
    harness.clear();
    await expect(harness.core.find('new')).rejects.toMatchObject({ reason: 'unknown-provider' });
    await harness.run(15_000);
    const asked = harness.registry.asked.map(({ names, consumerId }) => [names.length, consumerId]);
    expect(asked).toEqual([
      [1, 'forgotten'],
      [1, undefined],
      [3, 'forgotten'],
      [3, undefined],
    ]);
    expect(harness.names()).toEqual([]);
  });
});

describe('a consumer that a registry with its security on does not know', () => {
  it('is not named, and its providers stay', async () => {
    const harness = await knowing(['a', 'b']);
    harness.register();
    await harness.run(0);
    harness.clear();
    harness.registry.fails = ({ consumerId }) =>
      consumerId === undefined ? undefined : refusal(401_201, 'there is no valid resouce scope');
    await harness.run(15_000);
    await harness.core.find('a', { fresh: true });
    expect(harness.registry.asked.map(({ consumerId }) => consumerId)).toEqual([
      'consumer',
      undefined,
      'consumer',
      undefined,
    ]);
    expect(harness.names()).toEqual([]);
  });
});

describe('a profile with a least distance between requests', () => {
  const settings = { neverEarly: true, watch: true, pollIntervalMs: 30_000 };

  it('asks for twenty providers in one request per interval', async () => {
    const harness = await knowing(named(20), settings);
    const startedAt = harness.clock.now();
    for (const _ of Array.from({ length: 600 })) {
      await harness.core.find('p-0');
      await harness.run(1_000);
    }
    const times = [startedAt, ...harness.registry.asked.map(({ at }) => at)];
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(15);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...gaps.slice(1))).toBeLessThanOrEqual(36_000);
  });

  it('makes frames, failed calls, losses and the consumer wait for the poll, which then reads the truth', async () => {
    const harness = await knowing(['a', 'b'], settings);
    harness.watchers[0]?.events.hint('all');
    harness.watchers[0]?.events.opened('http://a:1');
    harness.register();
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    await harness.core.call('a', () => Promise.reject(refused)).catch((error: unknown) => error);
    await harness.run(29_999);
    expect(harness.registry.count()).toBe(0);
    await harness.run(30_000);
    expect(harness.registry.asked).toMatchObject([{ revisions: ['0', '0'] }]);
  });

  it('asks again for an unknown provider with the poll alone', async () => {
    const harness = new DiscoveryHarness(settings);
    for (const _ of Array.from({ length: 20 })) {
      await expect(harness.core.find('greeter')).rejects.toThrow('does not know');
      await harness.run(1_000);
    }
    expect(harness.registry.count()).toBe(1);
  });
});
