import type { Logger } from '@nestjs/common';

/** Token of the options as they are used: checked, complete, frozen. Inject as `ResolvedOptions`. */
export const REGISTRY_OPTIONS = Symbol.for('nestjs-servicecomb.options');

/** Token of the HttpService that every request to the registry goes through; override it in tests. */
export const REGISTRY_HTTP_SERVICE = Symbol.for('nestjs-servicecomb.http-service');

/** Token of the logger that everything here writes to. */
export const REGISTRY_LOGGER = Symbol.for('nestjs-servicecomb.logger');

/** Token of the clock that a registration goes by; a test may bring its own. */
export const REGISTRY_CLOCK = Symbol.for('nestjs-servicecomb.clock');

/** What is written to a log. */
export type RegistryLogger = Pick<Logger, 'log' | 'warn' | 'error' | 'debug'>;
