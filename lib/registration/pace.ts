/** How often, and how soon after a failure: all waits of a registration, in milliseconds. */
export interface PaceSettings {
  readonly intervalMs: number;
  /** Random part of the interval, 0 to 0.5. */
  readonly jitter: number;
  /** Whether the interval is a least distance: the random part only adds to it. */
  readonly neverEarly: boolean;
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
/** What a heartbeat gets at the very end of a lease; the server answers one in 2 to 10 ms. */
const shortestBeatMs = 500;
const longestBeatMs = 5_000;
/** From the end of a heartbeat that hung to the last one of the lease. */
const breathMs = 100;
/** Nearer than this a write may undo the one before, from the server's cache (measured M18). */
const writeGapMs = 500;
/** Part of the interval over which a crowd is spread beyond a least distance; a lease is two intervals long at least. */
const crowdSpread = 0.75;
const longestSpreadMs = 10_000;
const longestInLeaseMs = 8_000;
const longestProbeMs = 10_000;

/**
 * The waits of one registration. Random numbers come from the argument, so that a fleet that was
 * started together does not beat together, and a test knows what it gets.
 */
export class Pace {
  constructor(
    private readonly settings: PaceSettings,
    private readonly random: () => number,
  ) {}

  /**
   * From the sending of a good heartbeat to the next one, unless that fails: what repeats it is not held
   * to a least distance. After failures all have renewed within seconds: the next one is spread.
   *
   * @param tookMs until it was answered, perhaps by a second address: a least distance begins there
   * @param failures before it
   */
  beat(tookMs: number, failures: number): number {
    const { intervalMs, jitter, neverEarly } = this.settings;
    const spread = failures === 0 ? jitter : crowdSpread;
    if (neverEarly) return tookMs + intervalMs * this.#between(1, 1 + spread);
    return failures === 0 ? intervalMs * this.#between(1 - jitter, 1 + jitter) : this.firstBeat();
  }

  /**
   * When a heartbeat that was to be sent at a moment is due after a standstill, whose sleep the clock did
   * not count: at once, unless a least distance has not passed yet.
   */
  afterStandstill(beatAt: number, now: number, asleepMs: number): number {
    return this.settings.neverEarly ? Math.max(now, beatAt - asleepMs) : now;
  }

  /** How much sooner than planned a heartbeat may be sent, by what the timer would like. */
  tolerance(likedMs: number): number {
    return this.settings.neverEarly ? 0 : likedMs;
  }

  /** From a registration to its first heartbeat: anywhere in the interval, to spread a fleet. */
  firstBeat(): number {
    return Math.max(settlingMs, this.settings.intervalMs * this.#between(0.1, 1));
  }

  /** Deadline of one attempt of a heartbeat, and of a read that is made in its stead. */
  get beatTimeoutMs(): number {
    const { intervalMs } = this.settings;
    return Math.min(longestBeatMs, Math.max(shortestBeatMs, Math.round(intervalMs / 3)));
  }

  /**
   * The deadline of a heartbeat that may take so many attempts, one address after the other. Towards
   * the end of the lease it is shorter, so that there is always time for a last one.
   */
  lateBeatTimeoutMs(leaseRemainingMs: number, attempts: number): number {
    if (leaseRemainingMs === 0) return this.beatTimeoutMs;
    const share = Math.floor((this.lastInLease(leaseRemainingMs) - breathMs) / attempts);
    return Math.min(this.beatTimeoutMs, Math.max(shortestBeatMs, share));
  }

  /**
   * After failed heartbeats, while the lease lives: doubles from a second up to eight, or less for a
   * short interval, and never beyond the last moment. A lease of a minute has six attempts at least.
   * After the last one, the end is waited for.
   */
  inLease(failures: number, leaseRemainingMs: number): number {
    const { intervalMs } = this.settings;
    const base = Math.min(1_000, intervalMs / 4);
    const cap = Math.min(longestInLeaseMs, intervalMs / 2);
    const wait = this.#between(base, Math.min(cap, base * 2 ** (failures - 1)));
    const last = this.lastInLease(leaseRemainingMs);
    return last <= 0 ? Math.max(wait, leaseRemainingMs) : Math.min(wait, last);
  }

  /** Until the last attempt that can be answered before the lease ends; negative when it is too late. */
  lastInLease(leaseRemainingMs: number): number {
    return leaseRemainingMs - shortestBeatMs - reserveMs;
  }

  /** Whether an answer came so near the end that the lease may have been over (measured M4, M6). */
  isTooClose(leaseRemainingMs: number): boolean {
    return leaseRemainingMs < reserveMs;
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

  /** Between two probes of an address that is out of sight. */
  probe(): number {
    return Math.min(longestProbeMs, this.settings.intervalMs) * this.#between(0.8, 1.2);
  }

  /** Between two writes to the record of an instance. */
  get writeGap(): number {
    return writeGapMs;
  }

  /** Before the record is repaired for the nth time in a row: at once, then later each time. */
  repair(round: number): number {
    return round === 1 ? 0 : writeGapMs * 2 ** (round - 1);
  }

  /** After a refusal. */
  blocked(): number {
    return blockedMs * this.#between(0.9, 1.1);
  }

  #between(low: number, high: number): number {
    return low + (high - low) * this.random();
  }
}
