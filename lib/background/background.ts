import { setMaxListeners } from 'node:events';

/** Work beside the one request of a registration. Heartbeats do not wait for it. */
export interface BackgroundWork {
  /** Whether it is also done while there is no registration, and none is on its way. @default false */
  readonly isUnconditional?: boolean;
  /**
   * Starts what is due, and returns when something is due next; Infinity for never. No later tick is
   * brought forward when the work that was started ends.
   * @throws what earlier work threw: a bug, which belongs to the caller of the ticks
   */
  tick(): number;
  /** Ends what is under way. */
  stop(): void;
}

/** Runs work that nothing waits for, and keeps what it throws until {@link throwPending}. */
export class Background {
  #bugs: unknown[] = [];
  #abort = new AbortController();

  /** Starts a piece of work. What it throws after it was stopped is ignored: that is how it ends. */
  start(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#abort;
    // Each request under way listens to it; Node would warn of more than ten.
    setMaxListeners(Infinity, signal);
    work(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#bugs.push(error);
    });
  }

  /** @throws the first bug since the last call */
  throwPending(): void {
    const [bug] = this.#bugs.splice(0);
    if (bug !== undefined) throw bug;
  }

  /** Aborts the work that runs. Work that is started later is not aborted. */
  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }
}
