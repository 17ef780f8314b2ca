import type { AccessToken } from './access-token.js';
import type { TokenChange } from './credentials.js';
import type { RefusedLogin } from './login-guard.js';

/** Tells one registration what becomes of its tokens: each token and each refused login once. */
export class TokenNews {
  /** The last one told of each address. */
  readonly #tokens = new Map<string, string>();
  #refusal: RefusedLogin | undefined;
  readonly #listeners = new Set<(change: TokenChange) => void>();

  constructor(private readonly now: () => number) {}

  /** Calls back with each change; returns what ends it. */
  onChange(listener: (change: TokenChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells what there is now, as far as it is new. A token of no text is none: security is off. */
  note(address: string, token: AccessToken | undefined, refusal: RefusedLogin | undefined): void {
    if (token !== undefined && token.text !== (this.#tokens.get(address) ?? '')) {
      this.#tokens.set(address, token.text);
      this.tell({ kind: 'renewed', address, lifeMs: this.#until(token.endsAt) });
    }
    if (refusal !== undefined && refusal !== this.#refusal) {
      const { address: refusedAt, error, until } = refusal;
      this.tell({ kind: 'refused', address: refusedAt, error, retryInMs: this.#until(until) });
    }
    this.#refusal = refusal;
  }

  /** Tells a change as it is. */
  tell(change: TokenChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Milliseconds until then. */
  #until(moment: number): number {
    return Math.max(0, Math.round(moment - this.now()));
  }
}
