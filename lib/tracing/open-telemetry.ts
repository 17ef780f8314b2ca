import type * as openTelemetry from '@opentelemetry/api';
import { RegistryOptionsError } from '../index.js';

/** The package `@opentelemetry/api`. */
export type OpenTelemetry = typeof openTelemetry;

/**
 * Loads the package, which is an optional peer.
 * @throws RegistryOptionsError when it cannot be loaded
 */
export async function loadOpenTelemetry(
  load: () => Promise<OpenTelemetry> = () => import('@opentelemetry/api'),
): Promise<OpenTelemetry> {
  try {
    return await load();
  } catch (error) {
    const message =
      'needs the package @opentelemetry/api: run npm install @opentelemetry/api, or leave the module out. ' +
      `Node says: ${String(error)}`;
    throw new RegistryOptionsError([{ path: 'RegistryTracingModule', message }]);
  }
}

/**
 * Returns a context in which the SDK records no span and instrumentations add no header. The API has no function
 * for it: the key is that of `suppressTracing()` in @opentelemetry/core, which is made of its name in every copy.
 */
export function suppressed(
  api: OpenTelemetry,
  context: openTelemetry.Context,
): openTelemetry.Context {
  const key = api.createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  return context.setValue(key, true);
}
