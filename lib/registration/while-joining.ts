import type { ServiceCombError } from '../errors.js';
import { type RegistryFact, RegistryEvents } from '../events/events.js';
import {
  askedToWait,
  isAskedToWait,
  type Elapsed,
  type Outcome,
  stalledFact,
  type Progress,
  type Transition,
  type TransitionContext,
} from './outcome.js';
import type { Joining } from './state.js';

/** The way to a lease: service, POST, read-back, and a detour when a stale record is in the way. */
export function whileJoining(
  state: Joining,
  outcome: Outcome,
  context: TransitionContext,
): Transition {
  switch (outcome.kind) {
    case 'granted':
      return granted(state, outcome, context);
    case 'failed':
      return failed(state, outcome.error, context);
    case 'instance-gone':
      return failed({ ...state, step: postAgain(state.step) }, outcome.error, context);
    case 'service-gone':
      return serviceGone(state, outcome.error, context);
    case 'refused':
      return refused(state, outcome.error, context);
    case 'service-known':
    case 'posted':
    case 'stale':
    case 'cleared':
      return nextStep(state, outcome, context);
    case 'in-sight':
      return inSight(state, outcome, context);
    case 'stalled':
      return { state, facts: [stalledFact(outcome)] };
    case 'elapsed':
    case 'verified':
    case 'drifted':
    case 'repaired':
    case 'unverified':
    case 'doubtful':
    case 'renewed':
      return { state, facts: [] };
  }
}

function nextStep(
  state: Joining,
  outcome: Extract<Progress, { kind: 'service-known' | 'posted' | 'stale' | 'cleared' }>,
  { now, pace }: TransitionContext,
): Transition {
  const { serviceId } = outcome;
  const next = { ...state, dueAt: now };
  switch (outcome.kind) {
    case 'service-known': {
      const payload = { serviceId, created: outcome.created };
      return {
        state: { ...next, step: { kind: 'post', serviceId } },
        facts: [{ name: RegistryEvents.ServiceRegistered, payload }],
      };
    }
    case 'posted':
      return quietly({ ...next, step: { ...outcome, kind: 'confirm' } });
    case 'stale':
      return quietly({ ...next, step: { kind: 'clear', serviceId }, previous: outcome.stored });
    case 'cleared':
      return quietly({ ...next, step: { kind: 'post', serviceId }, dueAt: now + pace.gap });
  }
}

function quietly(state: Joining): Transition {
  return { state, facts: [] };
}

function granted(
  { previous, reason }: Joining,
  { lease, verified }: Extract<Progress, { kind: 'granted' }>,
  context: TransitionContext,
): Transition {
  const { now, pace, verifyEvery, registrations } = context;
  const replaced: RegistryFact[] =
    previous === undefined
      ? []
      : [{ name: RegistryEvents.InstanceReplaced, payload: { previous } }];
  return {
    state: {
      phase: 'holding',
      lease,
      beatAt: now + pace.firstBeat(),
      verifyAt: verified ? confirmAt(reason, context) : now,
      beatsUntilVerify: verifyEvery,
      drift: undefined,
      failures: 0,
      error: undefined,
      riskTold: false,
      doubted: false,
    },
    facts: [
      ...replaced,
      {
        name: RegistryEvents.InstanceRegistered,
        payload: { registrations: registrations + 1, leaseMs: lease.lengthMs },
      },
    ],
  };
}

/** A POST that comes when the lease before it is just ending is answered 200 and lost (measured M4). */
function confirmAt(reason: Joining['reason'], { now, pace }: TransitionContext): number {
  return reason === 'lost' ? now + pace.doubt : Infinity;
}

/**
 * The registry answers a probe: no need to wait for longer. After a lost lease others come back, too:
 * spread out.
 */
function inSight(
  state: Joining,
  { returned }: Extract<Elapsed, { kind: 'in-sight' }>,
  { now, pace }: TransitionContext,
): Transition {
  if (state.failures === 0 || state.refused || isAskedToWait(state.error)) return quietly(state);
  const wait = state.reason === 'lost' ? pace.recovery(state.failures) : 0;
  return quietly({
    ...state,
    dueAt: Math.min(state.dueAt, now + wait),
    failuresInSight: returned ? 0 : state.failuresInSight,
  });
}

/** A POST can be answered 200 and lost (measured M3, M4); the read-back tells, and it is sent again. */
function postAgain(step: Joining['step']): Joining['step'] {
  return step.kind === 'service' ? step : { kind: 'post', serviceId: step.serviceId };
}

/**
 * The registry has dropped the service since (it retires old versions at night): it is resolved at
 * once, and no failure, unless that happens again.
 */
function serviceGone(
  state: Joining,
  error: ServiceCombError,
  context: TransitionContext,
): Transition {
  const next = { ...state, step: { kind: 'service' } } as const;
  if (state.failures > 0) return failed(next, error, context);
  return quietly({ ...next, dueAt: context.now, failures: 1, error });
}

function failed(state: Joining, error: ServiceCombError, context: TransitionContext): Transition {
  const failures = state.failures + 1;
  const failuresInSight = state.failuresInSight + 1;
  const wait = Math.max(context.pace.retry(failuresInSight), askedToWait(error));
  return {
    state: {
      ...state,
      refused: false,
      dueAt: context.now + wait,
      failures,
      failuresInSight,
      error,
    },
    facts: [{ name: RegistryEvents.RegistrationFailed, payload: { error, failures } }],
  };
}

function refused(
  state: Joining,
  error: ServiceCombError,
  { now, pace }: TransitionContext,
): Transition {
  const retryInMs = Math.round(pace.blocked());
  return {
    state: {
      ...state,
      refused: true,
      dueAt: now + retryInMs,
      failures: state.failures + 1,
      error,
    },
    facts: [{ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs } }],
  };
}
