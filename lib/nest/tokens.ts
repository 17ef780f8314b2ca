import type { Logger } from '@nestjs/common';

/** Token of the resolved options: checked, complete, frozen. Inject as `ResolvedOptions`. */
export const REGISTRY_OPTIONS = Symbol.for('nestjs-servicecomb.options');

/** Token of the HttpService that sends every request to the registry; override it in tests. */
export const REGISTRY_HTTP_SERVICE = Symbol.for('nestjs-servicecomb.http-service');

/** Token of the logger of this library. */
export const REGISTRY_LOGGER = Symbol.for('nestjs-servicecomb.logger');

/** Token of the clock that a registration goes by; tests may override it. */
export const REGISTRY_CLOCK = Symbol.for('nestjs-servicecomb.clock');

/** The part of Nest's logger that this library writes to. */
export type RegistryLogger = Pick<Logger, 'log' | 'warn' | 'error' | 'debug'>;
