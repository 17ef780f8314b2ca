import { createHash } from 'node:crypto';
import { type TokenClock, TokenSource } from './access-token.js';
import { LoginGuard } from './login-guard.js';

/** An account, as one address knows it. */
export interface AccountAt {
  readonly address: string;
  readonly username: string;
}

// State of the module, against the rule: the server counts failures by account and host, not by registration.
const sources = new Map<string, TokenSource>();
const guards = new Map<string, LoginGuard>();

/** Recognises a password without keeping it. */
export function digestOf(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

/** The tokens of an account with this password, shared by the whole process. */
export function sharedSource(
  { address, username, digest }: AccountAt & { readonly digest: string },
  clock: TokenClock,
): TokenSource {
  const key = JSON.stringify([address, username, digest]);
  const source = sources.get(key) ?? new TokenSource(clock);
  // Passwords change, and tokens end.
  for (const [other, { isSpent }] of sources) if (isSpent) sources.delete(other);
  sources.set(key, source);
  return source;
}

/** The guard of an account, shared by the whole process. */
export function sharedGuard({ address, username }: AccountAt, clock: TokenClock): LoginGuard {
  const key = JSON.stringify([address, username]);
  const guard = guards.get(key) ?? new LoginGuard(clock.now);
  guards.set(key, guard);
  return guard;
}
