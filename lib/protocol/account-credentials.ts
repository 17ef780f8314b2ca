import {
  isServiceCombError,
  type ServiceCombError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import type { AccessToken, GivenToken, TokenClock, TokenSource } from './access-token.js';
import { isRetriable } from './classify.js';
import type { CredentialHeaders, Credentials, TokenChange } from './credentials.js';
import type { Account } from './login.js';
import type { LoginGuard, RefusedLogin } from './login-guard.js';
import type { CallOptions } from './operation.js';
import { digestOf, sharedGuard, sharedSource } from './shared-accounts.js';
import { TokenNews } from './token-news.js';
import { untilAborted } from './until-aborted.js';

/** What account credentials are had with. */
export interface AccountParts {
  /** Those that are configured; others may be learned. */
  readonly addresses: readonly string[];
  readonly username: string;
  /** Asked before each login, and while one is refused, so that a new password is found. */
  readonly password: () => Promise<string>;
  /** Logs in at one address, unless aborted. */
  readonly login: (address: string, account: Account, signal: AbortSignal) => Promise<GivenToken>;
  readonly clock: TokenClock;
}

/** One account at one address, with the password of a moment. */
interface Access {
  readonly address: string;
  readonly account: Account;
  readonly digest: string;
  readonly source: TokenSource;
}

/**
 * Tokens of the registry's own login. Every registration of a process with the same account shares
 * them, and the silence after a refused login, which holds for all addresses: they are one registry.
 */
export class AccountCredentials implements Credentials {
  readonly #held = new Map<string, TokenSource>();
  readonly #guards = new Map<string, LoginGuard>();
  readonly #underWay = new Map<string, Promise<AccessToken>>();
  #stopping = new AbortController();
  #refusal: RefusedLogin | undefined;
  /** The renewals in a row that had no answer. */
  #unanswered: { readonly error: ServiceCombError; readonly failures: number } | undefined;
  readonly #news: TokenNews;

  constructor(private readonly parts: AccountParts) {
    this.#news = new TokenNews(parts.clock.now);
    for (const address of parts.addresses) this.#guard(address);
  }

  get trouble(): ServiceCombError | undefined {
    return this.#refusal?.error ?? this.#unanswered?.error;
  }

  onChange(listener: (change: TokenChange) => void): () => void {
    return this.#news.onChange(listener);
  }

  async headersFor(address: string, { signal }: CallOptions): Promise<CredentialHeaders> {
    signal?.throwIfAborted();
    try {
      const { text } = await untilAborted(this.#tokenFor(address), signal);
      return text === '' ? {} : { Authorization: `Bearer ${text}` };
    } finally {
      this.#notice(address);
    }
  }

  accepted(address: string, headers: CredentialHeaders): void {
    this.#held.get(address)?.prove(tokenIn(headers));
  }

  refused(address: string, headers: CredentialHeaders): boolean {
    return this.#held.get(address)?.drop(tokenIn(headers)) ?? false;
  }

  denied(address: string, headers: CredentialHeaders): void {
    this.#held.get(address)?.doubt(tokenIn(headers));
  }

  stop(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }

  async #tokenFor(address: string): Promise<AccessToken> {
    const token = this.#held.get(address)?.token;
    if (token === undefined) return this.#obtain(address);
    // A renewal that failed was of another address then.
    if (!this.#isOld(token)) this.#unanswered = undefined;
    else if (!this.#underWay.has(address)) void this.#renewAside(address, this.#obtain(address));
    return token;
  }

  #isOld({ renewAt }: AccessToken): boolean {
    return renewAt <= this.parts.clock.now();
  }

  /** The password is asked for once at a time, too. */
  #obtain(address: string): Promise<AccessToken> {
    const underWay =
      this.#underWay.get(address) ??
      this.#ask(address).finally(() => this.#underWay.delete(address));
    this.#underWay.set(address, underWay);
    return underWay;
  }

  /** A token of the password of this moment: one that another registration has, or a new one. */
  async #ask(address: string): Promise<AccessToken> {
    const { username, clock } = this.parts;
    const account = { username, password: await this.parts.password() };
    const digest = digestOf(account.password);
    const source = sharedSource({ address, username, digest }, clock);
    this.#guard(address);
    const { token } = source;
    const isHeld = this.#held.get(address) === source;
    if (token === undefined || (isHeld && this.#isOld(token)))
      return this.#renew({ address, account, digest, source });
    // An old one that others have is taken as it is: the next request renews it.
    this.#held.set(address, source);
    if (!this.#isOld(token)) this.#isWell();
    return token;
  }

  /** The token at hand serves on meanwhile; the next request tries again what failed. */
  async #renewAside(address: string, renewal: Promise<AccessToken>): Promise<void> {
    const { signal } = this.#stopping;
    const error: unknown = await renewal.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (signal.aborted) return;
    if (isServiceCombError(error) && error !== this.#refusal?.error) {
      this.#unanswered = { error, failures: (this.#unanswered?.failures ?? 0) + 1 };
      this.#news.tell({ kind: 'failed', address, ...this.#unanswered });
    }
    this.#notice(address);
  }

  #isWell(): void {
    this.#refusal = undefined;
    this.#unanswered = undefined;
  }

  async #renew(access: Access): Promise<AccessToken> {
    const { address, digest, source } = access;
    try {
      const token = await source.renew(() => this.#login(access));
      this.#held.set(address, source);
      this.#isWell();
      return token;
    } catch (error) {
      this.#refusal = this.#forbidding(digest) ?? this.#refusal;
      throw error;
    }
  }

  async #login({ address, account, digest }: Access): Promise<GivenToken> {
    const forbidding = this.#forbidding(digest);
    if (forbidding !== undefined) throw forbidding.error;
    const { signal } = this.#stopping;
    try {
      return await this.parts.login(address, account, signal);
    } catch (error) {
      // Another registration may wait for it: to that one it is a login without an answer.
      if (signal.aborted) throw new ServiceCenterUnreachableError('login', [address], 'ECANCELED');
      if (isServiceCombError(error) && !isRetriable(error))
        for (const guard of this.#guards.values()) guard.refuse({ address, error, digest });
      throw error;
    }
  }

  #guard(address: string): void {
    const { username, clock } = this.parts;
    this.#guards.set(address, sharedGuard({ address, username }, clock));
  }

  /** A refusal at one address says what the others would say, and their failures may be counted as one. */
  #forbidding(digest: string): RefusedLogin | undefined {
    const forbidding = [...this.#guards.values()].map(guard => guard.forbidding(digest));
    return forbidding.find(each => each !== undefined);
  }

  #notice(address: string): void {
    this.#news.note(address, this.#held.get(address)?.token, this.#refusal);
  }
}

function tokenIn({ Authorization = '' }: CredentialHeaders): string {
  return Authorization.slice('Bearer '.length);
}
