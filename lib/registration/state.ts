import type { ServiceCombError } from '../errors.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import type { ListedField, Posted } from './listing.js';
import { isAtRisk, isExpired, type Lease } from './lease.js';

/** The state of a registration as users see it. */
export type RegistrationState =
  | 'idle'
  | 'registering'
  | 'registered'
  | 'degraded'
  | 'at-risk'
  | 'lost'
  | 'blocked'
  | 'leaving'
  | 'left'
  | 'disabled';

/** The request that a registration without a lease makes next. */
export type JoiningStep =
  | { readonly kind: 'service' }
  | { readonly kind: 'post'; readonly serviceId: string }
  | ({ readonly kind: 'confirm' } & Posted)
  | { readonly kind: 'clear'; readonly serviceId: string };

/** Without a lease, and on the way to one. */
export interface Joining {
  readonly phase: 'joining';
  /** Why there is no lease: not yet, or not any more. */
  readonly reason: 'new' | 'lost';
  /** Whether the registry refused the last attempt: the next one is on a slow clock. */
  readonly refused: boolean;
  readonly step: JoiningStep;
  /** Milliseconds of the monotonic clock, like every moment here. */
  readonly dueAt: number;
  readonly failures: number;
  /** Those since the registry was last out of sight: the pause before the next attempt grows with them. */
  readonly failuresInSight: number;
  readonly error: ServiceCombError | undefined;
  /** The stale record that this registration replaces; it does so once. */
  readonly previous: MicroserviceInstance | undefined;
}

/** With a lease. */
export interface Holding {
  readonly phase: 'holding';
  readonly lease: Lease;
  readonly beatAt: number;
  /** When the record is read back; Infinity while heartbeats are counted towards it. */
  readonly verifyAt: number;
  /** Heartbeats until the record is read back. */
  readonly beatsUntilVerify: number;
  /** What the record differs in, until it has been read back as it should be. */
  readonly drift: Drift | undefined;
  readonly failures: number;
  readonly error: ServiceCombError | undefined;
  /** Whether lease.at-risk was told since the last good heartbeat. */
  readonly riskTold: boolean;
  /** Whether the last answer contradicted the record; the next such one is a failure. */
  readonly doubted: boolean;
}

/** A record that somebody else has changed, or that the registry has mixed up (measured M18). */
export interface Drift {
  readonly stored: MicroserviceInstance;
  /** All that have differed so far. */
  readonly fields: readonly ListedField[];
  /** Repairs so far, the next one included. */
  readonly round: number;
  /** When the repair is due; Infinity once it was made. */
  readonly repairAt: number;
}

/** The facts of a registration. Everything else is derived from them and the time. */
export type RegistrationPhase =
  | { readonly phase: 'idle' }
  | { readonly phase: 'disabled' }
  | Joining
  | Holding
  | { readonly phase: 'leaving' }
  | { readonly phase: 'left' };

/**
 * Names the state; `degraded`, `at-risk` and `lost` follow from failures and the time alone. `trouble`: of
 * a login, while an older token still serves; it is degraded, since that one ends.
 */
export function labelOf(
  state: RegistrationPhase,
  now: number,
  trouble?: ServiceCombError,
): RegistrationState {
  if (state.phase === 'joining') return joiningLabel(state);
  if (state.phase !== 'holding') return state.phase;
  if (isExpired(state.lease, now)) return 'lost';
  if (isAtRisk(state.lease, now)) return 'at-risk';
  return state.failures === 0 && trouble === undefined ? 'registered' : 'degraded';
}

function joiningLabel({ reason, refused }: Joining): RegistrationState {
  if (refused) return 'blocked';
  return reason === 'new' ? 'registering' : 'lost';
}

/** When the next request is due; undefined when none ever is. */
export function dueAt(state: RegistrationPhase): number | undefined {
  if (state.phase === 'joining') return state.dueAt;
  if (state.phase !== 'holding') return undefined;
  return nextRequest(state).dueAt;
}

/** The next request of one who has a lease, and when it is due. */
export function nextRequest(state: Holding): {
  readonly kind: 'repair' | 'verify' | 'beat';
  readonly dueAt: number;
} {
  const { beatAt, verifyAt, drift } = state;
  const repairAt = drift?.repairAt ?? Infinity;
  if (repairAt <= Math.min(verifyAt, beatAt)) return { kind: 'repair', dueAt: repairAt };
  return verifyAt <= beatAt ? { kind: 'verify', dueAt: verifyAt } : { kind: 'beat', dueAt: beatAt };
}

/** The id of the service, as far as it is known. */
export function serviceIdOf(state: RegistrationPhase): string | undefined {
  if (state.phase === 'holding') return state.lease.ref.serviceId;
  return state.phase === 'joining' && state.step.kind !== 'service'
    ? state.step.serviceId
    : undefined;
}

/** A registration that starts now, from the service or, when its id is known, from the instance. */
export function joining(dueAt: number, serviceId: string | undefined): Joining {
  return {
    phase: 'joining',
    reason: 'new',
    refused: false,
    step: serviceId === undefined ? { kind: 'service' } : { kind: 'post', serviceId },
    dueAt,
    failures: 0,
    failuresInSight: 0,
    error: undefined,
    previous: undefined,
  };
}
