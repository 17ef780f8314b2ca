import { type DynamicModule, Module } from '@nestjs/common';
import type { RegistryModuleOptions } from '../options/options.js';
import { Channel } from '../protocol/channel.js';
import { ServiceCenterClient } from '../protocol/service-center.client.js';
import { RegistrationCore } from '../registration/registration-core.js';
import { Connections } from '../transport/http.js';
import { EventPublisher } from './event.publisher.js';
import { Registration } from './registration.js';
import { RegistrationLifecycle } from './registration.lifecycle.js';
import { RegistryHealthIndicator } from './registry.health.js';
import {
  ConfigurableModuleClass,
  type RegistryModuleAsyncOptions,
  type RegistryModuleExtras,
} from './registry.module-definition.js';
import { registryProviders } from './registry.providers.js';
import { Ticker } from './ticker.js';
import { REGISTRY_CLOCK, REGISTRY_LOGGER, REGISTRY_OPTIONS } from './tokens.js';

/** What the module offers to its users. */
const offered = [Registration, RegistryHealthIndicator, ServiceCenterClient, REGISTRY_OPTIONS];
/** What the module offers to its own lifecycle. */
const inner = [
  RegistrationCore,
  EventPublisher,
  Ticker,
  Connections,
  Channel,
  REGISTRY_CLOCK,
  REGISTRY_LOGGER,
];

/** The part that is visible everywhere. Nest destroys a global module last: it must not be the one that leaves. */
@Module({ providers: registryProviders, exports: [...offered, ...inner] })
class RegistryCoreModule extends ConfigurableModuleClass {}

/**
 * Keeps this application listed in Service Center: registers it once it listens, renews its lease,
 * tells what happens, and takes it off the registry first thing at shutdown.
 *
 * Import it last in the root module: modules that are imported last leave first. The host imports
 * `ScheduleModule.forRoot()` and `EventEmitterModule.forRoot()` itself, and calls
 * `app.enableShutdownHooks()`.
 */
@Module({})
export class RegistryModule {
  /** Works without options: see each one's default. @throws RegistryOptionsError at boot */
  static forRoot(options: RegistryModuleOptions & RegistryModuleExtras = {}): DynamicModule {
    return outer({
      ...RegistryCoreModule.forRoot(options),
      global: options.isGlobal ?? true,
    });
  }

  /** With options that are made by a factory, such as one that reads a ConfigService. */
  static forRootAsync(options: RegistryModuleAsyncOptions): DynamicModule {
    const { isGlobal, extraProviders = [], ...rest } = options;
    const core = RegistryCoreModule.forRootAsync(rest);
    return outer({
      ...core,
      global: isGlobal ?? true,
      providers: [...(core.providers ?? []), ...extraProviders],
    });
  }
}

/** The outer module is never global, so that its lifecycle leaves in the order of the imports. */
function outer(core: DynamicModule): DynamicModule {
  return {
    module: RegistryModule,
    imports: [core],
    providers: [RegistrationLifecycle],
    exports: [RegistryCoreModule],
  };
}
