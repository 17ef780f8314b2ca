import type { ServiceCombError } from '../errors.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import type { Posted } from './listing.js';
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
  readonly error: ServiceCombError | undefined;
  /** The stale record that this registration replaces; it does so once. */
  readonly previous: MicroserviceInstance | undefined;
}

/** With a lease. */
export interface Holding {
  readonly phase: 'holding';
  readonly lease: Lease;
  readonly beatAt: number;
  /** Heartbeats until the record is read back; at 0 that is due at once. */
  readonly beatsUntilVerify: number;
  readonly failures: number;
  readonly error: ServiceCombError | undefined;
  /** Whether lease.at-risk was told since the last good heartbeat. */
  readonly riskTold: boolean;
  /** Whether the last answer contradicted the record; the next such one is a failure. */
  readonly doubted: boolean;
}

/** The facts of a registration. Everything else is derived from them and the time. */
export type RegistrationPhase =
  | { readonly phase: 'idle' }
  | { readonly phase: 'disabled' }
  | Joining
  | Holding
  | { readonly phase: 'leaving' }
  | { readonly phase: 'left' };

/** Names the state; `degraded`, `at-risk` and `lost` follow from failures and the time alone. */
export function labelOf(state: RegistrationPhase, now: number): RegistrationState {
  if (state.phase === 'joining') return joiningLabel(state);
  if (state.phase !== 'holding') return state.phase;
  if (isExpired(state.lease, now)) return 'lost';
  if (isAtRisk(state.lease, now)) return 'at-risk';
  return state.failures === 0 ? 'registered' : 'degraded';
}

function joiningLabel({ reason, refused }: Joining): RegistrationState {
  if (refused) return 'blocked';
  return reason === 'new' ? 'registering' : 'lost';
}

/** When the next request is due; undefined when none ever is. */
export function dueAt(state: RegistrationPhase): number | undefined {
  if (state.phase === 'joining') return state.dueAt;
  if (state.phase !== 'holding') return undefined;
  return isVerifyDue(state) ? state.lease.renewedAt : state.beatAt;
}

/** Whether the registry's record is to be read back before the next heartbeat. */
export function isVerifyDue({ beatsUntilVerify }: Holding): boolean {
  return beatsUntilVerify <= 0;
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
    error: undefined,
    previous: undefined,
  };
}
