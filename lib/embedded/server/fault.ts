import type { Answer } from '../api/answer.js';
import type { Exchange } from './exchange.js';
import { isMatch } from './fault-match.js';
import type { FaultMatch, Matchable } from './fault-match.js';

/** A request in a fault's hands: its exchange, its execution, and its regular end. */
export interface Afflicted {
  readonly exchange: Exchange;
  readonly execute: () => Answer;
  readonly send: (answer: Answer) => void;
}

/** What a fault does to a request. It may hand back what lets go of a request it holds. */
export type Affliction = (afflicted: Afflicted) => (() => void) | void;

/** A fault that is on: whom it hits, what it does, and whom it holds. */
export class Fault {
  readonly #match: FaultMatch;
  readonly #afflict: Affliction;
  readonly #held = new Set<() => void>();
  #hits = 0;

  constructor(match: FaultMatch, afflict: Affliction) {
    this.#match = match;
    this.#afflict = afflict;
  }

  hits(request: Matchable): boolean {
    return this.#hits < (this.#match.times ?? Infinity) && isMatch(this.#match, request);
  }

  strike(afflicted: Afflicted): void {
    this.#hits += 1;
    const letGo = this.#afflict(afflicted);
    if (letGo === undefined) return;
    this.#held.add(letGo);
    afflicted.exchange.onEnd(() => {
      this.#held.delete(letGo);
    });
  }

  /** Lets go of every request it holds. */
  release(): void {
    for (const letGo of this.#held) letGo();
    this.#held.clear();
  }
}
