/**
 * Delays and losses of a real Service Center, each with a knob of its own. A knob that is absent
 * keeps its value; all are off at first. The figures were measured on a real server (commit
 * 983f3f3); docs/reference.md lists them with their sources and tests.
 */
export interface Oddities {
  /**
   * Milliseconds without a change of any instance until the changes so far are published: a
   * trailing debounce for the whole server, which steady traffic can delay forever. Until then
   * find, list and get return the old state, unless they have `noCache=1` or a `rev` other than the
   * old one; watchers receive nothing; and PUT status and PUT properties write the old record with
   * their one change, so that the second of two quick writes undoes the first.
   *
   * @default 0, published at once; 300 was measured
   */
  readonly publicationMs?: number | undefined;
  /**
   * Milliseconds of a window that the first removal opens; all removals in it are published at its
   * end. An instance that is registered again in the window was never away.
   *
   * @default 0, no window; 2,000 was measured
   */
  readonly deletionWindowMs?: number | undefined;
  /**
   * Holds back removals if those of one window are 80 % or more of more than five instances. Each
   * is held back for the length of the instance's lease (at most 600 s), and self-preservation ends
   * when none is left. The window has 2,000 ms if `deletionWindowMs` is 0.
   *
   * @default false
   */
  readonly selfPreservation?: boolean | undefined;
  /**
   * Publishes no removal until the server lists all instances again, like a server with an embedded
   * etcd.
   *
   * @default false
   */
  readonly lostDeletions?: boolean | undefined;
  /**
   * Minimum milliseconds from the first lost removal to the next list. @default 15000, as measured
   */
  readonly relistMinMs?: number | undefined;
  /**
   * Maximum milliseconds from the first lost removal to the next list. @default 117000, as measured
   */
  readonly relistMaxMs?: number | undefined;
  /**
   * Milliseconds between the steps in which heartbeats are executed. The first heartbeat of an
   * instance renews the lease at once. Each later one waits for the next step and is answered with
   * the result of the previous one, so that both a 200 and a 400017 may be outdated.
   *
   * @default 0, each heartbeat renews at once; 1,000 was measured
   */
  readonly renewalStepMs?: number | undefined;
  /**
   * Milliseconds between two turns of the server's housekeeping. Each puts off the next step of
   * `renewalStepMs` until a whole step later, so that a heartbeat then waits for up to two steps.
   * Has no effect without `renewalStepMs`, and must be longer.
   *
   * @default 0, no housekeeping; 30,000 is the server's
   */
  readonly housekeepingMs?: number | undefined;
  /**
   * Milliseconds by which an instance outlives its lease. If it had sent heartbeats, a heartbeat or
   * a POST with its id is then answered 200 and renews nothing.
   *
   * @default 0; up to 600 was measured
   */
  readonly dyingLeaseMs?: number | undefined;
  /**
   * Probability that the first heartbeat is refused after an instance that had sent heartbeats was
   * removed and registered again: 400017 with the detail `etcdserver: requested lease not found`.
   * With `renewalStepMs` all heartbeats until the next step are refused.
   *
   * @default 0, never; 0.7 was measured, and 1 is always
   */
  readonly spuriousLossChance?: number | undefined;
  /**
   * Milliseconds after a DELETE in which a POST of the same id may be answered 200 and lost.
   *
   * @default 0, never; less than 5 was measured
   */
  readonly lostRegistrationMs?: number | undefined;
  /** Probability that such a POST is lost. @default 1, always; 0.036 was measured (23 of 640) */
  readonly lostRegistrationChance?: number | undefined;
  /**
   * Milliseconds from the request that declares a dependency, such as the first find of a provider,
   * until it counts: until then watchers receive nothing about the provider, and neither is listed
   * as the other's consumer or provider.
   *
   * @default 0; a real server takes up to 3,000
   */
  readonly dependencyMs?: number | undefined;
  /**
   * Whether the server's store is down. Then leases do not run, heartbeats of known instances and
   * cached reads are answered as usual, and everything else fails after `storeTimeoutMs`. When it
   * is up again, all leases start in full and waiting requests are executed.
   *
   * @default false
   */
  readonly storeDown?: boolean | undefined;
  /** Milliseconds until a request to a store that is down fails. @default 30000, as measured */
  readonly storeTimeoutMs?: number | undefined;
  /** Milliseconds until `/health` reports a store that is down. @default 48000, as measured */
  readonly unhealthyAfterMs?: number | undefined;
  /**
   * Milliseconds for which `/health` still reports it after the store is up again. @default 30000,
   * as measured
   */
  readonly healthyAfterMs?: number | undefined;
  /**
   * Seed of all random choices; the same seed gives the same choices.
   *
   * @default 1
   */
  readonly seed?: number | undefined;
}

/** The values of all knobs. */
export type OddityValues = {
  readonly [Knob in keyof Oddities]-?: NonNullable<Oddities[Knob]>;
};

/** All oddities off. */
export const noOddities: OddityValues = {
  publicationMs: 0,
  deletionWindowMs: 0,
  selfPreservation: false,
  lostDeletions: false,
  relistMinMs: 15_000,
  relistMaxMs: 117_000,
  renewalStepMs: 0,
  housekeepingMs: 0,
  dyingLeaseMs: 0,
  spuriousLossChance: 0,
  lostRegistrationMs: 0,
  lostRegistrationChance: 1,
  dependencyMs: 0,
  storeDown: false,
  storeTimeoutMs: 30_000,
  unhealthyAfterMs: 48_000,
  healthyAfterMs: 30_000,
  seed: 1,
};

/**
 * All oddities of a real server on its embedded etcd, with the measured figures. The store is up: a
 * failure is an event, not a property of the server.
 */
export const realisticOddities: OddityValues = {
  ...noOddities,
  publicationMs: 300,
  deletionWindowMs: 2000,
  selfPreservation: true,
  lostDeletions: true,
  renewalStepMs: 1000,
  housekeepingMs: 30_000,
  dyingLeaseMs: 600,
  spuriousLossChance: 0.7,
  lostRegistrationMs: 5,
  lostRegistrationChance: 0.036,
  dependencyMs: 3000,
};

/**
 * Returns values with some of them replaced.
 *
 * @throws RangeError that names the knob if its value is not a duration, probability or boolean
 */
function withOddities(values: OddityValues, oddities: Oddities): OddityValues {
  const given = Object.entries(oddities).filter(([, value]) => value !== undefined);
  for (const [knob, value] of given) check(knob, value);
  const result = { ...values, ...Object.fromEntries(given) };
  if (result.relistMinMs > result.relistMaxMs)
    throw new RangeError('oddities.relistMinMs must not be greater than oddities.relistMaxMs');
  if (result.housekeepingMs > 0 && result.housekeepingMs <= result.renewalStepMs)
    throw new RangeError(
      'oddities.housekeepingMs must be 0 or greater than oddities.renewalStepMs',
    );
  return result;
}

const switches = new Set(
  Object.entries(noOddities).flatMap(([knob, value]) => (typeof value === 'boolean' ? knob : [])),
);

function check(knob: string, value: unknown): void {
  if (!Object.hasOwn(noOddities, knob)) throw new RangeError(`oddities.${knob} does not exist`);
  const wanted = wantedOf(knob);
  if (!wanted.holds(value))
    throw new RangeError(`oddities.${knob} must be ${wanted.text}, got ${String(value)}`);
}

function wantedOf(knob: string): { text: string; holds: (value: unknown) => boolean } {
  if (switches.has(knob))
    return { text: 'true or false', holds: value => typeof value === 'boolean' };
  const max = knob.endsWith('Chance') ? 1 : Number.MAX_SAFE_INTEGER;
  return {
    text: max === 1 ? 'a number from 0 to 1' : 'a number of 0 or more',
    holds: value => typeof value === 'number' && value >= 0 && value <= max,
  };
}

/** Called when knobs are changed. */
export interface OddityListener {
  /** Called while the old values still apply. */
  readonly before?: () => void;
  readonly after: (now: OddityValues, was: OddityValues) => void;
}

/** The oddities of a running server, which can be changed at any time. */
export class OddityKnobs {
  #values: OddityValues;
  #generator: SeededRandom;
  readonly #listeners: OddityListener[] = [];

  /** @internal */
  constructor(oddities: 'realistic' | Oddities = {}) {
    this.#values = valuesOf(noOddities, oddities);
    this.#generator = new SeededRandom(this.#values.seed);
  }

  /** The current values of all knobs. */
  get values(): OddityValues {
    return this.#values;
  }

  /** The knobs that do something now, with their values. */
  get switchedOn(): Partial<OddityValues> {
    const off: Readonly<Record<string, unknown>> = noOddities;
    const differing = Object.entries(this.#values).filter(([knob, value]) => off[knob] !== value);
    return Object.fromEntries(differing);
  }

  /**
   * Changes some knobs and keeps the others. Turning a knob off ends its effect at once: removals
   * that were held back are published, and queued renewals are executed. A seed restarts the random
   * choices.
   *
   * @param oddities `'realistic'` turns all on, with the figures of a real server
   * @throws RangeError that names a knob with an invalid value; nothing is changed then
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

  /** @internal Adds a listener, called in the order of addition. */
  onChange(listener: OddityListener): void {
    this.#listeners.push(listener);
  }

  /** @internal Returns a random number from 0 (inclusive) to 1 (exclusive). */
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

/** A pseudorandom generator, with the same numbers for the same seed (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
