import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';

/** How an instance went. */
interface Removal {
  readonly at: number;
  readonly wasUnregistered: boolean;
  readonly hadHeartbeats: boolean;
}

/** For how long the server has not quite forgotten an instance (initExecutorTTL in pkg/task). */
const memoryMs = 120_000;

/** The instances that have gone of late, as far as an oddity needs to know when they come back. */
export class RemovedInstances {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  /** The one that went first comes first. */
  readonly #removals = new Map<string, Removal>();

  constructor(clock: Clock, knobs: OddityKnobs) {
    this.#clock = clock;
    this.#knobs = knobs;
  }

  /** @param key names the id, in all its lives */
  add(key: () => string, how: Omit<Removal, 'at'>): void {
    const { lostRegistrationMs, spuriousLossChance } = this.#knobs.values;
    if (lostRegistrationMs === 0 && spuriousLossChance === 0) return;
    const now = this.#clock.now();
    for (const [old, { at }] of this.#removals) {
      if (now - at < memoryMs) break;
      this.#removals.delete(old);
    }
    this.#removals.delete(key());
    this.#removals.set(key(), { ...how, at: now });
  }

  /** True when the registration of an id comes so soon after its removal that it is lost. */
  isRegistrationLost(key: string): boolean {
    const removal = this.#removals.get(key);
    const { lostRegistrationMs, lostRegistrationChance } = this.#knobs.values;
    if (removal === undefined || !removal.wasUnregistered || lostRegistrationMs === 0) return false;
    const isSoon = this.#clock.now() - removal.at < lostRegistrationMs;
    return isSoon && this.#knobs.random() < lostRegistrationChance;
  }

  /** Takes note that an id is back; true when the server still takes it for gone. */
  readmit(key: string): boolean {
    const removal = this.#removals.get(key);
    this.#removals.delete(key);
    if (removal === undefined || !removal.hadHeartbeats) return false;
    if (this.#clock.now() - removal.at >= memoryMs) return false;
    return this.#knobs.random() < this.#knobs.values.spuriousLossChance;
  }
}
