import { describe, expect, it } from '@jest/globals';
import client, { Registry } from 'prom-client';
import { instruments, prometheusName, type Sample } from '../../../lib/metrics/instruments.js';
import { exportToPrometheus } from '../../../lib/metrics/prometheus.js';

/** Exports instruments of which one has the samples of the moment; returns its lines. */
function exported() {
  const registry = new Registry();
  let read: { readonly name: string; readonly samples: readonly Sample[] } | undefined;
  let observe: (value: number) => void = () => undefined;
  let followers = 0;
  const end = exportToPrometheus(
    {
      read: instrument => (prometheusName(instrument) === read?.name ? read.samples : []),
      follow: (_, listener) => {
        followers += 1;
        observe = listener;
        return () => void (followers -= 1);
      },
    },
    client,
    registry,
  );
  return {
    registry,
    end,
    followers: () => followers,
    observe: (value: number) => observe(value),
    linesOf: async (name: string, samples: readonly Sample[]) => {
      read = { name, samples };
      const text = await registry.metrics();
      return text.split('\n').filter(line => line.startsWith(name));
    },
  };
}

describe('metrics in a registry of prom-client', () => {
  it('have no value where there is none, also after there was one', async () => {
    const { linesOf } = exported();
    const name = 'registry_lease_remaining_seconds';
    expect(await linesOf(name, [])).toEqual([]);
    expect(await linesOf(name, [{ labels: {}, value: 12.5 }])).toEqual([`${name} 12.5`]);
    expect(await linesOf(name, [])).toEqual([]);
  });

  it('lose the series that are gone', async () => {
    const { linesOf } = exported();
    const name = 'registry_address_up';
    const at = (address: string): Sample => ({ labels: { address }, value: 1 });
    expect(await linesOf(name, [at('a'), at('b')])).toHaveLength(2);
    expect(await linesOf(name, [at('b')])).toEqual([`${name}{address="b"} 1`]);
  });

  it('are counted once, however often they are read', async () => {
    const { linesOf } = exported();
    const name = 'registry_eventloop_stalls_total';
    const three = [{ labels: {}, value: 3 }];
    await linesOf(name, three);
    expect(await linesOf(name, three)).toEqual([`${name} 3`]);
  });

  it('put durations into buckets, until the end', async () => {
    const { linesOf, observe, end, followers } = exported();
    observe(0.03);
    const name = 'registry_heartbeat_duration_seconds';
    const lines = await linesOf(name, []);
    expect(lines).toContain(`${name}_bucket{le="0.025"} 0`);
    expect(lines).toContain(`${name}_bucket{le="0.05"} 1`);
    expect(lines).toContain(`${name}_sum 0.03`);
    end();
    expect(followers()).toBe(0);
  });

  it('leave the metrics of the application alone', async () => {
    const { registry, end } = exported();
    const own = new client.Gauge({ name: 'own', help: 'Of the application.', registers: [] });
    registry.registerMetric(own);
    expect(registry.getMetricsAsArray()).toHaveLength(instruments.length + 1);
    end();
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['own']);
  });
});
