import { inspect } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { Clock } from '../registration/clock.js';
import type { RegistrationCore } from '../registration/core.js';
import { standstillMs } from '../registration/pace.js';
import type { Standstill } from '../registration/transition.js';
import type { RegistryLogger } from './tokens.js';

/** Name of the interval in the host's SchedulerRegistry. */
export const heartbeatInterval = 'servicecomb.heartbeat';

/**
 * The machine's clock. A delay keeps the process alive: a shutdown waits for it, within a bound, and a
 * process without a server would end in the middle of that.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  delay: (ms, signal) =>
    wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};

/** Waits for that many milliseconds, or until aborted, without keeping the process alive. */
export function waitIdly(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** The registration that a ticker drives. */
export type Ticking = Pick<RegistrationCore, 'tick' | 'noteStandstill'>;

/**
 * Notices that the process stood still: a turn comes late by the monotonic clock, or the wall clock has
 * advanced further than that one. Setting the wall clock forward looks the same and costs one
 * heartbeat; setting it back is not noticed.
 */
export class StandstillWatch {
  #now: number;
  #wallNow: number;

  constructor(private readonly clock: Pick<Clock, 'now' | 'wallNow'>) {
    this.#now = clock.now();
    this.#wallNow = clock.wallNow();
  }

  /** Notes a turn that was to come one period after the last one. Returns how late it is, if it is. */
  noteTurn(periodMs: number): Standstill | undefined {
    const now = this.clock.now();
    const wallNow = this.clock.wallNow();
    const passedMs = now - this.#now;
    const asleepMs = Math.max(0, wallNow - this.#wallNow - passedMs);
    this.#now = now;
    this.#wallNow = wallNow;
    const lateMs = passedMs + asleepMs - periodMs;
    if (lateMs < standstillMs) return undefined;
    return { lateMs, asleepMs: asleepMs < standstillMs ? 0 : asleepMs };
  }
}

/**
 * The only timer of a registration: one interval in the host's SchedulerRegistry, and one timeout for
 * what is due before the interval's next turn. Turns never overlap: a turn that comes while another
 * one runs does nothing, and the running one knows when the next is due.
 */
export class Ticker {
  #turn: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;
  #scheduler: SchedulerRegistry | undefined;
  #lastFault: string | undefined;
  #faults = 0;
  readonly #standstills: StandstillWatch;

  constructor(
    private readonly registration: Ticking,
    private readonly logger: RegistryLogger,
    private readonly periodMs: number,
    clock: Pick<Clock, 'now' | 'wallNow'>,
  ) {
    this.#standstills = new StandstillWatch(clock);
  }

  /** Number of turns that failed because of a bug, since the start. */
  get faults(): number {
    return this.#faults;
  }

  /** Starts the interval. Returns false, and starts nothing, when one of that name exists already. */
  start(scheduler: SchedulerRegistry): boolean {
    if (scheduler.doesExist('interval', heartbeatInterval)) return false;
    const interval = setInterval(() => this.#onInterval(), this.periodMs);
    interval.unref();
    scheduler.addInterval(heartbeatInterval, interval);
    this.#scheduler = scheduler;
    return true;
  }

  /** Takes a turn now, unless one is running or the ticker has not started. */
  wake(): void {
    if (this.#scheduler === undefined || this.#turn !== undefined) return;
    this.#turn = this.#takeTurn().finally(() => {
      this.#turn = undefined;
    });
  }

  /** Stops for good; resolves when the turn that runs has ended. */
  async stop(): Promise<void> {
    const scheduler = this.#scheduler;
    this.#scheduler = undefined;
    clearTimeout(this.#soon);
    if (scheduler?.doesExist('interval', heartbeatInterval) === true)
      scheduler.deleteInterval(heartbeatInterval);
    await this.#turn;
  }

  #onInterval(): void {
    try {
      const standstill = this.#standstills.noteTurn(this.periodMs);
      if (standstill !== undefined) this.registration.noteStandstill(standstill);
    } catch (error) {
      this.#report(error);
    }
    this.wake();
  }

  /** Never rejects: whatever goes wrong, the next turn runs. */
  async #takeTurn(): Promise<void> {
    try {
      this.#arm(await this.registration.tick(this.periodMs / 2));
      this.#lastFault = undefined;
    } catch (error) {
      this.#report(error);
    }
  }

  /** Counts a bug, and logs it once until a good turn. */
  #report(error: unknown): void {
    this.#faults += 1;
    const fault = String(error);
    if (fault !== this.#lastFault)
      this.logger.error(`A bug in the heartbeat loop, which goes on: ${inspect(error)}`);
    this.#lastFault = fault;
  }

  #arm(dueInMs: number | undefined): void {
    clearTimeout(this.#soon);
    if (this.#scheduler === undefined || dueInMs === undefined || dueInMs >= this.periodMs) return;
    this.#soon = setTimeout(() => this.wake(), Math.ceil(dueInMs));
    this.#soon.unref();
  }
}
