import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { FaultProxy } from '../support/fault-proxy.js';
import { Cleanup, startRegistry } from '../support/test-app.js';
import { ClientRequests } from './client-requests.js';
import { Diary } from './diary.js';
import { leavesAnAddress, setClimate, strike, strikesAtOnce, type Targets } from './faults.js';
import { Figures } from './figures.js';
import { Growth, type Holdings } from './growth.js';
import { Referee } from './referee.js';
import { describeRound, type Round, rounds } from './schedule.js';
import { intervalMs, Subject } from './subject.js';

/** From the end of a fault until the instance must be back: 3 s and two intervals (settled.md 2). */
const backMs = 3_000 + 2 * intervalMs;
/** A write that waits for the registry may take its deadline twice, and its turn. */
const callMs = 15_000;
const sampleMs = 50;
const settlingMs = 3 * intervalMs;

/** How a run is set up. */
export interface SoakSettings {
  readonly minutes: number;
  readonly seed: number;
  /** Told what happens, line by line. */
  readonly print: (line: string) => void;
}

/**
 * Applications that register with a registry at which one thing after the other goes wrong. Ends after
 * the given time, or with the first violation.
 */
export class Soak {
  readonly figures = new Figures();
  readonly #cleanup = new Cleanup();
  readonly #diary = new Diary();
  readonly #growth = new Growth();
  readonly #requests = new ClientRequests(path => this.#blame(`a second heartbeat ${path}`));
  readonly #history: string[] = [];
  readonly #onRejection = (reason: unknown) => this.#blame(`unhandled rejection ${String(reason)}`);
  readonly #onWarning = (warning: Error) => this.#blame(`warning ${warning.message}`);
  #violation: string | undefined;

  constructor(private readonly settings: SoakSettings) {}

  /** The most timers, sockets and listeners at a time when all was well. */
  get most(): Holdings {
    return this.#growth.most;
  }

  /** Runs; resolves with whether nothing was violated. */
  async run(): Promise<boolean> {
    process.on('unhandledRejection', this.#onRejection);
    process.on('warning', this.#onWarning);
    this.#requests.start();
    this.#growth.start();
    try {
      await this.#run();
    } finally {
      await this.#cleanup.run();
      this.#growth.stop();
      this.#requests.stop();
      process.off('unhandledRejection', this.#onRejection);
      process.off('warning', this.#onWarning);
    }
    return this.#violation === undefined;
  }

  async #run(): Promise<void> {
    const { minutes, seed, print } = this.settings;
    const registry = await startRegistry(this.#cleanup);
    this.#diary.follow(registry);
    const proxy = await new FaultProxy(registry.url).start();
    this.#cleanup.add(() => proxy.refuse());
    const subjects = await this.#startSubjects(registry.url, proxy.url);
    const referees = subjects.map(subject => this.#watch(registry, subject));
    const sampling = setInterval(() => referees.forEach(referee => referee.sample()), sampleMs);
    this.#cleanup.add(async () => clearInterval(sampling));
    for (const subject of subjects) await subject.listen();
    await this.#allBack(referees, performance.now());
    const end = performance.now() + minutes * 60_000;
    for (const round of rounds(seed, subjects.length)) {
      if (this.#violation !== undefined || performance.now() >= end) break;
      this.#history.push(`${this.#diary.elapsed.padStart(9)} ${describeRound(round)}`);
      await this.#play(round, { registry, proxy, subjects, referees });
      print(this.#history.at(-1) ?? '');
    }
    await this.#end(registry, subjects);
  }

  async #startSubjects(url: string, other: string): Promise<readonly Subject[]> {
    return [
      await Subject.start(this.#cleanup, 'orders-0', [url]),
      await Subject.start(this.#cleanup, 'orders-1', [url, other]),
      await Subject.start(this.#cleanup, 'orders-2', [other, url]),
    ];
  }

  #watch(registry: EmbeddedServiceCenter, subject: Subject): Referee {
    const referee = new Referee(registry, subject, violation => this.#blame(violation));
    this.#diary.hear(subject);
    referee.start();
    subject.onEvent(({ name }) => this.figures.hear(name));
    return referee;
  }

  async #play(round: Round, cast: Cast): Promise<void> {
    const { registry, subjects, referees } = cast;
    this.figures.strike(round.fault);
    setClimate(registry, round.climate);
    const others = referees.filter((_, index) => index !== round.caller);
    const one = referees.filter((_, index) => index === round.caller);
    if (leavesAnAddress(round)) {
      // No lease is left to be lost from the round before: a registry may renew after its answer.
      await delay(settlingMs);
      for (const referee of others) referee.mayLose = false;
    }
    const caller = subjects[round.caller];
    const called = delay(round.callAfterMs).then(() => caller?.call(round.call));
    const doneAt = within(callMs, called).then(isDone => {
      if (!isDone) this.#blame(`${caller?.name}: ${round.call} did not end within ${callMs} ms`);
      return performance.now();
    });
    const heal = await strike(cast, round);
    if (!strikesAtOnce(round)) await delay(round.lastsMs);
    await heal();
    const healedAt = performance.now();
    await Promise.all([
      this.#allBack(others, healedAt),
      doneAt.then(doneAt => this.#allBack(one, Math.max(healedAt, doneAt))),
    ]);
    const grown = this.#growth.sample(subjects);
    if (grown !== undefined) this.#blame(grown);
    await delay(round.pauseMs);
  }

  /** Waits until all are what they should be, and notes how long that took. */
  async #allBack(referees: readonly Referee[], sinceMs: number): Promise<void> {
    await Promise.all(referees.map(referee => this.#back(referee, sinceMs)));
    for (const referee of referees) referee.mayLose = true;
  }

  async #back(referee: Referee, sinceMs: number): Promise<void> {
    for (let looks = 1; this.#violation === undefined; looks += 1) {
      const { missing } = referee;
      const tookMs = performance.now() - sinceMs;
      if (missing === undefined) return this.figures.back(looks === 1 ? undefined : tookMs);
      if (tookMs > backMs) this.#blame(`${referee.name}: not back, ${missing}`);
      await delay(sampleMs);
    }
  }

  async #end(registry: EmbeddedServiceCenter, subjects: readonly Subject[]): Promise<void> {
    setClimate(registry, 'calm');
    for (const subject of subjects) {
      subject.isWanted = undefined;
      await subject.close();
      subject.isWanted = false;
    }
    await delay(intervalMs);
    const left = registry.instances().map(({ instanceId }) => instanceId);
    if (left.length > 0 && this.#violation === undefined)
      this.#blame(`${left.join(', ')} still listed after the end`);
  }

  /** The first violation ends the run: what follows may follow from it. */
  #blame(violation: string): void {
    if (this.#violation !== undefined) return;
    this.#violation = violation;
    this.figures.violations += 1;
    this.settings.print(
      [
        `VIOLATION after ${this.#diary.elapsed} s with --seed ${this.settings.seed}: ${violation}`,
        'The rounds so far:',
        ...this.#history,
        'The last requests and events:',
        this.#diary.text,
      ].join('\n'),
    );
  }
}

interface Cast extends Targets {
  readonly subjects: readonly Subject[];
  readonly referees: readonly Referee[];
}

/** Resolves with whether that ended in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
