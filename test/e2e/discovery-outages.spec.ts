import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { Discovery, type RegistryModuleOptions } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { openWatchers } from '../support/open-watchers.js';
import { type Provider, startProvider } from '../support/providers.js';
import { SteadyCalls, timeUntil } from '../support/steady-calls.js';
import { type Cleanup, optionsFor, startApp, startRegistry } from '../support/test-app.js';

/** A poll comes up to a fifth later than its interval, and everything is late on a busy machine. */
const latest = 1.2;
const slackMs = 1_500;

/** Longer than any test: nothing is found by a poll. */
const never = 600_000;

async function startConsumer(cleanup: Cleanup, discovery: RegistryModuleOptions['discovery']) {
  const registry = await startRegistry(cleanup);
  const started = await startApp(cleanup, optionsFor(registry.url, { discovery }));
  return { registry, ...started, discovery: started.app.get(Discovery) };
}

function startCalls(cleanup: Cleanup, discovery: Discovery): SteadyCalls {
  const calls = new SteadyCalls(discovery, 20);
  cleanup.add(() => calls.stop());
  return calls;
}

function finds(registry: EmbeddedServiceCenter) {
  return registry.requests.filter(({ path }) => /\/instances(\?|\/action\?)/.test(path));
}

describe('D8 a watch that is cut', () => {
  async function startWatching(cleanup: Cleanup, pollIntervalMs: number) {
    const consumer = await startConsumer(cleanup, { pollIntervalMs });
    const { registry, discovery, events } = consumer;
    await startProvider(cleanup, registry);
    let instances: readonly string[] = [];
    discovery.watch('greeter').subscribe(change => {
      instances = change.instances.map(({ instanceId }) => instanceId);
    });
    await events.nth('servicecomb.watch.opened');
    return { ...consumer, isSeen: ({ instanceId }: Provider) => instances.includes(instanceId) };
  }

  for (const how of ['rst', 'fin'] as const)
    describe(`by ${how}`, () => {
      concurrently('is opened again, and what it has missed is seen', async cleanup => {
        const { registry, discovery, events, isSeen } = await startWatching(cleanup, never);
        const accept = registry.faults.answer(503, '', { operation: 'watch' });
        registry.faults.cutWatchers(how);
        const { address, retryInMs } = await events.nth('servicecomb.watch.lost');
        expect(address).toBe(registry.url);
        expect(retryInMs).toBeLessThanOrEqual(1_000);
        expect(discovery.snapshot().watching).toBe(false);
        const missed = await startProvider(cleanup, registry);
        accept();
        await events.nth('servicecomb.watch.opened', 2);
        await timeUntil(() => isSeen(missed), slackMs);
        const told = await startProvider(cleanup, registry);
        await timeUntil(() => isSeen(told), slackMs);
        expect(events.of('servicecomb.watch.lost')).toHaveLength(1);
        expect(openWatchers(registry)).toBe(1);
      });
    });

  concurrently('and never opened again costs a poll until a change is seen', async cleanup => {
    const pollIntervalMs = 1_000;
    const { registry, events, isSeen } = await startWatching(cleanup, pollIntervalMs);
    registry.faults.answer(503, '', { operation: 'watch' });
    registry.faults.cutWatchers('rst');
    await events.nth('servicecomb.watch.lost');
    const newcomer = await startProvider(cleanup, registry);
    await timeUntil(() => isSeen(newcomer), latest * pollIntervalMs + slackMs);
    expect(events.of('servicecomb.watch.opened')).toHaveLength(1);
  });
});

describe('D10 a provider whose service is deleted and created again', () => {
  for (const watch of [true, false])
    describe(watch ? 'watched' : 'polled', () => {
      concurrently('is called all the time, and its new instance within a poll', async cleanup => {
        const pollIntervalMs = 1_000;
        const { registry, discovery } = await startConsumer(cleanup, { pollIntervalMs, watch });
        await startProvider(cleanup, registry);
        const calls = startCalls(cleanup, discovery);
        await timeUntil(() => calls.answeredBy().length > 0, slackMs);
        registry.forgetService('greeter-1.0.0');
        const isAbsent = () => discovery.snapshot().providers[0]?.state === 'absent';
        await timeUntil(isAbsent, latest * pollIntervalMs + slackMs);
        const asked = finds(registry).length;
        const { port } = await startProvider(cleanup, registry);
        const isCalled = () => calls.answeredBy(port).length > 0;
        await timeUntil(isCalled, latest * pollIntervalMs + slackMs);
        // A poll that was under way, the next one, and those that a frame asks for.
        expect(finds(registry).length - asked).toBeLessThanOrEqual(watch ? 4 : 2);
        expect(calls.errors).toEqual([]);
      });
    });
});

describe('D12 a name that is registered later', () => {
  concurrently('is asked for once a second, and works a second later', async cleanup => {
    // Without a watch, whose opening asks once more.
    const options = { pollIntervalMs: never, watch: false };
    const { registry, discovery } = await startConsumer(cleanup, options);
    const reasons: unknown[] = [];
    let found = 0;
    const startedAt = performance.now();
    let registeredAt = Infinity;
    // A thousand questions a second.
    for await (const _ of setInterval(10)) {
      for (let question = 0; question < 10; question += 1)
        discovery.find('greeter').then(
          () => (found += 1),
          (error: { readonly reason?: unknown }) => reasons.push(error.reason),
        );
      if (registeredAt === Infinity && performance.now() > startedAt + 2_500) {
        await startProvider(cleanup, registry);
        registeredAt = performance.now();
      }
      if (found > 0) break;
    }
    expect(performance.now() - registeredAt).toBeLessThan(1_000 + slackMs);
    expect(new Set(reasons)).toEqual(new Set(['unknown-provider']));
    expect(reasons.length).toBeGreaterThan(1_000);
    const at = finds(registry).map(each => each.at);
    const distances = at.slice(1).map((each, index) => each - (at[index] ?? 0));
    expect(distances.length).toBeGreaterThanOrEqual(2);
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(990);
  });

  concurrently('works with the next poll where nobody asks', async cleanup => {
    const pollIntervalMs = 1_000;
    const { registry, discovery } = await startConsumer(cleanup, { pollIntervalMs, watch: false });
    let instances = 0;
    discovery.watch('greeter').subscribe(change => (instances = change.instances.length));
    await timeUntil(() => discovery.snapshot().providers[0]?.state === 'absent', slackMs);
    await startProvider(cleanup, registry);
    await timeUntil(() => instances === 1, latest * pollIntervalMs + slackMs);
  });
});

describe('D13 a thousand questions for a new name in one turn', () => {
  concurrently('are one request', async cleanup => {
    const { registry, discovery } = await startConsumer(cleanup, { pollIntervalMs: never });
    await startProvider(cleanup, registry);
    const questions = Array.from({ length: 1_000 }, () => discovery.find('greeter'));
    expect((await Promise.all(questions)).every(({ length }) => length === 1)).toBe(true);
    expect(finds(registry)).toHaveLength(1);
  });
});

describe('D16 a process that is closed while it watches, polls and calls', () => {
  concurrently('ends its calls, asks nothing more, and ends by itself', async cleanup => {
    const registry = await startRegistry(cleanup);
    await startProvider(cleanup, registry, {
      answer: (_, response) => void setTimeout(() => response.end('hello'), 500),
    });
    const script = resolve('build/tree/test/support/calling-context.js');
    const running = promisify(execFile)(process.execPath, [script, registry.url]);
    let asked = Infinity;
    running.child.stdout?.once('data', () => (asked = registry.requests.length));
    expect((await running).stdout.split('\n')).toEqual(['closed', '50 calls ended', '']);
    expect(registry.requests).toHaveLength(asked);
    const operations = registry.requests.map(({ operation }) => operation);
    expect(operations).toEqual(expect.arrayContaining(['watch', 'unregisterInstance']));
    expect(openWatchers(registry)).toBe(0);
  });
});

describe('D18 an application whose own service is deleted', () => {
  concurrently('goes on calling, and is told of changes once it is registered', async cleanup => {
    const { registry, discovery, events } = await startConsumer(cleanup, { pollIntervalMs: never });
    await startProvider(cleanup, registry);
    const calls = startCalls(cleanup, discovery);
    const { serviceId } = await events.nth('servicecomb.service.registered');
    await events.nth('servicecomb.watch.opened');
    registry.forgetService(serviceId);
    await events.nth('servicecomb.service.registered', 2);
    await events.nth('servicecomb.watch.opened', 2);
    await events.nth('servicecomb.instance.registered', 2);
    const { port } = await startProvider(cleanup, registry);
    // No poll comes: a frame has told of it.
    await timeUntil(() => calls.answeredBy(port).length > 0, slackMs);
    await calls.stop();
    expect(calls.errors).toEqual([]);
    expect(openWatchers(registry)).toBe(1);
  });
});
