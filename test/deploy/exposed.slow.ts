import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { SampleProcess, endAll, get } from '../sample/sample-process.js';
import { alertRules, dashboardExpressions, selectorsIn } from './expressions.js';

describe('what the sample exposes to Prometheus', () => {
  let registry: EmbeddedServiceCenter;
  beforeEach(async () => {
    registry = new EmbeddedServiceCenter({ port: 0 });
    await registry.start();
  });
  afterEach(async () => {
    await endAll();
    await registry.stop();
  });

  it('has every series that the alert rules and the dashboard read', async () => {
    const env = { PORT: '0', SERVICE_CENTER_ADDRESS: registry.url, HEARTBEAT_INTERVAL_MS: '5000' };
    const greeter = new SampleProcess('greeter/main', env);
    await greeter.prints(/is in the registry/);
    const caller = new SampleProcess('caller/main', env);
    await caller.prints(/is in the registry/);
    const url = await caller.url();
    expect(await get(`${url}/hello`)).toMatchObject({ status: 200 });
    expect(await get(`${url}/health/ready`)).toMatchObject({ status: 200 });

    const expressions = [...alertRules().map(({ expr }) => expr), ...dashboardExpressions()];
    const read = expressions.flatMap(selectorsIn);
    const exposed = await seriesAt(url);
    const missing = read.filter(({ metric, labels }) => {
      const found = exposed.get(metric);
      const own = labels.filter(label => label !== 'job' && label !== 'instance');
      return found === undefined || !own.every(label => found.includes(label));
    });
    // Where there are no accounts, there is no token.
    expect(new Set(missing.map(({ metric }) => metric))).toEqual(
      new Set(['registry_token_expires_seconds']),
    );
    expect(await textAt(await greeter.url())).toContain('registry_state{state="registered"} 1\n');
  });
});

async function textAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  return answer.text();
}

/** The labels of each series that has a value, by its name. */
async function seriesAt(url: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = (await textAt(url))
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => {
      const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      return [name, [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)];
    }),
  );
}
