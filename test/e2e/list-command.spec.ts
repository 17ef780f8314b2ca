import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { runCommandLine } from '../support/command-run.js';
import { concurrently } from '../support/concurrently.js';
import { guarded, rootPassword, unguarded } from '../support/guarded-app.js';

const threeHoursAgo = String(Math.floor(Date.now() / 1_000) - 3 * 3_600);

/** Fills a registry: a service with two instances, and one without any. */
function fill(registry: EmbeddedServiceCenter): void {
  const healthCheck = { mode: 'push', interval: 15, times: 3 } as const;
  const common = {
    hostName: 'host',
    healthCheck,
    timestamp: threeHoursAgo,
    modTimestamp: threeHoursAgo,
  };
  registry.load({
    format: 1,
    services: [
      {
        service: { serviceId: 'g', appId: 'shop', serviceName: 'greeter', version: '1.0.0' },
        instances: [
          {
            ...common,
            instanceId: 'one',
            endpoints: ['rest://10.0.0.7:3000'],
            status: 'UP',
          },
          { ...common, instanceId: 'two', endpoints: [], status: 'OUTOFSERVICE' },
        ],
      },
      {
        service: {
          serviceId: 'b',
          appId: 'shop',
          serviceName: 'basket',
          version: '2.0.0',
          environment: 'testing',
        },
      },
    ],
  });
}

describe('ls', () => {
  concurrently('lists services and instances, by name', async cleanup => {
    const registry = await unguarded(cleanup);
    fill(registry);
    const { code, output } = await runCommandLine(['ls', '--address', registry.url]);
    expect(output.split('\n').map(line => line.split(/ {2,}/))).toEqual([
      ['SERVICE', 'VERSION', 'STATUS', 'ENDPOINTS', 'LEASE', 'CHANGED', 'INSTANCE'],
      ['shop/basket (testing)', '2.0.0', '–', 'no instance', '–', '–', '–'],
      ['shop/greeter', '1.0.0', 'UP', 'rest://10.0.0.7:3000', '60 s', '3 h ago', 'one'],
      ['shop/greeter', '1.0.0', 'OUTOFSERVICE', '–', '60 s', '3 h ago', 'two'],
    ]);
    expect(code).toBe(0);
  });

  concurrently('tells the age of a record by the clock of the registry', async cleanup => {
    const registry = await unguarded(cleanup);
    fill(registry);
    registry.faults.skewClock(3_600_000);
    const { output } = await runCommandLine(['ls', '--address', registry.url]);
    expect(output).toContain('4 h ago');
  });

  concurrently('leaves out a service that is removed while it reads', async cleanup => {
    const registry = await unguarded(cleanup);
    fill(registry);
    const gone = { errorCode: '400012', errorMessage: 'Micro-service does not exist' };
    registry.faults.answer(400, gone, { path: /microservices\/b\/instances/ });
    const { code, output } = await runCommandLine(['ls', '--address', registry.url]);
    expect(output).not.toContain('basket');
    expect(output).toContain('greeter');
    expect(code).toBe(0);
  });

  concurrently('says so where nothing is registered', async cleanup => {
    const { url } = await unguarded(cleanup);
    const { code, output } = await runCommandLine(['ls', '--address', url]);
    expect({ code, output }).toEqual({ code: 0, output: 'The registry has no service' });
  });

  for (const name of ['greeter', 'shop/greeter'])
    concurrently(`lists one service: ${name}`, async cleanup => {
      const registry = await unguarded(cleanup);
      fill(registry);
      const { output } = await runCommandLine(['ls', name, '--address', registry.url, '--json']);
      expect(JSON.parse(output)).toMatchObject({
        services: [
          {
            appId: 'shop',
            serviceName: 'greeter',
            instances: [
              {
                instanceId: 'one',
                status: 'UP',
                leaseSeconds: 60,
                changedAt: new Date(Number(threeHoursAgo) * 1_000).toISOString(),
              },
              { instanceId: 'two' },
            ],
          },
        ],
      });
    });

  concurrently('ends with 1 where there is no such service', async cleanup => {
    const registry = await unguarded(cleanup);
    fill(registry);
    const run = await runCommandLine(['ls', 'greter', '--address', registry.url]);
    expect(run).toMatchObject({
      code: 1,
      output: '',
      errors: 'The registry has no service "greter"',
    });
  });

  concurrently('ends with 1 where the registry cannot be asked, and says why', async cleanup => {
    const { url } = await guarded(cleanup);
    const { code, errors } = await runCommandLine(['ls', '--address', url]);
    expect(errors).toContain('errorCode 401204');
    expect(code).toBe(1);
  });

  concurrently('logs in with an account', async cleanup => {
    const registry = await guarded(cleanup);
    fill(registry);
    const env = { SERVICE_CENTER_USERNAME: 'root', SERVICE_CENTER_PASSWORD: rootPassword };
    const { output } = await runCommandLine(['ls', 'basket', '--address', registry.url], { env });
    expect(output).toContain('shop/basket');
  });

  concurrently('prints what a registry sends without what controls a terminal', async cleanup => {
    const registry = await unguarded(cleanup);
    registry.faults.answer(200, {}, { operation: 'listInstances' });
    registry.faults.answer(
      200,
      { services: [{ serviceId: 'a', serviceName: 'a\u001b[2Jb', version: '1' }] },
      { operation: 'listMicroservices' },
    );
    const { output } = await runCommandLine(['ls', '--address', registry.url]);
    expect(output).toContain('default/a [2Jb');
  });

  concurrently(
    'watches until it is stopped, and prints each change as a line of JSON',
    async cleanup => {
      const registry = await unguarded(cleanup);
      const stop = new AbortController();
      const waits: number[] = [];
      const args = ['ls', '--watch', '--json', '--address', registry.url];
      const { code, output } = await runCommandLine(args, {
        stopped: stop.signal,
        delay: async ms => {
          if (waits.push(ms) === 2) fill(registry);
        },
        onOutput: text => {
          if (text.includes('greeter')) stop.abort();
        },
      });
      const [first = '', second = '', ...others] = output.split('\n');
      expect(JSON.parse(first)).toEqual({ services: [] });
      expect(second).toContain('"serviceName":"greeter"');
      expect(others).toEqual([]);
      expect(waits).toEqual([5_000, 5_000, 5_000]);
      expect(code).toBe(0);
    },
  );
});
