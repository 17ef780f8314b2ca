import type * as prom from 'prom-client';
import { RegistryOptionsError } from '../index.js';
import type { Source } from './exporter.js';
import { type Histogram, instruments, prometheusName, type ReadInstrument } from './instruments.js';
import type { PrometheusRegistry } from './options.js';

/** The part of prom-client that is used. */
export type PromClient = Pick<typeof prom, 'Counter' | 'Gauge' | 'Histogram' | 'register'>;

/** @throws RegistryOptionsError when prom-client is not installed */
export async function loadPromClient(): Promise<PromClient> {
  try {
    return (await import('prom-client')).default;
  } catch (cause) {
    throw new RegistryOptionsError(
      [
        {
          path: 'exporter',
          message: `'prometheus' needs the package prom-client, which cannot be loaded: ${String(cause)}`,
        },
      ],
      'options of RegistryMetricsModule',
    );
  }
}

/**
 * Registers all instruments; returns the function that takes them out again.
 * @throws RegistryOptionsError when the registry has one of these names, and it then gets none
 */
export function exportToPrometheus(
  source: Source,
  client: PromClient,
  registry: PrometheusRegistry,
): () => void {
  const names = instruments.map(prometheusName);
  const taken = names.filter(name => registry.getSingleMetric(name) !== undefined);
  if (taken.length > 0) throw takenError(taken);
  const ends = instruments.map(instrument =>
    instrument.kind === 'histogram'
      ? addHistogram(instrument, source, { client, registry })
      : add(instrument, source, { client, registry }),
  );
  return () => {
    for (const end of ends) end();
    for (const name of names) registry.removeSingleMetric(name);
  };
}

interface Target {
  readonly client: PromClient;
  readonly registry: PrometheusRegistry;
}

function add(instrument: ReadInstrument, source: Source, { client, registry }: Target): () => void {
  const { help, kind, labels } = instrument;
  const settings = { name: prometheusName(instrument), help, labelNames: labels, registers: [] };
  if (kind === 'gauge') {
    const gauge = new client.Gauge({
      ...settings,
      collect: () => {
        gauge.reset();
        // Without labels, reset() sets 0.
        if (labels.length === 0) gauge.remove();
        for (const { labels, value } of source.read(instrument)) gauge.set(labels, value);
      },
    });
    registry.registerMetric(gauge);
  } else {
    const counter = new client.Counter({
      ...settings,
      collect: () => {
        counter.reset();
        for (const { labels, value } of source.read(instrument)) counter.inc(labels, value);
      },
    });
    registry.registerMetric(counter);
  }
  return () => undefined;
}

function addHistogram(
  instrument: Histogram,
  source: Source,
  { client, registry }: Target,
): () => void {
  const { help, buckets } = instrument;
  const name = prometheusName(instrument);
  const histogram = new client.Histogram({ name, help, buckets: [...buckets], registers: [] });
  registry.registerMetric(histogram);
  return source.follow(instrument, value => histogram.observe(value));
}

function takenError(names: readonly string[]): RegistryOptionsError {
  return new RegistryOptionsError(
    [
      {
        path: 'registry',
        message:
          `has ${names.join(', ')} already, of another application of this process or of a second ` +
          'RegistryMetricsModule: give each a registry of its own, and close an application before it is made anew',
      },
    ],
    'options of RegistryMetricsModule',
  );
}
