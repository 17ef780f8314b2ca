import 'reflect-metadata';
import { setImmediate } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import {
  Registration,
  RegistryHealthModule,
  type RegistryHealthReport,
  RegistryModule,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { StandstillWatch, Ticker } from '../../lib/nest/ticker.js';
import { REGISTRY_CLOCK } from '../../lib/nest/tokens.js';
import { RegistrationCore } from '../../lib/registration/core.js';
import type { FakeClock } from './fake-clock.js';
import { type Cleanup, EventLog, LogLines, rootModule, type TestApp } from './test-app.js';

/**
 * An application whose registration goes by a clock that a test moves on, though it sends over real
 * HTTP: a minute of heartbeats takes some milliseconds.
 */
export class SteeredApp implements TestApp {
  private constructor(
    readonly app: INestApplication,
    readonly registration: Registration,
    readonly core: RegistrationCore,
    readonly events: EventLog,
    readonly log: LogLines,
    private readonly clock: FakeClock,
    private readonly url: string,
  ) {}

  /** Starts one that listens; its clock should be the registry's, too. */
  static async start(
    cleanup: Cleanup,
    clock: FakeClock,
    options: RegistryModuleOptions,
  ): Promise<SteeredApp> {
    const log = new LogLines();
    // The turns are the test's to take.
    const ticker = {
      lateMs: 0,
      start: () => true,
      wake: () => undefined,
      stop: async () => undefined,
    };
    const imports = [RegistryHealthModule.forRoot()];
    const root = rootModule(RegistryModule.forRoot(options), { imports });
    const testing = await Test.createTestingModule({ imports: [root] })
      .overrideProvider(REGISTRY_CLOCK)
      .useValue(clock)
      .overrideProvider(Ticker)
      .useValue(ticker)
      .compile();
    const app = testing.createNestApplication(new ExpressAdapter(), { logger: log });
    // Where the registry is gone already, leaving takes time, too.
    cleanup.add(() => clock.until(app.close()));
    await app.listen(0, '127.0.0.1');
    const events = new EventLog(app.get(EventEmitter2));
    const [registration, core] = [app.get(Registration), app.get(RegistrationCore)];
    return new SteeredApp(app, registration, core, events, log, clock, await app.getUrl());
  }

  /** What its health route answers: the status, and the body without the moment it is since. */
  async health(): Promise<readonly [number, Omit<RegistryHealthReport, 'since'>]> {
    const reply = await fetch(`${this.url}/health`);
    const { since, ...report } = (await reply.json()) as RegistryHealthReport;
    if (Number.isNaN(Date.parse(since))) throw new Error(`No moment: ${since}`);
    return [reply.status, report];
  }

  /** Takes turns, each when it is due, until something is so; fails after that much time. */
  async until(isSo: () => boolean, withinMs: number): Promise<void> {
    const deadline = this.clock.now() + withinMs;
    for (;;) {
      const dueInMs = (await this.#tick()) ?? Infinity;
      if (isSo()) return;
      if (this.clock.now() >= deadline) throw new Error(`Not so within ${withinMs} ms`);
      // As the ticker, and more often: the turns between know nothing of what is due.
      await this.clock.advance(Math.min(Math.max(dueInMs, 1), 700));
    }
  }

  /** A tick over real sockets, for which time passes only where it waits for the clock. */
  async #tick(): Promise<number | undefined> {
    const turn = { done: false };
    const tick = this.core.tick(500).finally(() => {
      turn.done = true;
    });
    while (!turn.done)
      if (this.clock.sleepers > 0) await this.clock.advance(50);
      else await setImmediate();
    return tick;
  }

  /** Takes turns until that many more heartbeats have been answered. */
  async beats(count: number): Promise<void> {
    const answered = () => this.events.of('servicecomb.heartbeat.succeeded').length;
    const enough = answered() + count;
    await this.until(() => answered() >= enough, (count + 1) * 60_000);
  }

  /** Has the process stand still: no turn is taken meanwhile. Asleep, its clock stands still as well. */
  async standStill(ms: number, { asleep = false } = {}): Promise<void> {
    const watch = new StandstillWatch(this.clock);
    watch.begin(1_000);
    if (asleep) this.clock.sleep(ms);
    else await this.clock.advance(ms);
    const standstill = watch.begin(1_000);
    if (standstill !== undefined) this.core.noteStandstill(standstill);
  }
}

/** The time of a steered application, as its registry has it: the registry does not sleep. */
export function registryClock(clock: FakeClock): { now: () => number } {
  const start = Date.now() - clock.wallNow();
  return { now: () => start + clock.wallNow() };
}

/** The requests of one operation that a registry has had, oldest first. */
export function requestsOf(
  registry: EmbeddedServiceCenter,
  operation: 'heartbeat' | 'registerInstance',
): EmbeddedServiceCenter['requests'] {
  return registry.requests.filter(request => request.operation === operation);
}
