import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';

/** How an instance went. */
interface Departure {
  readonly at: number;
  readonly isRemoved: boolean;
  readonly hadBeats: boolean;
}

/** For how long the server has not quite forgotten an instance (initExecutorTTL in pkg/task). */
const memoryMs = 120_000;

/** The instances that have gone of late, as far as an oddity needs to know when they come back. */
export class Departures {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  /** The one that went first comes first. */
  readonly #departures = new Map<string, Departure>();

  constructor(clock: Clock, knobs: OddityKnobs) {
    this.#clock = clock;
    this.#knobs = knobs;
  }

  /** @param key names the id, in all its lives */
  add(key: () => string, how: Omit<Departure, 'at'>): void {
    const { lostRegistrationMs, spuriousLossChance } = this.#knobs.values;
    if (lostRegistrationMs === 0 && spuriousLossChance === 0) return;
    const now = this.#clock.now();
    for (const [old, { at }] of this.#departures) {
      if (now - at < memoryMs) break;
      this.#departures.delete(old);
    }
    this.#departures.delete(key());
    this.#departures.set(key(), { ...how, at: now });
  }

  /** True when the registration of an id comes so soon after its removal that it is lost. */
  swallow(key: string): boolean {
    const departure = this.#departures.get(key);
    const { lostRegistrationMs, lostRegistrationChance } = this.#knobs.values;
    if (departure === undefined || !departure.isRemoved || lostRegistrationMs === 0) return false;
    const isSoon = this.#clock.now() - departure.at < lostRegistrationMs;
    return isSoon && this.#knobs.draw() < lostRegistrationChance;
  }

  /** Takes note that an id is back; true when the server still takes it for gone. */
  welcome(key: string): boolean {
    const departure = this.#departures.get(key);
    this.#departures.delete(key);
    if (departure === undefined || !departure.hadBeats) return false;
    if (this.#clock.now() - departure.at >= memoryMs) return false;
    return this.#knobs.draw() < this.#knobs.values.spuriousLossChance;
  }
}
