import { jsonObject } from './json-object.js';
import { type Operation, unexpected } from './operation.js';
import type { GivenToken } from './access-token.js';
import type { HttpReply } from './send.js';

/** Of a token that does not tell its end: what the server gives by default. */
const usualLifeMs = 12 * 60 * 60_000;
/** More than any server gives (24 h), and few enough for a date. */
const longestLifeMs = 30 * 24 * 60 * 60_000;

/** An account of the registry. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** Asks for a token. */
export function login({ username, password }: Account): Operation<GivenToken> {
  return {
    name: 'login',
    body: { name: username, password },
    secrets: [password],
    isAnswerSecret: true,
    otherStatus: 404,
    expected: 'a token that is still good',
    decode: reply => (reply.status === 404 ? noToken : (givenToken(reply) ?? unexpected)),
  };
}

/** A server has no such route while its security is off; a request is refused once it is on. */
const noToken: GivenToken = { text: '', lifeMs: usualLifeMs };

function givenToken(reply: HttpReply): GivenToken | undefined {
  const text = jsonObject(reply.body)?.['token'];
  // A header can hold nothing else.
  if (typeof text !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(text)) return undefined;
  const lifeMs = lifeOf(text, reply.headers['date']);
  return lifeMs > 0 ? { text, lifeMs } : undefined;
}

/**
 * The token says when it ends and not when it began; the registry's own clock stands in the answer, so
 * that a local clock which is wrong does no harm.
 */
function lifeOf(token: string, date: string | undefined): number {
  const [, claims = ''] = token.split('.');
  const exp = jsonObject(Buffer.from(claims, 'base64url').toString())?.['exp'];
  const now = Date.parse(date ?? '');
  if (typeof exp !== 'number' || Number.isNaN(now)) return usualLifeMs;
  return Math.min(longestLifeMs, exp * 1_000 - now);
}
