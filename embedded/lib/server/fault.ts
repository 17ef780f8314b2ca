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

/** The action in a frame of a watcher. */
export type FrameAction = 'CREATE' | 'UPDATE' | 'DELETE';

/** A frame that a watcher is to be sent. */
export interface WatchFrame {
  readonly action: FrameAction;
  /** Name of the service whose instance changed. */
  readonly serviceName: string;
  readonly instanceId: string;
  /** Id of the service that watches. */
  readonly consumerId: string;
}

/** A frame that a fault applies to. */
export interface FrameContext {
  readonly send: () => void;
  /** Calls back when the connection of the watcher is closed. */
  readonly onEnd: (listener: () => void) => void;
}

/** Applies a fault to a frame. Returns a function that sends the frame if it is held. */
export type FrameEffect = (context: FrameContext) => (() => void) | void;

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
  | 'refuse'
  | 'mute-watchers'
  | 'swallow-frames'
  | 'delay-frames'
  | 'double-frames';

/** The definition of a fault. */
export interface FaultParts {
  readonly kind: FaultKind;
  readonly match: FaultMatch & FrameMatch;
  /** Settings besides the match, for the list of faults. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Operations it applies to if its match names none; all if absent. */
  readonly concerns?: readonly OperationName[];
  /** Absent for a fault that does not apply to requests. */
  readonly effect?: FaultEffect;
  /** Absent for a fault that does not apply to the frames of watchers. */
  readonly frameEffect?: FrameEffect;
  /** Called at the end of the fault. */
  readonly onEnd?: () => void;
}

/** An active fault, with the requests and frames that it holds. */
export class Fault {
  readonly #held = new Set<() => void>();
  #hits = 0;

  constructor(
    readonly id: string,
    readonly parts: FaultParts,
  ) {}

  /** Number of requests or frames it was applied to. */
  get count(): number {
    return this.#hits;
  }

  /** False once its number of requests or frames is reached and it holds none. */
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

  matchesFrame(frame: WatchFrame): boolean {
    const { match, frameEffect } = this.parts;
    return frameEffect !== undefined && !this.#isSpent && isFrameMatch(match, frame);
  }

  apply(context: FaultContext): void {
    this.#hits += 1;
    const release = this.parts.effect?.(context);
    this.#hold(release, ended => context.exchange.onEnd(ended));
  }

  applyToFrame(context: FrameContext): void {
    this.#hits += 1;
    this.#hold(this.parts.frameEffect?.(context), context.onEnd);
  }

  #hold(release: (() => void) | void, onEnd: (ended: () => void) => void): void {
    if (release === undefined) return;
    this.#held.add(release);
    onEnd(() => {
      this.#held.delete(release);
    });
  }

  /** Ends the fault and releases everything that it holds. */
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

/** Selects frames of watchers: those that fulfil all given conditions, or all frames without any. */
export interface FrameMatch {
  readonly action?: FrameAction | undefined;
  /** Name of the service whose instance changed. */
  readonly serviceName?: string | undefined;
  readonly instanceId?: string | undefined;
  /** Id of the service that watches. */
  readonly consumerId?: string | undefined;
  /**
   * Number of frames it applies to before it ends.
   *
   * @default unlimited
   */
  readonly times?: number | undefined;
}

/** Returns whether a frame fulfils the conditions of a match, apart from `times`. */
function isFrameMatch(match: FrameMatch, frame: WatchFrame): boolean {
  const { action = frame.action, serviceName = frame.serviceName } = match;
  const { instanceId = frame.instanceId, consumerId = frame.consumerId } = match;
  return (
    action === frame.action &&
    serviceName === frame.serviceName &&
    instanceId === frame.instanceId &&
    consumerId === frame.consumerId
  );
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
