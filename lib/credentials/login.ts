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

/**
 * Asks for a token without an account: the registry answers 400001 before it looks for an account, so no
 * failed login is counted (server/resource/rbac/auth_resource.go).
 */
export const loginOfNobody: Operation<undefined> = {
  name: 'login',
  body: [],
  isAnswerSecret: true,
  expected: 'a refusal of the registry',
  decode: () => undefined,
};

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
  /** Failures that the server would still accept, as of `#creditAt`. */
  #credit = failuresAtOnce;
  #creditAt = -Infinity;
  /** Pages in a row that answered logins with this password in place of the registry. */
  #pages = { digest: '', count: 0 };

  constructor(private readonly now: () => number) {}

  /** Returns the refusal that forbids a login with this password now. */
  forbidding(digest: string): RefusedLogin | undefined {
    if (this.#last === undefined || this.#last.until <= this.now()) return undefined;
    return this.#last.digest === digest || this.#creditNow() < 1 ? this.#last : undefined;
  }

  /** Notes a refused login. */
  refuse(refused: Omit<RefusedLogin, 'until'>): RefusedLogin {
    this.#setCredit(this.#creditNow() - 1);
    this.#last = { ...refused, until: this.now() + silenceMs };
    return this.#last;
  }

  /**
   * Notes that a page answered a login which may have reached the registry: a proxy may show its own page in
   * place of a refusal. Returns the refusal that forbids another login, once its failure could be the third.
   */
  suspect(refused: Omit<RefusedLogin, 'until'>): RefusedLogin | undefined {
    const { digest } = refused;
    const count = this.#pages.digest === digest ? this.#pages.count + 1 : 1;
    this.#pages = { digest, count };
    if (this.#creditNow() < 2) return this.refuse(refused);
    this.#setCredit(this.#creditNow() - 1);
    return undefined;
  }

  /**
   * Notes a login that succeeded. Pages in place of answers to the same password were no refusals of the
   * registry, then. The server forgives nothing for a success.
   */
  accept(digest: string): void {
    if (this.#pages.digest !== digest) return;
    this.#setCredit(this.#creditNow() + this.#pages.count);
    this.#pages = { digest: '', count: 0 };
  }

  #creditNow(): number {
    const passedMs = this.now() - this.#creditAt;
    return Math.min(failuresAtOnce, this.#credit + passedMs / silenceMs);
  }

  #setCredit(credit: number): void {
    this.#credit = Math.min(failuresAtOnce, Math.max(0, credit));
    this.#creditAt = this.now();
  }
}
