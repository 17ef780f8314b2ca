/** Work beside the one request of a registration; nobody waits for it. */
export interface BackgroundWork {
  /** Whether it is done also while there is no registration, and none is on its way. @default false */
  readonly isUnconditional?: boolean;
  /**
   * Starts what is due; answers when something is due next, Infinity for never.
   *
   * @throws what an earlier start threw: a bug, for whoever supervises the ticks
   */
  tick(): number;
  /** Ends what is under way. */
  stop(): void;
}

/** Runs work that nobody waits for, and keeps what it throws until somebody asks. */
export class Background {
  #bugs: unknown[] = [];
  #abort = new AbortController();

  /** Aborted once the work is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Starts a piece of work; what it throws after it was stopped is its way to end. */
  start(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#abort;
    work(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#bugs.push(error);
    });
  }

  /** @throws the first bug since the last call */
  surface(): void {
    const [bug] = this.#bugs.splice(0);
    if (bug !== undefined) throw bug;
  }

  /** Aborts what runs; what is started later is not aborted. */
  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }
}
