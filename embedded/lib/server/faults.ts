import { setTimer, systemClock } from '../clock.js';
import { Listeners } from '../listeners.js';
import * as effects from './fault-effects.js';
import { rawBytes } from './fault-effects.js';
import type { FaultBody } from './fault-effects.js';
import { Fault } from './fault.js';
import type {
  FaultKind,
  FaultParts,
  FaultMatch,
  FrameContext,
  FrameMatch,
  Matchable,
  WatchFrame,
} from './fault.js';

/** Ends a fault and releases the requests that it holds; calling it again has no effect. */
export type Dispose = () => void;

/** Selects requests and describes their answer. */
export interface AnswerMatch extends FaultMatch {
  /** @default 'text/plain; charset=utf-8' for text, 'application/json; charset=UTF-8' for an object */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Selects slow answers and their chunks. */
export interface TrickleMatch extends Omit<FaultMatch, 'when'> {
  /**
   * Bytes per chunk.
   *
   * @default 1
   */
  readonly chunkBytes?: number | undefined;
}

/** Selects requests that are answered with garbage. */
export interface GarbageMatch extends FaultMatch {
  /**
   * Replaces the whole `http` answer, or the `json` body of an answer with status 200.
   *
   * @default 'http'
   */
  readonly insteadOf?: 'http' | 'json' | undefined;
}

/** An active fault. */
export interface FaultInfo {
  readonly id: string;
  readonly kind: FaultKind;
  readonly match: FaultMatch & FrameMatch;
  /** Number of requests or frames it was applied to. */
  readonly hits: number;
  /** Settings besides the match: `ms`, `status`, … */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How a connection ends: its end is sent (`fin`), or it is reset (`rst`). */
export type WatcherCut = 'fin' | 'rst';

/** Operations of a registry that faults need besides the request. */
export interface FaultTarget {
  close(): Promise<void>;
  open(): Promise<void>;
  /** Closes every connection without an open request and returns their number. */
  closeIdle(): number;
  /** Closes every open watcher and returns their number. */
  cutWatchers(how: WatcherCut): number;
  /** Freezes every open watcher; the returned function ends that. */
  muteWatchers(): { readonly watchers: number; readonly end: () => void };
  /** Runs a function in which no lease is renewed. */
  withoutRenewals<Result>(act: () => Result): Result;
  /** Sets the difference between the reported and the real time. */
  skew(ms: number): void;
}

/** Milliseconds between two attempts to listen again. */
const retryMs = 1000;

/** Text that is neither HTTP nor JSON. */
const garbageText = '\u0000\u0007 this is neither HTTP nor JSON {"errorCode":';

/**
 * Switches faults of a registry on and off. If several faults match a request, the latest applies.
 * A fault is active until it is disposed of, cleared, or has reached its number of requests. A
 * WebSocket counts as a request, `watch`, until its handshake is answered. After that only those
 * about watchers and frames apply to it, and `refuse`, which closes it.
 *
 * @example
 * ```ts
 * const end = registry.faults.answer(500, { errorCode: 500003 }, { operation: 'heartbeat' });
 * end();
 * ```
 */
export class Faults {
  readonly #target: FaultTarget;
  readonly #faults = new Map<string, Fault>();
  readonly #listeners = new Listeners<void>();
  #count = 0;

  /** @internal */
  constructor(target: FaultTarget) {
    this.#target = target;
  }

  /** Accepts requests and never answers. Releasing one closes its connection. */
  hang(match: FaultMatch = {}): Dispose {
    return this.#add({ kind: 'hang', match, effect: effects.hang(match.when) });
  }

  /** Answers late. Releasing a request answers it at once. */
  delay(ms: number, match: FaultMatch = {}): Dispose {
    const effect = effects.delay(ms, match.when);
    return this.#add({ kind: 'delay', match, settings: { ms }, effect });
  }

  /** Resets the connection instead of answering: the client sees ECONNRESET. */
  reset(match: FaultMatch = {}): Dispose {
    return this.#add({ kind: 'reset', match, effect: effects.reset(match.when) });
  }

  /**
   * Replaces the answer of the registry.
   *
   * @param body text that is sent as it is, an error in the registry's format, or any other object
   */
  answer(status: number, body: FaultBody, match: AnswerMatch = {}): Dispose {
    const { contentType, headers, ...rest } = match;
    const answer = effects.faultAnswer(status, body, match);
    const settings = { status, body, contentType, headers };
    const effect = effects.answerWith(answer, match.when);
    return this.#add({ kind: 'answer', match: rest, settings, effect });
  }

  /**
   * Executes requests but sends the answer in chunks, from the first byte of the head on, and then
   * closes the connection. Releasing a request sends the rest at once. Handshakes are not affected.
   *
   * @param everyMs milliseconds between two chunks
   */
  trickle(everyMs: number, match: TrickleMatch = {}): Dispose {
    const { chunkBytes = 1, ...rest } = match;
    const settings = { everyMs, chunkBytes };
    const effect = effects.trickle(settings);
    return this.#add({ kind: 'trickle', match: rest, settings, effect });
  }

  /**
   * Answers with meaningless bytes and closes the connection.
   *
   * @param bytes text is sent as UTF-8; if absent, something that is neither HTTP nor JSON
   */
  garbage(match: GarbageMatch = {}, bytes: string | Uint8Array = garbageText): Dispose {
    const { insteadOf = 'http', ...rest } = match;
    const raw = typeof bytes === 'string' ? Buffer.from(bytes) : Uint8Array.from(bytes);
    const type = { 'Content-Type': 'application/json; charset=UTF-8' };
    const wire = insteadOf === 'json' ? rawBytes(200, type, raw) : raw;
    const effect = effects.writeBytes(wire, match.when);
    return this.#add({ kind: 'garbage', match: rest, settings: { insteadOf }, effect });
  }

  /**
   * Answers heartbeats normally but renews no lease. Applies to `heartbeat` and `heartbeats` unless
   * the match names another operation, and not to heartbeats over an open WebSocket.
   */
  swallowRenewals(match: Omit<FaultMatch, 'when'> = {}): Dispose {
    const effect = effects.executeWithin(execute => this.#target.withoutRenewals(execute));
    const concerns = ['heartbeat', 'heartbeats'] as const;
    return this.#add({ kind: 'swallow-renewals', match, concerns, effect });
  }

  /**
   * Reports a time that is wrong by so many milliseconds, negative for one that is behind: in the
   * `Date` header of every answer and in the time stamps of records. Leases are not affected. Only
   * the latest such fault counts.
   */
  skewClock(ms: number): Dispose {
    const dispose = this.#add({
      kind: 'skew-clock',
      match: {},
      settings: { ms },
      onEnd: () => this.#setSkew(),
    });
    this.#setSkew();
    return dispose;
  }

  /**
   * Closes every connection without an open request, as a registry or a proxy does with idle ones.
   * Returns their number.
   */
  closeIdleConnections(): number {
    return this.#target.closeIdle();
  }

  /**
   * Cuts every open watcher without a close frame, as a server that ends or a network does. Returns
   * their number. New handshakes are accepted at once.
   *
   * @param how `rst` resets the connection, `fin` ends it
   */
  cutWatchers(how: WatcherCut = 'rst'): number {
    return this.#target.cutWatchers(how);
  }

  /**
   * Freezes the watchers that are open: they get no frame, no ping, no pong and no close, and nothing
   * is read from them. Later ones are not affected. At the end they get what waited for them; of more
   * than 5,000 frames all but the newest are dropped, as on a real server, and nobody is told.
   */
  muteWatchers(): Dispose {
    const { watchers, end } = this.#target.muteWatchers();
    return this.#add({ kind: 'mute-watchers', match: {}, settings: { watchers }, onEnd: end });
  }

  /** Does not send frames of watchers. */
  swallowFrames(match: FrameMatch = {}): Dispose {
    const frameEffect = effects.swallowFrame;
    return this.#add({ kind: 'swallow-frames', match, frameEffect });
  }

  /** Sends frames of watchers late, behind later ones. At the end those that wait are sent at once. */
  delayFrames(ms: number, match: FrameMatch = {}): Dispose {
    const frameEffect = effects.delayFrame(ms);
    return this.#add({ kind: 'delay-frames', match, settings: { ms }, frameEffect });
  }

  /** Sends frames of watchers twice. */
  doubleFrames(match: FrameMatch = {}): Dispose {
    return this.#add({ kind: 'double-frames', match, frameEffect: effects.doubleFrame });
  }

  /**
   * Refuses connections, and closes the open ones. Resolves once that is done, to a function that
   * ends it and resolves once the same port listens again.
   *
   * @param forMs milliseconds until it ends by itself; never if absent
   */
  async refuse(forMs?: number): Promise<() => Promise<void>> {
    const { closed, end } = this.#refuse(forMs, Promise.resolve());
    await closed;
    return end;
  }

  /**
   * @internal Refuses connections once an answer has been sent, and returns the fault's id at once.
   */
  refuseAfter(sent: Promise<void>, forMs: number): { readonly id: string; closed: Promise<void> } {
    return this.#refuse(forMs, sent);
  }

  /** Ends all faults and resolves once the port listens again. */
  async clear(): Promise<void> {
    const wasRefusing = this.#isRefusing;
    for (const id of this.#faults.keys()) this.end(id);
    if (wasRefusing) await this.#target.open();
  }

  /** Returns the active faults, oldest first. */
  list(): readonly FaultInfo[] {
    return [...this.#faults.values()]
      .filter(({ isOn }) => isOn)
      .map(({ id, count, parts: { kind, match, settings = {} } }) => ({
        id,
        kind,
        match,
        hits: count,
        settings,
      }));
  }

  /** @internal Id of the latest fault. */
  get lastId(): string {
    return String(this.#count);
  }

  /**
   * @internal Ends one fault, without listening again; returns false if there is none with this id.
   */
  end(id: string): boolean {
    const fault = this.#faults.get(id);
    this.#faults.delete(id);
    fault?.release();
    this.#notify();
    return fault !== undefined;
  }

  /** @internal Ends the refusal of connections after the port was opened by other means. */
  endRefusal(): void {
    for (const { id, parts } of this.#faults.values()) if (parts.kind === 'refuse') this.end(id);
  }

  /** @internal Returns the fault that applies to a request. */
  find(request: Matchable): Fault | undefined {
    const fault = [...this.#faults.values()].findLast(each => each.matches(request));
    if (fault !== undefined) this.#notify();
    return fault;
  }

  /** @internal Sends a frame to a watcher, subject to the fault that applies to it. */
  sendFrame(frame: WatchFrame, context: FrameContext): void {
    const fault = [...this.#faults.values()].findLast(each => each.matchesFrame(frame));
    if (fault === undefined) return context.send();
    fault.applyToFrame(context);
    this.#notify();
  }

  /**
   * @internal Calls a listener when a fault begins, ends or is applied; the returned function
   * removes it.
   */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  get #isRefusing(): boolean {
    return [...this.#faults.values()].some(({ parts }) => parts.kind === 'refuse');
  }

  #refuse(forMs: number | undefined, ready: Promise<void>) {
    let cancel = () => {};
    const settings = forMs === undefined ? {} : { ms: forMs };
    const dispose = this.#add({ kind: 'refuse', match: {}, settings, onEnd: () => cancel() });
    const end = async () => {
      const wasRefusing = this.#isRefusing;
      dispose();
      if (wasRefusing && !this.#isRefusing) await this.#target.open();
    };
    const close = async () => {
      await ready;
      if (!this.#isRefusing) return;
      await this.#target.close();
      if (forMs === undefined) return;
      cancel = setTimer(systemClock, forMs, () => void end().catch(() => this.#retryOpen()));
    };
    return { id: this.lastId, closed: close(), end };
  }

  /** Tries again until the port is free, in case another process has taken it. */
  #retryOpen(): void {
    setTimer(systemClock, retryMs, () => void this.#target.open().catch(() => this.#retryOpen()));
  }

  #setSkew(): void {
    const skews = [...this.#faults.values()].filter(({ parts }) => parts.kind === 'skew-clock');
    this.#target.skew(Number(skews.at(-1)?.parts.settings?.['ms'] ?? 0));
  }

  #add(parts: FaultParts): Dispose {
    this.#count += 1;
    const id = this.lastId;
    this.#faults.set(id, new Fault(id, parts));
    this.#notify();
    return () => void this.end(id);
  }

  #notify(): void {
    this.#listeners.emit();
  }
}
