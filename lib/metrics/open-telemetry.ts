import { RegistryOptionsError, version } from '../index.js';
import type { Source } from './exporter.js';
import { type Instrument, instruments, type ReadInstrument } from './instruments.js';
import type { InstrumentOptions, Meter, MeterProvider, Observer } from './options.js';

/** @throws RegistryOptionsError when @opentelemetry/api is not installed */
export async function globalMeterProvider(): Promise<MeterProvider> {
  try {
    const { metrics } = await import('@opentelemetry/api');
    return metrics.getMeterProvider();
  } catch (cause) {
    throw new RegistryOptionsError(
      [
        {
          path: 'exporter',
          message: `'opentelemetry' needs the package @opentelemetry/api, which cannot be loaded: ${String(cause)}`,
        },
      ],
      'options of RegistryMetricsModule',
    );
  }
}

/** Makes all instruments; returns the function that ends their values. */
export function exportToOpenTelemetry(source: Source, provider: MeterProvider): () => void {
  const meter = provider.getMeter('nestjs-servicecomb', version);
  const observables = new Map<ReadInstrument, object>();
  const ends: (() => void)[] = [];
  for (const instrument of instruments)
    if (instrument.kind === 'histogram') {
      const histogram = meter.createHistogram(instrument.name, optionsOf(instrument));
      ends.push(source.follow(instrument, value => histogram.record(value)));
    } else observables.set(instrument, observableOf(instrument, meter));
  const observe = (observer: Observer): void => {
    for (const [instrument, observable] of observables)
      for (const { value, labels } of source.read(instrument))
        observer.observe(observable, value, labels);
  };
  const all = [...observables.values()];
  meter.addBatchObservableCallback(observe, all);
  ends.push(() => meter.removeBatchObservableCallback(observe, all));
  return () => ends.forEach(end => end());
}

function observableOf(instrument: ReadInstrument, meter: Meter): object {
  const { kind, name } = instrument;
  return kind === 'gauge'
    ? meter.createObservableGauge(name, optionsOf(instrument))
    : meter.createObservableCounter(name, optionsOf(instrument));
}

function optionsOf(instrument: Instrument): InstrumentOptions {
  const { help: description, unit } = instrument;
  if (instrument.kind !== 'histogram') return { description, unit };
  return { description, unit, advice: { explicitBucketBoundaries: [...instrument.buckets] } };
}
