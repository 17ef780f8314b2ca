/**
 * How a real Service Center differs from what one would expect in time, each as a knob. A knob that
 * is absent stays as it is; all are off to begin with. The figures were measured on a real server
 * (commit 983f3f3); docs/embedded.md lists them with their source and test.
 */
export interface Oddities {
  /**
   * Milliseconds without a change of any instance before the changes so far are published: a
   * trailing debounce over the whole server, so that steady traffic holds it off without end. Until
   * then find, list and get show the old state unless they say `noCache=1` or a `rev` that is not
   * that of the old state, a watcher is told nothing, and PUT status and PUT properties write the
   * old record back with their one change, so that the second of two quick ones undoes the first.
   *
   * @default 0, published at once; 300 was measured
   */
  readonly publicationMs?: number | undefined;
  /**
   * Milliseconds for which the first removal opens a window; it and the others that fall into it
   * are published at its end. An instance that is registered again meanwhile was never away.
   *
   * @default 0, no window; 2,000 was measured
   */
  readonly deletionWindowMs?: number | undefined;
  /**
   * Holds back removals, each for as long as the instance's lease was (at most 600 s), once those
   * in one window are 80 % or more of over five instances, until none is held back any more. The
   * window is one of 2,000 ms where `deletionWindowMs` is 0.
   *
   * @default false
   */
  readonly selfPreservation?: boolean | undefined;
  /**
   * Publishes no removal until the server lists everything anew, as one with an embedded etcd.
   *
   * @default false
   */
  readonly lostDeletions?: boolean | undefined;
  /** Milliseconds from the first lost removal to the list, at least. @default 15000, as measured */
  readonly relistMinMs?: number | undefined;
  /** Milliseconds from the first lost removal to the list, at most. @default 117000, as measured */
  readonly relistMaxMs?: number | undefined;
  /**
   * Milliseconds between the steps in which heartbeats are carried out. The first beat of an
   * instance renews at once; a later one waits for the next step and is answered with what came of
   * the one before it, so that a 200 and a 400017 may both be stale.
   *
   * @default 0, each beat renews at once; 1,000 was measured
   */
  readonly renewalStepMs?: number | undefined;
  /**
   * Milliseconds for which an instance outlives its lease. If beats came before, a beat or a POST
   * with its id is then answered 200, and renews nothing.
   *
   * @default 0; up to 600 was measured
   */
  readonly dyingLeaseMs?: number | undefined;
  /**
   * How likely the first heartbeat is refused after an instance that had sent some was gone and is
   * registered again: 400017 with the detail `etcdserver: requested lease not found`. With
   * `renewalStepMs` all are until the next step.
   *
   * @default 0, never; 0.7 was measured, and 1 is always
   */
  readonly spuriousLossChance?: number | undefined;
  /**
   * Milliseconds after a DELETE within which a POST of the same id may be answered 200 and lost.
   *
   * @default 0, never; less than 5 was measured
   */
  readonly lostRegistrationMs?: number | undefined;
  /** How likely such a POST is lost. @default 1, always; 0.036 was measured (23 of 640) */
  readonly lostRegistrationChance?: number | undefined;
  /**
   * True while the server's store does not answer. Leases then stand still, heartbeats of known
   * instances and cached reads are answered as ever, all else fails after `storeTimeoutMs`. Once
   * it is false again all leases start anew, in full, and requests that still wait are executed.
   *
   * @default false
   */
  readonly storeDown?: boolean | undefined;
  /** Milliseconds until a request to a store that is down fails. @default 30000, as measured */
  readonly storeTimeoutMs?: number | undefined;
  /** Milliseconds for which `/health` takes no notice of a store that is down. @default 48000, as measured */
  readonly unhealthyAfterMs?: number | undefined;
  /** Milliseconds for which it still complains once the store is back. @default 30000, as measured */
  readonly healthyAfterMs?: number | undefined;
  /**
   * Where all draws come from: the same seed, the same chances.
   *
   * @default 1
   */
  readonly seed?: number | undefined;
}

/** All knobs, as they are. */
export type OddityValues = {
  readonly [Knob in keyof Oddities]-?: NonNullable<Oddities[Knob]>;
};

/** No oddity at all. */
export const noOddities: OddityValues = {
  publicationMs: 0,
  deletionWindowMs: 0,
  selfPreservation: false,
  lostDeletions: false,
  relistMinMs: 15_000,
  relistMaxMs: 117_000,
  renewalStepMs: 0,
  dyingLeaseMs: 0,
  spuriousLossChance: 0,
  lostRegistrationMs: 0,
  lostRegistrationChance: 1,
  storeDown: false,
  storeTimeoutMs: 30_000,
  unhealthyAfterMs: 48_000,
  healthyAfterMs: 30_000,
  seed: 1,
};

/**
 * Every oddity of a real server on its embedded etcd, with the figures that were measured. Its store
 * is up: that it is down is an event, not a trait.
 */
export const realisticOddities: OddityValues = {
  ...noOddities,
  publicationMs: 300,
  deletionWindowMs: 2000,
  selfPreservation: true,
  lostDeletions: true,
  renewalStepMs: 1000,
  dyingLeaseMs: 600,
  spuriousLossChance: 0.7,
  lostRegistrationMs: 5,
  lostRegistrationChance: 0.036,
};

/**
 * These knobs turned, the others as they were.
 *
 * @throws RangeError that names the knob, for what is no time, no chance or no switch
 */
export function withOddities(values: OddityValues, oddities: Oddities): OddityValues {
  const given = Object.entries(oddities).filter(([, value]) => value !== undefined);
  for (const [knob, value] of given) check(knob, value);
  const result = { ...values, ...Object.fromEntries(given) };
  if (result.relistMinMs > result.relistMaxMs)
    throw new RangeError('oddities.relistMinMs must not be greater than oddities.relistMaxMs');
  return result;
}

const switches = new Set(
  Object.entries(noOddities).flatMap(([knob, value]) => (typeof value === 'boolean' ? knob : [])),
);

function check(knob: string, value: unknown): void {
  if (!Object.hasOwn(noOddities, knob)) throw new RangeError(`there is no oddity "${knob}"`);
  const wanted = wantedOf(knob);
  if (!wanted.holds(value))
    throw new RangeError(`oddities.${knob} must be ${wanted.text}, but is ${String(value)}`);
}

function wantedOf(knob: string): { text: string; holds: (value: unknown) => boolean } {
  if (switches.has(knob))
    return { text: 'true or false', holds: value => typeof value === 'boolean' };
  const max = knob.endsWith('Chance') ? 1 : Number.MAX_SAFE_INTEGER;
  return {
    text: max === 1 ? 'a number from 0 to 1' : 'a number from 0 on',
    holds: value => typeof value === 'number' && value >= 0 && value <= max,
  };
}

/** What goes by the knobs, and has something to do when they are turned. */
export interface OddityListener {
  /** Called while the old values still hold. */
  readonly before?: () => void;
  readonly after: (now: OddityValues, was: OddityValues) => void;
}

/** The oddities of a running server; they may be changed at any time. */
export class OddityKnobs {
  #values: OddityValues;
  #generator: SeededRandom;
  readonly #listeners: OddityListener[] = [];

  /** @internal */
  constructor(oddities: 'realistic' | Oddities = {}) {
    this.#values = valuesOf(noOddities, oddities);
    this.#generator = new SeededRandom(this.#values.seed);
  }

  /** How each knob stands now. */
  get values(): OddityValues {
    return this.#values;
  }

  /**
   * Turns these knobs and leaves the others as they are. A knob that is turned off takes its effect
   * along at once: what was held back is published, what was queued is done. A seed starts the
   * draws anew.
   *
   * @param oddities `'realistic'` turns all on, with the figures of a real server
   * @throws RangeError that names a knob with a wrong value; none is turned then
   */
  set(oddities: 'realistic' | Oddities): void {
    this.#apply(
      valuesOf(this.#values, oddities),
      oddities !== 'realistic' && oddities.seed !== undefined,
    );
  }

  /** Turns all oddities off. */
  clear(): void {
    this.#apply(noOddities, true);
  }

  /** @internal Calls a follower each time from now on, in the order in which they came. */
  onChange(listener: OddityListener): void {
    this.#listeners.push(listener);
  }

  /** @internal A draw: from 0 on, below 1. */
  random(): number {
    return this.#generator.next();
  }

  #apply(values: OddityValues, isReseeded: boolean): void {
    for (const { before } of this.#listeners) before?.();
    const was = this.#values;
    this.#values = values;
    if (isReseeded) this.#generator = new SeededRandom(values.seed);
    for (const { after } of this.#listeners) after(values, was);
  }
}

function valuesOf(values: OddityValues, oddities: 'realistic' | Oddities): OddityValues {
  return oddities === 'realistic'
    ? { ...realisticOddities, storeDown: values.storeDown, seed: values.seed }
    : withOddities(values, oddities);
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 on, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
