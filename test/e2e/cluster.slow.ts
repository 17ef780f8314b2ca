import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import { type Cleanup, startRegistry } from '../support/test-app.js';

const script = resolve('build/tree/test/support/cluster-context.js');

/** Starts two workers, and waits until both are registered. */
async function startWorkers(cleanup: Cleanup, ...ids: readonly string[]) {
  const registry = await startRegistry(cleanup);
  const primary = fork(script, [registry.url, ...ids]);
  const ended = once(primary, 'exit');
  cleanup.add(async () => {
    primary.kill();
    await ended;
  });
  const reports: unknown[] = [];
  primary.on('message', report => reports.push(report));
  const reported = async (expected: string, times = 1) => {
    while (reports.filter(report => report === expected).length < times)
      await once(primary, 'message');
  };
  const stop = async (worker: 0 | 1) => {
    primary.send(worker);
    await reported(`${worker} ended by SIGINT`);
  };
  for (const worker of [0, 1]) await reported(`${worker} registered`);
  return { registry, reported, stop };
}

describe('two workers of a cluster', () => {
  concurrently(
    'are two instances at one port, and each is removed at its SIGINT',
    async cleanup => {
      const { registry, stop } = await startWorkers(cleanup);
      const [one, two] = registry.instances();
      expect(one?.endpoints).toEqual([expect.stringMatching(/^rest:\/\/10\.0\.0\.7:\d+$/)]);
      expect(two?.endpoints).toEqual(one?.endpoints);
      expect(two?.instanceId).not.toBe(one?.instanceId);
      await stop(0);
      expect(registry.instances()).toHaveLength(1);
      await stop(1);
      expect(registry.instances()).toEqual([]);
    },
  );

  concurrently(
    'with one instanceId are one record, which goes with either of them',
    async cleanup => {
      const { registry, reported, stop } = await startWorkers(cleanup, 'shared');
      expect(registry.instances()).toHaveLength(1);
      await stop(0);
      await reported('1 lost');
      await reported('1 registered', 2);
      expect(registry.instances()).toHaveLength(1);
      await stop(1);
    },
  );
});
