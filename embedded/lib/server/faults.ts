import { setTimer, systemClock } from '../clock.js';
import { Listeners } from '../listeners.js';
import * as effects from './fault-effects.js';
import { rawBytes } from './fault-effects.js';
import type { FaultBody } from './fault-effects.js';
import { Fault } from './fault.js';
import type { FaultKind, FaultParts, FaultMatch, Matchable } from './fault.js';

/** Ends a fault. Requests it holds are let go; calling it again does nothing. */
export type Dispose = () => void;

/** Which requests an answer replaces, and what goes with it. */
export interface AnswerMatch extends FaultMatch {
  /** @default 'text/plain; charset=utf-8' for text, 'application/json; charset=UTF-8' for an object */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Which answers trickle, and in what chunks. */
export interface TrickleMatch extends Omit<FaultMatch, 'when'> {
  /**
   * Bytes of a chunk.
   *
   * @default 1
   */
  readonly chunkBytes?: number | undefined;
}

/** Which requests are answered with garbage, and what kind of it. */
export interface GarbageMatch extends FaultMatch {
  /**
   * What it takes the place of: a whole `http` answer, or the body of one that says 200 and `json`.
   *
   * @default 'http'
   */
  readonly insteadOf?: 'http' | 'json' | undefined;
}

/** A fault that is on. */
export interface FaultInfo {
  readonly id: string;
  readonly kind: FaultKind;
  readonly match: FaultMatch;
  /** How many requests it has hit so far. */
  readonly hits: number;
  /** What was asked for besides the match: `ms`, `status`, … */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What faults reach besides the requests that they hit. */
export interface FaultTarget {
  close(): Promise<void>;
  open(): Promise<void>;
  /** Closes each connection on which no request is under way, and tells how many these were. */
  closeIdle(): number;
  /** Runs something that renews no lease. */
  withoutRenewals<Result>(act: () => Result): Result;
  /** Sets how far the time that is told is from the time that is. */
  skew(ms: number): void;
}

/** Between two tries to listen again. */
const retryMs = 1000;

/** Neither HTTP nor JSON. */
const garbageText = '\u0000\u0007 this is neither HTTP nor JSON {"errorCode":';

/**
 * Everything that can go wrong with a registry, on demand. Of several faults that match a request
 * the latest strikes. A fault holds until it is disposed of, cleared or spent. A WebSocket is a request
 * until its handshake is answered; once it is open, only refusing connections ends it.
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

  /** Accepts requests and never answers. Letting go of one closes its connection. */
  hang(match: FaultMatch = {}): Dispose {
    return this.#add({ kind: 'hang', match, effect: effects.hang(match.when) });
  }

  /** Answers late. Letting go of a request answers it at once. */
  delay(ms: number, match: FaultMatch = {}): Dispose {
    const effect = effects.delay(ms, match.when);
    return this.#add({ kind: 'delay', match, settings: { ms }, effect });
  }

  /** Breaks the connection instead of an answer: the client sees ECONNRESET. */
  reset(match: FaultMatch = {}): Dispose {
    return this.#add({ kind: 'reset', match, effect: effects.reset(match.when) });
  }

  /**
   * Answers this instead of what the registry would say.
   *
   * @param body text that goes out as it is, an error in the registry's form, or any other object
   */
  answer(status: number, body: FaultBody, match: AnswerMatch = {}): Dispose {
    const { contentType, headers, ...rest } = match;
    const answer = effects.faultAnswer(status, body, match);
    const settings = { status, body, contentType, headers };
    const effect = effects.answerWith(answer, match.when);
    return this.#add({ kind: 'answer', match: rest, settings, effect });
  }

  /**
   * Executes and answers, but chunk by chunk, from the first byte of the head on; the connection is
   * closed behind it. Letting go of a request sends the rest at once. A handshake is let through.
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
   * Answers with bytes that make no sense, and closes the connection behind them.
   *
   * @param bytes text goes out as UTF-8; something that is neither HTTP nor JSON when absent
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
   * Answers heartbeats as if all were well, and renews no lease: `heartbeat` and `heartbeats` unless
   * the match names another operation. Heartbeats over a WebSocket that is open go on.
   */
  swallowRenewals(match: Omit<FaultMatch, 'when'> = {}): Dispose {
    const effect = effects.executeWithin(execute => this.#target.withoutRenewals(execute));
    const concerns = ['heartbeat', 'heartbeats'] as const;
    return this.#add({ kind: 'swallow-renewals', match, concerns, effect });
  }

  /**
   * Tells a time that is off by so many milliseconds, less than 0 for one that is behind: in the
   * `Date` header of every answer and in the time stamps of what is written meanwhile. Leases go
   * by the true time. Of several the latest counts.
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
   * Closes at once every connection on which no request is under way, as a registry or a proxy does
   * with a connection that was idle for too long. Tells how many these were.
   */
  closeIdleConnections(): number {
    return this.#target.closeIdle();
  }

  /**
   * Refuses connections, and closes those that are open. Resolves once it does; what it resolves to
   * ends it, and resolves once the same port listens again.
   *
   * @param forMs milliseconds after which it ends by itself; never when absent
   */
  async refuse(forMs?: number): Promise<() => Promise<void>> {
    const { closed, end } = this.#refuse(forMs, Promise.resolve());
    await closed;
    return end;
  }

  /** @internal Refuses connections once something has been sent, and tells the fault's id at once. */
  refuseAfter(sent: Promise<void>, forMs: number): { readonly id: string; closed: Promise<void> } {
    return this.#refuse(forMs, sent);
  }

  /** Ends all faults and resolves once the port listens again. */
  async clear(): Promise<void> {
    const wasRefusing = this.#isRefusing;
    for (const id of this.#faults.keys()) this.end(id);
    if (wasRefusing) await this.#target.open();
  }

  /** The faults that are on, oldest first. */
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

  /** @internal The id of the fault that began last. */
  get lastId(): string {
    return String(this.#count);
  }

  /** @internal Ends one fault; false when there is none of that id. Does not listen again. */
  end(id: string): boolean {
    const fault = this.#faults.get(id);
    this.#faults.delete(id);
    fault?.release();
    this.#notify();
    return fault !== undefined;
  }

  /** @internal Forgets that connections are refused, because somebody has opened the port. */
  endRefusal(): void {
    for (const { id, parts } of this.#faults.values()) if (parts.kind === 'refuse') this.end(id);
  }

  /** @internal The fault that a request meets. */
  find(request: Matchable): Fault | undefined {
    const fault = [...this.#faults.values()].findLast(each => each.matches(request));
    if (fault !== undefined) this.#notify();
    return fault;
  }

  /** @internal Tells a listener when a fault begins, ends or hits; the returned function removes it. */
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

  /** A port that somebody else took meanwhile is tried again until it is free. */
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
