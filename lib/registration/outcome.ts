import type { ServiceCombError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import type { PendingNote } from '../notes.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import type { Pace } from './pace.js';
import type { PostedInstance } from './record.js';
import type { ServiceFound } from './service.js';
import type { InnerState, Lease, NextRequest } from './state.js';
import type { RecordField, RecordValues } from './writes.js';

/** How a request ended, or that something happened without a request. */
export type Outcome =
  /** Time has passed. */
  | { readonly kind: 'elapsed' }
  | ({ readonly kind: 'stalled' } & Standstill)
  /** `wasSilent`: the address had not answered the probe before. */
  | { readonly kind: 'probe-answered'; readonly wasSilent: boolean }
  | ({ readonly kind: 'service-found' } & ServiceFound)
  | ({ readonly kind: 'posted' } & PostedInstance)
  /** `stored` is undefined when the record could not be read; the lease is then the one asked for. */
  | ({
      readonly kind: 'granted';
      readonly lease: Lease;
      readonly stored: MicroserviceInstance | undefined;
      /** Why the record could not be read. */
      readonly error?: ServiceCombError;
      /** Whether the record has to be read again, since it is not as it should be. */
      readonly isReadBack: boolean;
      /** Whether the registry has written the record in its own way. */
      readonly isRewritten: boolean;
    } & Taken)
  /** The registry lists another record under our id, one of an earlier process. */
  | { readonly kind: 'stale'; readonly serviceId: string; readonly stored: MicroserviceInstance }
  /** The registry lists a newer registration under our id, one of another process. */
  | {
      readonly kind: 'taken-over';
      readonly serviceId: string;
      readonly holder: MicroserviceInstance;
    }
  /** The record of the other process is gone. */
  | { readonly kind: 'holder-gone'; readonly serviceId: string }
  | { readonly kind: 'stale-removed'; readonly serviceId: string }
  | { readonly kind: 'renewed'; readonly sentAt: number; readonly tookMs: number }
  /** The registry answered a heartbeat with "no such instance", but its record is there. */
  | { readonly kind: 'contradicted'; readonly error: ServiceCombError }
  /** A read-back found the record as it should be, or as somebody else has changed it. */
  | ({ readonly kind: 'intact'; readonly lengthMs: number } & Taken)
  /** A read-back was not made, or failed with an error; that says nothing about the lease. */
  | { readonly kind: 'not-read-back'; readonly error?: ServiceCombError }
  /** A read-back found fields that were not written yet, or `fields` whose writes the server had undone. */
  | ({ readonly kind: 'written'; readonly fields: readonly RecordField[] } & Taken)
  | {
      readonly kind: 'failed';
      readonly error: ServiceCombError;
      /** @default 'heartbeat' */
      readonly during?: NextRequest['kind'];
      /** The answer "no such instance" to the heartbeat, when `error` is that of the read after it. */
      readonly unconfirmed?: ServiceCombError;
    };

/** Values that somebody else has set at the registry: they are taken over into the desired record. */
interface Taken {
  readonly taken: Partial<RecordValues>;
}

/** How long the process stood still. */
export interface Standstill {
  readonly lateMs: number;
  /** The part in which the monotonic clock stood still as well, because the machine slept. */
  readonly asleepMs: number;
}

/** The outcome of a kind. */
export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** The event of a name. */
export type EventOf<Name extends PendingEvent['name']> = Extract<PendingEvent, { name: Name }>;

/** The values that a transition depends on, besides the state and the outcome. */
export interface Context {
  readonly now: number;
  readonly pace: Pace;
  /** Registrations so far. */
  readonly registrations: number;
  /** Whether the process is about to leave, so that its successor is expected. */
  readonly isDraining: boolean;
}

/** The next state, and the events to emit and the notes to log once it is entered, in order. */
export interface Transition {
  readonly state: InnerState;
  readonly events: readonly PendingEvent[];
  readonly notes?: readonly PendingNote[];
}

/** Returns a transition without events. */
export function quietly(state: InnerState, ...notes: readonly PendingNote[]): Transition {
  return notes.length === 0 ? { state, events: [] } : { state, events: [], notes };
}

/** Returns the event of a standstill. */
export function stallEvent({ lateMs }: Standstill): PendingEvent {
  return { name: RegistryEvents.EventLoopStalled, payload: { lateMs: Math.round(lateMs) } };
}
