import { afterAll, describe, expect, it } from '@jest/globals';
import { SampleProcess, endAll } from './sample-process.js';

afterAll(endAll);

/** A lease of 4 s instead of 20 s. */
const quick = { HEARTBEAT_INTERVAL_MS: '1000' };

// The tests wait for leases, each with a registry of its own: they run at the same time.
describe('npm run demo:failure', () => {
  it.concurrent(
    'tells what changes, and ends with 0 when everything came back',
    async () => {
      const demo = new SampleProcess('failure/main', quick);

      expect(await demo.exitCode()).toBe(0);
      expect(demo.stderr).toEqual([]);
      const [started, away, back] = demo.output.split('\n\n');
      expect(started).toMatch(/a lease is 4 s/);
      expect(started).toMatch(/caller +\| +\S+ s {2}\/hello: answered by the greeter/);
      expect(started).toContain(
        '/metrics: registry_address_up 1, registry_reregistrations_total 0',
      );
      expect(away).toMatch(/servicecomb\.heartbeat\.failed: .*\n[^]*\/health: 200, degraded/);
      expect(away).toMatch(
        /servicecomb\.instance\.lost: .*\n[^]*\/health: 503, \w+: holds no lease/,
      );
      const [, answered, calls] =
        / (\d+) of (\d+) calls by name were answered/.exec(away ?? '') ?? [];
      expect(Number(calls)).toBeGreaterThan(5);
      expect(answered).toBe(calls);
      expect(back).toMatch(/servicecomb\.instance\.registered: .*\n[^]*\/health: 200, registered/);
      for (const service of ['greeter', 'caller'])
        expect(back).toMatch(
          new RegExp(`${service} .*/metrics: .*, registry_reregistrations_total 1\n`),
        );
      expect(back).toMatch(/Both services are listed again, and everything is as it was$/);
    },
    60_000,
  );

  it.concurrent('ends with 1 and one clear error when a service does not start', async () => {
    const demo = new SampleProcess('failure/main', { HEARTBEAT_INTERVAL_MS: '1500' });

    expect(await demo.exitCode()).toBe(1);
    expect(demo.stderr).toEqual([
      expect.stringMatching(/cannot start: .*heartbeat\.intervalMs must be a whole number/),
    ]);
  });

  it.concurrent('ends with 1 at Ctrl-C, and both services with it', async () => {
    const demo = new SampleProcess('failure/main', quick);
    await demo.prints(/answered by the greeter/);

    demo.pressCtrlC();

    expect(await demo.exitCode()).toBe(1);
    expect(demo.stderr).toEqual(['Ended by SIGINT']);
    expect(demo.output).toMatch(/The services stop\n[^]*servicecomb\.instance\.unregister/);
  });
});
