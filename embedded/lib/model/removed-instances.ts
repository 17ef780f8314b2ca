import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';

/** When and how an instance was removed. */
interface Removal {
  readonly at: number;
  readonly wasUnregistered: boolean;
  readonly hadHeartbeats: boolean;
}

/** Milliseconds for which the server remembers an instance (initExecutorTTL in pkg/task). */
const memoryMs = 120_000;

/** Recently removed instances, for the oddities that affect their return. */
export class RemovedInstances {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  /** In the order of removal. */
  readonly #removals = new Map<string, Removal>();

  constructor(clock: Clock, knobs: OddityKnobs) {
    this.#clock = clock;
    this.#knobs = knobs;
  }

  /** @param key returns the id, the same in every registration */
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

  clear(): void {
    this.#removals.clear();
  }

  /** Returns whether a registration follows a removal so soon that the server loses it. */
  isRegistrationLost(key: string): boolean {
    const removal = this.#removals.get(key);
    const { lostRegistrationMs, lostRegistrationChance } = this.#knobs.values;
    if (removal === undefined || !removal.wasUnregistered || lostRegistrationMs === 0) return false;
    const isSoon = this.#clock.now() - removal.at < lostRegistrationMs;
    return isSoon && this.#knobs.random() < lostRegistrationChance;
  }

  /** Forgets that an id was removed. Returns whether the server still reports its lease as lost. */
  readmit(key: string): boolean {
    const removal = this.#removals.get(key);
    this.#removals.delete(key);
    if (removal === undefined || !removal.hadHeartbeats) return false;
    if (this.#clock.now() - removal.at >= memoryMs) return false;
    return this.#knobs.random() < this.#knobs.values.spuriousLossChance;
  }
}
