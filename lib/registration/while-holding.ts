import type { ServiceCombError } from '../errors.js';
import { type RegistryFact, RegistryEvents } from '../events/events.js';
import { isAtRisk, isExpired, remainingMs } from './lease.js';
import {
  askedToWait,
  isAskedToWait,
  type Elapsed,
  type Outcome,
  type Progress,
  stalledFact,
  type Transition,
  type TransitionContext,
} from './outcome.js';
import { type Holding, joining } from './state.js';
import { whileVerifying } from './while-verifying.js';

/** Keeping a lease: heartbeats, retries against its end, a read-back from time to time. */
export function whileHolding(
  state: Holding,
  outcome: Outcome,
  context: TransitionContext,
): Transition {
  const { lease } = state;
  switch (outcome.kind) {
    case 'elapsed':
      return elapsed(state, context);
    case 'stalled':
      return stalled(state, outcome, context);
    case 'in-sight':
      return quietly({ ...state, beatAt: soonerAfterFailure(state, context) });
    case 'renewed':
      return renewed(state, outcome, context);
    case 'doubtful':
      return doubtful(state, outcome.error, context);
    case 'verified':
    case 'unverified':
    case 'drifted':
    case 'repaired':
    case 'stale':
      return whileVerifying(state, outcome, context);
    case 'failed':
    case 'refused':
      return failed(state, outcome.error, context);
    case 'instance-gone':
      return lost(state, lease.ref.serviceId, outcome.error, context);
    case 'service-gone':
      return lost(state, undefined, outcome.error, context);
    case 'service-known':
    case 'posted':
    case 'granted':
    case 'cleared':
      return { state, facts: [] };
  }
}

/**
 * The server answers for the renewal before this one, which was a predecessor's when the id is new
 * (behaviour S3, measured M5): asked once more, it speaks of ours. From then on it is a failure.
 */
function doubtful(state: Holding, error: ServiceCombError, context: TransitionContext): Transition {
  if (state.doubted) return failed(state, error, context);
  return quietly({ ...state, doubted: true, beatAt: context.now + context.pace.doubt });
}

function quietly(state: Holding): Transition {
  return { state, facts: [] };
}

function elapsed(state: Holding, { now, pace }: TransitionContext): Transition {
  const { lease, failures, error, riskTold } = state;
  // Without a failure the heartbeat is merely late: it is due now, and the registry's word counts.
  if (failures > 0 && isExpired(lease, now)) {
    const dueAt = now + pace.recovery(failures);
    // Others have lost theirs as well: pauses that began at a second again would have all return at once.
    const next = { ...joining(dueAt, lease.ref.serviceId), failuresInSight: failures };
    return {
      state: { ...next, reason: 'lost', error },
      facts: [{ name: RegistryEvents.InstanceLost, payload: { reason: 'expired', error } }],
    };
  }
  if (riskTold || !isAtRisk(lease, now)) return quietly(state);
  const payload = { leaseRemainingMs: remainingMs(lease, now), failures };
  return {
    state: { ...state, riskTold: true },
    facts: [{ name: RegistryEvents.LeaseAtRisk, payload }],
  };
}

/**
 * After standing still a heartbeat is due at once, or when it was due anyway where the vendor wants a
 * least distance. Longer than the lease, or asleep past its end, where the monotonic clock stands still
 * as well: whether there still is a record is looked up first.
 */
function stalled(
  state: Holding,
  outcome: Extract<Elapsed, { kind: 'stalled' }>,
  { now, pace }: TransitionContext,
): Transition {
  const { asleepMs } = outcome;
  const isOver = remainingMs(state.lease, now) <= asleepMs;
  const beatAt = state.failures === 0 ? pace.afterStandstill(state.beatAt, now, asleepMs) : now;
  return {
    state: { ...state, beatAt, verifyAt: isOver ? now : state.verifyAt },
    facts: [stalledFact(outcome)],
  };
}

/** The registry answers a probe: a heartbeat that waits for its retry waits no longer. */
function soonerAfterFailure(
  { beatAt, failures, error }: Holding,
  { now }: TransitionContext,
): number {
  return failures === 0 || isAskedToWait(error) ? beatAt : Math.min(beatAt, now);
}

function renewed(
  state: Holding,
  { sentAt, tookMs }: Extract<Progress, { kind: 'renewed' }>,
  { now, pace }: TransitionContext,
): Transition {
  const { failures, lease } = state;
  const beatsUntilVerify = state.beatsUntilVerify - 1;
  const verifyAt = beatsUntilVerify <= 0 ? now : state.verifyAt;
  const wasTooLate = pace.isTooClose(remainingMs(lease, now));
  const recovered: RegistryFact[] =
    failures === 0
      ? []
      : [{ name: RegistryEvents.HeartbeatRecovered, payload: { missed: failures } }];
  return {
    state: {
      ...state,
      lease: { ...lease, renewedAt: sentAt },
      beatAt: sentAt + pace.beat(tookMs, failures),
      verifyAt: wasTooLate ? now + pace.doubt : verifyAt,
      beatsUntilVerify,
      failures: 0,
      error: undefined,
      riskTold: false,
      doubted: false,
    },
    facts: [{ name: RegistryEvents.HeartbeatSucceeded, payload: { tookMs } }, ...recovered],
  };
}

/** A refusal is repeated like a failure: only the registry's word ends a lease that may be saved. */
function failed(
  state: Holding,
  error: ServiceCombError,
  { now, pace }: TransitionContext,
): Transition {
  const failures = state.failures + 1;
  const leaseRemainingMs = remainingMs(state.lease, now);
  const wait = pace.inLease(failures, leaseRemainingMs);
  // What a throttling registry asks for, as far as the lease allows.
  const asked = Math.min(askedToWait(error), pace.lastInLease(leaseRemainingMs));
  const beatAt = now + Math.max(wait, asked);
  return {
    state: { ...state, beatAt, failures, error },
    facts: [
      { name: RegistryEvents.HeartbeatFailed, payload: { error, failures, leaseRemainingMs } },
    ],
  };
}

function lost(
  { failures }: Holding,
  serviceId: string | undefined,
  error: ServiceCombError,
  { now, pace }: TransitionContext,
): Transition {
  const dueAt = now + pace.recovery(failures);
  return {
    state: { ...joining(dueAt, serviceId), reason: 'lost', error },
    facts: [{ name: RegistryEvents.InstanceLost, payload: { reason: 'forgotten', error } }],
  };
}
