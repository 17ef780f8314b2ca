import { InstanceTakenOverError, type ServiceCombError } from '../errors.js';
import { type PendingEvent, type PendingNote, RegistryEvents } from '../events.js';
import { failureKind, isGatewayRefusal, isRetriable } from '../protocol/failures.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import { askedDelay, type Pace } from './pace.js';
import { isElsewhere } from './ownership.js';
import type { PostedInstance } from './record.js';
import type { ServiceFound } from './service.js';
import {
  type InnerState,
  isAtRisk,
  isExpired,
  type Lease,
  noRepairs,
  type NextRequest,
  type Registered,
  type Registering,
  type RegisteringStep,
  registering,
  remainingMs,
} from './state.js';
import { isSame, type RecordField, type RecordValues, valuesOf } from './writes.js';

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

type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

type EventOf<Name extends PendingEvent['name']> = Extract<PendingEvent, { name: Name }>;

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

function quietly(state: InnerState, ...notes: readonly PendingNote[]): Transition {
  return notes.length === 0 ? { state, events: [] } : { state, events: [], notes };
}

function stallEvent({ lateMs }: Standstill): PendingEvent {
  return { name: RegistryEvents.EventLoopStalled, payload: { lateMs: Math.round(lateMs) } };
}

// On the way to a lease: service, POST, read-back, and a detour when a stale record is in the way.

function whileRegistering(state: Registering, outcome: Outcome, context: Context): Transition {
  const next = { ...state, dueAt: context.now };
  switch (outcome.kind) {
    case 'service-found':
      return { state: { ...next, step: postOf(outcome) }, events: [serviceEvent(outcome)] };
    case 'posted':
      return quietly({ ...next, step: { ...outcome, kind: 'read-posted' } });
    case 'stale': {
      const step = { kind: 'remove-stale', serviceId: outcome.serviceId } as const;
      return quietly({ ...next, step, previous: outcome.stored }, removing(outcome));
    }
    case 'stale-removed': {
      const dueAt = context.now + context.pace.repostDelayMs;
      return quietly({ ...next, step: postOf(outcome), dueAt });
    }
    case 'granted':
      return granted(state, outcome, context);
    case 'taken-over':
      return takenOver(state, outcome, context);
    case 'holder-gone':
      return quietly({ ...next, isBlocked: false, step: postOf(outcome) });
    case 'failed':
      return attemptFailed(state, outcome.error, context);
    case 'probe-answered':
      return quietly(soonerRegistration(state, outcome, context));
    case 'stalled':
      return { state, events: [stallEvent(outcome)] };
    case 'elapsed':
    case 'renewed':
    case 'contradicted':
    case 'intact':
    case 'not-read-back':
    case 'written':
      return quietly(state);
  }
}

function postOf({ serviceId }: { readonly serviceId: string }): RegisteringStep {
  return { kind: 'post', serviceId };
}

function serviceEvent(outcome: OutcomeOf<'service-found'>): PendingEvent {
  const { kind: _, ...payload } = outcome;
  return { name: RegistryEvents.ServiceRegistered, payload };
}

function granted(
  { previous, reason }: Registering,
  { lease, stored, isReadBack, isRewritten, error }: OutcomeOf<'granted'>,
  { now, pace, registrations }: Context,
): Transition {
  const notes: PendingNote[] =
    error === undefined ? [] : [{ kind: 'unchecked', error, retryInMs: 0 }];
  // A POST that arrives while the lost lease is just ending is answered 200 and lost (measured M4).
  const confirmedAt = reason === 'lost' ? now + pace.contradictionDelay() : Infinity;
  const replaced: PendingEvent[] =
    previous === undefined || (stored !== undefined && isAsBefore(stored, previous))
      ? []
      : [{ name: RegistryEvents.InstanceReplaced, payload: { previous } }];
  const rewritten: PendingEvent[] =
    stored === undefined || !isRewritten
      ? []
      : [{ name: RegistryEvents.RecordRewritten, payload: { stored } }];
  return {
    state: {
      kind: 'registered',
      lease,
      heartbeatAt: now + pace.firstHeartbeatDelay(),
      readBackAt: isReadBack ? confirmedAt : now,
      doubtEndsAt: -Infinity,
      heartbeatsUntilReadBack: pace.heartbeatsUntilReadBack,
      repairs: noRepairs,
      failures: 0,
      error: undefined,
      isRiskEmitted: false,
      wasContradicted: false,
    },
    events: [
      ...replaced,
      ...rewritten,
      {
        name: RegistryEvents.InstanceRegistered,
        payload: { registrations: registrations + 1, leaseMs: lease.lengthMs },
      },
    ],
    notes,
  };
}

/** Returns whether the registry stores the same again, so that nothing has been replaced. */
function isAsBefore(stored: MicroserviceInstance, previous: MicroserviceInstance): boolean {
  const [values, before] = [valuesOf(stored), valuesOf(previous)];
  return (
    !isElsewhere(stored, previous) &&
    isSame(values, before, 'status') &&
    isSame(values, before, 'properties')
  );
}

/** The newer registration holds the id. Ours is tried again once that record is gone. */
function takenOver(
  state: Registering | Registered,
  { serviceId, holder }: OutcomeOf<'taken-over'>,
  { now, pace, isDraining }: Context,
): Transition {
  const { instanceId = '', endpoints = [] } = holder;
  const error = new InstanceTakenOverError(instanceId, endpoints);
  const isKnown = state.kind === 'registering' && state.step.kind === 'read-holder';
  const next: Registering = {
    ...registering(now + pace.blockedDelay(), serviceId),
    reason: 'lost',
    isBlocked: true,
    step: { kind: 'read-holder', serviceId },
    failures: state.failures + 1,
    error,
  };
  if (isKnown || isDraining) return quietly(next);
  return {
    state: next,
    events: [{ name: RegistryEvents.InstanceTakenOver, payload: { error, holder } }],
  };
}

function attemptFailed(state: Registering, error: ServiceCombError, context: Context): Transition {
  switch (failureKind(error)) {
    case 'refused':
      return blocked({ ...lookAgain(state), refusedSince: undefined }, error, context);
    case 'service-gone':
      return serviceGone(state, error, context);
    case 'instance-gone':
      return retried({ ...state, step: postAgain(state.step) }, error, context);
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return isGatewayRefusal(error)
        ? refusedByGateway(lookAgain(state), error, context)
        : retried({ ...lookAgain(state), refusedSince: undefined }, error, context);
  }
}

/** A gateway that refuses may be in trouble itself; after a minute it is as good as a refusal. */
function refusedByGateway(
  state: Registering,
  error: ServiceCombError,
  context: Context,
): Transition {
  const { refusedSince = context.now } = state;
  const next = { ...state, refusedSince };
  const isOver = context.now - refusedSince >= context.pace.gatewayPatienceMs;
  return isOver ? blocked(next, error, context) : retried(next, error, context);
}

/** A POST can be answered 200 and lost (measured M3, M4): the read-back shows that, and it is sent again. */
function postAgain(step: RegisteringStep): RegisteringStep {
  return step.kind === 'find-service' ? step : postOf(step);
}

/** A removal that failed is not repeated as it is: by then the record may be another process's. */
function lookAgain(state: Registering): Registering {
  if (state.step.kind !== 'remove-stale') return state;
  return { ...state, step: postAgain(state.step), previous: undefined };
}

/**
 * The registry has dropped the service, as it does at night with old versions (behaviour S11). The
 * service is looked up again: at once, unless an attempt has failed before.
 */
function serviceGone(state: Registering, error: ServiceCombError, context: Context): Transition {
  const next = { ...state, step: { kind: 'find-service' } } as const;
  if (state.failures > 0) return retried(next, error, context);
  return failedOnce(next, error, { now: context.now, retryInMs: 0 });
}

function retried(state: Registering, error: ServiceCombError, { now, pace }: Context): Transition {
  const failuresSinceProbe = state.failuresSinceProbe + 1;
  const retryInMs = pace.registrationRetryDelay(failuresSinceProbe, error);
  return failedOnce({ ...state, isBlocked: false, failuresSinceProbe }, error, { now, retryInMs });
}

function failedOnce(
  state: Registering,
  error: ServiceCombError,
  { now, retryInMs }: { readonly now: number; readonly retryInMs: number },
): Transition {
  const failures = state.failures + 1;
  const payload = { error, failures, retryInMs: Math.round(retryInMs) };
  return {
    state: { ...state, dueAt: now + retryInMs, failures, error },
    events: [{ name: RegistryEvents.RegistrationFailed, payload }],
  };
}

function blocked(state: Registering, error: ServiceCombError, { now, pace }: Context): Transition {
  const retryInMs = Math.round(pace.blockedDelay());
  const failures = state.failures + 1;
  return {
    state: { ...state, isBlocked: true, dueAt: now + retryInMs, failures, error },
    events: [{ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs } }],
  };
}

/**
 * The registry answers a probe, so the pause ends sooner: at once for a new instance, and spread out
 * after a lost lease, since other instances come back as well.
 */
function soonerRegistration(
  state: Registering,
  { wasSilent }: OutcomeOf<'probe-answered'>,
  { now, pace }: Context,
): Registering {
  if (state.failures === 0 || state.isBlocked || askedDelay(state.error) > 0) return state;
  const delay = state.reason === 'lost' ? pace.recoveryDelay(state.failures) : 0;
  return {
    ...state,
    dueAt: Math.min(state.dueAt, now + delay),
    failuresSinceProbe: wasSilent ? 0 : state.failuresSinceProbe,
  };
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
  if (isRiskEmitted || !isAtRisk(lease, now)) return quietly(state);
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
      ...state,
      lease: { ...lease, renewedAt: sentAt },
      heartbeatAt: sentAt + pace.heartbeatDelay(tookMs, failures),
      readBackAt: heartbeatsUntilReadBack <= 0 ? now : readBackAt,
      doubtEndsAt,
      heartbeatsUntilReadBack,
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

function removing({ stored }: OutcomeOf<'stale'>): PendingNote {
  return { kind: 'removing', stored };
}
