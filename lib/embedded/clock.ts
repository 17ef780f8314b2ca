/** Tells the time to the embedded Service Center; a test's own makes leases end when the test wants. */
export interface Clock {
  /** Milliseconds since 1970; never goes back. */
  now(): number;
}

/** The time of this machine, steady even when its wall clock is set. */
export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };
