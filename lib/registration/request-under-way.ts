import type { Clock } from './clock.js';

/** A request that was sent and has not ended. */
export class RequestUnderWay {
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  /** Starts the request. */
  constructor(
    /** Whether it may list an instance: such a one is let land for a while. */
    readonly isPost: boolean,
    send: (signal: AbortSignal) => Promise<void>,
  ) {
    this.#done = this.#untilAborted(send);
  }

  /** Resolves when the request has ended or was cut off; rejects with a bug. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Ends the request: a POST after that many milliseconds at the latest, any other at once. */
  async end(clock: Clock, graceMs: number): Promise<void> {
    const ended = this.#done.catch(() => undefined);
    if (this.isPost) await endedWithin(graceMs, ended, clock);
    this.#abort.abort();
    await ended;
  }

  async #untilAborted(send: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    try {
      await send(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

async function endedWithin(ms: number, ended: Promise<void>, clock: Clock): Promise<void> {
  const timer = new AbortController();
  await Promise.race([ended, clock.delay(ms, timer.signal)]);
  timer.abort();
}
