import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { Registration, Tracing, version } from '../index.js';
import { loadOpenTelemetry, type OpenTelemetry } from './open-telemetry.js';
import { RegistrationSpans } from './registration-spans.js';
import { OpenTelemetryTracer } from './tracer.js';

/** Options of {@link RegistryTracingModule}. */
export interface RegistryTracingOptions {
  /** Whether each heartbeat is a span, and a trace of its own. @default false */
  readonly heartbeats?: boolean | undefined;
  /**
   * Whether each attempt of a call by name is a span. With `false`, calls are left to an instrumentation of HTTP,
   * which knows neither the name of the provider nor the number of the attempt.
   * @default true
   */
  readonly calls?: boolean | undefined;
}

const apiToken = Symbol('nestjs-servicecomb.opentelemetry');
const optionsToken = Symbol('nestjs-servicecomb.tracing-options');

/** Sets the tracer before anything is registered, and takes it back at the end. */
@Injectable()
class RegistryTracing implements OnApplicationShutdown {
  readonly #states: Subscription;

  constructor(
    @Inject(apiToken) api: OpenTelemetry,
    @Inject(optionsToken) { heartbeats = false, calls = true }: RegistryTracingOptions,
    @Inject(Registration) registration: Registration,
    @Inject(Tracing) private readonly tracing: Tracing,
  ) {
    const tracer = api.trace.getTracer('nestjs-servicecomb', version);
    const spans = new RegistrationSpans(api, tracer, registration);
    tracing.tracer = new OpenTelemetryTracer(api, tracer, spans, { heartbeats, calls });
    this.#states = registration.state$.subscribe(state => spans.enter(state));
  }

  onApplicationShutdown(): void {
    this.#states.unsubscribe();
    this.tracing.tracer = undefined;
  }
}

/**
 * Makes OpenTelemetry spans of registrations, losses and removals, and of calls by name. Needs RegistryModule, and
 * the package `@opentelemetry/api`; without a registered SDK nothing is recorded.
 *
 * @example
 * ```ts
 * imports: [RegistryTracingModule.forRoot(), RegistryModule.forRoot()],
 * ```
 */
@Module({})
export class RegistryTracingModule {
  /**
   * Returns the module with the given options; each has a default.
   * @throws RegistryOptionsError at boot, when `@opentelemetry/api` cannot be loaded
   */
  static forRoot(options: RegistryTracingOptions = {}): DynamicModule {
    return {
      module: RegistryTracingModule,
      providers: [
        { provide: apiToken, useFactory: () => loadOpenTelemetry() },
        { provide: optionsToken, useValue: options },
        RegistryTracing,
      ],
    };
  }
}
