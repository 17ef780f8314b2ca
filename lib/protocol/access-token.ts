/** How soon a token that was refused from the start is replaced: another one would be refused, too. */
const patienceMs = 60_000;
/** How soon a token that lacks a permission is replaced: roles are fixed when it is given (behaviour S14). */
const roleAgeMs = 15 * 60_000;

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

/** Time and chance, as tokens see them. */
export interface TokenClock {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** From 0 to 1: spreads the renewals of a fleet. */
  readonly random: () => number;
}

/**
 * The token of one account at one address. There is one login at a time, whoever asks. A token is
 * renewed at 80 to 90 % of its life, and serves on meanwhile.
 */
export class TokenSource {
  #token: AccessToken | undefined;
  /** Whether a request was answered with the token at hand. */
  #isProven = false;
  #login: Promise<AccessToken> | undefined;

  constructor(private readonly clock: TokenClock) {}

  /** The token at hand, as long as it lives. */
  get token(): AccessToken | undefined {
    return this.#token !== undefined && this.#token.endsAt > this.clock.now()
      ? this.#token
      : undefined;
  }

  /** Whether nothing is lost with it: it has no token, and none is on its way. */
  get isSpent(): boolean {
    return this.token === undefined && this.#login === undefined;
  }

  /** Logs in, unless that is under way; resolves with the token that it gave. */
  renew(login: () => Promise<GivenToken>): Promise<AccessToken> {
    this.#login ??= this.#ask(login).finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  /** Notes that a request was answered with this token. */
  prove(text: string): void {
    if (this.#token?.text === text) this.#isProven = true;
  }

  /**
   * Drops a token that a request was refused with, unless there is another one by now. Answers whether
   * asking again can help: not for one that never did within a minute of its login, which is a matter
   * of clocks or keys (measured M11). To have none helps as soon as security is on.
   */
  drop(text: string): boolean {
    const { token } = this;
    if (token?.text !== text) return true;
    const isYoung = this.clock.now() - token.hadAt < patienceMs;
    if (isYoung && !this.#isProven && text !== '') return false;
    this.#token = undefined;
    return true;
  }

  /** Notes that this token lacks a permission: it serves on, and is soon renewed if its roles are old. */
  doubt(text: string): void {
    const { token } = this;
    const now = this.clock.now();
    if (token?.text === text && now - token.hadAt >= roleAgeMs)
      this.#token = { ...token, renewAt: Math.min(token.renewAt, now) };
  }

  async #ask(login: () => Promise<GivenToken>): Promise<AccessToken> {
    const given = await login();
    const { token } = this;
    // No login any more: security was switched off, or a gateway lost its way. The token does no harm.
    if (given.text === '' && token !== undefined && token.text !== '') {
      this.#token = { ...token, renewAt: this.clock.now() + patienceMs };
      return this.#token;
    }
    this.#isProven = false;
    this.#token = this.#dated(given);
    return this.#token;
  }

  #dated({ text, lifeMs }: GivenToken): AccessToken {
    const hadAt = this.clock.now();
    const renewAt = hadAt + lifeMs * (0.8 + 0.1 * this.clock.random());
    return { text, hadAt, renewAt, endsAt: hadAt + lifeMs };
  }
}
