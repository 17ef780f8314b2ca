import {
  applyDecorators,
  Controller,
  type DynamicModule,
  Get,
  Header,
  Inject,
  Injectable,
  Module,
  type OnModuleInit,
  ServiceUnavailableException,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  type HealthStatus,
  healthOf,
  isReady,
  type ReadyWhen,
  type RegistrationSnapshot,
} from '../registration/state.js';
import { Registration } from './registration.js';
import type { ReadinessOptions } from './registry.health.js';

/** Options of {@link RegistryHealthModule}. */
export interface RegistryHealthOptions extends ReadinessOptions {
  /** Path of the health route; readiness is at `ready` below it. @default 'health' */
  readonly path?: string | undefined;
  /**
   * Whether the routes are below the application's global prefix. With `false` they are handed to the
   * HTTP adapter itself, so that no guard, interceptor or filter of Nest sees them.
   * @default true
   */
  readonly globalPrefix?: boolean | undefined;
  /**
   * Decorators for the class of the controller, such as one that exempts it from a global guard, or
   * `ApiExcludeController()` of @nestjs/swagger. Without effect if `globalPrefix` is `false`.
   * @default none
   *
   * @example
   * RegistryHealthModule.forRoot({ decorators: [Public(), ApiExcludeController()] })
   */
  readonly decorators?: readonly ClassDecorator[] | undefined;
}

/** Body of the response of both routes. */
export interface RegistryHealthReport extends RegistrationSnapshot {
  readonly status: HealthStatus;
}

/**
 * Routes for applications without @nestjs/terminus. Both respond with the snapshot, and need
 * RegistryModule; neither sends a request to the registry, and neither has a version.
 *
 * - `GET /health` is for monitoring: 200 for `up` and `degraded`, 503 for `down`.
 * - `GET /health/ready` is for the readiness probe: 503 while the instance leaves, and once it has left.
 *
 * @example
 * ```ts
 * imports: [RegistryHealthModule.forRoot(), RegistryModule.forRoot()],
 * ```
 */
@Module({})
export class RegistryHealthModule {
  /** Adds the routes at a path. */
  static forRoot(options: RegistryHealthOptions = {}): DynamicModule {
    const {
      path = 'health',
      readyWhen = 'started',
      decorators = [],
      globalPrefix = true,
    } = options;
    return globalPrefix
      ? { module: RegistryHealthModule, controllers: [controllerAt(path, readyWhen, decorators)] }
      : { module: RegistryHealthModule, providers: [routesAt(path, readyWhen)] };
  }
}

function healthReport(registration: Registration): RegistryHealthReport {
  const snapshot = registration.snapshot();
  return { status: healthOf(snapshot), ...snapshot };
}

function readinessReport(registration: Registration, readyWhen: ReadyWhen): RegistryHealthReport {
  const snapshot = registration.snapshot();
  return { status: isReady(snapshot, readyWhen) ? 'up' : 'down', ...snapshot };
}

/** Returns a controller class for a path, which is fixed when the class is made. */
function controllerAt(
  path: string,
  readyWhen: ReadyWhen,
  decorators: readonly ClassDecorator[],
): Type {
  @applyDecorators(...decorators)
  @Controller({ path, version: VERSION_NEUTRAL })
  class RegistryHealthController {
    constructor(@Inject(Registration) private readonly registration: Registration) {}

    @Get()
    @Header('Cache-Control', 'no-store')
    health(): RegistryHealthReport {
      return unlessDown(healthReport(this.registration));
    }

    @Get('ready')
    @Header('Cache-Control', 'no-store')
    ready(): RegistryHealthReport {
      return unlessDown(readinessReport(this.registration, readyWhen));
    }
  }
  return RegistryHealthController;
}

/** @throws ServiceUnavailableException for `down`, which Nest turns into a 503 with the same body */
function unlessDown(report: RegistryHealthReport): RegistryHealthReport {
  if (report.status === 'down') throw new ServiceUnavailableException(report);
  return report;
}

/** Returns a provider that adds the routes to the HTTP adapter: Nest prefixes every route of its own. */
function routesAt(path: string, readyWhen: ReadyWhen): Type {
  @Injectable()
  class RegistryHealthRoutes implements OnModuleInit {
    constructor(
      @Inject(Registration) private readonly registration: Registration,
      @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    ) {}

    onModuleInit(): void {
      const { httpAdapter }: Partial<HttpAdapterHost> = this.http;
      if (httpAdapter === undefined || httpAdapter === null) return; // an application context
      const root = `/${path.replace(/^\/+|\/+$/g, '')}`;
      serve(httpAdapter, root, () => healthReport(this.registration));
      serve(httpAdapter, `${root}/ready`, () => readinessReport(this.registration, readyWhen));
    }
  }
  return RegistryHealthRoutes;
}

function serve(
  adapter: HttpAdapterHost['httpAdapter'],
  path: string,
  report: () => RegistryHealthReport,
): void {
  adapter.get(path, (_request: unknown, response: unknown) => {
    const body = report();
    adapter.setHeader(response, 'Cache-Control', 'no-store');
    adapter.reply(response, body, body.status === 'down' ? 503 : 200);
  });
}
