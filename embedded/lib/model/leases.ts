import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import { DeadlineHeap } from './deadline-heap.js';

/**
 * The leases of all instances. They end when somebody asks for the registry; a timer ends them on
 * time only where that is wanted.
 */
export class Leases {
  readonly #clock: Clock;
  readonly #deadlines = new DeadlineHeap<Lease>();
  readonly #timer: Timer;
  readonly #lagMs: () => number;
  #endOnTime = false;
  #standStill = false;

  /** @param lagMs by how many milliseconds instances outlive their leases */
  constructor(clock: Clock, lagMs: () => number = () => 0) {
    this.#clock = clock;
    this.#lagMs = lagMs;
    this.#timer = new Timer(clock, () => {
      this.endOverdue();
      this.#startTimer();
    });
  }

  /** Starts a lease; `onEnd` is called once when it runs out, never when it is revoked. */
  grant(lengthMs: number, onEnd: () => void, holder: LeaseHolder): Lease {
    const lease = new Lease(this.#clock, lengthMs, onEnd, holder);
    this.#deadlines.add(lease.expiresAt, lease);
    if (this.#deadlines.firstDueAt === lease.expiresAt) this.#startTimer();
    return lease;
  }

  /** From now on ends each lease at its time, whether or not somebody asks; one timer serves all. */
  endOnTime(): void {
    if (this.#endOnTime) return;
    this.#endOnTime = true;
    this.#startTimer();
  }

  /** From now on ends leases when asked for only, and leaves no timer. */
  endOnRequest(): void {
    this.#endOnTime = false;
    this.#timer.cancel();
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
    this.#timer.cancel();
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
    this.#startTimer();
  }

  /** The place in the heap of a lease that was renewed is early; the alarm then only moves it on. */
  #startTimer(): void {
    const { firstDueAt } = this.#deadlines;
    if (this.#endOnTime && !this.#standStill && firstDueAt !== undefined)
      this.#timer.start(firstDueAt - this.#clock.now());
  }
}

/** Whom a lease is for. */
export interface LeaseHolder {
  /** Name of the namespace. */
  readonly tenant: string;
  readonly serviceId: string;
  readonly instanceId: string;
}

/** The promise to keep an instance for a while; each heartbeat makes it anew, in full. */
export class Lease {
  readonly #clock: Clock;
  /** Milliseconds that the lease lasts from each renewal. */
  readonly lengthMs: number;
  #expiresAt: number;
  #onEnd: (() => void) | undefined;
  #wasRenewed = false;

  /** @param onEnd called once when the lease runs out, never when it is revoked */
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

  /** By the clock of the registry; the lease is over at this very moment. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** Milliseconds until the lease is over, unless it is renewed. */
  get remainingMs(): number {
    return this.#expiresAt - this.#clock.now();
  }

  /** When it was granted or last renewed, by the clock of the registry. */
  get renewedAt(): number {
    return this.#expiresAt - this.lengthMs;
  }

  /** True once a heartbeat has come. */
  get wasRenewed(): boolean {
    return this.#wasRenewed;
  }

  /** True when the lease was neither ended nor revoked, and its time was not over at that moment. */
  isAliveAt(moment: number): boolean {
    return this.#onEnd !== undefined && this.#expiresAt > moment;
  }

  /** @param from when the heartbeat is carried out */
  renew(from = this.#clock.now()): void {
    this.#wasRenewed = true;
    this.#expiresAt = from + this.lengthMs;
  }

  /** Starts the lease again in full, without a heartbeat. */
  restart(): void {
    this.#expiresAt = this.#clock.now() + this.lengthMs;
  }

  /** Ends the lease in silence. */
  revoke(): void {
    this.#onEnd = undefined;
  }

  /** Ends the lease because its time is over. */
  end(): void {
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}
