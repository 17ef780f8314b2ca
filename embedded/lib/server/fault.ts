import type { OperationName } from '../api/operations.js';
import type { Answer } from '../api/answer.js';
import type { Exchange } from './exchange.js';

/** A request that a fault applies to, with the functions to execute and answer it. */
export interface FaultContext {
  readonly exchange: Exchange;
  readonly execute: () => Answer;
  readonly send: (answer: Answer) => void;
  /** Sets the status in the journal, for answers that are not sent by `send`. */
  readonly note: (status: number) => void;
}

/** Applies a fault to a request. Returns a function that releases the request if it is held. */
export type FaultEffect = (context: FaultContext) => (() => void) | void;

/** Kinds of faults. */
export type FaultKind =
  | 'hang'
  | 'delay'
  | 'reset'
  | 'answer'
  | 'trickle'
  | 'garbage'
  | 'swallow-renewals'
  | 'skew-clock'
  | 'refuse';

/** The definition of a fault. */
export interface FaultParts {
  readonly kind: FaultKind;
  readonly match: FaultMatch;
  /** Settings besides the match, for the list of faults. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Operations it applies to if its match names none; all if absent. */
  readonly concerns?: readonly OperationName[];
  /** Absent for a fault that does not apply to requests. */
  readonly effect?: FaultEffect;
  /** Called at the end of the fault. */
  readonly onEnd?: () => void;
}

/** An active fault, with the requests that it holds. */
export class Fault {
  readonly #held = new Set<() => void>();
  #hits = 0;

  constructor(
    readonly id: string,
    readonly parts: FaultParts,
  ) {}

  /** Number of requests it was applied to. */
  get count(): number {
    return this.#hits;
  }

  /** False once its number of requests is reached and it holds none. */
  get isOn(): boolean {
    return !this.#isSpent || this.#held.size > 0;
  }

  get #isSpent(): boolean {
    return this.#hits >= (this.parts.match.times ?? Infinity);
  }

  matches(request: Matchable): boolean {
    const { match, concerns, effect } = this.parts;
    if (effect === undefined || this.#isSpent || !isMatch(match, request)) return false;
    if (concerns === undefined || match.operation !== undefined) return true;
    return request.operation !== undefined && concerns.includes(request.operation);
  }

  apply(context: FaultContext): void {
    this.#hits += 1;
    const release = this.parts.effect?.(context);
    if (release === undefined) return;
    this.#held.add(release);
    context.exchange.onEnd(() => {
      this.#held.delete(release);
    });
  }

  /** Ends the fault and releases every request that it holds. */
  release(): void {
    for (const release of this.#held) release();
    this.#held.clear();
    this.parts.onEnd?.();
  }
}

/** Selects requests: those that fulfil all given conditions, or all requests without any. */
export interface FaultMatch {
  readonly operation?: OperationName | undefined;
  readonly method?: string | undefined;
  /** Searched in path and query as received. */
  readonly path?: RegExp | undefined;
  /**
   * Number of requests it applies to before it ends.
   *
   * @default unlimited
   */
  readonly times?: number | undefined;
  /**
   * When the fault acts: `before` the request is executed, which then does not happen (a delay only
   * postpones it), or `after`, so that only the answer is lost, replaced or late.
   *
   * @default 'after' for a delay, 'before' for all others
   */
  readonly when?: 'before' | 'after' | undefined;
}

/** The properties of a request that a match checks. */
export interface Matchable {
  readonly operation: OperationName | undefined;
  readonly method: string;
  readonly path: string;
}

/** Returns whether a request fulfils the conditions of a match, apart from `times`. */
function isMatch(match: FaultMatch, request: Matchable): boolean {
  const { operation = request.operation, method = request.method, path } = match;
  if (operation !== request.operation || method.toUpperCase() !== request.method) return false;
  // search() always starts at the beginning; test() of a global expression does not.
  return path === undefined || request.path.search(path) !== -1;
}
