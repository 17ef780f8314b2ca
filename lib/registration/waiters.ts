interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for the next lease. */
export class Waiters {
  #waiting: readonly Waiter[] = [];

  /** Resolves or rejects with the next call of either. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { resolve, reject }];
    });
  }

  /** There is a lease. */
  resolve(): void {
    for (const waiter of this.#take()) waiter.resolve();
  }

  /** There will be none. */
  reject(error: unknown): void {
    for (const waiter of this.#take()) waiter.reject(error);
  }

  #take(): readonly Waiter[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}

/** Why one who waited gets no lease. */
export function left(): DOMException {
  return new DOMException('The registration has left the registry', 'AbortError');
}
