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
  readonly #running = new Set<AbortController>();

  /** Starts a piece of work. What it throws after it was stopped is ignored: that is how it ends. */
  start(work: (signal: AbortSignal) => Promise<void>): void {
    // One for each: Node warns of a leak when more than ten requests under way listen to one signal.
    const controller = new AbortController();
    this.#running.add(controller);
    void this.#settled(work, controller);
  }

  /** @throws the first bug since the last call */
  throwPending(): void {
    const [bug] = this.#bugs.splice(0);
    if (bug !== undefined) throw bug;
  }

  /** Aborts the work that runs. Work that is started later is not aborted. */
  stop(): void {
    for (const controller of this.#running) controller.abort();
    this.#running.clear();
  }

  async #settled(
    work: (signal: AbortSignal) => Promise<void>,
    controller: AbortController,
  ): Promise<void> {
    try {
      await work(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) this.#bugs.push(error);
    } finally {
      this.#running.delete(controller);
    }
  }
}
