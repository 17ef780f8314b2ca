import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import { DeadlineHeap } from './deadline-heap.js';
import { Lease } from './lease.js';
import type { LeaseHolder } from './lease.js';

/**
 * The leases of all instances. They end when somebody asks for the registry; a timer ends them on
 * time only where that is wanted.
 */
export class Leases {
  readonly #clock: Clock;
  readonly #deadlines = new DeadlineHeap<Lease>();
  readonly #alarm: Alarm;
  readonly #lagMs: () => number;
  #endOnTime = false;
  #standStill = false;

  /** @param lagMs by how many milliseconds instances outlive their leases */
  constructor(clock: Clock, lagMs: () => number = () => 0) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#alarm = new Alarm(clock, () => {
      this.endOverdue();
      this.#setAlarm();
    });
  }

  /** Starts a lease; `onEnd` is called once when it runs out, never when it is revoked. */
  grant(lengthMs: number, onEnd: () => void, holder: LeaseHolder): Lease {
    const lease = new Lease(this.#clock, lengthMs, onEnd, holder);
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
    if (this.#standStill) return;
    const now = this.#clock.now();
    for (let due = this.#deadlines.takeDue(now); due; due = this.#deadlines.takeDue(now)) {
      // A renewed lease keeps its old place in the heap and moves on when that comes up.
      const endsAt = due.expiresAt + this.#lagMs();
      if (endsAt <= now) due.end();
      else this.#deadlines.add(endsAt, due);
    }
  }

  /** From now on no lease ends. */
  stop(): void {
    this.#standStill = true;
    this.#alarm.cancel();
  }

  /** Starts all leases again in full; from now on they end. */
  restart(): void {
    this.#standStill = false;
    this.#relocate(lease => lease.restart());
  }

  /** Looks anew when each lease ends, after the lag has changed. */
  reschedule(): void {
    this.#relocate(() => undefined);
  }

  #relocate(change: (lease: Lease) => void): void {
    const leases: Lease[] = [];
    for (
      let next = this.#deadlines.takeDue(Infinity);
      next;
      next = this.#deadlines.takeDue(Infinity)
    )
      leases.push(next);
    for (const lease of leases) {
      change(lease);
      this.#deadlines.add(lease.expiresAt + this.#lagMs(), lease);
    }
    this.endOverdue();
    this.#setAlarm();
  }

  /** The place in the heap of a lease that was renewed is early; the alarm then only moves it on. */
  #setAlarm(): void {
    const { firstDueAt } = this.#deadlines;
    if (this.#endOnTime && !this.#standStill && firstDueAt !== undefined)
      this.#alarm.set(firstDueAt - this.#clock.now());
  }
}
