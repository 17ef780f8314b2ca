import { setImmediate } from 'node:timers/promises';
import type { Clock as RegistryClock } from 'embedded-service-center';
import type { Clock } from '../../lib/background/clock.js';

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
  isOff: boolean;
}

/** Time for a registry and its clients together: it goes from one timer to the next, and nobody waits. */
export class SimulatedClock implements Clock, RegistryClock {
  #now = 1_000;
  /** A heap: the first is the next, each is before its two children. */
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  setTimer(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + Math.max(0, ms), callback, isOff: false };
    this.#push(timer);
    return () => {
      timer.isOff = true;
    };
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = () => {
        off();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const off = this.setTimer(ms, wake);
      signal?.addEventListener('abort', wake);
    });
  }

  /** Goes on by so much; resolves when all that falls into it has been done. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    await setImmediate();
    for (let next = this.#pop(end); next !== undefined; next = this.#pop(end)) {
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
      await setImmediate();
    }
    this.#now = end;
  }

  /**
   * Goes on until something holds, and tells how many milliseconds that took.
   *
   * @throws Error when it does not hold within the time
   */
  async until(holds: () => boolean, withinMs = 300_000): Promise<number> {
    const startedAt = this.#now;
    await setImmediate();
    while (!holds()) {
      const next = this.#pop(startedAt + withinMs);
      if (next === undefined) throw new Error(`does not hold within ${withinMs} ms`);
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
      await setImmediate();
    }
    return this.#now - startedAt;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.length;
    for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
      const above = heap[parent];
      if (above === undefined || above.dueAt <= timer.dueAt) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(until: number): Timer | undefined {
    for (;;) {
      const [first] = this.#timers;
      if (first === undefined || first.dueAt > until) return undefined;
      const last = this.#timers.pop();
      if (last !== undefined && last !== first) this.#sink(last);
      if (!first.isOff) return first;
    }
  }

  #sink(timer: Timer): void {
    const heap = this.#timers;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const goesRight = left !== undefined && right !== undefined && right.dueAt < left.dueAt;
      const child = goesRight ? right : left;
      if (child === undefined || child.dueAt >= timer.dueAt) break;
      heap[at] = child;
      at = 2 * at + (goesRight ? 2 : 1);
    }
    heap[at] = timer;
  }
}
