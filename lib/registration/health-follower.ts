import { isServiceCombError } from '../errors.js';
import type { InstanceStatus } from '../protocol/wire.js';
import { Background, type BackgroundWork } from '../background/background.js';
import { type Clock, within } from '../background/clock.js';
import type { DesiredRecord } from './record.js';

/** Failed checks in a row until the status is OUTOFSERVICE, and good ones until it is set back. */
const failuresUntilOut = 3;
const successesUntilBack = 2;

/** The collaborators of a {@link HealthFollower}. */
export interface FollowerParts {
  readonly clock: Clock;
  /** Milliseconds from one check to the next, and the longest that a check may take. */
  readonly everyMs: number;
  /** Whether the application can serve; a rejection means that it cannot. */
  readonly isHealthy: () => Promise<boolean>;
  /** The desired record, whose status consumers see. */
  readonly record: Pick<DesiredRecord, 'status' | 'statusChoices' | 'followHealth'>;
}

/**
 * Lets the status follow the health of the application: after three failed checks in a row it is
 * OUTOFSERVICE, after two good ones what it was before. A status that is OUTOFSERVICE already is left
 * alone. A status that the application or an operator has chosen stands: it follows the health again once
 * it is UP and two checks in a row were good.
 */
export class HealthFollower implements BackgroundWork {
  #dueAt = -Infinity;
  #isChecking = false;
  /** Checks in a row: positive for good ones, negative for failed ones. */
  #streak = 0;
  /** The status before we set OUTOFSERVICE; undefined while we have not. */
  #before: InstanceStatus | undefined;
  /** Choices of a status by others that have been noticed, and whether the last one stands. */
  #choices = 0;
  #isOverruled = false;
  readonly #background = new Background();

  constructor(private readonly parts: FollowerParts) {}

  tick(): number {
    this.#background.throwPending();
    const now = this.parts.clock.now();
    if (this.#dueAt > now) return this.#dueAt;
    this.#dueAt = now + this.parts.everyMs;
    if (!this.#isChecking) this.#background.start(signal => this.#check(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
  }

  /** Ends the checks for good: the shutdown sets the status from here on. */
  retire(): void {
    this.stop();
    this.#dueAt = Infinity;
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, isHealthy } = this.parts;
    this.#isChecking = true;
    try {
      const answer = isHealthy().catch(() => false);
      // A check that takes too long has failed.
      const isGood = (await within(everyMs, answer, clock, signal)) === true;
      if (signal.aborted) return;
      this.#streak = isGood ? Math.max(0, this.#streak) + 1 : Math.min(0, this.#streak) - 1;
      await this.#follow();
    } catch (error) {
      // The registry did not accept the status: the next check tries again.
      if (!isServiceCombError(error)) throw error;
    } finally {
      this.#isChecking = false;
    }
  }

  async #follow(): Promise<void> {
    const { record } = this.parts;
    this.#noticeChoices();
    const { status } = record;
    const isOut = this.#before !== undefined || status === 'OUTOFSERVICE';
    if (this.#streak <= -failuresUntilOut && !isOut && !this.#isOverruled) {
      await record.followHealth('OUTOFSERVICE');
      this.#before = status;
    }
    if (this.#streak >= successesUntilBack && this.#before !== undefined) {
      await record.followHealth(this.#before);
      this.#before = undefined;
    }
  }

  #noticeChoices(): void {
    const { status, statusChoices } = this.parts.record;
    if (statusChoices !== this.#choices) {
      this.#choices = statusChoices;
      this.#before = undefined;
      this.#isOverruled = true;
    }
    if (status === 'UP' && this.#streak >= successesUntilBack) this.#isOverruled = false;
  }
}
