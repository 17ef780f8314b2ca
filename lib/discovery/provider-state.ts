import type { ServiceCombError } from '../errors.js';
import {
  asKept,
  callable,
  differenceOf,
  inOrder,
  type Instances,
  type ListChange,
} from './instance-list.js';
import type { StoredInstance } from '../protocol/wire.js';

/** The failures since the last good answer. */
export interface Trouble {
  /** Failed pulls in a row. */
  readonly failures: number;
  readonly error: ServiceCombError;
}

interface Pulls {
  /** undefined after a good answer. */
  readonly trouble: Trouble | undefined;
  /**
   * When something last happened that makes the next answer doubtful, a failure included; undefined once an
   * answer has come that was asked for later.
   */
  readonly shakenAt: number | undefined;
  /** When a call last found an instance unreachable, by its id; since then none has succeeded there. */
  readonly unreachable: ReadonlyMap<string, number>;
}

/** An instance that an answer lacked that is not believed. */
export interface KeptInstance {
  readonly instance: StoredInstance;
  readonly until: number;
}

/**
 * The knowledge about a provider.
 *
 * - `asked`: nothing yet
 * - `absent`: the registry does not know it
 * - `known`: its instances, of which there may be none
 *
 * Kept instances may be called like listed ones. The doubt is over when none is kept any more.
 */
export type ProviderState =
  | AskedState
  | (Pulls & {
      readonly kind: 'absent';
      readonly pulledAt: number;
      readonly kept: readonly KeptInstance[];
    })
  | (Pulls & {
      readonly kind: 'known';
      readonly pulledAt: number;
      /** Sent with the next pull, unless that has to read the truth. */
      readonly revision: string | undefined;
      readonly listed: Instances;
      readonly kept: readonly KeptInstance[];
    });

type AskedState = Pulls & { readonly kind: 'asked' };

/** The state of a provider that no answer has come for. */
export const unasked: ProviderState = {
  kind: 'asked',
  trouble: undefined,
  shakenAt: undefined,
  unreachable: new Map(),
};

/** An answer of the registry about one provider, or what else changes what is believed of it. */
export type Outcome =
  | {
      readonly kind: 'listed';
      readonly askedAt: number;
      readonly revision: string | undefined;
      readonly instances: Instances;
    }
  /** As of the revision that was sent. */
  | { readonly kind: 'unchanged' }
  /** The registry has no such service. */
  | { readonly kind: 'absent'; readonly askedAt: number }
  | { readonly kind: 'failed'; readonly error: ServiceCombError }
  /** The watch was cut, or our own instance was lost: the next answer may be of a registry that lost others, too. */
  | { readonly kind: 'shaken' }
  | { readonly kind: 'elapsed' }
  /** A call of this instance failed; `isUnsent` if it could not be reached. */
  | { readonly kind: 'call-failed'; readonly instanceId: string; readonly isUnsent: boolean }
  /** An instance that calls could not reach was reached. */
  | { readonly kind: 'reached'; readonly instanceId: string };

/** The reason why an answer is not believed. */
type DoubtReason = 'empty' | 'absent' | 'shrunk' | 'after-outage';

/** A fact that follows from a transition, for an event. */
export type Fact =
  | ({ readonly kind: 'changed' } & ListChange)
  | {
      readonly kind: 'doubted';
      readonly kept: Instances;
      readonly keptForMs: number;
      readonly reason: DoubtReason;
    }
  | ({ readonly kind: 'failed' } & Trouble)
  | ({ readonly kind: 'recovered' } & Trouble);

export interface TransitionContext {
  readonly now: number;
  /** How long a doubtful answer's missing instances are kept, in milliseconds; 0 believes every answer. */
  readonly keepMs: number;
}

/** The next state, and the facts to announce. */
export interface Transition {
  readonly state: ProviderState;
  readonly facts: readonly Fact[];
}

/** Returns the state that follows from an outcome, and the facts to announce. */
export function transition(
  state: ProviderState,
  outcome: Outcome,
  context: TransitionContext,
): Transition {
  switch (outcome.kind) {
    case 'listed':
    case 'absent':
      return afterAnswer(state, outcome, context);
    case 'unchanged':
      return transitionTo(state, unchanged(state, context));
    case 'failed':
      return afterFailure(state, outcome.error, context);
    case 'shaken':
      return transitionTo(state, { ...state, shakenAt: context.now });
    case 'elapsed':
      return transitionTo(
        state,
        withKept(state, ({ until }) => until > context.now),
      );
    case 'call-failed':
      return transitionTo(state, afterFailedCall(state, outcome, context));
    case 'reached':
      return transitionTo(state, withReached(state, outcome.instanceId));
  }
}

/** Returns all instances that are believed to be there, in the order of their ids. */
export function believed(state: ProviderState): Instances {
  const kept = keptOf(state).map(({ instance }) => instance);
  return kept.length === 0 ? listedOf(state) : inOrder([...listedOf(state), ...kept]);
}

/** Returns when the next one that is kept has been kept for long enough; Infinity for none. */
export function keptUntil(state: ProviderState): number {
  return keptOf(state).reduce((first, { until }) => Math.min(first, until), Infinity);
}

/** Returns the ones that are kept. */
export function keptOf(state: ProviderState): readonly KeptInstance[] {
  return state.kind === 'asked' ? [] : state.kept;
}

/**
 * Returns whether the next pull has to read past the server's cache: an unchanged revision proves nothing after a
 * restart of the registry, which counts its revisions from the beginning.
 */
export function isInDoubt(state: ProviderState): boolean {
  return state.shakenAt !== undefined || keptOf(state).length > 0;
}

function listedOf(state: ProviderState): Instances {
  return state.kind === 'known' ? state.listed : none;
}

const none: Instances = Object.freeze([]);

function afterAnswer(
  state: ProviderState,
  answer: Extract<Outcome, { kind: 'listed' | 'absent' }>,
  { now, keepMs }: TransitionContext,
): Transition {
  const before = listedOf(state);
  const listed = answer.kind === 'listed' ? asKept(answer.instances, believed(state)) : none;
  const stillKept = keptOf(state).filter(({ until }) => until > now);
  const isMissing = missingFrom(listed);
  const lacking = before.filter(isMissing);
  const reason = doubtOf(state, answer.kind, { before, listed, lacking });
  const isDoubted = keepMs > 0 && (reason !== undefined || stillKept.length > 0);
  const until = now + keepMs;
  const kept = isDoubted
    ? [
        ...stillKept.filter(({ instance }) => isMissing(instance)),
        ...reachable(lacking, state, now).map(instance => ({ instance, until })),
      ]
    : [];
  const { shakenAt } = state;
  const isSettled = shakenAt === undefined || answer.askedAt >= shakenAt;
  const common = {
    pulledAt: now,
    kept,
    unreachable: state.unreachable,
    trouble: undefined,
    shakenAt: isSettled ? undefined : shakenAt,
  };
  const next: ProviderState =
    answer.kind === 'absent'
      ? { kind: 'absent', ...common }
      : { kind: 'known', revision: answer.revision, listed, ...common };
  const isNews = stillKept.length === 0 && kept.length > 0 && reason !== undefined;
  const instances = kept.map(({ instance }) => instance);
  return transitionTo(
    state,
    next,
    isNews ? [{ kind: 'doubted', kept: instances, keptForMs: keepMs, reason }] : [],
  );
}

/**
 * Returns a function that says whether a list lacks an instance: its id, and each of its endpoints, since a process
 * that registers again may be given another id.
 */
function missingFrom(listed: Instances): (instance: StoredInstance) => boolean {
  const ids = new Set(listed.map(({ instanceId }) => instanceId));
  const known = new Set(listed.flatMap(({ endpoints = [] }) => endpoints));
  return ({ instanceId, endpoints = [] }) =>
    !ids.has(instanceId) && !endpoints.some(text => known.has(text));
}

/** As long as an instance is set aside at most: a process that died has lost its lease by then. */
const unreachableMs = 60_000;

/**
 * Returns those of missing instances that are worth keeping: where calls cannot reach one either, there is nothing
 * left to doubt. If none can be reached, it may be us who cannot reach anybody.
 */
function reachable(lacking: Instances, { unreachable }: ProviderState, now: number): Instances {
  const some = lacking.filter(
    ({ instanceId }) => now > (unreachable.get(instanceId) ?? -Infinity) + unreachableMs,
  );
  return some.length === 0 ? lacking : some;
}

/** The server's own self-preservation holds back this part of more than five (datasource/etcd/sd/types.go). */
const shrunkShare = 0.8;
const fewInstances = 5;

/** Returns why an answer is not believed; undefined when it is, unless a doubt is still open. */
function doubtOf(
  { shakenAt }: ProviderState,
  kind: 'listed' | 'absent',
  { before, listed, lacking }: Readonly<Record<'before' | 'listed' | 'lacking', Instances>>,
): DoubtReason | undefined {
  if (lacking.length === 0) return undefined;
  if (kind === 'absent') return 'absent';
  if (listed.length === 0) return 'empty';
  const isShrunk = before.length > fewInstances && lacking.length >= shrunkShare * before.length;
  if (isShrunk) return 'shrunk';
  return shakenAt === undefined ? undefined : 'after-outage';
}

function unchanged(state: ProviderState, { now }: TransitionContext): ProviderState {
  return state.kind === 'known' ? { ...state, pulledAt: now, trouble: undefined } : state;
}

function afterFailure(
  state: ProviderState,
  error: ServiceCombError,
  { now }: TransitionContext,
): Transition {
  const trouble = { failures: (state.trouble?.failures ?? 0) + 1, error };
  const next = { ...state, trouble, shakenAt: now };
  return { state: next, facts: [{ kind: 'failed', ...trouble }] };
}

function afterFailedCall(
  state: ProviderState,
  { instanceId, isUnsent }: Extract<Outcome, { kind: 'call-failed' }>,
  { now }: TransitionContext,
): ProviderState {
  const next = withKept(state, ({ instance }) => instance.instanceId !== instanceId);
  if (!isUnsent) return next;
  const recent = [...state.unreachable].filter(([, at]) => now <= at + unreachableMs);
  return { ...next, unreachable: new Map([...recent, [instanceId, now]]) };
}

function withReached(state: ProviderState, instanceId: string): ProviderState {
  const unreachable = [...state.unreachable].filter(([id]) => id !== instanceId);
  return { ...state, unreachable: new Map(unreachable) };
}

/** Returns the state without those that are kept and no longer to be. */
function withKept(state: ProviderState, isKept: (kept: KeptInstance) => boolean): ProviderState {
  if (state.kind === 'asked' || state.kept.every(isKept)) return state;
  return { ...state, kept: state.kept.filter(isKept) };
}

/** Adds the facts that follow from the two states: what may be called, and the end of a row of failures. */
function transitionTo(
  before: ProviderState,
  state: ProviderState,
  facts: readonly Fact[] = [],
): Transition {
  if (before === state) return { state, facts };
  const [old, now] = [believed(before), believed(state)];
  const change = old === now ? undefined : differenceOf(callable(old), callable(now));
  const { trouble } = before;
  return {
    state,
    facts: [
      ...facts,
      ...(change === undefined ? [] : [{ kind: 'changed', ...change } as const]),
      ...(trouble !== undefined && state.trouble === undefined
        ? [{ kind: 'recovered', ...trouble } as const]
        : []),
    ],
  };
}
