import { OnEvent } from '@nestjs/event-emitter';
import type { RegistryEventMap, RegistryEventName } from '../events.js';

/** Version 3 of @nestjs/event-emitter, which belongs to Nest 11, does not export this type by name. */
type OnEventOptions = Parameters<typeof OnEvent>[1];

/**
 * Subscribes a method to an event of the registry. The compiler checks the method's parameter against
 * the event. An error that the method throws is logged and does not disturb the heartbeat.
 *
 * @example
 * ```ts
 * @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
 * warn({ failures, leaseRemainingMs }: HeartbeatFailedEvent) { … }
 * ```
 */
export function OnRegistryEvent<Name extends RegistryEventName>(
  name: Name,
  options?: OnEventOptions,
): <Handler extends (event: RegistryEventMap[Name]) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler>,
) => void {
  return OnEvent(name, options);
}
