import { inspect } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { Clock } from '../background/clock.js';
import type { RegistrationCore } from '../registration/core.js';
import { standstillMs } from '../registration/pace.js';
import type { Standstill } from '../registration/outcome.js';
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
export type Ticking = Pick<RegistrationCore, 'tick' | 'noteStandstill' | 'onDue'>;

/**
 * Notices that the process stood still: a wait was longer than planned by the monotonic clock, or the wall
 * clock has advanced further than that one. Setting the wall clock forward looks the same and costs one
 * heartbeat; setting it back is not noticed.
 */
export class StandstillWatch {
  #now: number;
  #wallNow: number;
  #waitMs = Infinity;

  constructor(private readonly clock: Pick<Clock, 'now' | 'wallNow'>) {
    this.#now = clock.now();
    this.#wallNow = clock.wallNow();
  }

  /** Notes that a wait begins, and with it the end of the one before. Returns how late that is, if it is. */
  begin(waitMs: number): Standstill | undefined {
    const now = this.clock.now();
    const wallNow = this.clock.wallNow();
    const passedMs = now - this.#now;
    const aheadMs = Math.max(0, wallNow - this.#wallNow - passedMs);
    const asleepMs = aheadMs < standstillMs ? 0 : aheadMs;
    const lateMs = Math.max(asleepMs, passedMs + aheadMs - this.#waitMs);
    this.#now = now;
    this.#wallNow = wallNow;
    this.#waitMs = waitMs;
    return lateMs < standstillMs ? undefined : { lateMs, asleepMs };
  }
}

/**
 * The longest wait for the next turn. A machine that slept is noticed at a turn, since timers do not count
 * the time that it slept; at the default interval of 15 s a heartbeat is due before.
 */
const longestWaitMs = 20_000;

/** How late the interval's turn is when it is known to have been cleared. */
const clearedMs = 1_000;

/**
 * The only timer of a registration: an interval in the host's SchedulerRegistry, whose period is the time
 * until something is due. Turns never overlap: one that is asked for while another runs follows it.
 *
 * A second timer, which is put off by each turn, notices when the application has cleared the interval.
 */
export class Ticker {
  #turns: Promise<void> | undefined;
  /** Whether a turn was asked for while another ran. */
  #isWoken = false;
  #interval: NodeJS.Timeout | undefined;
  #substitute: NodeJS.Timeout | undefined;
  #scheduler: SchedulerRegistry | undefined;
  #hasWarned = false;
  #lastFault: string | undefined;
  #faults = 0;
  readonly #standstills: StandstillWatch;

  /** @param periodMs the longest wait while a request is under way, in which a standstill is noticed, too */
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
    this.#scheduler = scheduler;
    this.registration.onDue(() => this.wake());
    this.#arm(this.periodMs);
    return true;
  }

  /** Takes a turn soon, unless the ticker has not started. */
  wake(): void {
    if (this.#scheduler === undefined) return;
    this.#isWoken = true;
    // In a microtask: a listener that the turn calls may wake the ticker, too.
    this.#turns ??= Promise.resolve().then(() => this.#takeTurns());
  }

  /** Stops for good; resolves when the turn that runs has ended. */
  async stop(): Promise<void> {
    this.#disarm();
    this.#scheduler = undefined;
    await this.#turns;
  }

  #onInterval(): void {
    this.#arm(this.periodMs);
    if (this.#turns === undefined) this.wake();
  }

  #onCleared(): void {
    if (!this.#hasWarned)
      this.logger.warn(
        `The interval "${heartbeatInterval}" of SchedulerRegistry was cleared, which the registration needs. ` +
          'It is set again and heartbeats go on: leave it out where intervals are cleared',
      );
    this.#hasWarned = true;
    this.#onInterval();
  }

  async #takeTurns(): Promise<void> {
    while (this.#isWoken && this.#scheduler !== undefined) {
      this.#isWoken = false;
      await this.#takeTurn();
    }
    this.#turns = undefined;
  }

  /** Never rejects: whatever goes wrong, the next turn runs. */
  async #takeTurn(): Promise<void> {
    this.#arm(this.periodMs);
    try {
      const dueInMs = await this.registration.tick(this.periodMs / 2);
      this.#lastFault = undefined;
      this.#arm(dueInMs ?? Infinity);
    } catch (error) {
      this.#report(error);
      this.#arm(this.periodMs);
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

  /** Waits for the next turn. The wait that ends here may have been a standstill. */
  #arm(dueInMs: number): void {
    const scheduler = this.#scheduler;
    if (scheduler === undefined) return;
    this.#disarm();
    const waitMs = Math.min(longestWaitMs, Math.max(1, Math.ceil(dueInMs)));
    this.#interval = setInterval(() => this.#onInterval(), waitMs).unref();
    this.#substitute = setTimeout(() => this.#onCleared(), waitMs + clearedMs).unref();
    if (!scheduler.doesExist('interval', heartbeatInterval))
      scheduler.addInterval(heartbeatInterval, this.#interval);
    this.#noteStandstill(this.#standstills.begin(waitMs));
  }

  #noteStandstill(standstill: Standstill | undefined): void {
    try {
      if (standstill !== undefined) this.registration.noteStandstill(standstill);
    } catch (error) {
      this.#report(error);
    }
  }

  #disarm(): void {
    const interval = this.#interval;
    clearInterval(interval);
    clearTimeout(this.#substitute);
    const isListed = this.#scheduler?.doesExist('interval', heartbeatInterval) === true;
    if (isListed && this.#scheduler?.getInterval(heartbeatInterval) === interval)
      this.#scheduler?.deleteInterval(heartbeatInterval);
  }
}
