import type { ServiceCombError } from '../errors.js';
import type { Operation } from '../protocol/channel.js';
import { type HttpReply, jsonObject, unexpected } from '../protocol/wire.js';

/** Life of a token that does not say when it ends: the server's default. */
const defaultLifeMs = 12 * 60 * 60_000;
/** More than any server grants (24 h), and within the range of a date. */
const longestLifeMs = 30 * 24 * 60 * 60_000;

/** An account of the registry. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** The token of a login. */
export interface GrantedToken {
  /** Empty when the registry has its security off and needs none. */
  readonly text: string;
  readonly lifeMs: number;
}

/** Returns the operation that asks for a token. */
export function login({ username, password }: Account): Operation<GrantedToken> {
  return {
    name: 'login',
    body: { name: username, password },
    secrets: [password],
    isAnswerSecret: true,
    otherStatus: 404,
    expected: 'a token that is still valid',
    decode: reply => (reply.status === 404 ? noToken : (grantedToken(reply) ?? unexpected)),
  };
}

/** A server with its security off has no login; once security is on, it refuses requests without a token. */
const noToken: GrantedToken = { text: '', lifeMs: defaultLifeMs };

function grantedToken(reply: HttpReply): GrantedToken | undefined {
  const text = jsonObject(reply.body)?.['token'];
  // No header can hold anything else.
  if (typeof text !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(text)) return undefined;
  const lifeMs = lifeOf(text, reply.headers['date']);
  return lifeMs > 0 ? { text, lifeMs } : undefined;
}

/**
 * Returns the life of a token that begins now. It says only when it ends: the registry's own clock, from
 * the Date of its answer, is the reference, so that a wrong local clock does no harm.
 */
function lifeOf(token: string, date: string | undefined): number {
  const [, claims = ''] = token.split('.');
  const exp = jsonObject(Buffer.from(claims, 'base64url').toString())?.['exp'];
  const now = Date.parse(date ?? '');
  if (typeof exp !== 'number' || Number.isNaN(now)) return defaultLifeMs;
  return Math.min(longestLifeMs, exp * 1_000 - now);
}

/** How long a refused password is not tried again. */
const silenceMs = 15 * 60_000;
/**
 * The server takes two failures at once and forgives one every 15 minutes; one more bans the account
 * (docs/registry-behaviour.md, M10 and S9).
 */
const failuresAtOnce = 2;

/** A login that the registry refused. */
export interface RefusedLogin {
  readonly address: string;
  readonly error: ServiceCombError;
  /** Hash of the password. */
  readonly digest: string;
  /** When the password may be tried again, on the monotonic clock. */
  readonly until: number;
}

/**
 * Keeps an account from being banned. A refused password is not tried again for 15 minutes. Another
 * password may be tried at once, unless its failure would be the third one.
 */
export class LoginGuard {
  #last: RefusedLogin | undefined;
  /** Failures that the server would still accept, as of the last one. */
  #credit = failuresAtOnce;

  constructor(private readonly now: () => number) {}

  /** Returns the refusal that forbids a login with this password now. */
  forbidding(digest: string): RefusedLogin | undefined {
    if (this.#last === undefined || this.#last.until <= this.now()) return undefined;
    return this.#last.digest === digest || this.#creditNow() < 1 ? this.#last : undefined;
  }

  /** Notes a refused login. A successful one changes nothing: the server does not forgive for it. */
  refuse(refused: Omit<RefusedLogin, 'until'>): RefusedLogin {
    this.#credit = Math.max(0, this.#creditNow() - 1);
    this.#last = { ...refused, until: this.now() + silenceMs };
    return this.#last;
  }

  #creditNow(): number {
    if (this.#last === undefined) return failuresAtOnce;
    const passedMs = this.now() - (this.#last.until - silenceMs);
    return Math.min(failuresAtOnce, this.#credit + passedMs / silenceMs);
  }
}
