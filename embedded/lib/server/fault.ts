import type { OperationName } from '../api/operations.js';
import type { Answer } from '../api/answer.js';
import type { Exchange } from './exchange.js';

/** A request in a fault's hands: its exchange, its execution, and its regular end. */
export interface FaultContext {
  readonly exchange: Exchange;
  readonly execute: () => Answer;
  readonly send: (answer: Answer) => void;
  /** Tells the journal the status of an answer that goes another way than by `send`. */
  readonly note: (status: number) => void;
}

/** What a fault does to a request. It may hand back what lets go of a request it holds. */
export type FaultEffect = (context: FaultContext) => (() => void) | void;

/** What can go wrong on demand. */
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

/** What a fault is made of. */
export interface FaultParts {
  readonly kind: FaultKind;
  readonly match: FaultMatch;
  /** What was asked for besides the match, for who lists it. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The operations it hits when its match names none; all when absent. */
  readonly concerns?: readonly OperationName[];
  /** Absent for a fault that no request meets. */
  readonly effect?: FaultEffect;
  /** Puts things right at its end. */
  readonly onEnd?: () => void;
}

/** A fault that is on: whom it hits, what it does, and whom it holds. */
export class Fault {
  readonly #held = new Set<() => void>();
  #hits = 0;

  constructor(
    readonly id: string,
    readonly parts: FaultParts,
  ) {}

  /** How many requests it has hit so far. */
  get count(): number {
    return this.#hits;
  }

  /** False once it has hit as many as it should and holds none of them. */
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

  /** Ends it, and lets go of every request it holds. */
  release(): void {
    for (const release of this.#held) release();
    this.#held.clear();
    this.parts.onEnd?.();
  }
}

/** Which requests a fault hits: those that fulfil every condition given, all without any. */
export interface FaultMatch {
  readonly operation?: OperationName | undefined;
  readonly method?: string | undefined;
  /** Searched in path and query as they came. */
  readonly path?: RegExp | undefined;
  /**
   * How many requests it hits before it is spent.
   *
   * @default unlimited
   */
  readonly times?: number | undefined;
  /**
   * Where the fault strikes: `before` the request is executed, which then never happens (except
   * for a delay, which only puts it off), or `after`, when only the answer is lost, replaced or late.
   *
   * @default 'after' for a delay, 'before' for all others
   */
  readonly when?: 'before' | 'after' | undefined;
}

/** What a match looks at. */
export interface Matchable {
  readonly operation: OperationName | undefined;
  readonly method: string;
  readonly path: string;
}

/** True when a request fulfils a match's conditions, however often it may still do so. */
export function isMatch(match: FaultMatch, request: Matchable): boolean {
  const { operation = request.operation, method = request.method, path } = match;
  if (operation !== request.operation || method.toUpperCase() !== request.method) return false;
  // search() begins at the start every time; test() of a global expression does not.
  return path === undefined || request.path.search(path) !== -1;
}
