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
import { type HealthStatus, healthOf } from '../health/health.js';
import type { RegistrationSnapshot } from '../registration/snapshot.js';
import { Registration } from './registration.js';

/** Options of {@link RegistryHealthModule}. */
export interface RegistryHealthOptions {
  /** Path of the route, under the application's global prefix. @default 'health' */
  readonly path?: string | undefined;
}

/** The body of the answer. */
export interface RegistryHealthReport extends RegistrationSnapshot {
  readonly status: HealthStatus;
}

/**
 * A health route for applications without @nestjs/terminus: `GET /health` answers 200 with `up` or
 * `degraded`, 503 with `down`, and the snapshot. Needs RegistryModule; asks nothing of the registry.
 */
@Module({})
export class RegistryHealthModule {
  static forRoot({ path = 'health' }: RegistryHealthOptions = {}): DynamicModule {
    return { module: RegistryHealthModule, controllers: [controllerAt(path)] };
  }
}

/** A controller's path is fixed when its class is made, so each path has a class. */
function controllerAt(path: string): Type {
  @Controller(path)
  class RegistryHealthController {
    constructor(@Inject(Registration) private readonly registration: Registration) {}

    /** Answers the health; a `down` is thrown, which Nest answers with 503 and the same body. */
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
