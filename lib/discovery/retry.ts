import type { CallOutcome } from './call-outcome.js';

/** The properties of a call that decide on its repetition. */
export interface RepeatRules {
  /** Whether it may arrive twice: safe by its method, or idempotent. */
  readonly isRepeatable: boolean;
  /** Never, whatever comes of it: its body is a stream, which is gone. */
  readonly isOnce: boolean;
  /** How often after an attempt that may have arrived. */
  readonly retries: number;
}

/** The repetitions of a call so far. */
export interface Repeats {
  /** After attempts that were not sent. */
  unsent: number;
  /** After attempts that may have arrived. */
  arrived: number;
  /** On a new connection to the same candidate. */
  stale: number;
}

/** Further candidates after one that was not reached. More would cost a caller more than it gains. */
const mostUnsent = 2;

/**
 * Returns where a call may be repeated, apart from the budget: on another candidate, or on the same one over a
 * new connection; undefined for no repetition. A call that was not sent may be repeated whatever its method.
 */
export function repetitionOf(
  outcome: CallOutcome,
  { isRepeatable, isOnce, retries }: RepeatRules,
  repeats: Readonly<Repeats>,
): 'other' | 'same' | undefined {
  if (isOnce) return undefined;
  switch (outcome) {
    case 'unsent':
      return repeats.unsent < mostUnsent ? 'other' : undefined;
    case 'stale':
      return isRepeatable && repeats.stale === 0 ? 'same' : undefined;
    case 'broken':
    case 'busy':
      return isRepeatable && repeats.arrived < retries ? 'other' : undefined;
    case 'good':
    case 'late':
    case 'nothing':
      return undefined;
  }
}

/** In fifths of a repetition, so that the sums are exact: a call earns one. */
const price = 5;
const reserve = 10 * price;

/**
 * Limits the repetitions of calls that may have arrived, so that they do not multiply the load of a provider
 * that fails because of its load: 10, and one for each 5 calls (Finagle's RetryBudget: 20 % and a reserve).
 */
export class RetryBudget {
  #balance = reserve;

  /** A call begins. */
  earn(): void {
    if (this.#balance < reserve) this.#balance += 1;
  }

  /** Returns whether a repetition can be paid, and pays it. */
  pay(): boolean {
    if (this.#balance < price) return false;
    this.#balance -= price;
    return true;
  }
}
