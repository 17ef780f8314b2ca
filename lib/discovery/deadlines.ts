import type { Clock } from '../background/clock.js';
import type { Attempt, ProviderCallOptions } from './provider.js';

/** All attempts of a call together, as in java-chassis (OperationConfig.java). */
const defaultTimeoutMs = 30_000;

/** The longest sleep: so long it outlasts the last call. An alarm of its own for each call costs 30 µs. */
const longestSleepMs = 1_000;

/** As much of an AbortSignal as axios uses. To make one of Node's takes a tenth of the time of a request. */
export interface EndSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** An attempt of a call that HTTP is sent for. */
export interface EndingAttempt extends Attempt {
  /** As `signal`, which is made when it is asked for. */
  readonly endSignal: EndSignal;
}

/** The time of one call: ends it when the time is up, or when its caller aborts. */
export class CallTime implements EndSignal {
  readonly dueAt: number;
  /** Why the call was ended from outside. */
  ending: { readonly outcome: 'late' | 'nothing'; readonly reason: unknown } | undefined;
  /** Rejects the attempt under way. */
  interrupt: (reason: unknown) => void = () => undefined;
  #controller: AbortController | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #timeoutMs: number;

  /** @throws RangeError when the timeout is no time: a deadline that is NaN never comes */
  constructor({ timeoutMs = defaultTimeoutMs, signal }: ProviderCallOptions, now: number) {
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be 0 or more, got ${timeoutMs}`);
    this.dueAt = now + timeoutMs;
    this.#timeoutMs = timeoutMs;
    this.#callerSignal = signal;
    signal?.addEventListener('abort', this.#aborted);
  }

  /** Made when it is asked for: not every action does, and it is half of what a call costs here. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.ending !== undefined) this.#controller.abort(this.ending.reason);
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.ending !== undefined;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  expire(): void {
    const message = `The call was not answered within ${this.#timeoutMs} ms`;
    this.#end('late', new DOMException(message, 'TimeoutError'));
  }

  /** The call is over: nothing ends it any more. */
  close(): void {
    this.#callerSignal?.removeEventListener('abort', this.#aborted);
  }

  readonly #aborted = (): void => {
    this.#end('nothing', this.#callerSignal?.reason);
  };

  #end(outcome: 'late' | 'nothing', reason: unknown): void {
    if (this.ending !== undefined) return;
    this.ending = { outcome, reason };
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener();
    this.interrupt(reason);
  }
}

/** One attempt within the time of a call. */
export class TimedAttempt implements EndingAttempt {
  constructor(
    private readonly time: CallTime,
    readonly number: number,
    readonly needsNewConnection: boolean,
    readonly remainingMs: number,
  ) {}

  get signal(): AbortSignal {
    return this.time.signal;
  }

  get endSignal(): EndSignal {
    return this.time;
  }
}

/** Ends the calls whose time is up. One delay of the clock serves all calls under way. */
export class Deadlines {
  readonly #open = new Set<CallTime>();
  #alarm: { readonly at: number; readonly abort: AbortController } | undefined;
  #isStopped = false;

  constructor(private readonly clock: Pick<Clock, 'now' | 'delay'>) {}

  open(options: ProviderCallOptions, now: number): CallTime {
    options.signal?.throwIfAborted();
    const time = new CallTime(options, now);
    this.#open.add(time);
    if (this.#alarm === undefined) void this.#watch();
    else if (time.dueAt < this.#alarm.at) this.#alarm.abort.abort();
    return time;
  }

  close(time: CallTime): void {
    time.close();
    this.#open.delete(time);
    if (this.#isStopped && this.#open.size === 0) this.#alarm?.abort.abort();
  }

  /** From now on no delay outlives the last call. Calls under way keep their deadlines. */
  stop(): void {
    this.#isStopped = true;
    if (this.#open.size === 0) this.#alarm?.abort.abort();
  }

  /** Runs while calls are under way. It cannot reject: neither the clock nor the end of a call throws. */
  async #watch(): Promise<void> {
    while (this.#open.size > 0) {
      const now = this.clock.now();
      const at = this.#nextAt(now + longestSleepMs);
      const abort = new AbortController();
      this.#alarm = { at, abort };
      await this.clock.delay(at - now, abort.signal);
      this.#expire(this.clock.now());
    }
    this.#alarm = undefined;
  }

  #nextAt(latest: number): number {
    let at = latest;
    for (const { dueAt } of this.#open) at = Math.min(at, dueAt);
    return at;
  }

  #expire(now: number): void {
    for (const time of this.#open)
      if (now >= time.dueAt) {
        this.#open.delete(time);
        time.expire();
      }
  }
}
