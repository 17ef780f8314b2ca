import type { ServiceCombError } from '../errors.js';

/** Silence after a refused login (measured M10). */
const silenceMs = 15 * 60_000;
/** The server takes two failures at once and forgives one every 15 minutes; any other one bans (behaviour S9). */
const failuresAtOnce = 2;

/** A login that the registry refused. */
export interface RefusedLogin {
  readonly address: string;
  readonly error: ServiceCombError;
  /** Recognises the password. */
  readonly digest: string;
  /** When the silence ends, on the monotonic clock. */
  readonly until: number;
}

/**
 * Keeps an account from being banned at one address. A refused password is not tried again for 15
 * minutes; another one may be tried at once, as long as its failure would not be the third.
 */
export class LoginGuard {
  #last: RefusedLogin | undefined;
  /** Failures that the server would still take, as of the last one. */
  #credit = failuresAtOnce;

  constructor(private readonly now: () => number) {}

  /** The refusal that forbids a login with this password now. */
  forbidding(digest: string): RefusedLogin | undefined {
    if (this.#last === undefined || this.#last.until <= this.now()) return undefined;
    return this.#last.digest === digest || this.#creditNow() < 1 ? this.#last : undefined;
  }

  /** Notes a refused login. One that succeeds changes nothing: the server does not forget for it. */
  refuse(refused: Omit<RefusedLogin, 'until'>): void {
    this.#credit = Math.max(0, this.#creditNow() - 1);
    this.#last = { ...refused, until: this.now() + silenceMs };
  }

  #creditNow(): number {
    if (this.#last === undefined) return failuresAtOnce;
    const passedMs = this.now() - (this.#last.until - silenceMs);
    return Math.min(failuresAtOnce, this.#credit + passedMs / silenceMs);
  }
}
