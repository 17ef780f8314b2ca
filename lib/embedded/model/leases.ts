import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import { DeadlineHeap } from './deadline-heap.js';
import { Lease } from './lease.js';

/**
 * The leases of all instances. They end when somebody asks for the registry; a timer ends them on
 * time only where that is wanted.
 */
export class Leases {
  readonly #clock: Clock;
  readonly #deadlines = new DeadlineHeap<Lease>();
  readonly #alarm: Alarm;
  #endOnTime = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => {
      this.endOverdue();
      this.#setAlarm();
    });
  }

  /** Starts a lease; `onEnd` is called once when it runs out, never when it is revoked. */
  grant(lengthMs: number, onEnd: () => void): Lease {
    const lease = new Lease(this.#clock, lengthMs, onEnd);
    this.#deadlines.add(lease.expiresAt, lease);
    if (this.#deadlines.firstDueAt === lease.expiresAt) this.#setAlarm();
    return lease;
  }

  /** From now on ends each lease at its time, whether or not somebody asks; one timer serves all. */
  endOnTime(): void {
    if (this.#endOnTime) return;
    this.#endOnTime = true;
    this.#setAlarm();
  }

  /** From now on ends leases when asked for only, and leaves no timer. */
  endOnRequest(): void {
    this.#endOnTime = false;
    this.#alarm.cancel();
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

  /** The place in the heap of a lease that was renewed is early; the alarm then only moves it on. */
  #setAlarm(): void {
    const { firstDueAt } = this.#deadlines;
    if (this.#endOnTime && firstDueAt !== undefined)
      this.#alarm.set(firstDueAt - this.#clock.now());
  }
}
