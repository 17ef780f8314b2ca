import { inspect } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { Clock } from '../registration/clock.js';
import type { RegistryLogger } from './tokens.js';

/** Name of the interval in the host's SchedulerRegistry. */
export const heartbeatInterval = 'servicecomb.heartbeat';

/**
 * The machine's clock. A delay keeps the process alive: it is what a shutdown waits for, bounded, and a
 * process without a server would end in the middle of it.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  delay: (ms, signal) =>
    wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};

/** Waits for so many milliseconds, or until aborted, and keeps no process alive. */
export function waitIdly(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** What a ticker drives. */
export interface Ticking {
  /** Does what is due; resolves with the milliseconds until something is due, if ever. */
  tick(toleranceMs: number): Promise<number | undefined>;
  /** Notes that the interval's turn has come, also while a tick runs. */
  noteTurn(periodMs: number): void;
}

/**
 * The only timer of a registration: one interval in the host's SchedulerRegistry, and one timeout for
 * what is due before its next turn. Turns never overlap: one that comes while another runs does
 * nothing, and the running one knows when the next is due.
 */
export class Ticker {
  #turn: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;
  #scheduler: SchedulerRegistry | undefined;
  #lastFault: string | undefined;
  #faults = 0;
  readonly #periodMs: number;

  constructor(
    private readonly registration: Ticking,
    private readonly logger: RegistryLogger,
    intervalMs: number,
  ) {
    this.#periodMs = Math.min(1_000, intervalMs / 10);
  }

  /** Turns that failed by a bug, since the start. */
  get faults(): number {
    return this.#faults;
  }

  /** Starts the interval. Answers false when one of that name is there already: nothing is started. */
  start(scheduler: SchedulerRegistry): boolean {
    if (scheduler.doesExist('interval', heartbeatInterval)) return false;
    const interval = setInterval(() => this.#onInterval(), this.#periodMs);
    interval.unref();
    scheduler.addInterval(heartbeatInterval, interval);
    this.#scheduler = scheduler;
    return true;
  }

  /** Takes a turn now, unless one is running or the ticker is not. */
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
      this.registration.noteTurn(this.#periodMs);
    } catch (error) {
      this.#report(error);
    }
    this.wake();
  }

  /** Never rejects: whatever goes wrong, the next turn runs. */
  async #takeTurn(): Promise<void> {
    try {
      this.#arm(await this.registration.tick(this.#periodMs / 2));
      this.#lastFault = undefined;
    } catch (error) {
      this.#report(error);
    }
  }

  /** A bug is counted, and logged once until a good turn. */
  #report(error: unknown): void {
    this.#faults += 1;
    const fault = String(error);
    if (fault !== this.#lastFault)
      this.logger.error(`The heartbeat's turn failed: ${inspect(error)}`);
    this.#lastFault = fault;
  }

  #arm(dueInMs: number | undefined): void {
    clearTimeout(this.#soon);
    if (this.#scheduler === undefined || dueInMs === undefined || dueInMs >= this.#periodMs) return;
    this.#soon = setTimeout(() => this.wake(), Math.ceil(dueInMs));
    this.#soon.unref();
  }
}
