import { type ServiceCombError, ServiceCenterResponseError } from '../errors.js';

/** The options that decide how often and how soon; the resolved options are passed as they are. */
export interface PaceSettings {
  readonly heartbeat: {
    readonly intervalMs: number;
    /** Random part of the interval, 0 to 0.5. */
    readonly jitter: number;
    /** Whether the interval is a minimum: the random part then only adds to it. */
    readonly neverEarly: boolean;
    /** Heartbeats between two read-backs of the record; 0 for none. */
    readonly verifyEvery: number;
  };
  readonly registration: {
    readonly retry: { readonly initialMs: number; readonly maxMs: number; readonly factor: number };
  };
}

/** A turn of the ticker that comes later than this means that the process stood still. */
export const standstillMs = 2_000;

/** After a POST the server needs up to 1 s until the answer to a heartbeat is true (behaviour S3). */
const settlingMs = 2_000;
/** Until a heartbeat whose answer contradicted the record is repeated (measured M5: 1 s is enough). */
const contradictionMs = 1_500;
/** Until a refused registration is tried again: a quota may be raised, an account unlocked. */
const blockedMs = 60_000;
/** The registry may answer 200 for a lease that has just ended (measured M6). */
const reserveMs = 1_000;
/**
 * A renewal may wait for 2 s at the server (`pkg/task/service_async.go`), so the answer to a heartbeat
 * that is sent later than this before the end of a lease proves nothing (measured M6).
 */
const doubtMs = 2_100;
/** A heartbeat that is to prove something is sent so long before that, to be answered in time. */
const answerMs = 250;
/** A lost lease was still listed 0.3 s after its end; from then on a read shows the loss (measured M6). */
const lossShowsMs = 1_500;
/** Deadline of a heartbeat at the very end of a lease; the server answers in 2 to 10 ms. */
const shortestTimeoutMs = 500;
const longestTimeoutMs = 5_000;
/** Between two heartbeats of one client, to any address: 250 ms, and some for timers that are early. */
const heartbeatGapMs = 300;
/** An attempt that is made so shortly before the last one of a lease is the last one. */
const lastMs = 50;
/** Between the end of a heartbeat that hung and the next one, before the end of the lease. */
const breathMs = heartbeatGapMs + 50;
/** Part of the interval over which a crowd is spread beyond a minimum; a lease lasts two intervals or more. */
const crowdSpread = 0.75;
const longestSpreadMs = 10_000;
const longestInLeaseMs = 8_000;
const longestRepairMs = 10_000;
const longestProbeMs = 10_000;
const longestCheckMs = 5_000;
const longestTurnMs = 1_000;
/** A gateway that asks for a longer pause has gone wrong, and must not keep the instance out. */
const longestAskedMs = 600_000;
/** The registry's nodes seldom change; a dead one is listed for up to two minutes (measured M9). */
const learningMs = 600_000;
const learningRetryMs = 60_000;
const removalTimeoutMs = 1_500;
/** The last removal of an instance that may still land is sent so long before the budget ends. */
const lastRemovalMs = 300;

/**
 * All waits and deadlines of a registration, in milliseconds. Random numbers come from the argument,
 * so that a fleet that started together does not send its heartbeats together.
 */
export class Pace {
  /** Between a DELETE and the POST of the same id; at less than 5 ms the POST is lost (measured M3). */
  readonly repostDelayMs = 150;
  /** Between two writes to the record; a sooner one may undo the first, from a cache (measured M18). */
  readonly writeGapMs = 500;
  /** How long refusals of a gateway are taken for failures, before they count as refusals. */
  readonly gatewayPatienceMs = 60_000;
  /** After a removal that failed. */
  readonly removalRetryDelayMs = 100;
  /** From an attempt to register that failed to the next one that `register()` asks for. */
  readonly attemptGapMs = 1_000;
  /** Between the sending of two heartbeats, whatever became of the first one and whichever address it went to. */
  readonly heartbeatGapMs = heartbeatGapMs;

  constructor(
    private readonly settings: PaceSettings,
    private readonly random: () => number,
  ) {}

  /** Heartbeats from one read-back of the record to the next; Infinity for none. */
  get heartbeatsUntilReadBack(): number {
    return this.settings.heartbeat.verifyEvery || Infinity;
  }

  /**
   * From the sending of a good heartbeat to the next heartbeat. After failures the next one is spread
   * over the interval, since all instances have renewed within the same seconds. The retries of a
   * failed heartbeat are not held to a minimum interval.
   * @param tookMs until it was answered, perhaps by a second address: a minimum interval begins there
   * @param failures before it
   */
  heartbeatDelay(tookMs: number, failures: number): number {
    const { intervalMs, jitter, neverEarly } = this.settings.heartbeat;
    const spread = failures === 0 ? jitter : crowdSpread;
    if (neverEarly) return tookMs + intervalMs * this.#between(1, 1 + spread);
    return failures === 0
      ? intervalMs * this.#between(1 - jitter, 1 + jitter)
      : this.firstHeartbeatDelay();
  }

  /** From a registration to its first heartbeat: anywhere in the interval, to spread a fleet. */
  firstHeartbeatDelay(): number {
    return Math.max(settlingMs, this.#intervalMs * this.#between(0.1, 1));
  }

  /**
   * When a heartbeat is due after a standstill: at once, unless a minimum interval has not passed yet.
   * The monotonic clock did not count the time that the machine slept.
   */
  heartbeatAtAfterStandstill(heartbeatAt: number, now: number, asleepMs: number): number {
    return this.settings.heartbeat.neverEarly ? Math.max(now, heartbeatAt - asleepMs) : now;
  }

  /** How much sooner than planned a heartbeat may be sent when none has failed, if the timer would like that much. */
  heartbeatTolerance(likedMs: number): number {
    return this.settings.heartbeat.neverEarly ? 0 : likedMs;
  }

  /**
   * After failed heartbeats, while the lease lives: doubles from a second up to eight, or less for a
   * short interval. One attempt is made while its answer can still prove a renewal, and a last one after
   * it; from then on the end of the lease is waited for. A lease of a minute allows six attempts at least.
   * A longer pause that the registry asks for is kept as far as the lease allows.
   */
  inLeaseRetryDelay(failures: number, leaseRemainingMs: number, error: ServiceCombError): number {
    const base = Math.min(1_000, this.#intervalMs / 4);
    const cap = Math.min(longestInLeaseMs, this.#intervalMs / 2);
    const backoff = this.#between(base, Math.min(cap, base * 2 ** (failures - 1)));
    const latest = latestAttemptDelay(leaseRemainingMs);
    if (latest < lastMs) return Math.max(backoff, leaseRemainingMs);
    return Math.max(heartbeatGapMs, Math.min(Math.max(backoff, askedDelay(error)), latest));
  }

  /** Deadline of a heartbeat, and of a read that is made in its place. */
  get heartbeatTimeoutMs(): number {
    const third = Math.round(this.#intervalMs / 3);
    return Math.min(longestTimeoutMs, Math.max(shortestTimeoutMs, third));
  }

  /**
   * Deadline of a heartbeat, whatever addresses it asks. It is shorter towards the end of the lease, so
   * that there is always time for another heartbeat.
   */
  lateHeartbeatTimeoutMs(leaseRemainingMs: number): number {
    if (leaseRemainingMs === 0) return this.heartbeatTimeoutMs;
    const leftMs = Math.floor(latestAttemptDelay(leaseRemainingMs) - breathMs);
    return Math.min(this.heartbeatTimeoutMs, Math.max(shortestTimeoutMs, leftMs));
  }

  /** Whether an answer came so near the end of a lease that it does not prove a renewal (measured M4, M6). */
  isTooClose(leaseRemainingMs: number): boolean {
    return leaseRemainingMs < doubtMs;
  }

  /**
   * When a read-back shows whether a lease lives whose renewal is in doubt.
   * @param leaseEndedAt the end that it would have had without the renewal
   */
  doubtEndsAt(leaseEndedAt: number, now: number): number {
    return Math.max(leaseEndedAt + lossShowsMs, now + this.contradictionDelay());
  }

  /** After a heartbeat whose answer contradicts the record, and from a POST in place of a lost lease to a read-back. */
  contradictionDelay(): number {
    return Math.min(contradictionMs, this.#intervalMs);
  }

  /**
   * After failed registrations: full jitter up to a backoff that grows to its maximum, or as long as the
   * registry asks for.
   */
  registrationRetryDelay(failures: number, error: ServiceCombError): number {
    const { initialMs, maxMs, factor } = this.settings.registration.retry;
    const backoff = this.#between(0, Math.min(maxMs, initialMs * factor ** (failures - 1)));
    return Math.max(backoff, askedDelay(error));
  }

  /** After a refusal. */
  blockedDelay(): number {
    return blockedMs * this.#between(0.9, 1.1);
  }

  /** Between two looks whether another process still holds our id: a look costs what a heartbeat does. */
  holderDelay(): number {
    return this.#intervalMs * this.#between(0.9, 1.1);
  }

  /**
   * From a lost lease to the registration: short when the registry forgot this instance alone, and
   * spread out after failed heartbeats, when many instances may come back together.
   */
  recoveryDelay(failures: number): number {
    const spread = Math.min(this.#intervalMs / 2, longestSpreadMs);
    return this.#between(0, failures === 0 ? Math.min(1_000, spread) : spread);
  }

  /**
   * From the nth repair of the record in a row to its read-back: none at first, then a growing one. As long
   * as other records change, a server may undo each of them.
   */
  repairDelay(count: number): number {
    return count === 1 ? 0 : Math.min(longestRepairMs, this.writeGapMs * 2 ** (count - 1));
  }

  /** Between two probes of an isolated address. */
  probeDelay(): number {
    return Math.min(longestProbeMs, this.#intervalMs) * this.#between(0.8, 1.2);
  }

  /** Until the registry is asked for its addresses again. */
  learningDelay(): number {
    return learningMs * this.#between(0.8, 1.2);
  }

  /** Until the registry is asked for its addresses again when it did not answer. */
  learningRetryDelay(): number {
    return learningRetryMs * this.#between(0.8, 1.2);
  }

  /** How long a POST under way may take to land once the instance leaves: half of the budget. */
  postGraceMs(budgetMs: number): number {
    return budgetMs / 2;
  }

  /** Deadline of one attempt to remove the instance, whatever addresses it asks. */
  removalTimeoutMs(leftMs: number): number {
    return Math.max(1, Math.min(removalTimeoutMs, Math.floor(leftMs / 2)));
  }

  /**
   * After a removal that found nothing while a registration may still land, or whose token was refused:
   * half of the time that is left, then all of it but a moment. The later the attempt, the more has landed
   * before it, and the pause between two logins may be over.
   */
  spreadRemovalDelay(leftMs: number, isLast: boolean): number {
    return Math.max(this.removalRetryDelayMs, isLast ? leftMs - lastRemovalMs : leftMs / 2);
  }

  /** Between two checks of the application's health, or of the TLS files. */
  get checkPeriodMs(): number {
    return Math.min(longestCheckMs, this.#intervalMs);
  }

  /** The longest pause between two looks at the time while a request is under way. */
  get turnPeriodMs(): number {
    return Math.min(longestTurnMs, this.#intervalMs / 10);
  }

  get #intervalMs(): number {
    return this.settings.heartbeat.intervalMs;
  }

  #between(low: number, high: number): number {
    return low + (high - low) * this.random();
  }
}

/**
 * Until the latest attempt whose answer proves a renewal; when it is too late for that one, until the
 * last that can be answered before the lease ends.
 */
function latestAttemptDelay(leaseRemainingMs: number): number {
  const proving = leaseRemainingMs - doubtMs - answerMs;
  return proving >= heartbeatGapMs ? proving : leaseRemainingMs - shortestTimeoutMs - reserveMs;
}

/** Returns how long the registry asks to wait (`Retry-After`); 0 unless it does. */
export function askedDelay(error: ServiceCombError | undefined): number {
  const asked = error instanceof ServiceCenterResponseError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(asked, longestAskedMs);
}
