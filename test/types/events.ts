import {
  type HeartbeatFailedEvent,
  type InstanceLostEvent,
  OnRegistryEvent,
  type RegistryEventBase,
  type RegistryEventMap,
  type RegistryEventName,
  RegistryEvents,
} from '../../lib/index.js';

/* Compiled and never run: what handlers of events may take, and what the compiler must refuse. */

/** Handlers of users. */
export class Handlers {
  @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
  takesItsPayload(event: HeartbeatFailedEvent): number {
    return event.failures;
  }

  @OnRegistryEvent('servicecomb.heartbeat.failed')
  takesThePayloadByName({ leaseRemainingMs }: RegistryEventMap['servicecomb.heartbeat.failed']) {
    return leaseRemainingMs;
  }

  @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
  takesWhatEveryEventHas(event: RegistryEventBase): string {
    return event.at;
  }

  @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
  takesPartOfIt({ failures }: { failures: number }): number {
    return failures;
  }

  @OnRegistryEvent(RegistryEvents.InstanceLost)
  takesNothing(): void {}

  @OnRegistryEvent(RegistryEvents.InstanceLost, { async: true })
  async takesItsTime(): Promise<void> {}

  // @ts-expect-error the payload of another event
  @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
  takesAnotherPayload(event: InstanceLostEvent): string {
    return event.reason;
  }

  // @ts-expect-error no payload is a text
  @OnRegistryEvent(RegistryEvents.InstanceLost)
  takesAText(event: string): string {
    return event;
  }

  // @ts-expect-error more than one argument is never passed
  @OnRegistryEvent(RegistryEvents.InstanceLost)
  takesMore(event: InstanceLostEvent, more: number): string {
    return event.reason + more;
  }

  // @ts-expect-error no event has this name
  @OnRegistryEvent('servicecomb.heartbeat.missed')
  takesAnUnknownEvent(): void {}
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Listed = (typeof RegistryEvents)[keyof typeof RegistryEvents];

/** Every listed event has a payload, and every payload is listed. */
export const complete: Same<Listed, RegistryEventName> = true;

/** Every payload has what all have. */
export const based: Same<
  {
    [Name in RegistryEventName]: RegistryEventMap[Name] extends RegistryEventBase ? never : Name;
  }[RegistryEventName],
  never
> = true;

export function payloadsAreReadOnly(event: HeartbeatFailedEvent): void {
  // @ts-expect-error a payload cannot be changed
  event.failures = 0;
}
