import { AsyncResource } from 'node:async_hooks';
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

/** Calls back after that many milliseconds, without keeping the process alive; returns the function that ends it. */
export function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => clearTimeout(timer);
}

/** Waits for that many milliseconds, or until aborted, without keeping the process alive. */
export function waitIdly(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Work that a ticker drives: does what is due, and says in how many milliseconds it is due again. */
export type Ticking = Pick<RegistrationCore, 'tick' | 'onDue'>;

/** The registration, which also wants to know of standstills. */
export type TickingRegistration = Ticking & Pick<RegistrationCore, 'noteStandstill'>;

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

/** An asynchronous context that keeps no process alive, as Jest asks of whatever it takes for an open handle. */
class IdleScope extends AsyncResource {
  hasRef(): boolean {
    return false;
  }
}

/**
 * The asynchronous context of the import of this file. Turns belong to no request of the application: without it
 * they, and each one after them, would be in the AsyncLocalStorage of the request that has woken the ticker, and in
 * its trace.
 */
const scope = new IdleScope('servicecomb.ticker');

/** The turns of one piece of work. They never overlap: one that is asked for while another runs follows it. */
class Turns {
  /** When the next one is due on the monotonic clock; undefined from when one is asked for until it has ended. */
  dueAt: number | undefined = Infinity;
  #running: Promise<void> | undefined;
  /** Whether a turn was asked for while another ran. */
  #isWoken = false;

  constructor(private readonly take: () => Promise<void>) {}

  wake(): void {
    this.#isWoken = true;
    this.dueAt = undefined;
    // In a microtask: a listener that the turn calls may wake the ticker, too.
    this.#running ??= scope.runInAsyncScope(() => Promise.resolve().then(() => this.#takeAll()));
  }

  /** Takes no further turn; resolves when the one that runs has ended. */
  async stop(): Promise<void> {
    this.#isWoken = false;
    await this.#running;
  }

  async #takeAll(): Promise<void> {
    while (this.#isWoken) {
      this.#isWoken = false;
      this.dueAt = undefined;
      await this.take();
    }
    this.#running = undefined;
  }
}

/**
 * The only timer of the library: an interval in the host's SchedulerRegistry, whose period is the time
 * until something is due.
 *
 * A second timer, the guard, is put off by each turn. While one runs, it notices a standstill; between two,
 * it notices that the application has cleared the interval. The interval is set once for each turn, and no
 * shorter timer beside the guard: Node wakes up for a timer that was cleared as well.
 */
export class Ticker {
  readonly #turns: readonly Turns[];
  #interval: NodeJS.Timeout | undefined;
  /** The moment that the interval waits for. */
  #waitsUntil = Infinity;
  #guard: NodeJS.Timeout | undefined;
  #scheduler: SchedulerRegistry | undefined;
  #lateMs = 0;
  #hasWarned = false;
  #lastFault: string | undefined;
  #faults = 0;
  readonly #standstills: StandstillWatch;

  /**
   * @param periodMs the longest wait while a turn runs, so that a standstill is noticed during a request
   * @param others work besides the registration; neither waits for the other's turn
   */
  constructor(
    private readonly registration: TickingRegistration,
    private readonly logger: RegistryLogger,
    private readonly periodMs: number,
    private readonly clock: Pick<Clock, 'now' | 'wallNow'>,
    private readonly others: readonly Ticking[] = [],
  ) {
    this.#standstills = new StandstillWatch(clock);
    this.#turns = [registration, ...others].map(work => {
      const turns: Turns = new Turns(() => this.#takeTurn(work, turns));
      return turns;
    });
  }

  /** Number of turns that failed because of a bug, since the start. */
  get faults(): number {
    return this.#faults;
  }

  /** How late the last turn was that the interval began, in milliseconds. */
  get lateMs(): number {
    return this.#lateMs;
  }

  /** Starts the interval. Returns false, and starts nothing, when one of that name exists already. */
  start(scheduler: SchedulerRegistry): boolean {
    if (scheduler.doesExist('interval', heartbeatInterval)) return false;
    this.#scheduler = scheduler;
    const [registration] = this.#turns;
    if (registration !== undefined) registration.dueAt = this.clock.now() + this.periodMs;
    this.#setInterval(this.periodMs);
    this.#setGuard(this.periodMs + clearedMs, this.periodMs);
    for (const [nth, work] of [this.registration, ...this.others].entries())
      work.onDue(() => this.#wake(this.#turns[nth]));
    return true;
  }

  /** Takes a turn of the registration soon, unless the ticker has not started. */
  wake(): void {
    this.#wake(this.#turns[0]);
  }

  /** Stops for good; resolves when the turns that run have ended. */
  async stop(): Promise<void> {
    this.#clearInterval();
    clearTimeout(this.#guard);
    this.#scheduler = undefined;
    await Promise.all(this.#turns.map(turns => turns.stop()));
  }

  #wake(turns: Turns | undefined): void {
    if (this.#scheduler !== undefined) turns?.wake();
  }

  /** Wakes what is due. At the end of the longest wait, when nothing is, the registration. */
  #onInterval(): void {
    const now = this.clock.now();
    // While a turn runs, the interval only repeats itself.
    if (!this.#isTurnRunning) this.#lateMs = Math.max(0, now - this.#waitsUntil);
    const dueBy = Math.max(now, this.#waitsUntil);
    const waiting = this.#turns.filter(({ dueAt }) => dueAt !== undefined);
    const due = waiting.filter(({ dueAt = Infinity }) => dueAt <= dueBy);
    for (const turns of due.length === 0 ? waiting.slice(0, 1) : due) turns.wake();
  }

  #onGuard(): void {
    if (this.#isTurnRunning) return this.#setGuard(this.periodMs);
    if (!this.#hasWarned)
      this.logger.warn(
        `The interval "${heartbeatInterval}" of SchedulerRegistry was cleared, which the registration needs. ` +
          'It is set again and heartbeats go on: leave it out where intervals are cleared',
      );
    this.#hasWarned = true;
    this.#onInterval();
  }

  /** Never rejects: whatever goes wrong, the next turn comes. */
  async #takeTurn(work: Ticking, turns: Turns): Promise<void> {
    this.#setGuard(this.periodMs);
    let dueInMs: number | undefined = this.periodMs;
    try {
      dueInMs = await work.tick(this.periodMs / 2);
      this.#lastFault = undefined;
    } catch (error) {
      this.#report(error);
    }
    turns.dueAt = this.clock.now() + (dueInMs ?? Infinity);
    this.#wait();
  }

  /** Counts a bug, and logs it once until a good turn. */
  #report(error: unknown): void {
    this.#faults += 1;
    const fault = String(error);
    if (fault !== this.#lastFault)
      this.logger.error(`A bug in the heartbeat loop, which goes on: ${inspect(error)}`);
    this.#lastFault = fault;
  }

  get #isTurnRunning(): boolean {
    return this.#turns.some(({ dueAt }) => dueAt === undefined);
  }

  /** Waits for the next turn, when one has ended. */
  #wait(): void {
    const dueAt = Math.min(...this.#turns.map(turns => turns.dueAt ?? Infinity));
    const waitMs = Math.min(longestWaitMs, Math.max(1, Math.ceil(dueAt - this.clock.now())));
    this.#setInterval(waitMs);
    if (!this.#isTurnRunning) this.#setGuard(waitMs + clearedMs, waitMs);
  }

  #setInterval(waitMs: number): void {
    const scheduler = this.#scheduler;
    if (scheduler === undefined) return;
    this.#clearInterval();
    this.#waitsUntil = this.clock.now() + waitMs;
    this.#interval = setInterval(() => this.#onInterval(), waitMs).unref();
    if (!scheduler.doesExist('interval', heartbeatInterval))
      scheduler.addInterval(heartbeatInterval, this.#interval);
  }

  /** Sets the guard anew, for a wait of that many milliseconds. The one that ends here may have been a standstill. */
  #setGuard(ms: number, waitMs = ms): void {
    if (this.#scheduler === undefined) return;
    clearTimeout(this.#guard);
    this.#guard = setTimeout(() => this.#onGuard(), ms).unref();
    try {
      const standstill = this.#standstills.begin(waitMs);
      if (standstill !== undefined) this.registration.noteStandstill(standstill);
    } catch (error) {
      this.#report(error);
    }
  }

  #clearInterval(): void {
    const interval = this.#interval;
    clearInterval(interval);
    const isListed = this.#scheduler?.doesExist('interval', heartbeatInterval) === true;
    if (isListed && this.#scheduler?.getInterval(heartbeatInterval) === interval)
      this.#scheduler?.deleteInterval(heartbeatInterval);
  }
}
