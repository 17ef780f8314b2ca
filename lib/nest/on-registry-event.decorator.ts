import { OnEvent } from '@nestjs/event-emitter';
import type { RegistryEventMap, RegistryEventName } from '../events/events.js';

/** Version 3 of @nestjs/event-emitter, which belongs to Nest 11, does not export this type by name. */
type OnEventOptions = Parameters<typeof OnEvent>[1];

/**
 * Subscribes a method to an event of the registry; the compiler checks its parameter against the
 * event. A method that throws is logged by @nestjs/event-emitter and never felt by the heartbeat.
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
