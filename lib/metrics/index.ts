export {
  type RegistryMetricsAsyncOptions,
  RegistryMetricsModule,
  type RegistryMetricsOptionsFactory,
} from './metrics.module.js';
export type {
  InstrumentOptions,
  Meter,
  MeterProvider,
  Observer,
  PrometheusRegistry,
  Recorder,
  RegistryMetricsOptions,
} from './options.js';
