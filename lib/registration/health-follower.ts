import { isServiceCombError } from '../errors.js';
import type { InstanceStatus } from '../protocol/wire.js';
import { Background, type BackgroundWork } from './background.js';
import type { Clock } from './clock.js';

/** Checks in a row until consumers are kept away, and until they are let back. */
const downs = 3;
const ups = 2;

/** What a follower works with. */
export interface FollowerParts {
  readonly clock: Clock;
  /** From one check to the next, and the longest that one may take, in milliseconds. */
  readonly everyMs: number;
  /** Whether the application can serve; a rejection says that it cannot. */
  readonly isHealthy: () => Promise<boolean>;
  /** The status that consumers see. */
  readonly status: () => InstanceStatus;
  readonly setStatus: (status: InstanceStatus) => Promise<void>;
}

/**
 * Lets the status follow the health of the application: three checks in a row that fail make it
 * OUTOFSERVICE, two that succeed make it what it was before. One that is OUTOFSERVICE already is left
 * so.
 */
export class HealthFollower implements BackgroundWork {
  #dueAt = -Infinity;
  #isChecking = false;
  /** Checks in a row: above 0 good ones, below 0 bad ones. */
  #row = 0;
  /** What the status was before; undefined while it is not ours. */
  #before: InstanceStatus | undefined;
  readonly #background = new Background();

  constructor(private readonly parts: FollowerParts) {}

  tick(): number {
    this.#background.surface();
    const now = this.parts.clock.now();
    if (this.#dueAt > now || this.#isChecking) return this.#dueAt;
    this.#dueAt = now + this.parts.everyMs;
    this.#background.start(signal => this.#check(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
  }

  /** Follows no more: somebody else has the last word on the status. */
  retire(): void {
    this.stop();
    this.#dueAt = Infinity;
  }

  async #check(signal: AbortSignal): Promise<void> {
    this.#isChecking = true;
    try {
      const isHealthy = await this.#answer(signal);
      if (signal.aborted) return;
      this.#row = isHealthy ? Math.max(0, this.#row) + 1 : Math.min(0, this.#row) - 1;
      await this.#follow();
    } catch (error) {
      // The registry did not take the status: the next check tries again.
      if (!isServiceCombError(error)) throw error;
    } finally {
      this.#isChecking = false;
    }
  }

  /** A check that takes too long has failed. */
  async #answer(signal: AbortSignal): Promise<boolean> {
    const { clock, everyMs, isHealthy } = this.parts;
    const timer = new AbortController();
    const late = clock.delay(everyMs, AbortSignal.any([signal, timer.signal])).then(() => false);
    const answer = isHealthy().catch(() => false);
    try {
      return await Promise.race([answer, late]);
    } finally {
      timer.abort();
    }
  }

  async #follow(): Promise<void> {
    const { status, setStatus } = this.parts;
    if (this.#row <= -downs && this.#before === undefined && status() !== 'OUTOFSERVICE') {
      const before = status();
      await setStatus('OUTOFSERVICE');
      this.#before = before;
    }
    if (this.#row >= ups && this.#before !== undefined) {
      await setStatus(this.#before);
      this.#before = undefined;
    }
  }
}
