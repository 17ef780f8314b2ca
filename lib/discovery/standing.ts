import type { Clock } from '../background/clock.js';
import type { StoredInstance } from '../protocol/wire.js';
import type { CallOutcome } from './call-outcome.js';
import type { Candidate, Endpoint } from './candidate.js';
import { parseEndpoint, urlOf } from './endpoint.js';
import { hashOf } from './hash.js';
import type { EjectionSettings } from './settings.js';

/** A candidate that is set aside, or whose time is over and that has to prove itself. */
export interface Ejection {
  readonly since: number;
  /** From then on it is on trial: one call at a time. */
  readonly until: number;
  /** Trials that failed. */
  readonly failedTrials: number;
  /** When it was set aside the first time of this row. */
  readonly firstAt: number;
}

/** The consequence of a call for its candidate. */
export type Verdict = 'keep' | 'eject' | 'restore';

/** A latency halves its distance to lower ones within some 7 s (Finagle's PeakEwma decays over 10 s, too). */
const decayMs = 10_000;

/** Older latencies are forgotten, or one slow answer would keep calls away from an instance for good. */
const memorableMs = 3 * decayMs;

/** What this process knows of a candidate that was picked once. */
class Known {
  readonly endpoint: Endpoint;
  readonly url: string;
  /** For rendezvous hashing; the same in every process. */
  readonly hash: number;
  pending = 0;
  failures = 0;
  ejection: Ejection | undefined;
  latencyMs = 0;
  latencyAt = -Infinity;

  constructor({ instanceId }: StoredInstance, text: string) {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) throw new TypeError(`${text} is no endpoint`);
    this.endpoint = endpoint;
    this.url = urlOf(endpoint);
    this.hash = hashOf(instanceId);
  }
}

/**
 * A candidate, with the numbers that calls change. It lives as long as instance and endpoint are listed. Before it is
 * picked it is little more than a reference, since a process may know many that it never calls.
 */
export class TrackedCandidate implements Candidate {
  #known: Known | undefined;

  constructor(
    /** Replaced when the same instance is listed with other properties. */
    public instance: StoredInstance,
    /** The text of its endpoint, which is one that can be read. */
    readonly text: string,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  get #all(): Known {
    return (this.#known ??= new Known(this.instance, this.text));
  }

  get endpoint(): Endpoint {
    return this.#all.endpoint;
  }

  get url(): string {
    return this.#all.url;
  }

  get hash(): number {
    return this.#all.hash;
  }

  get pending(): number {
    return this.#known === undefined ? 0 : this.#known.pending;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#known?.failures ?? 0;
  }

  get ejection(): Ejection | undefined {
    return this.#known?.ejection;
  }

  get latencyMs(): number | undefined {
    const { latencyMs, latencyAt = -Infinity } = this.#known ?? {};
    return this.clock.now() - latencyAt <= memorableMs ? latencyMs : undefined;
  }

  /** A call begins. */
  began(): void {
    this.#all.pending += 1;
  }

  /**
   * Takes what came of a call into account, and returns what it means; {@link eject} and {@link restore}
   * carry that out. Latency is that of answers and of calls that took too long: a 503 that comes at once
   * must not make an instance look quick.
   */
  settled(
    { outcome, startedAt, now }: SettledCall,
    settings: EjectionSettings | undefined,
  ): Verdict {
    const known = this.#all;
    known.pending -= 1;
    if (outcome === 'good' || outcome === 'late') observe(known, now - startedAt, now);
    if (outcome === 'good') known.failures = 0;
    else if (isFailure(outcome)) known.failures += 1;
    return settings === undefined ? 'keep' : verdictOf({ outcome, startedAt }, known, settings);
  }

  eject(now: number, forMs: number): void {
    const { firstAt = now, failedTrials = -1 } = this.ejection ?? {};
    this.#all.ejection = {
      since: now,
      until: now + forMs,
      failedTrials: failedTrials + 1,
      firstAt,
    };
  }

  restore(): void {
    const known = this.#all;
    known.ejection = undefined;
    known.failures = 0;
  }
}

function observe(known: Known, ms: number, now: number): void {
  const weight = Math.exp((known.latencyAt - now) / decayMs);
  const mean = known.latencyMs * weight + ms * (1 - weight);
  known.latencyMs = Math.max(ms, mean);
  known.latencyAt = now;
}

/** A call that has ended. */
export interface SettledCall {
  readonly outcome: CallOutcome;
  readonly startedAt: number;
  readonly now: number;
}

/**
 * Decides on an ejection. It follows failures in a row, not rates: clients that wait for 50 or 100 calls in a
 * window never act where there are few (java-chassis' CircuitBreakerPolicy, grpc-js' outlier detection). Five
 * is the number of Envoy's consecutive_5xx and of Finagle; a call that was not sent is proof by itself.
 *
 * A call that began before an ejection says nothing about the time after it. One that began during it, because
 * all were set aside, may restore its candidate; it cannot prolong the ejection.
 */
function verdictOf(
  { outcome, startedAt }: Pick<SettledCall, 'outcome' | 'startedAt'>,
  { ejection, failures }: Pick<Known, 'ejection' | 'failures'>,
  settings: EjectionSettings,
): Verdict {
  if (ejection === undefined) {
    const isEnough = outcome === 'unsent' || failures >= settings.failures;
    return isFailure(outcome) && isEnough ? 'eject' : 'keep';
  }
  if (outcome === 'good') return startedAt >= ejection.since ? 'restore' : 'keep';
  return isFailure(outcome) && startedAt >= ejection.until ? 'eject' : 'keep';
}

/** Returns whether an outcome speaks against the instance. */
export function isFailure(outcome: CallOutcome): boolean {
  switch (outcome) {
    case 'good':
    case 'stale':
    case 'nothing':
      return false;
    case 'unsent':
    case 'broken':
    case 'busy':
    case 'late':
      return true;
  }
}

/**
 * Returns how long a candidate is set aside: twice as long after each failed trial, up to the longest time, and
 * up to 20 % more or less, so that a fleet does not return at one moment. With the longest time of 60 s the
 * lease of an instance that died has ended by then.
 */
export function ejectionMs(
  failedTrials: number,
  { firstMs, longestMs }: EjectionSettings,
  random: () => number,
): number {
  const meanMs = Math.min(firstMs * 2 ** failedTrials, longestMs);
  return Math.round(meanMs * (0.8 + 0.4 * random()));
}

/** Returns how many of so many candidates may be set aside: one where there are two, none where there is one. */
export function mostEjected(candidates: number, { share }: EjectionSettings): number {
  return Math.min(candidates - 1, Math.max(1, Math.floor(candidates * share)));
}
