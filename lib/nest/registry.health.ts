import {
  Controller,
  type DynamicModule,
  Get,
  Header,
  Inject,
  Injectable,
  Module,
  ServiceUnavailableException,
  type Type,
} from '@nestjs/common';
import { type HealthStatus, healthOf, type RegistrationSnapshot } from '../registration/state.js';
import { Registration } from './registration.js';

/** Health of a registration in the form that @nestjs/terminus expects, with the snapshot as details. */
export interface RegistryHealth extends RegistrationSnapshot {
  readonly status: 'up' | 'down';
  /** Present while heartbeats fail and the lease lives: still up, but worth knowing. */
  readonly degraded?: true;
}

/**
 * Health of the registration for @nestjs/terminus 11 and 12. It is derived from the state, without a
 * request to the registry. Use it for readiness: as a liveness probe it would restart the pod whenever
 * the registry is away.
 *
 * @example
 * ```ts
 * @Get('ready')
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.registry.isHealthy('registry')]);
 * }
 * ```
 */
@Injectable()
export class RegistryHealthIndicator {
  readonly #registration: Registration;

  /** @internal Made by the module: inject it. */
  constructor(@Inject(Registration) registration: Registration) {
    this.#registration = registration;
  }

  /**
   * Resolves with the health under that key; terminus answers 503 for `down`. Degraded is reported as
   * `up` with `degraded: true`, since terminus 11 drops any other status. Never rejects.
   */
  async isHealthy(key: string): Promise<Record<string, RegistryHealth>> {
    const snapshot = this.#registration.snapshot();
    const health = healthOf(snapshot);
    const degraded = health === 'degraded' ? { degraded: true as const } : {};
    return { [key]: { status: health === 'down' ? 'down' : 'up', ...degraded, ...snapshot } };
  }
}

/** Options of {@link RegistryHealthModule}. */
export interface RegistryHealthOptions {
  /** Path of the route, under the application's global prefix. @default 'health' */
  readonly path?: string | undefined;
}

/** Body of the health route's response. */
export interface RegistryHealthReport extends RegistrationSnapshot {
  readonly status: HealthStatus;
}

/**
 * A health route for applications without @nestjs/terminus: `GET /health` responds with 200 for `up`
 * and `degraded`, 503 for `down`, and the snapshot. Needs RegistryModule; sends nothing to the registry.
 *
 * @example
 * ```ts
 * imports: [RegistryHealthModule.forRoot({ path: 'health/ready' }), RegistryModule.forRoot()],
 * ```
 */
@Module({})
export class RegistryHealthModule {
  /** Adds the route at a path. */
  static forRoot({ path = 'health' }: RegistryHealthOptions = {}): DynamicModule {
    return { module: RegistryHealthModule, controllers: [controllerAt(path)] };
  }
}

/** Returns a controller class for a path, which is fixed when the class is made. */
function controllerAt(path: string): Type {
  @Controller(path)
  class RegistryHealthController {
    constructor(@Inject(Registration) private readonly registration: Registration) {}

    /** Returns the health. `down` is thrown, which Nest turns into a 503 with the same body. */
    @Get()
    @Header('Cache-Control', 'no-store')
    report(): RegistryHealthReport {
      const snapshot = this.registration.snapshot();
      const report = { status: healthOf(snapshot), ...snapshot };
      if (report.status === 'down') throw new ServiceUnavailableException(report);
      return report;
    }
  }
  return RegistryHealthController;
}
