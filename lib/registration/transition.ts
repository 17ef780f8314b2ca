import type { ServiceCombError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import { failureKind, isGatewayRefusal } from '../protocol/failures.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import { askedDelay, type Pace } from './pace.js';
import type { PostedInstance, RepairableField } from './record.js';
import {
  type Drift,
  type InnerState,
  isAtRisk,
  isExpired,
  type Lease,
  type Registered,
  type Registering,
  type RegisteringStep,
  registering,
  remainingMs,
} from './state.js';

/** How a request ended, or that something happened without a request. */
export type Outcome =
  /** Time has passed. */
  | { readonly kind: 'elapsed' }
  | ({ readonly kind: 'stalled' } & Standstill)
  /** `wasSilent`: the address had not answered the probe before. */
  | { readonly kind: 'probe-answered'; readonly wasSilent: boolean }
  | { readonly kind: 'service-found'; readonly serviceId: string; readonly created: boolean }
  | ({ readonly kind: 'posted' } & PostedInstance)
  /** `isReadBack` is false when the record could not be read; the lease is then the one asked for. */
  | { readonly kind: 'granted'; readonly lease: Lease; readonly isReadBack: boolean }
  /** The registry lists another record under our id, one of an earlier process. */
  | { readonly kind: 'stale'; readonly serviceId: string; readonly stored: MicroserviceInstance }
  | { readonly kind: 'stale-removed'; readonly serviceId: string }
  | { readonly kind: 'renewed'; readonly sentAt: number; readonly tookMs: number }
  /** The registry answered a heartbeat with "no such instance", but its record is there. */
  | { readonly kind: 'contradicted'; readonly error: ServiceCombError }
  /** A read-back found the record as it should be. */
  | { readonly kind: 'intact'; readonly lengthMs: number }
  /** A read-back could not be made, which says nothing about the lease. */
  | { readonly kind: 'not-read-back' }
  /** A read-back found our record with other values than we asked for. */
  | {
      readonly kind: 'drifted';
      readonly serviceId: string;
      readonly stored: MicroserviceInstance;
      readonly fields: readonly RepairableField[];
    }
  /** The fields that differed were written; whether that helped is known after a read-back. */
  | { readonly kind: 'repaired' }
  | { readonly kind: 'failed'; readonly error: ServiceCombError };

/** How long the process stood still. */
export interface Standstill {
  readonly lateMs: number;
  /** The part in which the monotonic clock stood still as well, because the machine slept. */
  readonly asleepMs: number;
}

type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** The values that a transition depends on, besides the state and the outcome. */
export interface Context {
  readonly now: number;
  readonly pace: Pace;
  /** Registrations so far. */
  readonly registrations: number;
}

/** The next state, and the events to emit once it is entered, in order. */
export interface Transition {
  readonly state: InnerState;
  readonly events: readonly PendingEvent[];
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

function quietly(state: InnerState): Transition {
  return { state, events: [] };
}

function stallEvent({ lateMs }: Standstill): PendingEvent {
  return { name: RegistryEvents.EventLoopStalled, payload: { lateMs: Math.round(lateMs) } };
}

// On the way to a lease: service, POST, read-back, and a detour when a stale record is in the way.

function whileRegistering(state: Registering, outcome: Outcome, context: Context): Transition {
  const next = { ...state, dueAt: context.now };
  switch (outcome.kind) {
    case 'service-found': {
      const { serviceId, created } = outcome;
      const event = { name: RegistryEvents.ServiceRegistered, payload: { serviceId, created } };
      return { state: { ...next, step: { kind: 'post', serviceId } }, events: [event] };
    }
    case 'posted':
      return quietly({ ...next, step: { ...outcome, kind: 'read-posted' } });
    case 'stale': {
      const step = { kind: 'remove-stale', serviceId: outcome.serviceId } as const;
      return quietly({ ...next, step, previous: outcome.stored });
    }
    case 'stale-removed': {
      const step = { kind: 'post', serviceId: outcome.serviceId } as const;
      return quietly({ ...next, step, dueAt: context.now + context.pace.repostDelayMs });
    }
    case 'granted':
      return granted(state, outcome, context);
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
    case 'drifted':
    case 'repaired':
      return quietly(state);
  }
}

function granted(
  { previous, reason }: Registering,
  { lease, isReadBack }: OutcomeOf<'granted'>,
  { now, pace, registrations }: Context,
): Transition {
  // A POST that arrives while the lost lease is just ending is answered 200 and lost (measured M4).
  const confirmedAt = reason === 'lost' ? now + pace.contradictionDelay() : Infinity;
  const replaced: PendingEvent[] =
    previous === undefined
      ? []
      : [{ name: RegistryEvents.InstanceReplaced, payload: { previous } }];
  return {
    state: {
      kind: 'registered',
      lease,
      heartbeatAt: now + pace.firstHeartbeatDelay(),
      readBackAt: isReadBack ? confirmedAt : now,
      heartbeatsUntilReadBack: pace.heartbeatsUntilReadBack,
      drift: undefined,
      failures: 0,
      error: undefined,
      isRiskEmitted: false,
      wasContradicted: false,
    },
    events: [
      ...replaced,
      {
        name: RegistryEvents.InstanceRegistered,
        payload: { registrations: registrations + 1, leaseMs: lease.lengthMs },
      },
    ],
  };
}

function attemptFailed(state: Registering, error: ServiceCombError, context: Context): Transition {
  switch (failureKind(error)) {
    case 'refused':
      return blocked({ ...state, refusedSince: undefined }, error, context);
    case 'service-gone':
      return serviceGone(state, error, context);
    case 'instance-gone':
      return retried({ ...state, step: postAgain(state.step) }, error, context);
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return isGatewayRefusal(error)
        ? refusedByGateway(state, error, context)
        : retried({ ...state, refusedSince: undefined }, error, context);
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
  return step.kind === 'find-service' ? step : { kind: 'post', serviceId: step.serviceId };
}

/**
 * The registry has dropped the service, as it does at night with old versions (behaviour S11). The
 * service is looked up again at once, and only a second time in a row counts as a failure.
 */
function serviceGone(state: Registering, error: ServiceCombError, context: Context): Transition {
  const next = { ...state, step: { kind: 'find-service' } } as const;
  if (state.failures > 0) return retried(next, error, context);
  return quietly({ ...next, dueAt: context.now, failures: 1, error });
}

function retried(state: Registering, error: ServiceCombError, { now, pace }: Context): Transition {
  const failures = state.failures + 1;
  const failuresSinceProbe = state.failuresSinceProbe + 1;
  const dueAt = now + pace.registrationRetryDelay(failuresSinceProbe, error);
  return {
    state: { ...state, isBlocked: false, dueAt, failures, failuresSinceProbe, error },
    events: [{ name: RegistryEvents.RegistrationFailed, payload: { error, failures } }],
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
      return heartbeatFailed(state, outcome.error, context);
    case 'contradicted':
      return contradicted(state, outcome.error, context);
    case 'stalled':
      return stalled(state, outcome, context);
    case 'probe-answered':
      return quietly(soonerHeartbeat(state, context));
    case 'intact':
      return intact(state, outcome, context);
    case 'not-read-back': {
      const next = { readBackAt: Infinity, heartbeatsUntilReadBack: 1, drift: undefined };
      return quietly({ ...state, ...next });
    }
    case 'drifted':
      return drifted(state, outcome, context);
    case 'repaired':
      return quietly(repaired(state, context));
    case 'stale':
      return replacing(outcome, context);
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
    const next = registering(now + pace.recoveryDelay(failures), lease.ref.serviceId);
    // Other instances have lost their leases as well: if all pauses began at a second, all would return at once.
    return {
      state: { ...next, reason: 'lost', failuresSinceProbe: failures, error },
      events: [{ name: RegistryEvents.InstanceLost, payload: { reason: 'expired', error } }],
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
  const readBackAt = heartbeatsUntilReadBack <= 0 ? now : state.readBackAt;
  const wasTooLate = pace.isTooClose(remainingMs(lease, now));
  const recovered: PendingEvent[] =
    failures === 0
      ? []
      : [{ name: RegistryEvents.HeartbeatRecovered, payload: { missed: failures } }];
  return {
    state: {
      ...state,
      lease: { ...lease, renewedAt: sentAt },
      heartbeatAt: sentAt + pace.heartbeatDelay(tookMs, failures),
      readBackAt: wasTooLate ? now + pace.contradictionDelay() : readBackAt,
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
function heartbeatFailed(state: Registered, error: ServiceCombError, context: Context): Transition {
  switch (failureKind(error)) {
    case 'instance-gone':
      return forgotten(state, state.lease.ref.serviceId, error, context);
    case 'service-gone':
      return forgotten(state, undefined, error, context);
    case 'refused':
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return heartbeatRetried(state, error, context);
  }
}

function forgotten(
  { failures }: Registered,
  serviceId: string | undefined,
  error: ServiceCombError,
  { now, pace }: Context,
): Transition {
  const next = registering(now + pace.recoveryDelay(failures), serviceId);
  return {
    state: { ...next, reason: 'lost', error },
    events: [{ name: RegistryEvents.InstanceLost, payload: { reason: 'forgotten', error } }],
  };
}

function heartbeatRetried(
  state: Registered,
  error: ServiceCombError,
  { now, pace }: Context,
): Transition {
  const failures = state.failures + 1;
  const leaseRemainingMs = remainingMs(state.lease, now);
  const heartbeatAt = now + pace.inLeaseRetryDelay(failures, leaseRemainingMs, error);
  const payload = { error, failures, leaseRemainingMs };
  return {
    state: { ...state, heartbeatAt, failures, error },
    events: [{ name: RegistryEvents.HeartbeatFailed, payload }],
  };
}

/**
 * The server answers with the result of the renewal before this one, which was an earlier process's
 * when the id is new (behaviour S3, measured M5). The next answer is about ours, so a second
 * contradiction is a failure.
 */
function contradicted(state: Registered, error: ServiceCombError, context: Context): Transition {
  if (state.wasContradicted) return heartbeatRetried(state, error, context);
  const heartbeatAt = context.now + context.pace.contradictionDelay();
  return quietly({ ...state, wasContradicted: true, heartbeatAt });
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

/** The registry answers a probe, so a heartbeat that waits for its retry is sent now. */
function soonerHeartbeat(state: Registered, { now }: Context): Registered {
  const { failures, error, heartbeatAt } = state;
  if (failures === 0 || askedDelay(error) > 0) return state;
  return { ...state, heartbeatAt: Math.min(heartbeatAt, now) };
}

// The record: read back, repaired, and replaced when repairs do not help.

/** Repairs of one record in a row before it is replaced. */
const mostRepairs = 3;

function intact(
  state: Registered,
  { lengthMs }: OutcomeOf<'intact'>,
  { pace }: Context,
): Transition {
  const { lease, drift } = state;
  return {
    state: {
      ...state,
      lease: { ...lease, lengthMs },
      readBackAt: Infinity,
      heartbeatsUntilReadBack: pace.heartbeatsUntilReadBack,
      drift: undefined,
    },
    // A repair is reported only if we made one.
    events:
      drift !== undefined && repairsOf(drift) > 0
        ? [{ name: RegistryEvents.DriftRepaired, payload: { fields: drift.fields } }]
        : [],
  };
}

/** Returns how many repairs have been made. */
function repairsOf({ round, repairAt }: Drift): number {
  return repairAt === Infinity ? round : round - 1;
}

function drifted(state: Registered, outcome: OutcomeOf<'drifted'>, context: Context): Transition {
  const { now, pace } = context;
  const { fields = [] } = state.drift ?? {};
  const round = state.drift === undefined ? 1 : repairsOf(state.drift) + 1;
  if (round > mostRepairs) return replacing(outcome, context);
  const drift = {
    stored: outcome.stored,
    fields: [...new Set([...fields, ...outcome.fields])],
    round,
    repairAt: now + pace.repairDelay(round),
  };
  return quietly({ ...state, readBackAt: Infinity, drift });
}

function repaired(state: Registered, { now }: Context): Registered {
  const { drift } = state;
  if (drift === undefined) return state;
  return { ...state, readBackAt: now, drift: { ...drift, repairAt: Infinity } };
}

/** Another record is listed under our id, or ours is beyond repair: it is removed, and ours is posted. */
function replacing(
  { serviceId, stored }: OutcomeOf<'stale' | 'drifted'>,
  { now }: Context,
): Transition {
  const step = { kind: 'remove-stale', serviceId } as const;
  return quietly({ ...registering(now, serviceId), step, previous: stored });
}
