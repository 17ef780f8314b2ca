import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  Discovery,
  type HeartbeatSucceededEvent,
  type OptionIssue,
  Registration,
  REGISTRY_OPTIONS,
  RegistryOptionsError,
  type ResolvedOptions,
} from '../index.js';
import { EventCounts } from './event-counts.js';
import type { Source } from './exporter.js';
import { FactReader } from './facts.js';
import { exportToOpenTelemetry, globalMeterProvider } from './open-telemetry.js';
import type { RegistryMetricsOptions } from './options.js';
import { exportToPrometheus, loadPromClient } from './prometheus.js';
import { ProviderLabels } from './provider-labels.js';

/** A class that creates the options, for `useClass` and `useExisting`. */
export interface RegistryMetricsOptionsFactory {
  createRegistryMetricsOptions(): RegistryMetricsOptions | Promise<RegistryMetricsOptions>;
}

/** Argument of `RegistryMetricsModule.forRootAsync()`. */
export type RegistryMetricsAsyncOptions = ConfigurableModuleAsyncOptions<
  RegistryMetricsOptions,
  'createRegistryMetricsOptions'
>;

const METRICS_OPTIONS = Symbol.for('nestjs-servicecomb.metrics-options');

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<RegistryMetricsOptions>({
  moduleName: 'RegistryMetrics',
  optionsInjectionToken: METRICS_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRegistryMetricsOptions')
  .build();

const clock = { now: () => performance.now(), wallNow: () => Date.now() };

/** Exports the instruments from the start of the application until it has shut down. */
@Injectable()
class MetricsLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #ends: (() => void)[] = [];

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: RegistryMetricsOptions,
    @Inject(REGISTRY_OPTIONS) private readonly registryOptions: ResolvedOptions,
    @Inject(Registration) private readonly registration: Registration,
    @Inject(Discovery) private readonly discovery: Discovery,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  /** @throws RegistryOptionsError */
  async onModuleInit(): Promise<void> {
    const issues = issuesOf(this.options);
    if (issues.length > 0) throw optionsError(issues);
    const emitter = this.#emitter();
    const { maxProviders = 100 } = this.options;
    const labels = new ProviderLabels(this.registryOptions.microservice, maxProviders);
    const events = new EventCounts(labels, clock);
    const { registration, discovery } = this;
    const reader = new FactReader({ registration, discovery, events, labels, clock });
    this.#ends.push(
      await this.#export({
        read: instrument => instrument.read(reader.read()),
        follow: ({ event, valueOf }, observe) => {
          const listener = (each: HeartbeatSucceededEvent) => observe(valueOf(each));
          emitter.on(event, listener);
          return () => void emitter.off(event, listener);
        },
      }),
      events.follow(emitter),
    );
  }

  onApplicationShutdown(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  async #export(source: Source): Promise<() => void> {
    const { exporter = 'prometheus', registry, meterProvider } = this.options;
    if (exporter === 'opentelemetry')
      return exportToOpenTelemetry(source, meterProvider ?? (await globalMeterProvider()));
    const client = await loadPromClient();
    return exportToPrometheus(source, client, registry ?? client.register);
  }

  #emitter(): EventEmitter2 {
    try {
      return this.modules.get(EventEmitter2, { strict: false });
    } catch {
      throw optionsError([
        {
          path: 'EventEmitterModule',
          message:
            'is missing, and the metrics count its events: add EventEmitterModule.forRoot() to the imports of your root module',
        },
      ]);
    }
  }
}

function issuesOf({ exporter, maxProviders, registry, meterProvider }: RegistryMetricsOptions) {
  const issues: OptionIssue[] = [];
  const isOpenTelemetry = exporter === 'opentelemetry';
  if (exporter !== undefined && exporter !== 'prometheus' && !isOpenTelemetry)
    issues.push({
      path: 'exporter',
      message: `must be 'prometheus' or 'opentelemetry', got ${String(exporter)}`,
    });
  if (
    maxProviders !== undefined &&
    !(Number.isInteger(maxProviders) && maxProviders >= 0 && maxProviders <= 10_000)
  )
    issues.push({
      path: 'maxProviders',
      message: `must be a whole number from 0 to 10000, got ${String(maxProviders)}`,
    });
  if (registry !== undefined && isOpenTelemetry)
    issues.push({
      path: 'registry',
      message: "is of prom-client and has no effect with exporter: 'opentelemetry': leave out one",
    });
  else if (registry !== undefined && typeof registry.getSingleMetric !== 'function')
    issues.push({ path: 'registry', message: 'must be a Registry of prom-client' });
  if (meterProvider !== undefined && !isOpenTelemetry)
    issues.push({ path: 'meterProvider', message: "needs exporter: 'opentelemetry'" });
  else if (meterProvider !== undefined && typeof meterProvider.getMeter !== 'function')
    issues.push({ path: 'meterProvider', message: 'must be a MeterProvider of OpenTelemetry' });
  return issues;
}

function optionsError(issues: readonly OptionIssue[]): RegistryOptionsError {
  return new RegistryOptionsError(issues, 'options of RegistryMetricsModule');
}

/**
 * Metrics of the registration and of discovery, for Prometheus or OpenTelemetry. They are read when somebody asks
 * for them: the module has no timer, and no route. `RegistryModule` and `EventEmitterModule` must be imported, too.
 *
 * @example
 * ```ts
 * imports: [
 *   ScheduleModule.forRoot(),
 *   EventEmitterModule.forRoot(),
 *   PrometheusModule.register(),
 *   RegistryMetricsModule.forRoot(),
 *   RegistryModule.forRoot(),
 * ],
 * ```
 */
@Module({ providers: [MetricsLifecycle] })
export class RegistryMetricsModule extends ConfigurableModuleClass {
  /**
   * Returns the module with the given options; each has a default.
   * @throws RegistryOptionsError at boot, when an option is not valid, the exporter's package is not installed, or
   * the registry has an instrument of that name
   */
  static override forRoot(options: RegistryMetricsOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Returns the module with options from a factory. */
  static override forRootAsync(options: RegistryMetricsAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}
