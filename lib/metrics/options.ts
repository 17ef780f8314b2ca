/** Options of `RegistryMetricsModule`. */
export interface RegistryMetricsOptions {
  /**
   * What the instruments are made with: `prom-client`, or `@opentelemetry/api`. Only that package is loaded, and it
   * must be installed.
   * @default 'prometheus'
   */
  readonly exporter?: 'prometheus' | 'opentelemetry' | undefined;
  /**
   * The registry of prom-client that gets the instruments. One registry holds those of one application.
   * @default the `register` of prom-client, which @willsoto/nestjs-prometheus uses, too
   */
  readonly registry?: PrometheusRegistry | undefined;
  /**
   * The provider of OpenTelemetry that makes the instruments.
   * @default the global one, which must be set before the application is created
   */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * How many providers get a label of their own: 0 to 10,000. All further ones share the label `_other`.
   * @default 100
   */
  readonly maxProviders?: number | undefined;
}

/** The part of prom-client's `Registry` that is used. */
export interface PrometheusRegistry {
  registerMetric(metric: object): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
}

/** The part of OpenTelemetry's `MeterProvider` that is used. */
export interface MeterProvider {
  getMeter(name: string, version?: string): Meter;
}

/** The part of OpenTelemetry's `Meter` that is used. */
export interface Meter {
  createHistogram(name: string, options?: InstrumentOptions): Recorder;
  createObservableGauge(name: string, options?: InstrumentOptions): object;
  createObservableCounter(name: string, options?: InstrumentOptions): object;
  addBatchObservableCallback(callback: (result: Observer) => void, observables: object[]): void;
  removeBatchObservableCallback(callback: (result: Observer) => void, observables: object[]): void;
}

/** The part of OpenTelemetry's `MetricOptions` that is used. */
export interface InstrumentOptions {
  readonly description?: string;
  readonly unit?: string;
  readonly advice?: { explicitBucketBoundaries?: number[] };
}

/** The part of OpenTelemetry's `Histogram` that is used. */
export interface Recorder {
  record(value: number): void;
}

/** The part of OpenTelemetry's `BatchObservableResult` that is used. */
export interface Observer {
  observe(observable: object, value: number, labels: Record<string, string>): void;
}
