import { Background } from '../background/background.js';
import { type Clock, Deferred } from '../background/clock.js';
import { failureKind } from '../protocol/failures.js';
import {
  type Answer,
  Finder,
  type FinderParts,
  isRegistryFailure,
  type Pull,
  type Target,
  truth,
} from './finder.js';
import { isInDoubt, type Outcome } from './provider-state.js';

/** A provider that is pulled. */
export interface Pullable extends Omit<Target, 'isAlias'> {
  /** When it was last asked for, on the monotonic clock. */
  readonly usedAt: number;
  apply(outcome: Outcome): void;
}

/** The part of the settings that says when to pull. */
export interface PullSettings {
  readonly pollIntervalMs: number;
  /** Whether all but first questions wait for the poll, which never comes early. */
  readonly neverEarly: boolean;
  readonly own: { readonly environment: string };
}

export interface PullerParts extends Pick<FinderParts, 'client'> {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: () => number;
  /** Called when something is due sooner than `tick()` has returned. */
  readonly wake: () => void;
}

/** The poll that is a truth pull, for providers that are in use. */
const truthEvery = 4;

/** Least time between two pulls of a provider that frames ask for; up to twice as much, at random. */
const hintGapMs = 250;

/** Least time between two pulls of a provider that questions or failed calls ask for. */
const askedGapMs = 1_000;

/** The most questions that are asked at a time: their names may come from requests. */
const mostQuestions = 16;

/** The pause after a refusal, which the next poll would meet again. */
const refusedMs = 60_000;

/** When a provider is pulled. */
class Schedule implements Target {
  /** When a truth pull is due besides the polls. */
  truthAt = Infinity;
  /** The pull under way; resolves when it has ended, however it did. */
  underWay: (Deferred & { readonly isFresh: boolean }) | undefined;
  endedAt = -Infinity;
  truthEndedAt = -Infinity;
  /** When the last pull that a failed call asked for was due. */
  doubtedAt = -Infinity;
  /** No poll before; after a refusal. */
  barredUntil = -Infinity;
  cheapPulls = 0;
  isAlias: boolean | undefined;

  constructor(readonly provider: Pullable) {}

  get name(): Pullable['name'] {
    return this.provider.name;
  }

  get state(): Pullable['state'] {
    return this.provider.state;
  }

  /** Returns the pull that a poll makes, or that is due. */
  pull(now: number): SchedulePull {
    const { state, usedAt } = this.provider;
    const isInUse = this.cheapPulls + 1 >= truthEvery && usedAt > this.truthEndedAt;
    const isCheap = state.kind === 'known' && !isInDoubt(state) && !isInUse && this.truthAt > now;
    return { target: this, revision: isCheap ? (state.revision ?? truth) : truth };
  }

  note(revision: string | undefined, answer: Answer, now: number): void {
    const isTruth = revision === undefined || revision === truth;
    this.endedAt = now;
    this.barredUntil = -Infinity;
    if (answer.kind === 'failed') {
      const kind = failureKind(answer.error);
      if (kind !== 'unavailable' && kind !== 'credentials') this.barredUntil = now + refusedMs;
    } else if (isTruth) {
      this.truthEndedAt = Math.max(now, this.provider.usedAt);
      this.cheapPulls = 0;
    } else this.cheapPulls += 1;
  }
}

/**
 * How providers were read, and what came of it.
 *
 * - `poll`: by the revision of the list at hand, which the registry may answer with "unchanged"
 * - `truth`: past the cache of the registry
 * - `store`: from its store, for `fresh`
 */
export type PullCounts = Readonly<
  Record<
    'poll' | 'truth' | 'store',
    Readonly<Record<'listed' | 'unchanged' | 'absent' | 'failed', number>>
  >
>;

function pullKind(revision: string | undefined): keyof PullCounts {
  if (revision === undefined) return 'store';
  return revision === truth ? 'truth' : 'poll';
}

type SchedulePull = Pull & { readonly target: Schedule };

/**
 * Keeps what is known of providers up to date: one pull of a provider at a time, and one request for many where
 * that is possible. It has no timer: `tick()` returns when something is due.
 */
export class Puller {
  readonly #schedules = new Map<Pullable, Schedule>();
  /** When all are polled. One moment for all, so that a batch has them all. */
  #pollAt = Infinity;
  /** What the last tick returned. */
  #expectedAt = Infinity;
  #consumerId: string | undefined;
  /** Questions that wait for others to be answered. */
  readonly #questions = new Set<SchedulePull>();
  #questionsUnderWay = 0;
  #isStopped = false;
  readonly #background = new Background();
  readonly #counts = {
    poll: { listed: 0, unchanged: 0, absent: 0, failed: 0 },
    truth: { listed: 0, unchanged: 0, absent: 0, failed: 0 },
    store: { listed: 0, unchanged: 0, absent: 0, failed: 0 },
  };
  readonly #finder: Finder;

  constructor(
    private readonly settings: PullSettings,
    private readonly parts: PullerParts,
  ) {
    this.#finder = new Finder({ ...parts, environment: settings.own.environment });
  }

  /** The service that asks: the registry notes what it depends on, and pushes changes of that. */
  get consumerId(): string | undefined {
    return this.#consumerId;
  }

  /** Pulls so far, each provider of a batch as one. */
  get counts(): PullCounts {
    return this.#counts;
  }

  /** Sets who asks. With a new id everything is pulled again, since the registry notes dependencies by id. */
  setConsumer(id: string | undefined): void {
    if (id === this.#consumerId) return;
    this.#consumerId = id;
    if (id !== undefined) this.pullAll(0);
  }

  /** Adds a provider to those that are polled. */
  add(provider: Pullable): void {
    const { pollIntervalMs, neverEarly } = this.settings;
    this.#schedules.set(provider, new Schedule(provider));
    if (this.#pollAt !== Infinity) return;
    // Anywhere in the first interval: the processes of a fleet start together.
    this.#pollAt = this.#now + pollIntervalMs * (this.#random + (neverEarly ? 1 : 0));
    this.parts.wake();
  }

  /** Ends the polls of a provider. */
  remove(provider: Pullable): void {
    this.#schedules.delete(provider);
    if (this.#schedules.size === 0) this.#pollAt = Infinity;
  }

  /**
   * Pulls for a question, unless it was done less than a second ago. Resolves when the pull has ended, however it
   * did: all who ask meanwhile wait for the same one.
   */
  async ask(provider: Pullable): Promise<void> {
    const schedule = this.#schedules.get(provider);
    if (schedule === undefined) return;
    const mustWait = this.settings.neverEarly && provider.state.kind !== 'asked';
    const isEarly = mustWait || this.#now < schedule.endedAt + askedGapMs;
    if (schedule.underWay === undefined && !isEarly)
      this.#question({ target: schedule, revision: truth });
    await schedule.underWay?.promise;
  }

  /** Reads the registry's store; resolves when a pull has ended that began later. */
  async askStore(provider: Pullable): Promise<void> {
    const schedule = this.#schedules.get(provider);
    await schedule?.underWay?.promise;
    while (schedule?.underWay?.isFresh === false) await schedule.underWay.promise;
    if (schedule === undefined) return;
    if (schedule.underWay === undefined) this.#question({ target: schedule, revision: undefined });
    await schedule.underWay?.promise;
  }

  /** Pulls soon, since the registry has said that something changed. At one moment, so that a batch has them all. */
  hint(providers: readonly Pullable[]): void {
    const schedules = providers.flatMap(provider => this.#schedules.get(provider) ?? []);
    const endedAt = schedules.reduce((last, { endedAt }) => Math.max(last, endedAt), -Infinity);
    const at = this.#afterGap(endedAt);
    for (const schedule of schedules) this.#schedule(schedule, at);
    this.#startDue();
  }

  /** Pulls soon, since a call found an instance unreachable. */
  doubt(provider: Pullable): void {
    const schedule = this.#schedules.get(provider);
    if (schedule === undefined) return;
    const at = Math.max(this.#now, schedule.doubtedAt + askedGapMs);
    if (schedule.truthAt <= at) return;
    schedule.doubtedAt = at;
    this.#schedule(schedule, at);
    this.#startDue();
  }

  /** Pulls all of them at one moment within that many milliseconds, so that a fleet spreads. */
  pullAll(withinMs: number): void {
    const at = this.#now + withinMs * this.#random;
    for (const schedule of this.#schedules.values()) this.#schedule(schedule, at);
    this.#startDue();
  }

  /** Starts what is due, and returns when something is due next; Infinity for never. @throws a bug of earlier work */
  tick(): number {
    this.#background.throwPending();
    const now = this.#now;
    const isPoll = now >= this.#pollAt;
    if (isPoll) {
      const { pollIntervalMs, neverEarly } = this.settings;
      const jitter = neverEarly ? 0.2 * this.#random : 0.4 * this.#random - 0.2;
      this.#pollAt = now + pollIntervalMs * (1 + jitter);
    }
    this.#startWhere(({ truthAt }) => isPoll || truthAt <= now);
    this.#expectedAt = this.#dueAt;
    return this.#expectedAt;
  }

  /** Ends what is under way, and starts nothing more; resolves when the requests under way have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#background.stop();
    for (const { target } of this.#questions) this.#release(target);
    this.#questions.clear();
    for (const { underWay } of this.#schedules.values()) await underWay?.promise;
  }

  get #now(): number {
    return this.parts.clock.now();
  }

  get #random(): number {
    return this.parts.random();
  }

  get #dueAt(): number {
    const pending = [...this.#schedules.values()].filter(({ underWay }) => underWay === undefined);
    const dueAts = pending.map(({ truthAt, barredUntil }) => Math.max(truthAt, barredUntil));
    return this.#isStopped ? Infinity : dueAts.reduce((a, b) => Math.min(a, b), this.#pollAt);
  }

  #schedule(schedule: Schedule, at: number): void {
    schedule.truthAt = Math.min(schedule.truthAt, this.settings.neverEarly ? this.#pollAt : at);
  }

  /** Now, or some time after the last pull if that has just ended. */
  #afterGap(endedAt: number): number {
    const isClose = this.#now < endedAt + hintGapMs;
    return isClose ? endedAt + hintGapMs * (1 + this.#random) : this.#now;
  }

  /** Starts what is due besides the polls; a poll waits for the next tick. */
  #startDue(): void {
    this.#startDueNow();
    if (this.#schedules.size > 0) this.parts.wake();
  }

  #startDueNow(): void {
    if (!this.settings.neverEarly) this.#startWhere(({ truthAt }) => truthAt <= this.#now);
  }

  #startWhere(isDue: (schedule: Schedule) => boolean): void {
    const now = this.#now;
    const due = [...this.#schedules.values()].filter(
      schedule => schedule.underWay === undefined && now >= schedule.barredUntil && isDue(schedule),
    );
    if (due.length > 0) this.#start(due.map(schedule => schedule.pull(now)));
  }

  #start(pulls: readonly SchedulePull[]): void {
    if (this.#isStopped) return;
    for (const pull of pulls) begin(pull);
    this.#background.start(signal => this.#pull(pulls, signal));
  }

  /** Asks for one provider, by itself, once few enough questions are under way. */
  #question(pull: SchedulePull): void {
    if (this.#isStopped) return;
    begin(pull);
    this.#questions.add(pull);
    this.#askNext();
  }

  #askNext(): void {
    const [pull] = this.#questions;
    if (pull === undefined || this.#questionsUnderWay >= mostQuestions) return;
    this.#questions.delete(pull);
    this.#questionsUnderWay += 1;
    this.#background.start(async signal => {
      try {
        await this.#pull([pull], signal);
      } finally {
        this.#questionsUnderWay -= 1;
        this.#askNext();
      }
    });
  }

  /** Fails the questions that wait, where the same would become of them. */
  #failQuestions(answer: Answer): void {
    if (answer.kind !== 'failed' || !isRegistryFailure(answer.error)) return;
    // Those that are asked meanwhile, such as by a listener, are sent.
    const waiting = [...this.#questions];
    for (const pull of waiting) {
      this.#questions.delete(pull);
      this.#settle(pull.target, pull.revision, answer);
    }
  }

  async #pull(pulls: readonly SchedulePull[], signal: AbortSignal): Promise<void> {
    const consumerId = this.#consumerId;
    const schedules = new Map<Pull, Schedule>(pulls.map(pull => [pull, pull.target]));
    let unchanged = 0;
    try {
      await this.#finder.find(pulls, {
        consumerId,
        signal,
        settle: (pull, answer) => {
          const schedule = schedules.get(pull);
          schedules.delete(pull);
          if (answer.kind === 'unchanged') unchanged += 1;
          if (schedule !== undefined) this.#settle(schedule, pull.revision, answer);
          this.#failQuestions(answer);
        },
      });
    } finally {
      for (const schedule of schedules.values()) this.#release(schedule);
      this.#startDueNow();
      // A poll that finds nothing new is the usual case, and is followed by nothing.
      const isNews = unchanged < pulls.length || this.#dueAt < this.#expectedAt;
      if (isNews && this.#schedules.size > 0) this.parts.wake();
    }
  }

  #settle(schedule: Schedule, revision: string | undefined, answer: Answer): void {
    schedule.note(revision, answer, this.#now);
    this.#counts[pullKind(revision)][answer.kind] += 1;
    try {
      // The provider may have been forgotten meanwhile.
      if (this.#schedules.has(schedule.provider)) schedule.provider.apply(answer);
    } finally {
      this.#release(schedule);
    }
  }

  /** Ends a pull. One that was asked for meanwhile follows. */
  #release(schedule: Schedule): void {
    const ended = schedule.underWay;
    schedule.underWay = undefined;
    if (schedule.truthAt <= this.#now) {
      schedule.truthAt = Infinity;
      this.#schedule(schedule, this.#afterGap(schedule.endedAt));
    }
    ended?.resolve();
  }
}

function begin({ target, revision }: SchedulePull): void {
  target.truthAt = Infinity;
  target.underWay = Object.assign(new Deferred(), { isFresh: revision === undefined });
}
