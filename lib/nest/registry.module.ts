import { type DynamicModule, Module } from '@nestjs/common';
import type { RegistryModuleOptions } from '../options/options.js';
import { RegistrationLifecycle } from './registration.lifecycle.js';
import {
  ConfigurableModuleClass,
  type RegistryModuleAsyncOptions,
  type RegistryModuleExtras,
} from './registry.module-definition.js';
import { registryProviders } from './registry.providers.js';
import { REGISTRY_IN_PLACE } from './tokens.js';

/** The part that is visible everywhere. Nest destroys global modules last, so the lifecycle is not in here. */
@Module({ providers: registryProviders, exports: registryProviders })
class RegistryCoreModule extends ConfigurableModuleClass {}

/**
 * Keeps this application listed in Service Center: registers it once it listens, renews its lease,
 * emits events, and takes it off the registry as the first step of the shutdown.
 *
 * Import it last in the root module, since Nest shuts down the last import first. The application
 * imports `ScheduleModule.forRoot()` and `EventEmitterModule.forRoot()` itself, and calls
 * `app.enableShutdownHooks()`.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     ScheduleModule.forRoot(),
 *     EventEmitterModule.forRoot(),
 *     RegistryModule.forRoot({ microservice: { serviceName: 'orders' } }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
@Module({ providers: [{ provide: REGISTRY_IN_PLACE, useValue: true }] })
export class RegistryModule {
  /**
   * Returns the module with the given options; each has a default.
   * @throws RegistryOptionsError at boot, when an option is not valid
   */
  static forRoot(options: RegistryModuleOptions & RegistryModuleExtras = {}): DynamicModule {
    return outer({ ...RegistryCoreModule.forRoot(options), global: options.isGlobal ?? true });
  }

  /** Returns the module with options from a factory, such as one that reads a ConfigService. */
  static forRootAsync(options: RegistryModuleAsyncOptions): DynamicModule {
    const { isGlobal, extraProviders = [], ...rest } = options;
    const core = RegistryCoreModule.forRootAsync(rest);
    const providers = [...(core.providers ?? []), ...extraProviders];
    return outer({ ...core, global: isGlobal ?? true, providers });
  }
}

/** The module that `forRoot()` returns. It imports RegistryModule as a class, which tests can then replace. */
@Module({ imports: [RegistryModule] })
class RegistryRootModule {}

/** Returns the outer module, which is never global: its lifecycle then leaves in the order of the imports. */
function outer(core: DynamicModule): DynamicModule {
  return {
    module: RegistryRootModule,
    imports: [core],
    providers: [RegistrationLifecycle],
    exports: [RegistryCoreModule],
  };
}
