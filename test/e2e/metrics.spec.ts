import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import type { DynamicModule } from '@nestjs/common';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Registry } from 'prom-client';
import { Discovery, RegistryOptionsError } from '../../lib/index.js';
import { RegistryMetricsModule, type RegistryMetricsOptions } from '../../lib/metrics/index.js';
import { instruments, prometheusName } from '../../lib/metrics/instruments.js';
import { concurrently } from '../support/concurrently.js';
import {
  type Cleanup,
  createApp,
  optionsFor,
  startApp,
  startRegistry,
} from '../support/test-app.js';

/** Names of the metrics of this library that a registry of prom-client has. */
function namesIn(registry: Registry): readonly string[] {
  return registry
    .getMetricsAsArray()
    .map(({ name }) => name)
    .filter(name => name.startsWith('registry_'));
}

async function start(cleanup: Cleanup, ...imports: readonly DynamicModule[]) {
  const serviceCenter = await startRegistry(cleanup);
  return startApp(cleanup, optionsFor(serviceCenter.url), { imports: [...imports] });
}

async function startError(cleanup: Cleanup, options: RegistryMetricsOptions): Promise<unknown> {
  const imports = [RegistryMetricsModule.forRoot(options)];
  const { app } = await createApp(cleanup, { enabled: false }, { imports });
  return app.init().catch((error: unknown) => error);
}

describe('metrics for Prometheus', () => {
  concurrently('are in the given registry, every one of them', async cleanup => {
    const registry = new Registry();
    const { events } = await start(cleanup, RegistryMetricsModule.forRoot({ registry }));
    await events.nth('servicecomb.heartbeat.succeeded');
    expect(namesIn(registry)).toEqual(instruments.map(prometheusName));
    const text = await registry.metrics();
    expect(text).toContain('registry_state{state="registered"} 1\n');
    expect(text).toContain('registry_state{state="lost"} 0\n');
    expect(text).toMatch(/^registry_heartbeat_total\{result="success"\} [1-9]/m);
    expect(text).toContain('registry_heartbeat_total{result="timeout"} 0\n');
    expect(text).toMatch(/^registry_heartbeat_duration_seconds_count [1-9]/m);
    expect(text).toMatch(/^registry_lease_remaining_seconds [1-9]/m);
    expect(text).toMatch(/^registry_address_up\{address="http:\/\/127\.0\.0\.1:\d+"\} 1$/m);
    expect(text).toContain('registry_reregistrations_total{reason="expired"} 0\n');
  });

  concurrently(
    'are gone once the application is closed, so that it can be made anew',
    async cleanup => {
      const registry = new Registry();
      const { app } = await start(cleanup, RegistryMetricsModule.forRoot({ registry }));
      await app.close();
      expect(namesIn(registry)).toEqual([]);
      await start(cleanup, RegistryMetricsModule.forRoot({ registry }));
      expect(namesIn(registry)).toHaveLength(instruments.length);
    },
  );

  concurrently('of two applications are apart, each in a registry of its own', async cleanup => {
    const [one, two] = [new Registry(), new Registry()];
    const first = await start(cleanup, RegistryMetricsModule.forRoot({ registry: one }));
    await start(cleanup, RegistryMetricsModule.forRoot({ registry: two }));
    await first.registration.leave();
    expect(await one.metrics()).toContain('registry_state{state="left"} 1\n');
    expect(await two.metrics()).toContain('registry_state{state="registered"} 1\n');
  });

  concurrently('are refused by a registry that has them, which keeps them', async cleanup => {
    const registry = new Registry();
    await start(cleanup, RegistryMetricsModule.forRoot({ registry }));
    const error = await startError(cleanup, { registry });
    expect(error).toBeInstanceOf(RegistryOptionsError);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /registry has registry_state, .* already.*a registry of its own/,
      ),
    });
    expect(await registry.metrics()).toContain('registry_state{state="registered"} 1\n');
  });

  concurrently(
    'are served by @willsoto/nestjs-prometheus, which has the default registry',
    async () => {
      const program = resolve('build/tree/test/support/prometheus-context.js');
      const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', program]);
      expect(stdout).toContain('registry_state{state="disabled"} 1\n');
    },
  );

  concurrently('are told apart by calls', async cleanup => {
    const registry = new Registry();
    const { app } = await start(cleanup, RegistryMetricsModule.forRoot({ registry }));
    const discovery = app.get(Discovery);
    await discovery.call('orders', async () => 'hello');
    const text = await registry.metrics();
    expect(text).toContain('registry_calls_total{provider="orders",outcome="good"} 1\n');
    expect(text).toContain('registry_discovery_instances{provider="orders",state="up"} 1\n');
    expect(text).toContain('registry_discovery_providers{state="known"} 1\n');
    expect(text).toMatch(/^registry_discovery_pulls_total\{kind="truth",result="listed"\} [1-9]/m);
  });
});

describe('metrics for OpenTelemetry', () => {
  concurrently('have the same instruments', async cleanup => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    cleanup.add(() => meterProvider.shutdown());
    const metrics = RegistryMetricsModule.forRoot({ exporter: 'opentelemetry', meterProvider });
    const { app, events } = await start(cleanup, metrics);
    await events.nth('servicecomb.heartbeat.succeeded');
    await reader.forceFlush();
    const [exported] = exporter.getMetrics();
    const found = exported?.scopeMetrics.flatMap(scope => scope.metrics) ?? [];
    const expected = instruments.map(({ name, unit, help }) => ({ name, unit, description: help }));
    const withoutValues = new Set([
      'registry.token.expires',
      'registry.discovery.instances',
      'registry.discovery.pull.age',
      'registry.calls',
      'registry.call.retries',
      'registry.ejections',
    ]);
    expect(
      found
        .map(({ descriptor: { name, unit, description } }) => ({ name, unit, description }))
        .toSorted(byName),
    ).toEqual(expected.filter(({ name }) => !withoutValues.has(name)).toSorted(byName));
    const state = found.find(({ descriptor }) => descriptor.name === 'registry.state');
    expect(state?.dataPoints).toContainEqual(
      expect.objectContaining({ attributes: { state: 'registered' }, value: 1 }),
    );
    await app.close();
    exporter.reset();
    await reader.forceFlush();
    const after = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics));
    const points: unknown[] = after
      .filter(({ descriptor }) => descriptor.name === 'registry.state')
      .flatMap(({ dataPoints }): readonly unknown[] => dataPoints);
    // The SDK goes on exporting the last values that it got: the state is `left` now.
    expect(points).toContainEqual(
      expect.objectContaining({ attributes: { state: 'registered' }, value: 1 }),
    );
  });

  concurrently('go to the global provider, which may be none', async cleanup => {
    const metrics = RegistryMetricsModule.forRoot({ exporter: 'opentelemetry' });
    const { registration } = await start(cleanup, metrics);
    expect(registration.state).toBe('registered');
  });
});

describe('options of metrics', () => {
  concurrently('that are wrong are told all at once', async cleanup => {
    const wrong = { exporter: 'statsd', maxProviders: -1, meterProvider: new MeterProvider() };
    expect(await startError(cleanup, wrong as unknown as RegistryMetricsOptions)).toMatchObject({
      issues: [
        { path: 'exporter', message: "must be 'prometheus' or 'opentelemetry', got statsd" },
        { path: 'maxProviders', message: 'must be a whole number from 0 to 10000, got -1' },
        { path: 'meterProvider', message: "needs exporter: 'opentelemetry'" },
      ],
    });
    const registry = new Registry();
    expect(await startError(cleanup, { exporter: 'opentelemetry', registry })).toMatchObject({
      issues: [{ path: 'registry' }],
    });
  });
});

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name.localeCompare(right.name);
}
