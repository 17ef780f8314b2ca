import type { Clock } from './clock.js';

/** Late by less is the usual life of an event loop. */
const noticedMs = 2_000;

/** How long a process stood still. */
export interface Standstill {
  readonly lateMs: number;
  /** The part in which the monotonic clock stood still as well: the machine slept. */
  readonly asleepMs: number;
}

/**
 * Notices that a process stood still: a turn comes late by the monotonic clock, or the wall clock has
 * gone further than that one. A wall clock that is set forward looks the same and costs one heartbeat;
 * one that is set back is not noticed.
 */
export class TimeWatch {
  #now: number;
  #wallNow: number;

  constructor(private readonly clock: Clock) {
    this.#now = clock.now();
    this.#wallNow = clock.wallNow();
  }

  /** Notes a turn that was to come one period after the last one. */
  note(periodMs: number): Standstill | undefined {
    const now = this.clock.now();
    const wallNow = this.clock.wallNow();
    const passedMs = now - this.#now;
    const asleepMs = Math.max(0, wallNow - this.#wallNow - passedMs);
    this.#now = now;
    this.#wallNow = wallNow;
    const lateMs = passedMs + asleepMs - periodMs;
    if (lateMs < noticedMs) return undefined;
    return { lateMs, asleepMs: asleepMs < noticedMs ? 0 : asleepMs };
  }
}
