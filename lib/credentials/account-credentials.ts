import { createHash } from 'node:crypto';
import {
  isServiceCombError,
  type ServiceCombError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import type {
  CallOptions,
  CredentialHeaders,
  Credentials,
  TokenChange,
} from '../protocol/channel.js';
import { isGatewayRefusal, isLoginRefused } from '../protocol/failures.js';
import { boundedWait, type Delay } from './bounded-wait.js';
import { type Account, type GrantedToken, LoginGuard, type RefusedLogin } from './login.js';

/** A token that was not accepted within so long is no new one any more. */
const newMs = 60_000;
/** From the login of a new token that is refused to the next one, at first and at most: it doubles each time (M11). */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** Until it is asked again whether there is a login. */
const patienceMs = 60_000;
/** A token that lacks a permission is renewed from this age on: it keeps the roles of its login (S14). */
const roleAgeMs = 15 * 60_000;

/** The parts that account credentials work with. */
export interface AccountParts {
  readonly username: string;
  /** Called before each login, and with each request while logins are refused, to notice a new password. */
  readonly password: () => Promise<string>;
  /** Logs in at one address, unless aborted. */
  readonly login: (address: string, account: Account, signal: AbortSignal) => Promise<GrantedToken>;
  /** Whether a gateway keeps even a login without an account from the registry at one address. */
  readonly isBarred: (address: string, signal: AbortSignal) => Promise<boolean>;
  readonly clock: TokenClock;
  readonly delay: Delay;
}

/** Time and chance. */
export interface TokenClock {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Between 0 and 1: spreads the renewals of a fleet. */
  readonly random: () => number;
}

/** The token of one address; moments are milliseconds of the monotonic clock. */
interface Token {
  readonly text: string;
  readonly obtainedAt: number;
  readonly renewAt: number;
  readonly endsAt: number;
  /** Whether a request with it was answered. */
  readonly isProven: boolean;
  /** Whether it was new when it was refused: it ends with the pause before the next login. */
  readonly isRefused: boolean;
}

/**
 * An account of the registry's own login (RBAC), with one token for each address. One login at a time
 * serves all requests that wait. A token is renewed at 80 to 90 % of its life, while requests still use it.
 * A refused login holds for all addresses: they are one registry. M and S numbers are sections of
 * docs/registry-behaviour.md.
 */
export class AccountCredentials implements Credentials {
  readonly #tokens = new Map<string, Token>();
  readonly #logins = new Map<string, Promise<Token>>();
  /** New tokens of an address that were refused, in a row. */
  readonly #refusedTokens = new Map<string, number>();
  readonly #guard: LoginGuard;
  readonly #listeners = new Set<(change: TokenChange) => void>();
  #stopping = new AbortController();
  #refused: RefusedLogin | undefined;
  /** Renewals in a row that got no answer. */
  #unanswered: { readonly error: ServiceCombError; readonly failures: number } | undefined;

  constructor(private readonly parts: AccountParts) {
    this.#guard = new LoginGuard(parts.clock.now);
  }

  get loginError(): ServiceCombError | undefined {
    return this.#refused?.error ?? this.#unanswered?.error;
  }

  onChange(listener: (change: TokenChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async headersFor(
    address: string,
    { signal, timeoutMs }: CallOptions,
  ): Promise<CredentialHeaders> {
    signal?.throwIfAborted();
    const { text } =
      this.#tokenAtHand(address) ?? (await this.#loginWithin(address, { signal, timeoutMs }));
    return text === '' ? {} : { Authorization: `Bearer ${text}` };
  }

  /** The login itself goes on after the deadline of one request: it serves the next one. */
  #loginWithin(address: string, { signal, timeoutMs }: CallOptions): Promise<Token> {
    if (timeoutMs === undefined) return boundedWait(this.#logIn(address), { signal });
    const timer = async (ended: AbortSignal): Promise<never> => {
      await this.parts.delay(timeoutMs, ended);
      throw new ServiceCenterTimeoutError('login', address, timeoutMs);
    };
    return boundedWait(this.#logIn(address), { signal, timer });
  }

  markAccepted(address: string, headers: CredentialHeaders): void {
    const token = this.#tokenIn(address, headers);
    if (token === undefined || token.isProven) return;
    this.#refusedTokens.delete(address);
    this.#tokens.set(address, { ...token, isProven: true });
  }

  /**
   * Drops the token, unless it has been replaced already. If there was no token, a login helps: the
   * registry has its security on now. A new token that was never accepted is a matter of clocks or keys:
   * the login succeeded, so another one is safe, and follows after a pause that grows.
   */
  markRefused(address: string, headers: CredentialHeaders): boolean {
    const token = this.#tokenIn(address, headers);
    if (token === undefined) return true;
    const isNew = this.#now - token.obtainedAt < newMs && !token.isProven && token.text !== '';
    if (isNew && this.#isPaused(address, token)) return false;
    this.#tokens.delete(address);
    return true;
  }

  /** Whether a new token that is refused is used for the rest of the pause between two logins. */
  #isPaused(address: string, token: Token): boolean {
    if (token.isRefused) return true;
    const refused = this.#refusedTokens.get(address) ?? 0;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** refused);
    this.#refusedTokens.set(address, refused + 1);
    const endsAt = Math.min(token.endsAt, token.obtainedAt + pauseMs);
    this.#tokens.set(address, { ...token, endsAt, isRefused: true });
    return endsAt > this.#now;
  }

  markDenied(address: string, headers: CredentialHeaders): void {
    const token = this.#tokenIn(address, headers);
    if (token === undefined || this.#now - token.obtainedAt < roleAgeMs) return;
    this.#tokens.set(address, { ...token, renewAt: Math.min(token.renewAt, this.#now) });
  }

  stop(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }

  get #now(): number {
    return this.parts.clock.now();
  }

  /** Returns the token at hand, as long as it is valid. */
  #validToken(address: string): Token | undefined {
    const token = this.#tokens.get(address);
    return token !== undefined && token.endsAt > this.#now ? token : undefined;
  }

  /** Returns the token at hand, if it is the one in these headers. */
  #tokenIn(address: string, { Authorization = '' }: CredentialHeaders): Token | undefined {
    const token = this.#validToken(address);
    return token?.text === Authorization.slice('Bearer '.length) ? token : undefined;
  }

  /** Returns the token at hand, and renews it beside the requests when it is time. */
  #tokenAtHand(address: string): Token | undefined {
    const token = this.#validToken(address);
    if (token === undefined) return undefined;
    // If a renewal failed, it was that of another address.
    if (token.renewAt > this.#now) this.#unanswered = undefined;
    else if (!this.#logins.has(address)) void this.#renew(address);
    return token;
  }

  /** Never rejects: the token at hand is still valid, and the next request tries again. */
  async #renew(address: string): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#logIn(address);
    } catch (error) {
      // A bug surfaces at the latest in the request that needs this login.
      if (signal.aborted || !isServiceCombError(error) || error === this.#refused?.error) return;
      this.#unanswered = { error, failures: (this.#unanswered?.failures ?? 0) + 1 };
      this.#notify({ kind: 'failed', address, ...this.#unanswered });
    }
  }

  #logIn(address: string): Promise<Token> {
    const login =
      this.#logins.get(address) ??
      this.#obtain(address).finally(() => this.#logins.delete(address));
    this.#logins.set(address, login);
    return login;
  }

  async #obtain(address: string): Promise<Token> {
    const { signal } = this.#stopping;
    const account = { username: this.parts.username, password: await this.parts.password() };
    const digest = createHash('sha256').update(account.password).digest('hex');
    const forbidding = this.#guard.forbidding(digest);
    if (forbidding !== undefined) {
      this.#refuse(forbidding);
      throw forbidding.error;
    }
    try {
      const granted = await this.parts.login(address, account, signal);
      this.#guard.accept(digest);
      return this.#keep(address, granted);
    } catch (error) {
      if (isServiceCombError(error)) await this.#judge({ address, error, digest }, signal);
      if (signal.aborted) throw new ServiceCenterUnreachableError('login', [address], 'ECANCELED');
      throw error;
    }
  }

  /**
   * Decides whether a login has failed at the registry. A page of a gateway says so, too, unless the gateway
   * refuses a login without an account alike: then it lets none through.
   */
  async #judge(failed: Omit<RefusedLogin, 'until'>, signal: AbortSignal): Promise<void> {
    const { address, error } = failed;
    if (isLoginRefused(error)) return this.#refuse(this.#guard.refuse(failed));
    if (!isGatewayRefusal(error) || (await this.parts.isBarred(address, signal))) return;
    const refused = this.#guard.suspect(failed);
    if (refused !== undefined) this.#refuse(refused);
  }

  #refuse(refused: RefusedLogin): void {
    if (refused === this.#refused) return;
    this.#refused = refused;
    const { address, error, until } = refused;
    this.#notify({ kind: 'refused', address, error, retryInMs: Math.round(until - this.#now) });
  }

  #keep(address: string, { text, lifeMs }: GrantedToken): Token {
    this.#refused = undefined;
    this.#unanswered = undefined;
    const now = this.#now;
    const old = this.#validToken(address);
    const renewAt = now + lifeMs * (0.8 + 0.1 * this.parts.clock.random());
    const token =
      // There is no login any more: security was switched off, or a gateway is wrong. A token does no harm.
      text === '' && old !== undefined && old.text !== ''
        ? { ...old, renewAt: now + patienceMs }
        : {
            text,
            obtainedAt: now,
            renewAt,
            endsAt: now + lifeMs,
            isProven: false,
            isRefused: false,
          };
    this.#tokens.set(address, token);
    if (text !== '') this.#notify({ kind: 'renewed', address, lifeMs: Math.round(lifeMs) });
    return token;
  }

  #notify(change: TokenChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
