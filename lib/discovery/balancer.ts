import type { Clock } from '../background/clock.js';
import { NoInstanceError } from '../errors.js';
import type { DataCenterInfo, StoredInstance } from '../protocol/wire.js';
import { answerOutcome, callOutcome, type CallOutcome } from './call-outcome.js';
import type { Candidate, Picker, PickTurn } from './candidate.js';
import { type CallTime, Deadlines, type EndingAttempt, TimedAttempt } from './deadlines.js';
import { parseEndpoint, speaks } from './endpoint.js';
import { pickers } from './pickers.js';
import type { PickOptions, ProviderCallOptions, ProviderName } from './provider.js';
import { repetitionOf, type RepeatRules, type Repeats, RetryBudget } from './retry.js';
import {
  busyFrom,
  funnel,
  isOut,
  otherThan,
  type Pool,
  poolOf,
  type Selection,
  selectionOf,
  spillsOver,
} from './selection.js';
import type { EjectionSettings, ZoneUse } from './settings.js';
import { ejectionMs, isFailure, mostEjected, TrackedCandidate } from './standing.js';
import { type VersionRule, versionRuleOf } from './version-rule.js';

/** The reports of a balancer. Called synchronously; must not throw. */
export interface BalancerEvents {
  ejected(
    candidate: Candidate,
    details: { readonly error: unknown; readonly failures: number; readonly forMs: number },
  ): void;
  restored(candidate: Candidate, details: { readonly afterMs: number }): void;
  /** A call failed, and it may be the instance's fault. */
  failed(candidate: Candidate, outcome: CallOutcome): void;
  /** An endpoint that cannot be read was skipped; once for each text. */
  skipped(endpoint: string): void;
}

/** The settings of one provider, as far as they decide who is called. */
export interface BalancerSettings {
  readonly versionRule?: string | undefined;
  readonly picker: Picker;
  readonly zone: ZoneUse;
  readonly ejection: EjectionSettings | undefined;
  readonly dataCenter: DataCenterInfo | undefined;
}

/** The options of a call, and what only the protocol of the caller knows. */
export interface CallOptions extends ProviderCallOptions {
  /** Whether the method is safe: GET, HEAD, OPTIONS. Not PUT and DELETE, which handlers seldom keep idempotent. @default false */
  readonly isSafe?: boolean | undefined;
  /** Never repeated, not even when it was not sent: the body is a stream. @default false */
  readonly isOnce?: boolean | undefined;
}

/** The clock of a balancer, and its random numbers: from 0 on, below 1. */
export type BalancerClock = Pick<Clock, 'now' | 'delay'> & { random(): number };

/**
 * Calls that have ended, by what came of their last attempt; `no-instance`: calls and picks that found none to call,
 * and `retries`: attempts that followed another one.
 */
export type CallCounts = Readonly<Record<CallOutcome | 'no-instance' | 'retries', number>>;

export const callCounts = [
  'good',
  'unsent',
  'stale',
  'broken',
  'busy',
  'late',
  'nothing',
  'no-instance',
  'retries',
] as const satisfies readonly (keyof CallCounts)[];

/** Returns the counts before the first call. */
export function noCalls(): Record<keyof CallCounts, number> {
  const ends = { good: 0, unsent: 0, stale: 0, broken: 0, busy: 0, late: 0, nothing: 0 };
  return { ...ends, 'no-instance': 0, retries: 0 };
}

/** The result of one attempt. */
type Result<T> = { readonly answer: T } | { readonly error: unknown };

/** Of RPC over HTTP; others are asked for. */
const defaultSchemes: readonly string[] = ['rest', 'http', 'https'];

/** Callers of one provider ask in few ways; a gateway that takes rules from requests must not grow for ever. */
const mostSelections = 16;

/** Texts to report; a registry full of garbage must not fill the memory. */
const mostSkipped = 100;

/** A turn fits into a small integer, which costs no memory. */
const lastTurn = 0x3fffffff;

/** Chooses among the instances of one provider, and repeats calls that failed on other ones. */
export class Balancer {
  readonly #rule: VersionRule | undefined;
  readonly #budget = new RetryBudget();
  readonly #deadlines: Deadlines;
  readonly #turn: Turn;
  readonly #picker: Picker;
  readonly #isOwnPicker: boolean;
  readonly #calls = noCalls();
  #skipped: Set<string> | undefined;
  #instances: readonly StoredInstance[] = [];
  /** One for each endpoint that was asked for so far. In a Map they would take twice the memory. */
  #tracked: readonly TrackedCandidate[] = [];
  /** For calls that ask for no scheme and no version: a Map would take half of the time of a pick. */
  #usual: Selection | undefined;
  /** For all other calls; most balancers have none. */
  #others: Map<string, Selection> | undefined;

  constructor(
    private readonly provider: ProviderName,
    private readonly settings: BalancerSettings,
    private readonly clock: BalancerClock,
    private readonly events: BalancerEvents,
  ) {
    const { versionRule } = settings;
    this.#rule = versionRule === undefined ? undefined : versionRuleOf(versionRule);
    this.#deadlines = new Deadlines(clock);
    this.#turn = new Turn(clock);
    this.#picker = settings.picker;
    this.#isOwnPicker = Object.values(pickers).includes(settings.picker);
  }

  /** Calls so far. */
  get calls(): CallCounts {
    return this.#calls;
  }

  /** Takes a new list. What is known of the endpoints that it keeps survives. */
  update(instances: readonly StoredInstance[]): void {
    const listed = new Map(instances.map(instance => [instance.instanceId, instance]));
    this.#tracked = this.#tracked.filter(candidate => {
      const instance = listed.get(candidate.instance.instanceId);
      if (instance?.endpoints?.includes(candidate.text) !== true) return false;
      candidate.instance = instance;
      return true;
    });
    this.#instances = instances;
    this.#forgetSelections();
  }

  /**
   * Returns a candidate that may be called now. The call is not counted: use {@link call} for that.
   * @throws NoInstanceError
   * @throws RangeError when `versionRule` is no rule
   */
  pick(options?: PickOptions): Candidate {
    return this.#pick(options);
  }

  /**
   * Runs an action on a candidate, and again on another one when it failed and may be repeated. Rejects with what
   * the action rejects with; with a `TimeoutError` when the time is up, and with the signal's reason when that is
   * aborted. A returned answer of status 502, 503 or 504 counts as failed, and is returned in the end.
   * @throws NoInstanceError
   */
  async call<T>(
    action: (candidate: Candidate, attempt: EndingAttempt) => Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const startedAt = this.clock.now();
    const time = this.#deadlines.open(options, startedAt);
    try {
      const result = await this.#run(action, options, { time, startedAt });
      if ('error' in result) throw result.error;
      return result.answer;
    } finally {
      this.#deadlines.close(time);
    }
  }

  /** Returns what is known of instances, by their ids; without those that nobody has asked for. */
  standings(): ReadonlyMap<string, Standing> {
    const now = this.clock.now();
    return new Map(
      [...byInstance(this.#tracked)].map(([id, candidates]) => [id, standingOf(candidates, now)]),
    );
  }

  /** From now on no delay of the clock outlives the last call. Picks and calls still work. */
  stop(): void {
    this.#deadlines.stop();
  }

  #pick(options: PickOptions | undefined): TrackedCandidate {
    const selection = this.#selectionFor(options);
    const { near, far, onTrial } = selection;
    if (near === undefined) throw this.#noInstance(selection);
    const turn = this.#turn;
    turn.turn = turn.turn === lastTurn ? 0 : turn.turn + 1;
    turn.key = options?.key;
    let candidate = this.#choose(near, onTrial);
    if (far !== undefined && candidate.pending >= busyFrom) {
      const farther = this.#choose(far, onTrial);
      if (spillsOver(candidate, farther)) candidate = farther;
    }
    return candidate;
  }

  /** Lets the picker choose; a candidate on trial that has a call under way already is not taken. */
  #choose(pool: Pool, onTrial: readonly TrackedCandidate[]): TrackedCandidate {
    const candidate = this.#choiceOf(pool);
    if (onTrial.length === 0 || candidate.pending === 0 || !onTrial.includes(candidate))
      return candidate;
    const free = poolOf(pool.filter(other => other.pending === 0 || !onTrial.includes(other)));
    return free === undefined ? candidate : this.#choiceOf(free);
  }

  #choiceOf(pool: Pool): TrackedCandidate {
    const candidate = this.#picker(pool, this.#turn);
    // Our own pickers keep no candidate; to look each one up would cost more than the pick.
    if (candidate instanceof TrackedCandidate && (this.#isOwnPicker || pool.includes(candidate)))
      return candidate;
    throw new TypeError('A picker must return one of the candidates that it is given');
  }

  #noInstance({ lack }: Selection): NoInstanceError {
    this.#calls['no-instance'] += 1;
    const seen = lack?.seen ?? { registered: 0, up: 0, fitting: 0 };
    return new NoInstanceError(this.provider, lack?.reason ?? 'none-registered', seen);
  }

  #selectionFor(options: PickOptions | undefined): Selection {
    const isUsual = options?.scheme === undefined && options?.versionRule === undefined;
    const known = isUsual ? this.#usual : this.#others?.get(keyOf(options));
    // The clock is read only while a candidate is set aside: it would be most of the cost of a pick.
    if (known !== undefined && (known.dueAt === Infinity || this.clock.now() < known.dueAt))
      return known;
    const selection = this.#select(options ?? {});
    if (isUsual) this.#usual = selection;
    else this.#keep(keyOf(options), selection);
    return selection;
  }

  #keep(key: string, selection: Selection): void {
    const others = (this.#others ??= new Map());
    const [oldest] = others.keys();
    if (oldest !== undefined && others.size >= mostSelections - 1 && !others.has(key))
      others.delete(oldest);
    others.set(key, selection);
  }

  #select({ scheme = defaultSchemes, versionRule }: PickOptions): Selection {
    const { zone, dataCenter: home, ejection } = this.settings;
    const narrower = versionRule === undefined ? undefined : versionRuleOf(versionRule);
    const schemes = [scheme].flat().map(text => text.toLowerCase());
    const tracked = byInstance(this.#tracked);
    const added: TrackedCandidate[] = [];
    const add = (candidate: TrackedCandidate) => added.push(candidate);
    const funnelled = funnel(this.#instances, {
      versionRules: [this.#rule, narrower].filter(rule => rule !== undefined),
      zone,
      home,
      candidateOf: instance =>
        this.#candidateOf(instance, schemes, { tracked: tracked.get(instance.instanceId), add }),
    });
    const selection = selectionOf(funnelled, this.clock.now(), candidates =>
      ejection === undefined ? 0 : mostEjected(candidates, ejection),
    );
    // The first ones are those of the first selection: one list serves both.
    this.#tracked = tracked.size === 0 ? selection.all : [...this.#tracked, ...added];
    return selection;
  }

  /** Returns the candidate at the first endpoint that has one of the schemes. */
  #candidateOf(
    instance: StoredInstance,
    schemes: readonly string[],
    {
      tracked = [],
      add,
    }: {
      readonly tracked: readonly TrackedCandidate[] | undefined;
      readonly add: (candidate: TrackedCandidate) => void;
    },
  ): TrackedCandidate | undefined {
    for (const text of instance.endpoints ?? []) {
      const known = tracked.find(candidate => candidate.text === text);
      if (known === undefined && parseEndpoint(text) === undefined) this.#skip(text);
      else if (schemes.some(scheme => speaks(scheme, text))) {
        if (known !== undefined) return known;
        const candidate = new TrackedCandidate(instance, text, this.clock);
        add(candidate);
        return candidate;
      }
    }
    return undefined;
  }

  #skip(text: string): void {
    const skipped = (this.#skipped ??= new Set());
    if (skipped.has(text) || skipped.size >= mostSkipped) return;
    skipped.add(text);
    this.events.skipped(text);
  }

  #forgetSelections(): void {
    this.#usual = undefined;
    this.#others = undefined;
  }

  async #run<T>(
    action: (candidate: Candidate, attempt: EndingAttempt) => Promise<T>,
    options: CallOptions,
    { time, startedAt }: { readonly time: CallTime; readonly startedAt: number },
  ): Promise<Result<T>> {
    this.#budget.earn();
    const rules = repeatRulesOf(options);
    const repeats = { unsent: 0, arrived: 0, stale: 0 };
    const tried: TrackedCandidate[] = [];
    let candidate = this.#pick(options);
    for (let number = 1, beganAt = startedAt; ; number++) {
      const needsNewConnection = tried.at(-1) === candidate;
      const attempt = new TimedAttempt(time, number, needsNewConnection, time.dueAt - beganAt);
      tried.push(candidate);
      candidate.began();
      const result = await attempted(action, candidate, attempt, time);
      const now = this.clock.now();
      const outcome = time.ending?.outcome ?? outcomeOf(result, rules, repeats);
      this.#settle(candidate, result, { outcome, startedAt: beganAt, now }, options);
      const next = this.#next(candidate, outcome, { rules, repeats, tried, options });
      if (next === undefined) {
        this.#calls[outcome] += 1;
        return result;
      }
      this.#calls.retries += 1;
      candidate = next;
      beganAt = now;
    }
  }

  /** Takes the outcome into account, and reports what follows from it. */
  #settle(
    candidate: TrackedCandidate,
    result: Result<unknown>,
    call: { readonly outcome: CallOutcome; readonly startedAt: number; readonly now: number },
    options: PickOptions,
  ): void {
    const { ejection: settings } = this.settings;
    const verdict = candidate.settled(call, settings);
    if (verdict === 'restore') this.#restore(candidate, call.now);
    if (verdict === 'eject' && settings !== undefined)
      if (this.#mayEject(candidate, call.now, { options, settings }))
        this.#eject(candidate, errorOf(result), call.now, settings);
    if (isFailure(call.outcome)) this.events.failed(candidate, call.outcome);
  }

  #mayEject(
    candidate: TrackedCandidate,
    now: number,
    { options, settings }: { readonly options: PickOptions; readonly settings: EjectionSettings },
  ): boolean {
    const { all } = this.#selectionFor(options);
    // An instance that is no longer listed is no candidate any more.
    if (!all.includes(candidate)) return false;
    const out = all.filter(other => isOut(other, now)).length;
    return out < mostEjected(all.length, settings);
  }

  #eject(
    candidate: TrackedCandidate,
    error: unknown,
    now: number,
    settings: EjectionSettings,
  ): void {
    const failedTrials = candidate.ejection === undefined ? 0 : candidate.ejection.failedTrials + 1;
    const forMs = ejectionMs(failedTrials, settings, () => this.clock.random());
    candidate.eject(now, forMs);
    this.#forgetSelections();
    this.events.ejected(candidate, { error, failures: candidate.failures, forMs });
  }

  #restore(candidate: TrackedCandidate, now: number): void {
    const afterMs = now - (candidate.ejection?.firstAt ?? now);
    candidate.restore();
    this.#forgetSelections();
    this.events.restored(candidate, { afterMs });
  }

  /** Returns who is called next, and counts and pays for the repetition; undefined: the call is over. */
  #next(
    candidate: TrackedCandidate,
    outcome: CallOutcome,
    { rules, repeats, tried, options }: Course,
  ): TrackedCandidate | undefined {
    const repetition = repetitionOf(outcome, rules, repeats);
    if (repetition === undefined) return undefined;
    if (repetition === 'same') {
      repeats.stale += 1;
      return candidate;
    }
    const random = (): number => this.clock.random();
    const other = otherThan(tried, this.#selectionFor(options), random);
    if (other === undefined) return undefined;
    if (outcome === 'unsent') repeats.unsent += 1;
    else if (this.#budget.pay()) repeats.arrived += 1;
    else return undefined;
    return other;
  }
}

function byInstance(
  tracked: readonly TrackedCandidate[],
): ReadonlyMap<string, readonly TrackedCandidate[]> {
  const all = new Map<string, TrackedCandidate[]>();
  for (const candidate of tracked) {
    const { instanceId } = candidate.instance;
    const others = all.get(instanceId);
    if (others === undefined) all.set(instanceId, [candidate]);
    else others.push(candidate);
  }
  return all;
}

/** Returns what is known of an instance: of its endpoints, the one that is set aside for longest. */
function standingOf(candidates: readonly TrackedCandidate[], now: number): Standing {
  const remaining = candidates.flatMap(({ ejection }) =>
    ejection === undefined ? [] : Math.max(0, ejection.until - now),
  );
  const latencies = candidates.flatMap(({ latencyMs }) => latencyMs ?? []);
  return {
    ejectedForMs: remaining.length === 0 ? null : Math.max(...remaining),
    pending: candidates.reduce((sum, { pending }) => sum + pending, 0),
    latencyMs: latencies.length === 0 ? null : Math.max(...latencies),
  };
}

/** The standing of one instance, for a snapshot. */
export interface Standing {
  /** null: not set aside; 0: on trial. */
  readonly ejectedForMs: number | null;
  readonly pending: number;
  readonly latencyMs: number | null;
}

/** A call under way, as far as it decides on a repetition. */
interface Course {
  readonly rules: RepeatRules;
  readonly repeats: Repeats;
  readonly tried: readonly TrackedCandidate[];
  readonly options: PickOptions;
}

/** One object for all turns of a balancer: a pick allocates nothing. */
class Turn implements PickTurn {
  turn = -1;
  key: string | undefined;

  constructor(private readonly clock: BalancerClock) {}

  get now(): number {
    return this.clock.now();
  }

  random(): number {
    return this.clock.random();
  }
}

function keyOf({ scheme = '', versionRule = '' }: PickOptions = {}): string {
  return `${versionRule} ${typeof scheme === 'string' ? scheme : scheme.join(' ')}`;
}

function repeatRulesOf({ isSafe, isOnce, idempotent, retries = 1 }: CallOptions): RepeatRules {
  return { isRepeatable: isSafe === true || idempotent === true, isOnce: isOnce === true, retries };
}

/** Runs an action; resolves when it has settled, or at once when the call is ended from outside. */
function attempted<T>(
  action: (candidate: Candidate, attempt: EndingAttempt) => Promise<T>,
  candidate: Candidate,
  attempt: EndingAttempt,
  time: CallTime,
): Promise<Result<T>> {
  return new Promise(resolve => {
    const fail = (error: unknown): void => resolve({ error });
    // A listener of what the attempt before has led to may have aborted the call.
    if (time.ending !== undefined) return fail(time.ending.reason);
    time.interrupt = fail;
    try {
      action(candidate, attempt).then(answer => resolve({ answer }), fail);
    } catch (error) {
      fail(error);
    }
  });
}

/** A stale connection that does not lead to a repetition is a broken one. */
function outcomeOf(result: Result<unknown>, rules: RepeatRules, repeats: Repeats): CallOutcome {
  if (!('error' in result)) return answerOutcome(result.answer);
  const outcome = callOutcome(result.error);
  const isStale = outcome === 'stale' && repetitionOf(outcome, rules, repeats) === undefined;
  return isStale ? 'broken' : outcome;
}

function errorOf(result: Result<unknown>): unknown {
  if ('error' in result) return result.error;
  return new Error('The answer had status 502, 503 or 504');
}
