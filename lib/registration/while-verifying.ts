import { RegistryEvents } from '../events/events.js';
import type { Progress, Transition, TransitionContext } from './outcome.js';
import { type Drift, type Holding, joining } from './state.js';

/** Repairs of one record in a row, before it is replaced. */
const longestRepair = 3;

/** How a read-back of the record, or its repair, ended. */
export type ReadBack = Extract<
  Progress,
  { kind: 'verified' | 'unverified' | 'drifted' | 'repaired' | 'stale' }
>;

/** Keeping the record what it should be: looked at, repaired, and replaced where that is of no use. */
export function whileVerifying(
  state: Holding,
  outcome: ReadBack,
  context: TransitionContext,
): Transition {
  switch (outcome.kind) {
    case 'verified':
      return verified(state, outcome.lengthMs, context);
    case 'unverified':
      return quietly({ ...state, verifyAt: Infinity, beatsUntilVerify: 1, drift: undefined });
    case 'drifted':
      return drifted(state, outcome, context);
    case 'repaired':
      return quietly(repaired(state, context));
    case 'stale':
      return replacing(outcome, context);
  }
}

function verified(
  state: Holding,
  lengthMs: number,
  { verifyEvery }: TransitionContext,
): Transition {
  const { lease, drift } = state;
  return {
    state: {
      ...state,
      lease: { ...lease, lengthMs },
      verifyAt: Infinity,
      beatsUntilVerify: verifyEvery,
      drift: undefined,
    },
    // What is well again without our doing is not ours to tell.
    facts:
      drift !== undefined && repairsOf(drift) > 0
        ? [{ name: RegistryEvents.DriftRepaired, payload: { fields: drift.fields } }]
        : [],
  };
}

/** How many repairs have been made. */
function repairsOf({ round, repairAt }: Drift): number {
  return repairAt === Infinity ? round : round - 1;
}

/** What the API can write is written, and read back; when that is undone again and again, replaced. */
function drifted(
  state: Holding,
  outcome: Extract<Progress, { kind: 'drifted' }>,
  context: TransitionContext,
): Transition {
  const { now, pace } = context;
  const { fields = [] } = state.drift ?? {};
  const round = state.drift === undefined ? 1 : repairsOf(state.drift) + 1;
  if (round > longestRepair) return replacing(outcome, context);
  const drift = {
    stored: outcome.stored,
    fields: [...new Set([...fields, ...outcome.fields])],
    round,
    repairAt: now + pace.repair(round),
  };
  return quietly({ ...state, verifyAt: Infinity, drift });
}

function repaired(state: Holding, { now }: TransitionContext): Holding {
  const { drift } = state;
  if (drift === undefined) return state;
  return { ...state, verifyAt: now, drift: { ...drift, repairAt: Infinity } };
}

/** Another record is listed under our id, or ours is beyond repair: it gives way to a new one. */
function replacing(
  { serviceId, stored }: Extract<Progress, { kind: 'stale' | 'drifted' }>,
  { now }: TransitionContext,
): Transition {
  const step = { kind: 'clear', serviceId } as const;
  return { state: { ...joining(now, serviceId), step, previous: stored }, facts: [] };
}

function quietly(state: Holding): Transition {
  return { state, facts: [] };
}
