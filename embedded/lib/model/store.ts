import { ErrorCode, RegistryError } from './registry-error.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';

/** Go's message for a request that timed out. */
const timeout = 'context deadline exceeded';

/**
 * Health that the server reports. It notices only after a while that the store went down, or that
 * it is up again.
 */
type Health =
  | { readonly kind: 'well' }
  | { readonly kind: 'down'; readonly since: number }
  | { readonly kind: 'recovering'; readonly since: number };

/** The server's store behind the cache (etcd), which is up unless a knob says otherwise. */
export class Store {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  #health: Health = { kind: 'well' };

  constructor(clock: Clock, knobs: OddityKnobs) {
    this.#clock = clock;
    this.#knobs = knobs;
    if (this.isDown) this.#health = { kind: 'down', since: clock.now() };
    knobs.onChange({ after: (now, was) => this.#follow(now.storeDown, was.storeDown) });
  }

  get isDown(): boolean {
    return this.#knobs.values.storeDown;
  }

  /** @throws RegistryError 500011 while the store is down; the client waits for it */
  require(): void {
    if (this.isDown) throw this.#errorAnswer(ErrorCode.RegistryUnavailable, 1);
  }

  /**
   * @param reads number of reads, one after the other
   * @throws RegistryError 500003 while the store is down; the client waits for it
   */
  requireForFind(reads = 1): void {
    if (this.isDown) throw this.#errorAnswer(ErrorCode.InternalServerError, reads);
  }

  /**
   * @throws RegistryError 400002 from a while after the store went down to a while after it is up
   * again
   */
  requireHealth(): void {
    if (!this.#isHealthy()) throw new RegistryError(ErrorCode.ServerUnhealthy, timeout);
  }

  #errorAnswer(errorCode: ErrorCode, reads: number): RegistryError {
    return new RegistryError(errorCode, timeout, this.#knobs.values.storeTimeoutMs * reads);
  }

  #isHealthy(): boolean {
    const { unhealthyAfterMs, healthyAfterMs } = this.#knobs.values;
    const now = this.#clock.now();
    switch (this.#health.kind) {
      case 'well':
        return true;
      case 'down':
        return now - this.#health.since < unhealthyAfterMs;
      case 'recovering':
        return now - this.#health.since >= healthyAfterMs;
    }
  }

  #follow(isDown: boolean, wasDown: boolean): void {
    if (isDown === wasDown) return;
    const since = this.#clock.now();
    const wasWell = this.#isHealthy();
    // A server that already reports the failure has nothing to notice.
    if (isDown) this.#health = { kind: 'down', since: wasWell ? since : -Infinity };
    else this.#health = wasWell ? { kind: 'well' } : { kind: 'recovering', since };
  }
}
