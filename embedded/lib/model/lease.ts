import type { Clock } from '../clock.js';

/** Whom a lease is for. */
export interface LeaseHolder {
  /** Name of the namespace. */
  readonly tenant: string;
  readonly serviceId: string;
  readonly instanceId: string;
}

/** The promise to keep an instance for a while; each heartbeat makes it anew, in full. */
export class Lease {
  readonly #clock: Clock;
  /** Milliseconds that the lease lasts from each renewal. */
  readonly lengthMs: number;
  #expiresAt: number;
  #onEnd: (() => void) | undefined;
  #wasRenewed = false;

  /** @param onEnd called once when the lease runs out, never when it is revoked */
  constructor(
    clock: Clock,
    lengthMs: number,
    onEnd: () => void,
    readonly holder: LeaseHolder,
  ) {
    this.#clock = clock;
    this.lengthMs = lengthMs;
    this.#expiresAt = clock.now() + lengthMs;
    this.#onEnd = onEnd;
  }

  /** By the clock of the registry; the lease is over at this very moment. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** Milliseconds until the lease is over, unless it is renewed. */
  get remainingMs(): number {
    return this.#expiresAt - this.#clock.now();
  }

  /** When it was granted or last renewed, by the clock of the registry. */
  get renewedAt(): number {
    return this.#expiresAt - this.lengthMs;
  }

  /** True once a heartbeat has come. */
  get wasRenewed(): boolean {
    return this.#wasRenewed;
  }

  /** True when the lease was neither ended nor revoked, and its time was not over at that moment. */
  isAliveAt(moment: number): boolean {
    return this.#onEnd !== undefined && this.#expiresAt > moment;
  }

  /** @param from when the heartbeat is carried out */
  renew(from = this.#clock.now()): void {
    this.#wasRenewed = true;
    this.#expiresAt = from + this.lengthMs;
  }

  /** Starts the lease again in full, without a heartbeat. */
  restart(): void {
    this.#expiresAt = this.#clock.now() + this.lengthMs;
  }

  /** Ends the lease in silence. */
  revoke(): void {
    this.#onEnd = undefined;
  }

  /** Ends the lease because its time is over. */
  end(): void {
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}
