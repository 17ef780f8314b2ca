import { setTimer } from './clock.js';
import type { Clock } from './clock.js';

/** A timer that rings once for each time it is set; setting it anew puts it off. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings in this many milliseconds, and not when it was to ring before. */
  set(ms: number): void {
    this.cancel();
    this.#cancel = setTimer(this.#clock, ms, this.#ring);
  }

  /** Does not ring until it is set again. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
