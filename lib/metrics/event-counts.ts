import type { EventEmitter2 } from '@nestjs/event-emitter';
import {
  type RegistryEventMap,
  type RegistryEventName,
  RegistryEvents,
  type ServiceCombErrorCode,
} from '../index.js';
import type { ProviderLabels } from './provider-labels.js';

/** The result of a heartbeat; a failure by the code of its error. */
type HeartbeatResult =
  | 'success'
  | 'forgotten'
  | 'unreachable'
  | 'timeout'
  | 'response'
  | 'protocol'
  | 'credentials'
  | 'other';

const resultOf: Readonly<Partial<Record<ServiceCombErrorCode, HeartbeatResult>>> = {
  ERR_SERVICECOMB_UNREACHABLE: 'unreachable',
  ERR_SERVICECOMB_TIMEOUT: 'timeout',
  ERR_SERVICECOMB_RESPONSE: 'response',
  ERR_SERVICECOMB_PROTOCOL: 'protocol',
  ERR_SERVICECOMB_CREDENTIALS: 'credentials',
};

/** What had ended the registration before: the lease was lost, or the record was replaced or removed by ourselves. */
type Reason = 'forgotten' | 'expired' | 'taken-over' | 'replaced' | 'rejoined';

/** The part of EventEmitter2 that is listened to. */
type Emitter = Pick<EventEmitter2, 'on' | 'off'>;

/** Counts events. Each count is there from the beginning, so that its first increase can be seen. */
export class EventCounts {
  readonly heartbeats: Record<HeartbeatResult, number> = {
    success: 0,
    forgotten: 0,
    unreachable: 0,
    timeout: 0,
    response: 0,
    protocol: 0,
    credentials: 0,
    other: 0,
  };
  readonly reregistrations: Record<Reason, number> = {
    forgotten: 0,
    expired: 0,
    'taken-over': 0,
    replaced: 0,
    rejoined: 0,
  };
  /** By the label of the provider. */
  readonly ejections = new Map<string, number>();
  /** When tokens expire by the wall clock, by the address that issued them. */
  readonly tokens = new Map<string, number>();
  stalls = 0;
  /** When a heartbeat or a registration last succeeded, on the monotonic clock. */
  succeededAt: number | undefined;
  #reason: Reason = 'replaced';

  constructor(
    private readonly labels: ProviderLabels,
    private readonly clock: { now(): number },
  ) {}

  /** Counts the events of an emitter; returns the function that ends it. */
  follow(emitter: Emitter): () => void {
    const ends = [
      listen(emitter, RegistryEvents.HeartbeatSucceeded, () => {
        this.heartbeats.success += 1;
        this.succeededAt = this.clock.now();
      }),
      listen(emitter, RegistryEvents.HeartbeatFailed, ({ error }) => {
        this.heartbeats[resultOf[error.code] ?? 'other'] += 1;
      }),
      listen(emitter, RegistryEvents.InstanceLost, ({ reason, foundBy }) => {
        this.#reason = reason;
        if (foundBy === 'heartbeat') this.heartbeats.forgotten += 1;
      }),
      listen(emitter, RegistryEvents.InstanceTakenOver, () => (this.#reason = 'taken-over')),
      listen(emitter, RegistryEvents.InstanceUnregistered, () => (this.#reason = 'rejoined')),
      listen(emitter, RegistryEvents.InstanceUnregisterFailed, () => (this.#reason = 'rejoined')),
      listen(emitter, RegistryEvents.InstanceRegistered, ({ registrations }) =>
        this.#registered(registrations),
      ),
      listen(emitter, RegistryEvents.TokenRenewed, ({ address, expiresAt }) =>
        this.tokens.set(address, Date.parse(expiresAt)),
      ),
      listen(emitter, RegistryEvents.EventLoopStalled, () => (this.stalls += 1)),
      listen(emitter, RegistryEvents.EndpointEjected, ({ provider }) => {
        const label = this.labels.labelOf({ provider, state: 'known' });
        this.ejections.set(label, (this.ejections.get(label) ?? 0) + 1);
      }),
    ];
    return () => ends.forEach(end => end());
  }

  #registered(registrations: number): void {
    this.succeededAt = this.clock.now();
    if (registrations > 1) this.reregistrations[this.#reason] += 1;
    this.#reason = 'replaced';
  }
}

function listen<Name extends RegistryEventName>(
  emitter: Emitter,
  name: Name,
  listener: (event: RegistryEventMap[Name]) => void,
): () => void {
  emitter.on(name, listener);
  return () => void emitter.off(name, listener);
}
