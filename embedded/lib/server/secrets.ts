import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from '../api/request-target.js';

/** What of a request may hold a secret. */
export interface Disclosed {
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const blank = '***';

/** What a JSON Web Token begins with, whatever it says. */
const token = /eyJ[\w-]*\.[\w-]*(\.[\w-]*)?/g;

/** A request as others may see it: without tokens, and without bodies that hold passwords. */
export function withoutSecrets({ path, headers, body }: Disclosed): Disclosed {
  return {
    path: path.replaceAll(token, blank),
    headers: Object.keys(headers).some(isSecret) ? publicHeaders(headers) : headers,
    body: body !== '' && holdsPassword(path) ? blank : body,
  };
}

function publicHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSecret(name) ? cut(value) : value]),
  );
}

function isSecret(headerName: string): boolean {
  return /authorization|cookie|token/.test(headerName);
}

/** The scheme is no secret: `Bearer ***`. */
function cut(value: string | readonly string[] | undefined): string {
  const [, scheme = ''] = /^(\w+ )/.exec(String(value)) ?? [];
  return scheme + blank;
}

/** True for every path that leads to a token or to an account, however it is written. */
function holdsPassword(target: string): boolean {
  const path = pathOf(target);
  return path === undefined || /\/(token|accounts)(\/|$)/i.test(path);
}
