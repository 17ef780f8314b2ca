import type { NoInstanceReason, SeenInstances } from '../errors.js';
import type { DataCenterInfo, StoredInstance } from '../protocol/wire.js';
import { callable } from './instance-list.js';
import type { ZoneUse } from './settings.js';
import type { TrackedCandidate } from './standing.js';
import { fitting, type VersionRule } from './version-rule.js';

/** Candidates of which there is at least one. */
export type Pool = readonly [TrackedCandidate, ...TrackedCandidate[]];

/** Which instances of a provider a caller can call. */
export interface FunnelRules {
  /** Each narrows those before it. */
  readonly versionRules: readonly VersionRule[];
  readonly zone: ZoneUse;
  /** Where the caller runs; undefined: there are no zones. */
  readonly home: DataCenterInfo | undefined;
  /** Returns the candidate of an instance for a scheme that is asked for: one, so that two addresses get no double share. */
  readonly candidateOf: (instance: StoredInstance) => TrackedCandidate | undefined;
}

/** Why no instance can be called. */
interface Lack {
  readonly reason: NoInstanceReason;
  readonly seen: SeenInstances;
}

/** The candidates by distance, nearest first; or the reason why there is none. */
export type Funnelled = { readonly groups: readonly (readonly TrackedCandidate[])[] } | Lack;

/** Returns those that can be called by version, status, scheme and zone; whether they are set aside comes later. */
export function funnel(instances: readonly StoredInstance[], rules: FunnelRules): Funnelled {
  const up = instances.filter(({ status }) => status === 'UP');
  const lack = (reason: NoInstanceReason, fitting: number): Lack => ({
    reason,
    seen: { registered: instances.length, up: up.length, fitting },
  });
  const ofVersion = rules.versionRules.reduce((left, rule) => fitting(rule, left), instances);
  if (instances.length === 0) return lack('none-registered', 0);
  if (ofVersion.length === 0) return lack('none-of-version', up.length);
  const usable = callable(instances, rules.versionRules);
  if (usable.length === 0) return lack('none-up', ofVersion.length);
  const candidates = usable.flatMap(instance => rules.candidateOf(instance) ?? []);
  if (candidates.length === 0) return lack('none-of-scheme', usable.length);
  const groups = byDistance(candidates, rules);
  return groups.length === 0 ? lack('none-in-zone', candidates.length) : { groups };
}

/** Same region and zone, then same region, then the rest; without those that are empty. */
function byDistance(
  candidates: readonly TrackedCandidate[],
  { zone, home }: Pick<FunnelRules, 'zone' | 'home'>,
): readonly (readonly TrackedCandidate[])[] {
  if (zone === 'ignore' || home === undefined) return [candidates];
  const groups: [TrackedCandidate[], TrackedCandidate[], TrackedCandidate[]] = [[], [], []];
  for (const candidate of candidates)
    groups[distance(home, candidate.instance.dataCenterInfo)].push(candidate);
  const usable = zone === 'only' ? groups.slice(0, 1) : groups;
  return usable.filter(group => group.length > 0);
}

function distance(home: DataCenterInfo, there: DataCenterInfo | undefined): 0 | 1 | 2 {
  if (there === undefined || there.region !== home.region) return 2;
  return there.availableZone === home.availableZone ? 0 : 1;
}

/** The candidates that calls go to now. It is computed when something changes, not for each call. */
export interface Selection {
  /** All that the funnel let through, also those that are set aside. */
  readonly all: readonly TrackedCandidate[];
  /** The nearest group that has a usable candidate. */
  readonly near: Pool | undefined;
  /** The usable ones that are farther. */
  readonly far: Pool | undefined;
  /** The candidates that get one call at a time. */
  readonly onTrial: readonly TrackedCandidate[];
  /** When the next one that is set aside has its trial; Infinity: never. */
  readonly dueAt: number;
  readonly lack: Lack | undefined;
}

/**
 * Leaves out those that are set aside, up to the limit: instances that vanish must not leave the rest in the
 * minority. If all are set aside, all are called, since we guess (Envoy's panic mode): no call is refused for it.
 */
export function selectionOf(
  funnelled: Funnelled,
  now: number,
  mostEjected: (candidates: number) => number,
): Selection {
  if (!('groups' in funnelled))
    return {
      all: [],
      near: undefined,
      far: undefined,
      onTrial: [],
      dueAt: Infinity,
      lack: funnelled,
    };
  // A copy is as long as it has to be, unlike a list that has grown.
  const groups = funnelled.groups.map(group => group.slice());
  const all = groups.length === 1 ? (groups[0] ?? []) : groups.flat();
  const out = all
    .filter(candidate => isOut(candidate, now))
    .toSorted((a, b) => untilOf(b) - untilOf(a));
  const limit = out.length === all.length ? 0 : mostEjected(all.length);
  const leftOut = new Set(out.slice(0, limit));
  // With none left out, which is usual, the groups are the lists that are kept.
  const [near = [], ...far] =
    leftOut.size === 0
      ? groups
      : groups
          .map(group => group.filter(candidate => !leftOut.has(candidate)))
          .filter(group => group.length > 0);
  return {
    all,
    near: poolOf(near),
    far: poolOf(far.flat()),
    onTrial: all.filter(candidate => candidate.ejection !== undefined && !isOut(candidate, now)),
    dueAt: out.reduce((least, candidate) => Math.min(least, untilOf(candidate)), Infinity),
    lack: undefined,
  };
}

/** Returns whether a candidate is set aside, rather than on trial or as good as any other. */
export function isOut({ ejection }: Pick<TrackedCandidate, 'ejection'>, now: number): boolean {
  return ejection !== undefined && now < ejection.until;
}

function untilOf({ ejection }: TrackedCandidate): number {
  return ejection?.until ?? -Infinity;
}

export function poolOf(candidates: readonly TrackedCandidate[]): Pool | undefined {
  return isPool(candidates) ? candidates : undefined;
}

function isPool(candidates: readonly TrackedCandidate[]): candidates is Pool {
  return candidates.length > 0;
}

/** Calls under way from which on a near candidate may be too busy. Bounded by the simulation of zones. */
export const busyFrom = 8;

/** How many times more calls than a farther candidate. */
const busierThanFar = 4;

/**
 * Returns whether a call to a busy candidate goes to a farther one instead. Load decides, which both sides of
 * a call feel. With shares of instances, a small zone drowns, or zones are off without notice where there are
 * many of them (ZoneAwareDiscoveryFilter.java).
 */
export function spillsOver(near: TrackedCandidate, far: TrackedCandidate): boolean {
  return near.pending >= busyFrom && near.pending >= busierThanFar * far.pending;
}

/**
 * Returns a candidate for a repetition: at random, since the next in turn would get the whole load of a dead
 * neighbor, and none that was tried before. Near ones first; then those on trial, while they are idle. Those that
 * are set aside come last: the call fails otherwise, and they may serve again.
 */
export function otherThan(
  tried: readonly TrackedCandidate[],
  selection: Pick<Selection, 'all' | 'near' | 'far' | 'onTrial'>,
  random: () => number,
): TrackedCandidate | undefined {
  const { all, near, far, onTrial } = selection;
  const isNew = (candidate: TrackedCandidate) => !tried.includes(candidate);
  const isSteady = (candidate: TrackedCandidate) => !onTrial.includes(candidate);
  const groups = [
    (near ?? []).filter(candidate => isNew(candidate) && isSteady(candidate)),
    (far ?? []).filter(candidate => isNew(candidate) && isSteady(candidate)),
    onTrial.filter(candidate => isNew(candidate) && candidate.pending === 0),
    all.filter(candidate => isNew(candidate) && isSteady(candidate)),
  ];
  const others = groups.find(group => group.length > 0) ?? [];
  return others[Math.floor(random() * others.length)];
}
