import { setImmediate, setInterval, setTimeout } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import {
  Discovery,
  isServiceCombError,
  NoInstanceError,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { openWatchers } from '../support/open-watchers.js';
import { type Provider, startProvider } from '../support/providers.js';
import { SteadyCalls, timeUntil } from '../support/steady-calls.js';
import { type Cleanup, optionsFor, startApp, startRegistry } from '../support/test-app.js';

// The tests run side by side, and mostly wait. Where a number is one of polls, the polls are shorter than by default.

/** A poll comes up to a fifth later than its interval. */
const latest = 1.2;

/** How late everything may be on a busy machine. Where that would hide a poll too many, polls are counted. */
const slackMs = 3_000;

async function startConsumer(
  cleanup: Cleanup,
  registry: EmbeddedServiceCenter,
  options: RegistryModuleOptions,
) {
  const started = await startApp(cleanup, optionsFor(registry.url, options));
  const discovery = started.app.get(Discovery);
  await discovery.find('greeter');
  if (options.discovery?.watch !== false) {
    await started.events.nth('servicecomb.watch.opened');
    // Everything is asked for within half a second of it, which would show what a poll is to find.
    await setTimeout(700);
  }
  return { ...started, discovery };
}

function startCalls(cleanup: Cleanup, discovery: Discovery): SteadyCalls {
  const calls = new SteadyCalls(discovery, 50);
  cleanup.add(() => calls.stop());
  return calls;
}

/** Returns whether an instance may be called, as far as is known. */
function isKnown(discovery: Discovery, { instanceId }: Provider): boolean {
  return discovery
    .snapshot()
    .providers.some(({ instances }) => instances.some(each => each.instanceId === instanceId));
}

/** Expects something to hold within so many polls, one that is under way besides. */
async function expectWithin(
  polls: number,
  pollIntervalMs: number,
  registry: EmbeddedServiceCenter,
  holds: () => boolean,
): Promise<void> {
  const asked = finds(registry).length;
  await timeUntil(holds, polls * latest * pollIntervalMs + slackMs);
  expect(finds(registry).length - asked).toBeLessThanOrEqual(polls + 1);
}

function finds(registry: EmbeddedServiceCenter) {
  return registry.requests.filter(({ path }) => /\/instances(\?|\/action\?)/.test(path));
}

interface Restart {
  readonly watch: boolean;
  /** Whether the providers keep their processes, or each is replaced by one that listens elsewhere. */
  readonly ports: 'same' | 'other';
  /** How many of ten processes end for good. */
  readonly gone: number;
  /** From the registry's return to the first registration and the last. */
  readonly returnMs: readonly [first: number, last: number];
  /** The most calls that one process may get. */
  readonly share: number;
}

/** The registry's revision of the list of greeters. */
function revisionOf(registry: EmbeddedServiceCenter): string | undefined {
  const target = '/v4/default/registry/instances?appId=default&serviceName=greeter';
  const request = { method: 'GET', target, headers: {}, body: Buffer.alloc(0) };
  return registry.answer(request).headers['X-Resource-Revision'];
}

/**
 * D7 with a third of its times: polls and heartbeats every 5 s rather than 15, and providers that are back after 11 to
 * 16 s rather than 33 to 47.
 */
async function playRestart(cleanup: Cleanup, restart: Restart): Promise<void> {
  const pollIntervalMs = 5_000;
  const [firstMs, lastMs] = restart.returnMs;
  const registry = await startRegistry(cleanup);
  // Two records that come before the providers' in each life of the registry: the application's own, or these.
  const filler = await startProvider(cleanup, registry, { serviceName: 'other' });
  const former: Provider[] = [];
  while (former.length < 10) former.push(await startProvider(cleanup, registry));
  const revision = revisionOf(registry);
  const { discovery, events } = await startConsumer(cleanup, registry, {
    heartbeat: { intervalMs: 5_000 },
    discovery: { pollIntervalMs, keepMs: 40_000, watch: restart.watch },
  });
  const calls = startCalls(cleanup, discovery);
  await timeUntil(() => calls.answeredBy().length >= 20, 5_000);

  let doubtedAt = Infinity;
  void events.nth('servicecomb.discovery.emptied').then(() => (doubtedAt = performance.now()));
  const restartedAt = performance.now();
  const open = await registry.faults.refuse();
  registry.reset();
  const gone = former.slice(0, restart.gone);
  for (const provider of gone) await provider.stop();
  if (lastMs > 0) await setTimeout(1_000);
  else filler.register();
  await open();
  const openedAt = performance.now();
  const back: { readonly provider: Provider; readonly at: number }[] = [];
  for (const provider of former.slice(restart.gone)) {
    const dueMs = firstMs + ((lastMs - firstMs) * back.length) / (9 - restart.gone);
    await setTimeout(openedAt + dueMs - performance.now());
    const next = restart.ports === 'same' ? provider : await startProvider(cleanup, registry);
    if (restart.ports === 'same') next.register();
    else await provider.stop();
    back.push({ provider: next, at: performance.now() });
  }
  if (restart.ports === 'other') expect(revisionOf(registry)).toBe(revision);
  await setTimeout(latest * pollIntervalMs + slackMs);
  await calls.stop();

  expect(calls.errors.filter(error => error instanceof NoInstanceError)).toEqual([]);
  expect(calls.errors.filter(isServiceCombError)).toEqual([]);
  const since = calls.answeredBy().filter(({ at }) => at >= restartedAt);
  const ports = new Set(
    [...former, ...back.map(({ provider }) => provider)].map(({ port }) => port),
  );
  const counts = [...ports].map(port => since.filter(each => each.port === port).length);
  expect(Math.max(...counts) / since.length).toBeLessThanOrEqual(restart.share);
  const dead = restart.ports === 'same' ? gone : former;
  expect(events.of('servicecomb.discovery.emptied')).toHaveLength(1);
  // Before the first answer nobody can know better than to try again.
  for (const { port } of dead) expect(calls.repeatedAt(port, doubtedAt)).toEqual([]);
  for (const { provider, at } of back) {
    const first = calls.answeredBy(provider.port).find(each => each.at >= at);
    expect((first?.at ?? Infinity) - at).toBeLessThanOrEqual(latest * pollIntervalMs + slackMs);
  }
}

// In one group: jest runs the groups of a file one after the other.
describe('D7 a registry that restarts empty', () => {
  const slow = { returnMs: [11_000, 16_000] } as const;
  const atOnce = { returnMs: [0, 0] } as const;
  const watched = { watch: true, share: 0.15 };
  const polled = { watch: false, share: 0.35 };
  const same = { ports: 'same', gone: 3 } as const;
  const other = { ports: 'other', gone: 0 } as const;

  concurrently('costs no call, and one attempt for each that is gone', cleanup =>
    playRestart(cleanup, { ...watched, ...same, ...slow }),
  );
  concurrently('costs no more where it is polled', cleanup =>
    playRestart(cleanup, { ...polled, ...same, ...slow }),
  );
  concurrently('gives a former revision to other ports: they are called within a poll', cleanup =>
    playRestart(cleanup, { ...polled, ...other, ...slow }),
  );
  concurrently('gives it to other ports while it is watched', cleanup =>
    playRestart(cleanup, { ...watched, ...other, ...slow }),
  );
  concurrently('gives it to other ports between two polls', cleanup =>
    playRestart(cleanup, { ...polled, ...other, ...atOnce }),
  );
  concurrently('gives it to other ports at once while it is watched', cleanup =>
    playRestart(cleanup, { ...watched, ...other, ...atOnce }),
  );
});

describe('D8 a watch that fails', () => {
  const pollIntervalMs = 2_000;

  async function startWatching(cleanup: Cleanup, intervalMs = pollIntervalMs) {
    const registry = await startRegistry(cleanup);
    const provider = await startProvider(cleanup, registry);
    const discoveryOptions = { pollIntervalMs: intervalMs };
    const consumer = await startConsumer(cleanup, registry, { discovery: discoveryOptions });
    return { registry, provider, ...consumer };
  }

  /** Lets the other tests go on in between. */
  async function changeOften(provider: Provider, changes: number): Promise<void> {
    for (let change = 1; change <= changes; change += 1) {
      provider.change({ change: String(change) });
      if (change % 20 === 0) await setImmediate();
    }
  }

  concurrently('sees a change with the next poll when frames are swallowed', async cleanup => {
    const { registry, discovery } = await startWatching(cleanup);
    registry.faults.swallowFrames();
    const newcomer = await startProvider(cleanup, registry);
    await expectWithin(1, pollIntervalMs, registry, () => isKnown(discovery, newcomer));
    expect(discovery.snapshot().watching).toBe(true);
  });

  concurrently('sees a change with the next poll when it is frozen', async cleanup => {
    const { registry, discovery } = await startWatching(cleanup);
    registry.faults.muteWatchers();
    const newcomer = await startProvider(cleanup, registry);
    await expectWithin(1, pollIntervalMs, registry, () => isKnown(discovery, newcomer));
    expect(discovery.snapshot().watching).toBe(true);
  });

  concurrently('sees a change whose frame an overflow of 5,001 has dropped', async cleanup => {
    const { registry, provider, discovery, events } = await startWatching(cleanup);
    const unmute = registry.faults.muteWatchers();
    const newcomer = await startProvider(cleanup, registry);
    await changeOften(provider, 5_000);
    const asked = finds(registry).length;
    unmute();
    await timeUntil(() => isKnown(discovery, newcomer), latest * pollIntervalMs + slackMs);
    await setTimeout(pollIntervalMs);
    // What is left of the frames is the last one.
    expect(finds(registry).length - asked).toBeLessThanOrEqual(5);
    expect(events.of('servicecomb.watch.lost')).toEqual([]);
    expect(openWatchers(registry)).toBe(1);
  });

  concurrently('makes four pulls a second at most of 5,000 frames', async cleanup => {
    const { registry, provider } = await startWatching(cleanup, 600_000);
    const unmute = registry.faults.muteWatchers();
    await changeOften(provider, 5_000);
    const asked = finds(registry).length;
    const startedAt = performance.now();
    unmute();
    await setTimeout(2_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(finds(registry).length - asked).toBeLessThanOrEqual(4 * seconds + 2);
  });
});

describe('D11 a registry that publishes nothing while something changes', () => {
  const pollIntervalMs = 1_000;

  concurrently('shows newcomers and removals within four polls', async cleanup => {
    const registry = await startRegistry(cleanup, {
      oddities: {
        publicationMs: 300,
        lostDeletions: true,
        relistMinMs: 60_000,
        relistMaxMs: 90_000,
      },
    });
    const other = await startProvider(cleanup, registry, { serviceName: 'other' });
    const [leaving] = [
      await startProvider(cleanup, registry),
      await startProvider(cleanup, registry),
    ];
    await setTimeout(400);
    const { discovery } = await startConsumer(cleanup, registry, { discovery: { pollIntervalMs } });
    startCalls(cleanup, discovery);
    const ending = new AbortController();
    const busy = change(other, ending.signal);
    cleanup.add(async () => {
      ending.abort();
      await busy;
    });
    const newcomer = await startProvider(cleanup, registry);
    await expectWithin(4, pollIntervalMs, registry, () => isKnown(discovery, newcomer));
    leaving.unregister();
    await expectWithin(4, pollIntervalMs, registry, () => !isKnown(discovery, leaving));
  });

  /** Changes an instance every 150 ms: the registry waits for 300 ms without a change. */
  async function change(provider: Provider, signal: AbortSignal): Promise<void> {
    let changes = 0;
    try {
      for await (const _ of setInterval(150, undefined, { signal }))
        provider.change({ change: String((changes += 1)) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
});

describe('D15 an engine that allows one discovery per interval', () => {
  /** The vendor's 30 s, with a tenth of the time. */
  const minFindMs = 3_000;

  concurrently('is asked no sooner for twenty providers, whatever happens', async cleanup => {
    const profile = 'cse-professional';
    const registry = await startRegistry(cleanup, {
      profile,
      profileOverrides: { minHeartbeatMs: 0, minFindMs, registrationsPerSecond: 1_000 },
    });
    const names = ['greeter', ...Array.from({ length: 19 }, (_, index) => `provider-${index}`)];
    for (const serviceName of names) await startProvider(cleanup, registry, { serviceName });
    const dead = await startProvider(cleanup, registry);
    const { discovery, events } = await startConsumer(cleanup, registry, {
      profile,
      serviceCenter: { project: 'default' },
      discovery: { pollIntervalMs: minFindMs, warmUp: [...names, 'nobody'], watch: false },
    });
    const [asked, warned] = [finds(registry).length, registry.warnings.length];
    const startedAt = performance.now();
    await dead.stop();
    const calls = startCalls(cleanup, discovery);
    while (performance.now() < startedAt + 5 * minFindMs) {
      await expect(discovery.find('nobody')).rejects.toBeInstanceOf(NoInstanceError);
      for (const name of names) await discovery.find(name);
      await setTimeout(20);
    }
    expect(calls.errors).toEqual([]);
    expect(events.of('servicecomb.endpoint.ejected')).not.toEqual([]);
    const polls = finds(registry).slice(asked);
    expect(polls.length).toBeGreaterThanOrEqual(3);
    expect(polls.length).toBeLessThanOrEqual(5);
    expect(registry.warnings.slice(warned)).toEqual([]);
  });
});
