import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Answer } from '../api/answer.js';
import type { Exchange } from './exchange.js';

/** A request whose answer may be delayed. */
export interface DelayedRequest {
  readonly exchange: Pick<Exchange, 'onEnd'>;
  readonly execute: () => Answer;
  readonly send: (answer: Answer) => void;
}

/** Delays answers while the store is down. */
export class DelayedAnswers {
  readonly #clock: Clock;
  readonly #retries = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends an answer, now or after its `waitMs`. */
  send(request: DelayedRequest, answer: Answer): void {
    if (answer.waitMs === undefined) {
      request.send(answer);
      return;
    }
    const timer = new Timer(this.#clock, () => {
      this.#retries.delete(retry);
      request.send(answer);
    });
    const retry = () => {
      timer.cancel();
      this.#retries.delete(retry);
      this.send(request, request.execute());
    };
    this.#retries.add(retry);
    timer.start(answer.waitMs);
    request.exchange.onEnd(() => {
      timer.cancel();
      this.#retries.delete(retry);
    });
  }

  /** Executes all waiting requests again. */
  retry(): void {
    for (const retry of Array.from(this.#retries)) retry();
  }
}
