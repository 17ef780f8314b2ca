/** Tells the time to the embedded Service Center; a test's own makes leases end when the test wants. */
export interface Clock {
  /** Milliseconds since 1970; never goes back. */
  now(): number;
  /**
   * Calls back once, when `ms` milliseconds have passed; the returned function calls it off, and
   * does nothing later. WebSocket pings, their deadlines, and the end of leases while somebody
   * watches go by it.
   *
   * @default a timer of this machine, which does not hold the process, whatever `now()` says
   */
  setTimer?(ms: number, callback: () => void): () => void;
  /**
   * Goes on by so many milliseconds at once. Only a clock that has it can be put forward over HTTP,
   * by POST `/-/clock`.
   */
  advance?(ms: number): void;
}

/** The time of this machine, steady even when its wall clock is set. */
export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** The longest delay that a timer of Node takes; a longer one would go off at once. */
const longestMs = 2_147_483_647;

/** Sets a timer on a clock; one that is longer than about 24 days goes off early. */
export function setTimer(clock: Clock, ms: number, callback: () => void): () => void {
  const delayMs = Math.min(Math.max(Math.ceil(ms), 0), longestMs);
  if (clock.setTimer !== undefined) return clock.setTimer(delayMs, callback);
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}

/** A timer that rings once for each time it is set; setting it anew puts it off. */
export class Timer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Rings in this many milliseconds, and not when it was to ring before. */
  start(ms: number): void {
    this.cancel();
    this.#cancel = setTimer(this.#clock, ms, this.#callback);
  }

  /** Does not ring until it is set again. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
