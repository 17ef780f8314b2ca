/** The clock of an embedded Service Center. A test passes its own and decides when leases end. */
export interface Clock {
  /** Returns milliseconds since 1970; never goes back. */
  now(): number;
  /**
   * Calls `callback` once after `ms` milliseconds; the returned function cancels the timer, and has
   * no effect afterwards. Used for the pings and deadlines of WebSockets, and for the end of leases
   * while there is a watcher.
   *
   * @default a timer of this machine that does not keep the process alive, whatever `now()` returns
   */
  setTimer?(ms: number, callback: () => void): () => void;
  /**
   * Advances the clock by `ms` milliseconds. POST `/-/clock` works only with a clock that has this
   * method.
   */
  advance?(ms: number): void;
}

/** The clock of this machine, which is steady even when its wall clock is changed. */
export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** The longest delay that a timer of Node accepts; it would fire a longer one at once. */
const longestMs = 2_147_483_647;

/**
 * Sets a timer on a clock and returns a function that cancels it. A delay of more than about 24
 * days is cut to that.
 */
export function setTimer(clock: Clock, ms: number, callback: () => void): () => void {
  const delayMs = Math.min(Math.max(Math.ceil(ms), 0), longestMs);
  if (clock.setTimer !== undefined) return clock.setTimer(delayMs, callback);
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}

/** A timer that calls back once per start. Starting it again restarts it. */
export class Timer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Calls back in `ms` milliseconds instead of any earlier appointment. */
  start(ms: number): void {
    this.cancel();
    this.#cancel = setTimer(this.#clock, ms, this.#callback);
  }

  /** Stops the timer until it is started again. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
