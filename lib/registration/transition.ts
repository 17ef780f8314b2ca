import type { ServiceCombError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import type { PendingNote } from '../notes.js';
import { failureKind, isRetriable } from '../protocol/failures.js';
import {
  type Context,
  type EventOf,
  type OutcomeOf,
  type Outcome,
  quietly,
  stallEvent,
  type Transition,
} from './outcome.js';
import { askedDelay } from './pace.js';
import {
  type InnerState,
  isAtRisk,
  isExpired,
  noRepairs,
  type Registered,
  registering,
  remainingMs,
} from './state.js';
import { removing, takenOver, whileRegistering } from './while-registering.js';

/**
 * Decides what an outcome means: the next state and the events to emit. Pure.
 *
 * A registration that is idle, disabled, leaving or left stays as it is, whatever the outcome of a
 * request that was under way: an instance that has left must not come back.
 */
export function transition(state: InnerState, outcome: Outcome, context: Context): Transition {
  switch (state.kind) {
    case 'registering':
      return whileRegistering(state, outcome, context);
    case 'registered':
      return whileRegistered(state, outcome, context);
    case 'idle':
    case 'disabled':
    case 'leaving':
    case 'left':
      return quietly(state);
  }
}

// While there is a lease: heartbeats, retries against its end, and a read-back from time to time.

function whileRegistered(state: Registered, outcome: Outcome, context: Context): Transition {
  switch (outcome.kind) {
    case 'elapsed':
      return elapsed(state, context);
    case 'renewed':
      return renewed(state, outcome, context);
    case 'failed':
      return heartbeatFailed(state, outcome, context);
    case 'contradicted':
      return contradicted(state, outcome.error, context);
    case 'stalled':
      return stalled(state, outcome, context);
    case 'probe-answered':
      return quietly(soonerHeartbeat(state, context));
    case 'intact':
      return intact(state, outcome, context);
    case 'not-read-back':
      return notReadBack(state, outcome, context);
    case 'written':
      return quietly(written(state, outcome, context));
    case 'stale':
      return replacing(outcome, context);
    case 'taken-over':
      return takenOver(state, outcome, context);
    case 'holder-gone':
    case 'service-found':
    case 'posted':
    case 'granted':
    case 'stale-removed':
      return quietly(state);
  }
}

function elapsed(state: Registered, { now, pace }: Context): Transition {
  const { lease, failures, error, isRiskEmitted } = state;
  // Without a failure the heartbeat is merely late: it is sent now, and the registry decides.
  if (failures > 0 && isExpired(lease, now)) {
    const retryInMs = pace.recoveryDelay(failures);
    const next = registering(now + retryInMs, lease.ref.serviceId);
    // Other instances have lost their leases as well: if all pauses began at a second, all would return at once.
    return {
      state: { ...next, reason: 'lost', failuresSinceProbe: failures, error },
      events: [lost({ reason: 'expired', foundBy: 'clock', error, retryInMs })],
    };
  }
  if (isRiskEmitted || !isAtRisk(lease, now)) return { state, events: [] };
  const payload = { leaseRemainingMs: remainingMs(lease, now), failures };
  return {
    state: { ...state, isRiskEmitted: true },
    events: [{ name: RegistryEvents.LeaseAtRisk, payload }],
  };
}

function renewed(
  state: Registered,
  { sentAt, tookMs }: OutcomeOf<'renewed'>,
  { now, pace }: Context,
): Transition {
  const { failures, lease } = state;
  const heartbeatsUntilReadBack = state.heartbeatsUntilReadBack - 1;
  const isInDoubt = pace.isTooClose(remainingMs(lease, now));
  const doubtEndsAt = isInDoubt
    ? pace.doubtEndsAt(lease.renewedAt + lease.lengthMs, now)
    : state.doubtEndsAt;
  const readBackAt = Math.min(state.readBackAt, isInDoubt ? doubtEndsAt : Infinity);
  const recovered: PendingEvent[] =
    failures === 0
      ? []
      : [{ name: RegistryEvents.HeartbeatRecovered, payload: { missed: failures } }];
  return {
    state: {
      kind: 'registered',
      lease: { ref: lease.ref, renewedAt: sentAt, lengthMs: lease.lengthMs },
      heartbeatAt: sentAt + pace.heartbeatDelay(tookMs, failures),
      readBackAt: heartbeatsUntilReadBack <= 0 ? now : readBackAt,
      doubtEndsAt,
      heartbeatsUntilReadBack,
      repairs: state.repairs,
      failures: 0,
      error: undefined,
      isRiskEmitted: false,
      wasContradicted: false,
    },
    events: [{ name: RegistryEvents.HeartbeatSucceeded, payload: { tookMs } }, ...recovered],
  };
}

/** A refusal is repeated like any failure: the lease ends only when the registry says so, or by time. */
function heartbeatFailed(
  state: Registered,
  outcome: OutcomeOf<'failed'>,
  context: Context,
): Transition {
  switch (failureKind(outcome.error)) {
    case 'instance-gone':
      return forgotten(state, state.lease.ref.serviceId, outcome, context);
    case 'service-gone':
      return forgotten(state, undefined, outcome, context);
    case 'refused':
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return heartbeatRetried(state, outcome, context);
  }
}

function forgotten(
  { failures }: Registered,
  serviceId: string | undefined,
  { error, during }: OutcomeOf<'failed'>,
  { now, pace }: Context,
): Transition {
  const retryInMs = pace.recoveryDelay(failures);
  const next = registering(now + retryInMs, serviceId);
  const foundBy = during === 'read-back' ? during : 'heartbeat';
  return {
    state: { ...next, reason: 'lost', error },
    events: [lost({ reason: 'forgotten', foundBy, error, retryInMs })],
  };
}

function lost(payload: EventOf<'servicecomb.instance.lost'>['payload']): PendingEvent {
  const retryInMs = Math.round(payload.retryInMs);
  return { name: RegistryEvents.InstanceLost, payload: { ...payload, retryInMs } };
}

function heartbeatRetried(
  state: Registered,
  { error, unconfirmed }: Pick<OutcomeOf<'failed'>, 'error' | 'unconfirmed'>,
  { now, pace }: Context,
): Transition {
  const failures = state.failures + 1;
  const leaseRemainingMs = remainingMs(state.lease, now);
  const delayMs = pace.inLeaseRetryDelay(failures, leaseRemainingMs, error);
  const payload = {
    error,
    failures,
    leaseRemainingMs,
    retryInMs: Math.round(delayMs),
    ...(unconfirmed === undefined ? {} : { unconfirmed }),
  };
  return {
    state: { ...state, heartbeatAt: now + delayMs, failures, error },
    events: [{ name: RegistryEvents.HeartbeatFailed, payload }],
  };
}

/**
 * The server answers with the result of the renewal before this one, which was an earlier process's
 * when the id is new (behaviour S3, measured M5). The next answer is about ours, so a second
 * contradiction is a failure.
 */
function contradicted(state: Registered, error: ServiceCombError, context: Context): Transition {
  if (state.wasContradicted) return heartbeatRetried(state, { error }, context);
  const retryInMs = context.pace.contradictionDelay();
  const next = { ...state, wasContradicted: true, heartbeatAt: context.now + retryInMs };
  return quietly(next, { kind: 'contradicted', error, retryInMs });
}

/**
 * After a standstill a heartbeat is due at once, or when it was due anyway where the interval is a
 * minimum. If the lease may have ended meanwhile, the record is read back first; the monotonic clock
 * does not count the time that the machine slept.
 */
function stalled(
  state: Registered,
  outcome: OutcomeOf<'stalled'>,
  { now, pace }: Context,
): Transition {
  const { asleepMs } = outcome;
  const isOver = remainingMs(state.lease, now) <= asleepMs;
  const heartbeatAt =
    state.failures === 0 ? pace.heartbeatAtAfterStandstill(state.heartbeatAt, now, asleepMs) : now;
  return {
    state: { ...state, heartbeatAt, readBackAt: isOver ? now : state.readBackAt },
    events: [stallEvent(outcome)],
  };
}

/** The registry answers a probe, so a heartbeat that waits for its retry is due now. */
function soonerHeartbeat(state: Registered, { now }: Context): Registered {
  const { failures, error, heartbeatAt } = state;
  if (failures === 0 || askedDelay(error) > 0) return state;
  return { ...state, heartbeatAt: Math.min(heartbeatAt, now) };
}

// The record: read back, written again where the server has undone a write, and replaced.

/**
 * The next heartbeat is followed by another read-back. While a renewal is in doubt, it is not waited for, unless
 * heartbeats fail or this account may not read.
 */
function notReadBack(
  state: Registered,
  { error }: OutcomeOf<'not-read-back'>,
  context: Context,
): Transition {
  const { doubtEndsAt, failures } = state;
  const isOpen = doubtEndsAt > -Infinity && doubtEndsAt <= context.now;
  const isSoon = isOpen && failures === 0 && (error === undefined || isRetriable(error));
  const soonAt = context.now + context.pace.contradictionDelay();
  const readBackAt = isSoon ? soonAt : afterDoubt(state, context);
  const retryInMs = Math.max(0, Math.min(readBackAt, state.heartbeatAt) - context.now);
  const notes: PendingNote[] = error === undefined ? [] : [{ kind: 'unchecked', error, retryInMs }];
  return quietly({ ...state, readBackAt, heartbeatsUntilReadBack: 1 }, ...notes);
}

function intact(
  state: Registered,
  { lengthMs }: OutcomeOf<'intact'>,
  context: Context,
): Transition {
  const { doubtEndsAt, lease, repairs } = state;
  const { fields } = repairs;
  return {
    state: {
      ...state,
      lease: { ...lease, lengthMs },
      readBackAt: afterDoubt(state, context),
      doubtEndsAt: doubtEndsAt > context.now ? doubtEndsAt : -Infinity,
      heartbeatsUntilReadBack: context.pace.heartbeatsUntilReadBack,
      repairs: noRepairs,
    },
    events:
      fields.length === 0 ? [] : [{ name: RegistryEvents.DriftRepaired, payload: { fields } }],
  };
}

/** When the next read-back is due: while a renewal is in doubt, a record may be read whose lease is lost. */
function afterDoubt({ doubtEndsAt }: Registered, { now }: Context): number {
  return doubtEndsAt > now ? doubtEndsAt : Infinity;
}

/** The record is read until the writes hold: a busy server may undo them again. */
function written(
  state: Registered,
  { fields }: OutcomeOf<'written'>,
  { now, pace }: Context,
): Registered {
  const count = state.repairs.count + 1;
  const all = [...new Set([...state.repairs.fields, ...fields])];
  const readBackAt = now + pace.repairDelay(count);
  return { ...state, readBackAt, repairs: { count, fields: all } };
}

/** Another record is listed under our id, or ours leads elsewhere: it is removed, and ours is posted. */
function replacing(outcome: OutcomeOf<'stale'>, { now }: Context): Transition {
  const { serviceId, stored } = outcome;
  const step = { kind: 'remove-stale', serviceId } as const;
  return quietly({ ...registering(now, serviceId), step, previous: stored }, removing(outcome));
}
