import { OnEvent } from '@nestjs/event-emitter';
import type { RegistryEventMap, RegistryEventName } from '../event-payloads.js';

/**
 * Subscribes a method to an event of the registry. The compiler checks the method's parameter against
 * the event. An error that the method throws is logged and does not disturb the heartbeat.
 * `options` are those of `OnEvent`, whose type version 3 of @nestjs/event-emitter does not export by name.
 *
 * @example
 * ```ts
 * @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
 * warn({ failures, leaseRemainingMs }: HeartbeatFailedEvent) { … }
 * ```
 */
export function OnRegistryEvent<Name extends RegistryEventName>(
  name: Name,
  options?: Parameters<typeof OnEvent>[1],
): <Handler extends (event: RegistryEventMap[Name]) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler>,
) => void {
  return OnEvent(name, options);
}
