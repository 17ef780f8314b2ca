import { type ErrorSummary, type ServiceCombError, summaryOf } from '../errors.js';
import type { KnownAddress } from '../protocol/address-book.js';
import type { HealthCheck, InstanceRef, MicroserviceInstance } from '../protocol/wire.js';
import type { PostedInstance } from './record.js';
import type { SchemasSnapshot } from './schemas.js';
import type { RecordField } from './writes.js';

/** The registry's promise to list this instance until the lease ends, unless it is renewed. */
export interface Lease {
  readonly ref: InstanceRef;
  /**
   * When the last good heartbeat or registration was *sent*, in milliseconds of the monotonic clock.
   * The registry counts from a later moment, so the lease never ends earlier than we think.
   */
  readonly renewedAt: number;
  readonly lengthMs: number;
}

/** Returns the length of a lease: `interval × (times + 1)` (datasource/etcd/ms.go, calcInstanceTTL). */
export function leaseLengthMs({ interval, times = 0 }: HealthCheck): number {
  return interval * (times + 1) * 1_000;
}

/** Milliseconds until the lease ends; 0 from then on. */
export function remainingMs({ renewedAt, lengthMs }: Lease, now: number): number {
  return Math.max(0, renewedAt + lengthMs - now);
}

/** Whether the lease has ended by our own clock. If the registry says otherwise, the registry is right. */
export function isExpired(lease: Lease, now: number): boolean {
  return remainingMs(lease, now) === 0;
}

/** Whether two thirds of the lease have passed without a renewal. */
export function isAtRisk(lease: Lease, now: number): boolean {
  return remainingMs(lease, now) <= lease.lengthMs / 3;
}

/**
 * Returns when the time alone changes what users see of a state next: the lease comes to be at risk, or
 * ends. Infinity when nothing of that kind is to come.
 */
export function changesAt(state: InnerState, now: number): number {
  if (state.kind !== 'registered' || isExpired(state.lease, now)) return Infinity;
  const { renewedAt, lengthMs } = state.lease;
  return renewedAt + (isAtRisk(state.lease, now) ? lengthMs : (lengthMs * 2) / 3);
}

/** The next request on the way to a lease. */
export type RegisteringStep =
  | { readonly kind: 'find-service' }
  | { readonly kind: 'post'; readonly serviceId: string }
  | ({ readonly kind: 'read-posted' } & PostedInstance)
  | { readonly kind: 'remove-stale'; readonly serviceId: string }
  /** Another process holds the id: its record is read until it is gone. */
  | { readonly kind: 'read-holder'; readonly serviceId: string };

/** There is no lease, and the registration works towards one. */
export interface Registering {
  readonly kind: 'registering';
  /** Why there is no lease: not yet, or not any more. */
  readonly reason: 'new' | 'lost';
  /** Whether the registry refused the last attempt, so that the next one is a minute away. */
  readonly isBlocked: boolean;
  readonly step: RegisteringStep;
  /** Milliseconds of the monotonic clock, like every moment in the state. */
  readonly dueAt: number;
  readonly failures: number;
  /** Failures since a silent registry answered a probe: the pauses between attempts grow with them. */
  readonly failuresSinceProbe: number;
  readonly error: ServiceCombError | undefined;
  /** When a gateway began to refuse all attempts; undefined when the last one failed otherwise. */
  readonly refusedSince: number | undefined;
  /** The stale record that this registration replaces. It replaces one at most. */
  readonly previous: MicroserviceInstance | undefined;
}

/** There is a lease. */
export interface Registered {
  readonly kind: 'registered';
  readonly lease: Lease;
  readonly heartbeatAt: number;
  /** When the record is read back; Infinity while heartbeats are counted towards it. */
  readonly readBackAt: number;
  /** From when on a read-back shows that the lease lives, since its last renewal is in doubt. */
  readonly doubtEndsAt: number;
  readonly heartbeatsUntilReadBack: number;
  /** Since a read-back found the record as it should be. */
  readonly repairs: Repairs;
  readonly failures: number;
  readonly error: ServiceCombError | undefined;
  /** Whether lease.at-risk was emitted since the last good heartbeat. */
  readonly isRiskEmitted: boolean;
  /** Whether the last heartbeat's answer contradicted the record; the next such answer is a failure. */
  readonly wasContradicted: boolean;
}

/** How often a read-back had to write fields, and those whose writes the server had undone (measured M18). */
export interface Repairs {
  readonly count: number;
  readonly fields: readonly RecordField[];
}

export const noRepairs: Repairs = { count: 0, fields: [] };

/** The stored facts of a registration. Everything else is derived from them and the time. */
export type InnerState =
  { readonly kind: 'idle' | 'disabled' | 'leaving' | 'left' } | Registering | Registered;

/** Returns a registration that begins: with the instance when the service's id is known. */
export function registering(dueAt: number, serviceId: string | undefined): Registering {
  return {
    kind: 'registering',
    reason: 'new',
    isBlocked: false,
    step: serviceId === undefined ? { kind: 'find-service' } : { kind: 'post', serviceId },
    dueAt,
    failures: 0,
    failuresSinceProbe: 0,
    error: undefined,
    refusedSince: undefined,
    previous: undefined,
  };
}

/** The one request that a state makes next, and when. */
export type NextRequest = { readonly dueAt: number } & (
  | (RegisteringStep & Pick<Registering, 'previous'>)
  /** Comes before the POST, when there are schemas that the registry is not known to have. */
  | { readonly kind: 'upload-schemas'; readonly serviceId: string; readonly attempt: number }
  | { readonly kind: 'heartbeat' | 'read-back'; readonly lease: Lease }
);

/** Returns the next request of a state; undefined when it makes none. */
export function nextRequest(state: InnerState): NextRequest | undefined {
  if (state.kind === 'registering') {
    const { step, dueAt, previous } = state;
    return { ...step, dueAt, previous };
  }
  if (state.kind !== 'registered') return undefined;
  const { lease, heartbeatAt, readBackAt } = state;
  return readBackAt <= heartbeatAt
    ? { kind: 'read-back', dueAt: readBackAt, lease }
    : { kind: 'heartbeat', dueAt: heartbeatAt, lease };
}

/** Returns the id of the service, as far as the state knows it. */
export function serviceIdOf(state: InnerState): string | undefined {
  if (state.kind === 'registered') return state.lease.ref.serviceId;
  return state.kind === 'registering' && state.step.kind !== 'find-service'
    ? state.step.serviceId
    : undefined;
}

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

/**
 * Derives the public state. `degraded`, `at-risk` and `lost` follow from failures and the time alone.
 * A login that fails while an older token still serves makes it `degraded`, since that token will end.
 */
export function publicState(
  state: InnerState,
  now: number,
  loginError?: ServiceCombError,
): RegistrationState {
  if (state.kind === 'registering') {
    if (state.isBlocked) return 'blocked';
    return state.reason === 'new' ? 'registering' : 'lost';
  }
  if (state.kind !== 'registered') return state.kind;
  if (isExpired(state.lease, now)) return 'lost';
  if (isAtRisk(state.lease, now)) return 'at-risk';
  return state.failures === 0 && loginError === undefined ? 'registered' : 'degraded';
}

/**
 * How healthy a registration is. `degraded` still serves: the lease lives, and heartbeats or logins fail, or
 * another process holds the instanceId.
 */
export type HealthStatus = 'up' | 'degraded' | 'down';

/**
 * Derives the health from a snapshot, without a request to the registry.
 *
 * `registering`, `lost` and `blocked` are down: consumers do not find the instance, or soon will not.
 * `leaving` and `left` are down as well. A problem that keeps the registration from beginning is degraded,
 * and so is an instance whose id another process holds: a restart would only make the two change places.
 */
export function healthOf({
  state,
  lastError = null,
  problem = null,
}: Pick<RegistrationSnapshot, 'state'> & Partial<RegistrationSnapshot>): HealthStatus {
  if (state === 'blocked' && lastError?.code === 'ERR_SERVICECOMB_TAKEN_OVER') return 'degraded';
  switch (state) {
    case 'idle':
      return problem === null ? 'up' : 'degraded';
    case 'disabled':
    case 'registered':
      return 'up';
    case 'degraded':
    case 'at-risk':
      return 'degraded';
    case 'registering':
    case 'lost':
    case 'blocked':
    case 'leaving':
    case 'left':
      return 'down';
  }
}

/** When an application is ready: once it has started, or not before its first registration. */
export type ReadyWhen = 'started' | 'registered';

/**
 * Derives from a snapshot whether the application should get traffic. That is another question than its
 * health: a registry that is away does not keep the application from serving.
 */
export function isReady(
  { state, registrations }: Pick<RegistrationSnapshot, 'state' | 'registrations'>,
  readyWhen: ReadyWhen,
): boolean {
  if (state === 'leaving' || state === 'left') return false;
  return readyWhen === 'started' || registrations > 0 || state === 'disabled';
}

/** All that is known of a registration at one moment: plain, frozen, safe to log. */
export interface RegistrationSnapshot {
  readonly state: RegistrationState;
  /** When this state began: ISO 8601, by the local wall clock. */
  readonly since: string;
  readonly serviceId: string | null;
  readonly instanceId: string;
  /** Address of Service Center that the next request goes to. */
  readonly address: string;
  /** All of its addresses, in order of preference: the configured ones and those that were learned. */
  readonly addresses: readonly KnownAddress[];
  /** Milliseconds since the last good heartbeat or registration was sent; null without a lease. */
  readonly renewedAgoMs: number | null;
  /** Milliseconds until the lease ends by our clock; null without a lease. */
  readonly leaseRemainingMs: number | null;
  /** Failures in a row, of heartbeats or of attempts to register. */
  readonly failures: number;
  /** How often this process has been registered. */
  readonly registrations: number;
  /** The last failure, else that of a login while an older token serves; null when all is well. */
  readonly lastError: ErrorSummary | null;
  /** Why the registration has not begun, and what to do, if something keeps it from that; else null. */
  readonly problem: string | null;
  /**
   * How many milliseconds late the last turn of the heartbeat's timer came, because the event loop was busy. There
   * is a turn whenever something is due, and one in 20 s at least.
   */
  readonly eventLoopLagMs: number;
  /** The schemas of the service; null when there are none to upload. */
  readonly schemas: SchemasSnapshot | null;
}

/** Returns the part of a snapshot that follows from the state and the time. */
export function leaseFacts(
  state: InnerState,
  now: number,
  loginError?: ServiceCombError,
): Pick<RegistrationSnapshot, 'renewedAgoMs' | 'leaseRemainingMs' | 'failures' | 'lastError'> {
  const active = state.kind === 'registering' || state.kind === 'registered' ? state : undefined;
  const lease = state.kind === 'registered' ? state.lease : undefined;
  const error = active?.error ?? (lease === undefined ? undefined : loginError);
  return {
    renewedAgoMs: lease === undefined ? null : Math.round(now - lease.renewedAt),
    leaseRemainingMs: lease === undefined ? null : Math.round(remainingMs(lease, now)),
    failures: active?.failures ?? 0,
    lastError: error === undefined ? null : summaryOf(error),
  };
}
