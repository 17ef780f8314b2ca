import type { Clock } from './clock.js';

/**
 * Writes to the record that the registry holds of an instance: one at a time, and half a second apart,
 * since the server writes the whole record from a cache that lags by 300 ms (measured M18).
 */
export class RecordWrites {
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #lastAt = -Infinity;
  #abort = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly gapMs: number,
  ) {}

  /** Whether a change is being made, or waits for its turn. */
  get areUnderWay(): boolean {
    return this.#waiting > 0;
  }

  /** Aborted by the next {@link cutOff}. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborts what is written, and what waits to be; resolves once nothing of it can be sent any more. */
  async cutOff(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    await this.#queue;
  }

  /** Makes a change in its turn, the order of the calls, and settles as it does. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const changed = this.#queue.then(change).finally(() => {
      this.#waiting -= 1;
    });
    this.#queue = changed.catch(() => undefined);
    return changed;
  }

  /** Makes one write, no sooner after the last one than the gap; within a turn. */
  async apart(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const waitMs = this.#lastAt + this.gapMs - this.clock.now();
    if (waitMs > 0) await this.clock.delay(waitMs, signal);
    signal.throwIfAborted();
    try {
      await write();
    } finally {
      this.#lastAt = this.clock.now();
    }
  }
}
