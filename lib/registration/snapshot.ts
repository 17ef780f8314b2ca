import type { ServiceCombError } from '../errors.js';
import { ServiceCenterResponseError } from '../errors.js';
import { remainingMs } from './lease.js';
import type { RegistrationPhase, RegistrationState } from './state.js';

/** An error without its stack: its code, the registry's number, and the sentence. */
export interface ErrorSummary {
  readonly code: ServiceCombError['code'];
  readonly errorCode?: number;
  readonly message: string;
}

/** All that is known of a registration at one moment: plain, frozen, safe to log. */
export interface RegistrationSnapshot {
  readonly state: RegistrationState;
  /** When this state began: ISO 8601, the local wall clock. */
  readonly since: string;
  readonly serviceId: string | null;
  readonly instanceId: string;
  /** Address of Service Center that the next request goes to. */
  readonly address: string;
  /** Milliseconds since the last good heartbeat or registration was sent; null without a lease. */
  readonly renewedAgoMs: number | null;
  /** Milliseconds until the lease ends by our clock; null without a lease. */
  readonly leaseRemainingMs: number | null;
  /** Failures in a row, of heartbeats or of attempts to register. */
  readonly failures: number;
  /** How often this process has been registered. */
  readonly registrations: number;
  /** The last of the failures in a row, else of a login while an older token serves; null when all is well. */
  readonly lastError: ErrorSummary | null;
}

/** Sums up an error for a snapshot. */
export function summaryOf(error: ServiceCombError): ErrorSummary {
  const { code, message } = error;
  const errorCode = error instanceof ServiceCenterResponseError ? error.errorCode : undefined;
  return errorCode === undefined ? { code, message } : { code, errorCode, message };
}

/** The part of a snapshot that follows from the facts and the time. */
export function leaseFacts(
  state: RegistrationPhase,
  now: number,
  trouble?: ServiceCombError,
): Pick<RegistrationSnapshot, 'renewedAgoMs' | 'leaseRemainingMs' | 'failures' | 'lastError'> {
  const tried = state.phase === 'joining' || state.phase === 'holding' ? state : undefined;
  const lease = state.phase === 'holding' ? state.lease : undefined;
  const error = tried?.error ?? (lease === undefined ? undefined : trouble);
  return {
    renewedAgoMs: lease === undefined ? null : Math.round(now - lease.renewedAt),
    leaseRemainingMs: lease === undefined ? null : Math.round(remainingMs(lease, now)),
    failures: tried?.failures ?? 0,
    lastError: error === undefined ? null : summaryOf(error),
  };
}
