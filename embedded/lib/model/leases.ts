import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import { DeadlineHeap } from './deadline-heap.js';

/**
 * The leases of all instances. Leases that are over end with the next access to the registry; a
 * timer ends them on time only if needed.
 */
export class Leases {
  readonly #clock: Clock;
  readonly #deadlines = new DeadlineHeap<Lease>();
  readonly #timer: Timer;
  readonly #lagMs: () => number;
  #endOnTime = false;
  #standStill = false;

  /** @param lagMs returns by how many milliseconds instances outlive their leases */
  constructor(clock: Clock, lagMs: () => number = () => 0) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#timer = new Timer(clock, () => {
      this.endOverdue();
      this.#startTimer();
    });
  }

  /** Starts a lease. `onEnd` is called once when it ends, but not when it is revoked. */
  grant(lengthMs: number, onEnd: () => void, holder: LeaseHolder): Lease {
    const lease = new Lease(this.#clock, lengthMs, onEnd, holder);
    this.#deadlines.add(lease.expiresAt, lease);
    if (this.#deadlines.firstDueAt === lease.expiresAt) this.#startTimer();
    return lease;
  }

  /** From now on ends each lease on time, with one timer for all. */
  endOnTime(): void {
    if (this.#endOnTime) return;
    this.#endOnTime = true;
    this.#startTimer();
  }

  /** From now on ends leases only on access, and stops the timer. */
  endOnRequest(): void {
    this.#endOnTime = false;
    this.#timer.cancel();
  }

  /** Ends every lease that is over. */
  endOverdue(): void {
    if (this.#standStill) return;
    const now = this.#clock.now();
    for (let due = this.#deadlines.takeDue(now); due; due = this.#deadlines.takeDue(now)) {
      // A renewed lease keeps its old place in the heap and is moved when that comes up.
      const endsAt = due.expiresAt + this.#lagMs();
      if (endsAt <= now) due.end();
      else this.#deadlines.add(endsAt, due);
    }
  }

  /** Forgets all leases without ending them. */
  clear(): void {
    this.#timer.cancel();
    this.#deadlines.clear();
  }

  /** From now on no lease ends. */
  stop(): void {
    this.#standStill = true;
    this.#timer.cancel();
  }

  /** Starts all leases again in full; from now on they end again. */
  restart(): void {
    this.#standStill = false;
    this.#relocate(lease => lease.restart());
  }

  /** Computes the end of each lease again, after the lag has changed. */
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
    this.#startTimer();
  }

  /** The first deadline may belong to a renewed lease, which the timer then only moves. */
  #startTimer(): void {
    const { firstDueAt } = this.#deadlines;
    if (this.#endOnTime && !this.#standStill && firstDueAt !== undefined)
      this.#timer.start(firstDueAt - this.#clock.now());
  }
}

/** The instance of a lease. */
export interface LeaseHolder {
  /** Name of the namespace. */
  readonly tenant: string;
  readonly serviceId: string;
  readonly instanceId: string;
}

/** The promise to keep an instance until a deadline; each heartbeat renews it in full. */
export class Lease {
  readonly #clock: Clock;
  /** Milliseconds from each renewal to the end. */
  readonly lengthMs: number;
  #expiresAt: number;
  #onEnd: (() => void) | undefined;
  #wasRenewed = false;

  /** @param onEnd called once when the lease ends, but not when it is revoked */
  constructor(
    clock: Clock,
    lengthMs: number,
    onEnd: () => void,
    readonly holder: LeaseHolder,
  ) {
    this.#clock = clock;
    this.lengthMs = lengthMs;
    this.#expiresAt = clock.now() + lengthMs;
    this.#onEnd = onEnd;
  }

  /** Deadline by the registry's clock, exclusive. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** Milliseconds until the lease ends unless it is renewed. */
  get remainingMs(): number {
    return this.#expiresAt - this.#clock.now();
  }

  /** Time of the grant or the last renewal, by the registry's clock. */
  get renewedAt(): number {
    return this.#expiresAt - this.lengthMs;
  }

  /** Whether a heartbeat has renewed it. */
  get wasRenewed(): boolean {
    return this.#wasRenewed;
  }

  /** Returns whether the lease was not ended or revoked, and not yet over at a moment. */
  isAliveAt(moment: number): boolean {
    return this.#onEnd !== undefined && this.#expiresAt > moment;
  }

  /** @param from time at which the heartbeat is executed */
  renew(from = this.#clock.now()): void {
    this.#wasRenewed = true;
    this.#expiresAt = from + this.lengthMs;
  }

  /** Starts the lease again in full, without a heartbeat. */
  restart(): void {
    this.#expiresAt = this.#clock.now() + this.lengthMs;
  }

  /** Ends the lease without calling `onEnd`. */
  revoke(): void {
    this.#onEnd = undefined;
  }

  /** Ends the lease because it is over. */
  end(): void {
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}
