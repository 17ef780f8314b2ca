import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from '../oddities/oddity-knobs.js';
import type { InstanceWrite } from './instance-write.js';

/** What the server keeps itself from losing (datasource/etcd/sd/types.go). */
const preservation = { aboveInstances: 5, share: 0.8, longestMs: 600_000, windowMs: 2000 };

interface HeldRemoval {
  readonly write: InstanceWrite;
  /** How much longer it is held back while the server preserves itself. */
  leftMs: number;
}

/** What removals wait for, and where they go then. */
export interface RemovalOutlet {
  /** How many instances the cache shows, in all namespaces. */
  readonly countShown: () => number;
  readonly release: (write: InstanceWrite) => void;
}

/**
 * Removals on their way to the cache: gathered in windows, and held back for longer when they are
 * most of all instances (datasource/etcd/sd/instance_event_handler.go).
 */
export class HeldRemovals {
  readonly #knobs: OddityKnobs;
  readonly #outlet: RemovalOutlet;
  readonly #held = new Map<string, HeldRemoval>();
  readonly #window: Alarm;
  #isOpen = false;
  #isPreserving = false;

  constructor(clock: Clock, knobs: OddityKnobs, outlet: RemovalOutlet) {
    this.#knobs = knobs;
    this.#outlet = outlet;
    this.#window = new Alarm(clock, () => this.#close());
  }

  add(write: InstanceWrite): void {
    if (this.#windowMs === 0) {
      this.#outlet.release(write);
      return;
    }
    this.#held.set(write.key, { write, leftMs: preservedMs(write) });
    if (this.#isPreserving) return;
    this.#isPreserving = this.#isTooMuch();
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#window.set(this.#windowMs);
  }

  /** Forgets a removal: the instance is back. */
  drop(key: string): void {
    this.#held.delete(key);
  }

  /** Releases what the knobs do not hold back any more. */
  followKnobs(): void {
    if (!this.#knobs.values.selfPreservation) this.#isPreserving = false;
    if (this.#windowMs === 0) this.#close();
  }

  get #windowMs(): number {
    const { deletionWindowMs, selfPreservation } = this.#knobs.values;
    return deletionWindowMs === 0 && selfPreservation ? preservation.windowMs : deletionWindowMs;
  }

  #isTooMuch(): boolean {
    if (!this.#knobs.values.selfPreservation) return false;
    const total = this.#outlet.countShown();
    return total > preservation.aboveInstances && this.#held.size >= total * preservation.share;
  }

  #close(): void {
    this.#window.cancel();
    this.#isOpen = false;
    for (const [key, removal] of this.#held) {
      removal.leftMs -= this.#windowMs;
      if (this.#isPreserving && removal.leftMs > 0) continue;
      this.#held.delete(key);
      this.#outlet.release(removal.write);
    }
    if (this.#held.size === 0) this.#isPreserving = false;
    else this.#window.set(this.#windowMs);
  }
}

/** As long as the instance's lease is. */
function preservedMs({ instance }: InstanceWrite): number {
  const { interval = 0, times = 0 } = instance.healthCheck ?? {};
  const leaseMs = interval * (times + 1) * 1000;
  return leaseMs > 0 ? Math.min(leaseMs, preservation.longestMs) : preservation.longestMs;
}
