import type { Logger } from '@nestjs/common';

/** Token of the resolved options: checked, complete, frozen. Inject as `ResolvedOptions`. */
export const REGISTRY_OPTIONS = Symbol.for('nestjs-servicecomb.options');

/**
 * Token of the options as they were given to `forRoot()`, or made by the factory of `forRootAsync()`. Override it in
 * tests with a value such as `{ enabled: false }`.
 */
export const REGISTRY_MODULE_OPTIONS = Symbol.for('nestjs-servicecomb.module-options');

/** Token that is provided unless a test has replaced RegistryModule. */
export const REGISTRY_IN_PLACE = Symbol.for('nestjs-servicecomb.in-place');

/** Token of the HttpService that sends every request to the registry; override it in tests. */
export const REGISTRY_HTTP_SERVICE = Symbol.for('nestjs-servicecomb.http-service');

/** Token of the logger of this library. */
export const REGISTRY_LOGGER = Symbol.for('nestjs-servicecomb.logger');

/** Token of the clock that a registration goes by; tests may override it. */
export const REGISTRY_CLOCK = Symbol.for('nestjs-servicecomb.clock');

/** Token of the options of a DiscoveryHttpModule. */
export const DISCOVERY_HTTP_OPTIONS = Symbol.for('nestjs-servicecomb.discovery-http-options');

/** The part of Nest's logger that this library writes to. */
export type RegistryLogger = Pick<Logger, 'log' | 'warn' | 'error' | 'debug'>;
