import type { Clock } from '../clock.js';
import { DeadlineHeap } from './deadline-heap.js';
import { Lease } from './lease.js';

/** The leases of all instances. They end when somebody asks for the registry, not by a timer. */
export class Leases {
  readonly #clock: Clock;
  readonly #deadlines = new DeadlineHeap<Lease>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a lease; `onEnd` is called once when it runs out, never when it is revoked. */
  grant(lengthMs: number, onEnd: () => void): Lease {
    const lease = new Lease(this.#clock, lengthMs, onEnd);
    this.#deadlines.add(lease.expiresAt, lease);
    return lease;
  }

  /** Ends every lease that has run out by now. */
  endOverdue(): void {
    const now = this.#clock.now();
    for (let due = this.#deadlines.takeDue(now); due; due = this.#deadlines.takeDue(now)) {
      // A renewed lease keeps its old place in the heap and moves on when that comes up.
      if (due.expiresAt <= now) due.end();
      else this.#deadlines.add(due.expiresAt, due);
    }
  }
}
