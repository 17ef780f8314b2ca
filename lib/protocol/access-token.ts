import { isServiceCombError, type ServiceCombError } from '../errors.js';
import { isRetriable } from './classify.js';

/** Silence after a refused login: the third one within 15 minutes bans the account (measured M10). */
const silenceMs = 15 * 60_000;
/** How soon a token that was refused from the start is replaced: another one would be refused, too. */
const patienceMs = 60_000;

/** A token as an address gave it. */
export interface GivenToken {
  /** Empty where the registry has its security off, and wants none. */
  readonly text: string;
  readonly lifeMs: number;
}

/** A token at hand; moments are milliseconds of the monotonic clock. */
export interface AccessToken {
  readonly text: string;
  readonly hadAt: number;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** A login that the registry refused; none follows before `until`. */
export interface RefusedLogin {
  readonly error: ServiceCombError;
  readonly until: number;
}

/** Time and chance, as tokens see them. */
export interface TokenClock {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** From 0 to 1: spreads the renewals of a fleet. */
  readonly random: () => number;
}

/**
 * The token of one account at one address. There is one login at a time, whoever asks; a refused one
 * is not repeated for 15 minutes. A token is renewed at 80 to 90 % of its life, beside the requests.
 */
export class TokenSource {
  #token: AccessToken | undefined;
  /** Whether a request was answered with the token at hand. */
  #isProven = false;
  #refusal: RefusedLogin | undefined;
  #login: Promise<AccessToken> | undefined;

  constructor(private readonly clock: TokenClock) {}

  /** The token at hand, as long as it lives. */
  get token(): AccessToken | undefined {
    return this.#token !== undefined && this.#token.endsAt > this.clock.now()
      ? this.#token
      : undefined;
  }

  /** The refusal that forbids a login, as long as it does. */
  get refusal(): RefusedLogin | undefined {
    return this.#refusal !== undefined && this.#refusal.until > this.clock.now()
      ? this.#refusal
      : undefined;
  }

  /**
   * Resolves with the token at hand, or with a new one.
   *
   * @throws ServiceCombError the refusal, also of an earlier login; or that there was no answer
   */
  async obtain(login: () => Promise<GivenToken>): Promise<AccessToken> {
    const { token, refusal } = this;
    if (token === undefined) {
      if (refusal !== undefined) throw refusal.error;
      return this.#start(login);
    }
    if (refusal === undefined && token.renewAt <= this.clock.now())
      // The token at hand serves on; what kept this renewal from an answer meets the next one, too.
      this.#start(login).catch(() => undefined);
    return token;
  }

  /** Notes that a request was answered with this token. */
  prove(text: string): void {
    if (this.#token?.text === text) this.#isProven = true;
  }

  /**
   * Drops a token that a request was refused with, unless there is another one by now. Answers whether
   * asking again can help: not for one that never did within a minute of its login, which is a matter
   * of clocks or keys (measured M11).
   */
  drop(text: string): boolean {
    const { token } = this;
    if (token?.text !== text) return true;
    if (!this.#isProven && this.clock.now() - token.hadAt < patienceMs) return false;
    this.#token = undefined;
    return true;
  }

  #start(login: () => Promise<GivenToken>): Promise<AccessToken> {
    this.#login ??= this.#ask(login).finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  async #ask(login: () => Promise<GivenToken>): Promise<AccessToken> {
    try {
      this.#token = this.#dated(await login());
      this.#isProven = false;
      this.#refusal = undefined;
      return this.#token;
    } catch (error) {
      if (isServiceCombError(error) && !isRetriable(error))
        this.#refusal = { error, until: this.clock.now() + silenceMs };
      throw error;
    }
  }

  #dated({ text, lifeMs }: GivenToken): AccessToken {
    const hadAt = this.clock.now();
    const renewAt = hadAt + lifeMs * (0.8 + 0.1 * this.clock.random());
    return { text, hadAt, renewAt, endsAt: hadAt + lifeMs };
  }
}
