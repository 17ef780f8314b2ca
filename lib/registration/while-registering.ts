import { InstanceTakenOverError, type ServiceCombError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import type { PendingNote } from '../notes.js';
import { failureKind, isGatewayRefusal } from '../protocol/failures.js';
import type { MicroserviceInstance } from '../protocol/wire.js';
import {
  type Context,
  type OutcomeOf,
  type Outcome,
  quietly,
  stallEvent,
  type Transition,
} from './outcome.js';
import { isElsewhere } from './ownership.js';
import { askedDelay } from './pace.js';
import {
  noRepairs,
  type Registered,
  type Registering,
  type RegisteringStep,
  registering,
} from './state.js';
import { isSame, valuesOf } from './writes.js';

/**
 * Decides what an outcome means on the way to a lease: service, POST, read-back, and a detour when a stale
 * record is in the way.
 */
export function whileRegistering(
  state: Registering,
  outcome: Outcome,
  context: Context,
): Transition {
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
  outcome: OutcomeOf<'granted'>,
  { now, pace, registrations }: Context,
): Transition {
  const { lease, isReadBack, error } = outcome;
  // A POST that arrives while the lost lease is just ending is answered 200 and lost (measured M4).
  const confirmedAt = reason === 'lost' ? now + pace.contradictionDelay() : Infinity;
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
      ...eventsOfRecord(previous, outcome),
      {
        name: RegistryEvents.InstanceRegistered,
        payload: { registrations: registrations + 1, leaseMs: lease.lengthMs },
      },
    ],
    notes: error === undefined ? [] : [{ kind: 'unchecked', error, retryInMs: 0 }],
  };
}

/** Returns the events about what the registry stored before, and stores now. */
function eventsOfRecord(
  previous: Registering['previous'],
  { stored, isRewritten }: OutcomeOf<'granted'>,
): readonly PendingEvent[] {
  const events: PendingEvent[] = [];
  if (previous !== undefined && (stored === undefined || !isAsBefore(stored, previous)))
    events.push({ name: RegistryEvents.InstanceReplaced, payload: { previous } });
  if (stored !== undefined && isRewritten)
    events.push({ name: RegistryEvents.RecordRewritten, payload: { stored } });
  return events;
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
export function takenOver(
  state: Registering | Registered,
  { serviceId, holder }: OutcomeOf<'taken-over'>,
  { now, pace, isDraining }: Context,
): Transition {
  const { instanceId = '', endpoints = [] } = holder;
  const error = new InstanceTakenOverError(instanceId, endpoints);
  const isKnown = state.kind === 'registering' && state.step.kind === 'read-holder';
  const next: Registering = {
    ...registering(now + pace.holderDelay(), serviceId),
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

/** Returns the note of a record that is about to be removed. */
export function removing({ stored }: OutcomeOf<'stale'>): PendingNote {
  return { kind: 'removing', stored };
}
