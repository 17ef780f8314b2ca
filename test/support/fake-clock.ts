import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../lib/background/clock.js';

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it on. */
export class FakeClock implements Clock {
  #now = 1_000;
  #asleepMs = 0;
  readonly #sleepers = new Set<Sleeper>();
  #isWorking = false;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return Date.UTC(2026, 0, 1) + this.#now + this.#asleepMs;
  }

  /** Lets the wall clock alone move on, as the sleep of a machine does, or as somebody who sets it. */
  sleep(ms: number): void {
    this.#asleepMs += ms;
  }

  /** How many wait for a moment to come. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { dueAt: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
      if (this.#isWorking) void this.advance(ms);
    });
  }

  /** Moves on, waking each sleeper at its moment; resolves when all that follows has been done. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await setImmediate();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.dueAt);
      next.wake();
      await setImmediate();
    }
    this.#now = end;
  }

  /** Moves on until a promise has settled, and hands on what it settles with. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([settled, setImmediate(false)]))) await this.advance(50);
    return promise;
  }

  /** Waits for work that takes real time, and moves on for each delay of it. */
  async through<T>(work: Promise<T>): Promise<T> {
    this.#isWorking = true;
    try {
      return await work;
    } finally {
      this.#isWorking = false;
    }
  }

  #next(end: number): Sleeper | undefined {
    return [...this.#sleepers]
      .filter(({ dueAt }) => dueAt <= end)
      .reduce<Sleeper | undefined>(
        (first, sleeper) => (first === undefined || sleeper.dueAt < first.dueAt ? sleeper : first),
        undefined,
      );
  }
}
