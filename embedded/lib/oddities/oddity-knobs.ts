import { noOddities, realisticOddities, turned } from './knobs.js';
import type { Oddities, OddityValues } from './knobs.js';
import { SeededRandom } from './seeded-random.js';

/** What goes by the knobs, and has something to do when they are turned. */
export interface OddityFollower {
  /** Called while the old values still hold. */
  readonly before?: () => void;
  readonly after: (now: OddityValues, was: OddityValues) => void;
}

/** The oddities of a running server; they may be changed at any time. */
export class OddityKnobs {
  #values: OddityValues;
  #random: SeededRandom;
  readonly #followers: OddityFollower[] = [];

  /** @internal */
  constructor(oddities: 'realistic' | Oddities = {}) {
    this.#values = valuesOf(noOddities, oddities);
    this.#random = new SeededRandom(this.#values.seed);
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
    this.#turn(
      valuesOf(this.#values, oddities),
      oddities !== 'realistic' && oddities.seed !== undefined,
    );
  }

  /** Turns all oddities off. */
  clear(): void {
    this.#turn(noOddities, true);
  }

  /** @internal Calls a follower each time from now on, in the order in which they came. */
  follow(follower: OddityFollower): void {
    this.#followers.push(follower);
  }

  /** @internal A draw: from 0 on, below 1. */
  draw(): number {
    return this.#random.next();
  }

  #turn(values: OddityValues, isReseeded: boolean): void {
    for (const { before } of this.#followers) before?.();
    const was = this.#values;
    this.#values = values;
    if (isReseeded) this.#random = new SeededRandom(values.seed);
    for (const { after } of this.#followers) after(values, was);
  }
}

function valuesOf(values: OddityValues, oddities: 'realistic' | Oddities): OddityValues {
  return oddities === 'realistic'
    ? { ...realisticOddities, storeDown: values.storeDown, seed: values.seed }
    : turned(values, oddities);
}
