import {
  Controller,
  type DynamicModule,
  Get,
  Header,
  Inject,
  Module,
  ServiceUnavailableException,
  type Type,
} from '@nestjs/common';
import { type HealthStatus, healthOf, type RegistrationSnapshot } from '../registration/state.js';
import { Registration } from './registration.js';

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
