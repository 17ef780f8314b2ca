import { type ServiceCombError, ServiceCenterResponseError } from '../errors.js';
import { type RegistryFact, RegistryEvents } from '../events/events.js';
import { failureKind } from '../protocol/failures.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import type { Lease } from './lease.js';
import type { ListedField, Posted } from './listing.js';
import type { Pace } from './pace.js';
import type { RegistrationPhase } from './state.js';

/** How a request ended, or that time has passed without one. */
export type Outcome = Elapsed | Progress | Failure;

/** What comes to pass without a request of the registration's own. */
export type Elapsed =
  /** Nothing was heard. */
  | { readonly kind: 'elapsed' }
  /** The process stood still: late by so much, asleep for so much of it. */
  | { readonly kind: 'stalled'; readonly lateMs: number; readonly asleepMs: number }
  /** A probe was answered. `returned`: after one that was not. */
  | { readonly kind: 'in-sight'; readonly returned: boolean };

/** A request that did what it was for. */
export type Progress =
  | { readonly kind: 'service-known'; readonly serviceId: string; readonly created: boolean }
  | ({ readonly kind: 'posted' } & Posted)
  /** Unverified when the record could not be read back; the lease is then what was asked for. */
  | { readonly kind: 'granted'; readonly lease: Lease; readonly verified: boolean }
  /** The registry lists another record under our id: a predecessor's. */
  | { readonly kind: 'stale'; readonly serviceId: string; readonly stored: MicroserviceInstance }
  | { readonly kind: 'cleared'; readonly serviceId: string }
  | { readonly kind: 'verified'; readonly lengthMs: number }
  /** The registry's record is ours, and differs from what we asked for. */
  | {
      readonly kind: 'drifted';
      readonly serviceId: string;
      readonly stored: MicroserviceInstance;
      readonly fields: readonly ListedField[];
    }
  /** The fields that differed were written; only a read-back tells whether that was of use. */
  | { readonly kind: 'repaired' }
  /** A read-back that could not be made: says nothing about the lease. */
  | { readonly kind: 'unverified' }
  /** A heartbeat was answered "no such instance", and yet its record is there. */
  | { readonly kind: 'doubtful'; readonly error: ServiceCombError }
  | { readonly kind: 'renewed'; readonly sentAt: number; readonly tookMs: number };

/** A request that did not, by what follows from it. */
export interface Failure {
  readonly kind: 'failed' | 'refused' | 'instance-gone' | 'service-gone';
  readonly error: ServiceCombError;
}

/** Names what follows from an error. */
export function failureOutcome(error: ServiceCombError): Failure {
  const kind = failureKind(error);
  switch (kind) {
    case 'instance-gone':
    case 'service-gone':
    case 'refused':
      return { kind, error };
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return { kind: 'failed', error };
  }
}

/** Milliseconds that the answer asks for, ten minutes at most: a gateway gone wrong must not keep us out. */
export function askedToWait(error: ServiceCombError): number {
  const asked = error instanceof ServiceCenterResponseError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(asked, 600_000);
}

/** Whether the registry itself said when to ask again: then no probe brings the attempt forward. */
export function isAskedToWait(error: ServiceCombError | undefined): boolean {
  return error !== undefined && askedToWait(error) > 0;
}

/** The fact that the process stood still. */
export function stalledFact({ lateMs }: Extract<Elapsed, { kind: 'stalled' }>): RegistryFact {
  return { name: RegistryEvents.EventLoopStalled, payload: { lateMs: Math.round(lateMs) } };
}

/** What a transition is decided with, besides state and outcome. */
export interface TransitionContext {
  readonly now: number;
  readonly pace: Pace;
  /** Heartbeats between two read-backs; Infinity for none. */
  readonly verifyEvery: number;
  /** Registrations so far. */
  readonly registrations: number;
}

/** The next state and what there is to tell, in order. */
export interface Transition {
  readonly state: RegistrationPhase;
  readonly facts: readonly RegistryFact[];
}
