import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type Provider,
} from '@nestjs/common';
import type { RegistryModuleOptions } from '../options/options.js';
import { REGISTRY_MODULE_OPTIONS } from './tokens.js';

/** A class that creates the options, for `useClass` and `useExisting`. */
export interface RegistryOptionsFactory {
  /** Returns the options, or a promise of them. Called once, at the start. */
  createRegistryOptions(): RegistryModuleOptions | Promise<RegistryModuleOptions>;
}

/** Settings that Nest needs before the options are made. */
export interface RegistryModuleExtras {
  /** Whether `Registration` and the rest can be injected without importing the module. @default true */
  readonly isGlobal?: boolean | undefined;
}

/** Argument of `RegistryModule.forRootAsync()`. */
export interface RegistryModuleAsyncOptions
  extends
    ConfigurableModuleAsyncOptions<RegistryModuleOptions, 'createRegistryOptions'>,
    RegistryModuleExtras {
  /** Providers that the factory needs and no imported module exports. */
  readonly extraProviders?: Provider[] | undefined;
}

export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<RegistryModuleOptions>({
  moduleName: 'Registry',
  optionsInjectionToken: REGISTRY_MODULE_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRegistryOptions')
  .build();
