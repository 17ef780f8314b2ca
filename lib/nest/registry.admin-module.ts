import {
  applyDecorators,
  BadGatewayException,
  BadRequestException,
  Body,
  type CanActivate,
  ConflictException,
  Controller,
  type DynamicModule,
  Get,
  Header,
  Inject,
  Module,
  type ModuleMetadata,
  Put,
  ServiceUnavailableException,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { DiscoverySnapshot } from '../discovery/snapshot.js';
import { isServiceCombError, propertyOf, RegistryOptionsError, summaryOf } from '../errors.js';
import { shown } from '../options/field.js';
import { type InstanceStatus, instanceStatuses } from '../protocol/wire.js';
import type { RegistrationSnapshot, RegistrationState } from '../registration/state.js';
import { Discovery } from './discovery.js';
import { Registration } from './registration.js';

/** Options of {@link RegistryAdminModule}. Either `guards` or `unguarded` must be given. */
export interface RegistryAdminOptions {
  /** Path of the report; the status is at `status` below it. @default 'registry' */
  readonly path?: string | undefined;
  /** Guards of both routes: classes, which Nest creates, or instances. */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[] | undefined;
  /**
   * `true`: the routes get no guard here, because something else restricts access to them, such as a global guard
   * or the network.
   * @default false
   */
  readonly unguarded?: boolean | undefined;
  /** Modules that export what the guards inject. @default [] */
  readonly imports?: ModuleMetadata['imports'];
  /**
   * Decorators for the class of the controller, such as the roles that a guard asks for, or `ApiExcludeController()`
   * of @nestjs/swagger.
   * @default []
   */
  readonly decorators?: readonly ClassDecorator[] | undefined;
}

/** Body of the response of both routes. */
export interface RegistryAdminReport {
  /** The status of this instance, which consumers go by. */
  readonly status: InstanceStatus;
  readonly registration: RegistrationSnapshot;
  readonly discovery: DiscoverySnapshot;
}

/**
 * Routes for operators. They need RegistryModule, and have no version.
 *
 * - `GET /registry` responds with all that is known, and sends nothing to the registry.
 * - `PUT /registry/status` with `{ "status": "OUTOFSERVICE" }` takes the instance out of service, and with `UP` back.
 *   It responds with the report once the registry has accepted the status.
 *
 * @example
 * ```ts
 * imports: [RegistryAdminModule.forRoot({ guards: [OperatorGuard] }), RegistryModule.forRoot()],
 * ```
 */
@Module({})
export class RegistryAdminModule {
  /**
   * Adds the routes at a path.
   * @throws RegistryOptionsError without guards, unless `unguarded` is `true`
   */
  static forRoot(options: RegistryAdminOptions): DynamicModule {
    const { path = 'registry', guards = [], decorators = [], imports = [] } = options;
    checkAccess(guards, options.unguarded ?? false);
    const controller = controllerAt(path, applyDecorators(UseGuards(...guards), ...decorators));
    return { module: RegistryAdminModule, imports, controllers: [controller] };
  }
}

/** @throws RegistryOptionsError */
function checkAccess(guards: readonly unknown[], isUnguarded: boolean): void {
  const isGuarded = guards.length > 0;
  if (isGuarded !== isUnguarded) return;
  const message = isUnguarded
    ? 'must not be given together with unguarded: true; leave out one of the two'
    : 'must name at least one guard, since anybody who reaches these routes can take the instance out of service; ' +
      'set unguarded: true if a global guard or the network keeps others away';
  throw new RegistryOptionsError([{ path: 'RegistryAdminModule: guards', message }]);
}

/** Returns a controller class for a path, which is fixed when the class is made. */
function controllerAt(path: string, decorate: ClassDecorator): Type {
  @decorate
  @Controller({ path, version: VERSION_NEUTRAL })
  class RegistryAdminController {
    constructor(
      @Inject(Registration) private readonly registration: Registration,
      @Inject(Discovery) private readonly discovery: Discovery,
    ) {}

    @Get()
    @Header('Cache-Control', 'no-store')
    report(): RegistryAdminReport {
      const { registration, discovery } = this;
      return {
        status: registration.status,
        registration: registration.snapshot(),
        discovery: discovery.snapshot(),
      };
    }

    @Put('status')
    @Header('Cache-Control', 'no-store')
    async setStatus(@Body() body: unknown): Promise<RegistryAdminReport> {
      const status = statusIn(body);
      refuseUnless(this.registration.state);
      try {
        await this.registration.setStatus(status);
      } catch (error) {
        throw isServiceCombError(error)
          ? new BadGatewayException({
              statusCode: 502,
              error: 'Bad Gateway',
              ...summaryOf(error),
            })
          : error;
      }
      return this.report();
    }
  }
  return RegistryAdminController;
}

/** @throws BadRequestException */
function statusIn(body: unknown): InstanceStatus {
  const given = propertyOf(body, 'status');
  const status = instanceStatuses.find(each => each === given);
  if (status !== undefined) return status;
  const allowed = instanceStatuses.join(', ');
  throw new BadRequestException(
    typeof body === 'object' && body !== null
      ? `status must be one of ${allowed}, got ${shown(given)}`
      : `The body must be JSON such as {"status":"OUTOFSERVICE"}, with one of ${allowed}, got ${shown(body)}`,
  );
}

/**
 * Refuses in states in which the registry stores no record of this instance.
 * @throws ServiceUnavailableException where there soon will be a record
 * @throws ConflictException where there will be none
 */
function refuseUnless(state: RegistrationState): void {
  switch (state) {
    case 'registered':
    case 'degraded':
    case 'at-risk':
      return;
    case 'registering':
    case 'lost':
    case 'blocked':
      throw new ServiceUnavailableException(
        `The instance is not registered (${state}), and its status is unchanged: try again once it is`,
      );
    case 'idle':
    case 'disabled':
    case 'leaving':
    case 'left':
      throw new ConflictException(
        `The instance is not registered (${state}), and its status is unchanged`,
      );
  }
}
