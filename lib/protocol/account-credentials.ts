import { createHash } from 'node:crypto';
import { type GivenToken, type TokenClock, TokenSource } from './access-token.js';
import type { CallOptions } from './operation.js';
import type { CredentialHeaders, Credentials, TokenChange } from './credentials.js';
import type { Account } from './login.js';

/** What account credentials are had with. */
export interface AccountParts {
  readonly username: string;
  /** Asked before each login, so that a new password is found. */
  readonly password: () => Promise<string>;
  /** Logs in at one address. */
  readonly login: (address: string, account: Account) => Promise<GivenToken>;
  readonly clock: TokenClock;
}

/**
 * Tokens of the registry's own login. Every registration of a process with the same account shares
 * them, and the silence after a refused login: the server counts failures by account and host, not by
 * registration. A password that has changed since is tried at once.
 */
export class AccountCredentials implements Credentials {
  readonly #sources = new Map<string, TokenSource>();
  readonly #told = new Map<string, unknown>();
  readonly #listeners = new Set<(change: TokenChange) => void>();

  constructor(private readonly parts: AccountParts) {}

  onChange(listener: (change: TokenChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async headersFor(address: string, { signal }: CallOptions): Promise<CredentialHeaders> {
    const source = await this.#sourceFor(address);
    try {
      const token = await untilAborted(
        source.obtain(() => this.#login(address)),
        signal,
      );
      return token.text === '' ? {} : { Authorization: `Bearer ${token.text}` };
    } finally {
      this.#notice(address, source);
    }
  }

  accepted(address: string, headers: CredentialHeaders): void {
    this.#sources.get(address)?.prove(tokenIn(headers));
  }

  refused(address: string, headers: CredentialHeaders): boolean {
    return this.#sources.get(address)?.drop(tokenIn(headers)) ?? false;
  }

  async #login(address: string): Promise<GivenToken> {
    const { username, password, login } = this.parts;
    return login(address, { username, password: await password() });
  }

  async #sourceFor(address: string): Promise<TokenSource> {
    const held = this.#sources.get(address);
    if (held?.token !== undefined) return held;
    const { username, password, clock } = this.parts;
    const source = sharedSource({ address, username, password: await password() }, clock);
    this.#sources.set(address, source);
    return source;
  }

  #notice(address: string, { token, refusal }: TokenSource): void {
    const news = refusal ?? token;
    if (news === undefined || this.#told.get(address) === news) return;
    this.#told.set(address, news);
    if ('text' in news && news.text === '') return;
    for (const listener of this.#listeners) listener(this.#changeOf(address, news));
  }

  #changeOf(address: string, news: NonNullable<TokenSource['token' | 'refusal']>): TokenChange {
    if ('text' in news)
      return { kind: 'renewed', address, lifeMs: Math.round(news.endsAt - news.hadAt) };
    const retryInMs = Math.round(news.until - this.parts.clock.now());
    return { kind: 'refused', address, error: news.error, retryInMs };
  }
}

function tokenIn({ Authorization = '' }: CredentialHeaders): string {
  return Authorization.slice('Bearer '.length);
}

const sources = new Map<string, TokenSource>();

/** The password is kept as a digest only: it makes another one another source. */
function sharedSource(
  { address, username, password }: Account & { readonly address: string },
  clock: TokenClock,
): TokenSource {
  const digest = createHash('sha256').update(password).digest('hex');
  const key = JSON.stringify([address, username, digest]);
  const source = sources.get(key) ?? new TokenSource(clock);
  sources.set(key, source);
  return source;
}

/** A login is waited for by others, too: one who is aborted leaves it alone. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const listening = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true, signal: listening.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    listening.abort();
  }
}
