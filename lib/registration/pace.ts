/** How often, and how soon after a failure: all waits of a registration, in milliseconds. */
export interface PaceSettings {
  readonly intervalMs: number;
  /** Random part of the interval to either side, 0 to 0.5. */
  readonly jitter: number;
  readonly retry: {
    readonly initialMs: number;
    readonly maxMs: number;
    readonly factor: number;
  };
}

/** The server needs up to 1 s after a POST until a heartbeat tells the truth (behaviour S3). */
const settlingMs = 2_000;
/** Between a DELETE and the POST of the same id; at less than 5 ms the POST is lost (measured M3). */
const gapMs = 150;
/** Until a heartbeat whose answer contradicted the record is repeated (measured M5: 1 s is enough). */
const doubtMs = 1_500;
/** How soon a refused registration is tried again: a quota may be raised, an account unlocked. */
const blockedMs = 60_000;
/** The registry may answer 200 for a lease that has just ended (measured M6). */
const reserveMs = 1_000;
const longestSpreadMs = 10_000;
const longestInLeaseMs = 8_000;

/**
 * The waits of one registration. Random numbers come from the argument, so that a fleet that was
 * started together does not beat together, and a test knows what it gets.
 */
export class Pace {
  constructor(
    private readonly settings: PaceSettings,
    private readonly random: () => number,
  ) {}

  /** From one heartbeat to the next. */
  beat(): number {
    const { intervalMs, jitter } = this.settings;
    return intervalMs * (1 + jitter * (2 * this.random() - 1));
  }

  /** From a registration to its first heartbeat: anywhere in the interval, to spread a fleet. */
  firstBeat(): number {
    return Math.max(settlingMs, this.settings.intervalMs * this.#between(0.1, 1));
  }

  /** Deadline of one heartbeat. */
  get beatTimeoutMs(): number {
    return Math.min(5_000, Math.max(500, Math.round(this.settings.intervalMs / 3)));
  }

  /**
   * After failed heartbeats, while the lease lives: doubles from a second up to eight, or less for a
   * short interval. Brought forward towards the end: the last attempt can be answered before it, and
   * the one before may hang. A lease of a minute has six attempts at least. After the last one, the
   * end is waited for.
   */
  inLease(failures: number, leaseRemainingMs: number): number {
    const { intervalMs } = this.settings;
    const base = Math.min(1_000, intervalMs / 4);
    const cap = Math.min(longestInLeaseMs, intervalMs / 2);
    const wait = this.#between(base, Math.min(cap, base * 2 ** (failures - 1)));
    const last = this.lastInLease(leaseRemainingMs);
    if (last <= 0) return Math.max(wait, leaseRemainingMs);
    const lastButOne = last - this.beatTimeoutMs - base;
    return Math.min(wait, lastButOne > 0 ? Math.max(base, lastButOne) : last);
  }

  /** Until the last attempt that can be answered before the lease ends; negative when it is too late. */
  lastInLease(leaseRemainingMs: number): number {
    return leaseRemainingMs - this.beatTimeoutMs - reserveMs;
  }

  /** After failed registrations: full jitter up to a backoff that grows to its maximum. */
  retry(failures: number): number {
    const { initialMs, maxMs, factor } = this.settings.retry;
    return this.#between(0, Math.min(maxMs, initialMs * factor ** (failures - 1)));
  }

  /** After the registry forgot us alone: soon. After failed beats many may come back: spread out. */
  recovery(failures: number): number {
    const spread = Math.min(this.settings.intervalMs / 2, longestSpreadMs);
    return this.#between(0, failures === 0 ? Math.min(1_000, spread) : spread);
  }

  /** Between the removal of a stale record and our registration. */
  get gap(): number {
    return gapMs;
  }

  /** After an answer that contradicts the record. */
  get doubt(): number {
    return Math.min(doubtMs, this.settings.intervalMs);
  }

  /** After a refusal. */
  blocked(): number {
    return blockedMs * this.#between(0.9, 1.1);
  }

  #between(low: number, high: number): number {
    return low + (high - low) * this.random();
  }
}
