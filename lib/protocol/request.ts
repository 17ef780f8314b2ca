import type { CredentialHeaders } from './credentials.js';
import type { Operation } from './operation.js';
import { pathOf, routes } from './routes.js';
import type { HttpRequest } from './send.js';

/** What a request is made of. */
export type RequestParts = Pick<
  Operation<unknown>,
  'name' | 'parameters' | 'query' | 'headers' | 'body' | 'mayBeLong'
> & { readonly credentials?: CredentialHeaders };

/** The part of the options that every request needs. */
export interface CallSettings {
  readonly project: string;
  readonly domain: string | undefined;
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Longest answer of a list or a schema, in bytes. Others are read up to a mebibyte of it. */
  readonly maxAnswerBytes: number;
  /** What else is secret in what is sent, and in no error: an application's own headers, a proxy's password. */
  readonly secrets?: (() => readonly string[]) | undefined;
}

/** Where a request goes, and how long it may take. */
export interface Destination {
  readonly address: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Longest answer that is read of an operation whose answers are short, in bytes. */
const shortAnswerBytes = 1_048_576;

/** Also where there is no body: axios would name a form otherwise. */
const jsonContent = { 'Content-Type': 'application/json' };

/** Makes the request of an operation to one address. */
export function requestOf(
  { name, parameters, query, headers, body, credentials, mayBeLong = false }: RequestParts,
  { address, timeoutMs, signal }: Destination,
  { project, domain, userAgent, maxAnswerBytes }: CallSettings,
): HttpRequest {
  const route = routes[name];
  return {
    method: route.method,
    url: `${address}${pathOf(route, { ...parameters, project })}${queryOf(query)}`,
    headers: {
      Accept: 'application/json',
      ...(route.method === 'PUT' || route.method === 'POST' ? jsonContent : {}),
      'User-Agent': userAgent,
      ...(domain === undefined ? {} : { 'x-domain-name': domain }),
      ...headers,
      ...credentials,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    timeoutMs,
    maxAnswerBytes: mayBeLong ? maxAnswerBytes : Math.min(maxAnswerBytes, shortAnswerBytes),
    signal,
  };
}

function queryOf(query: Operation<unknown>['query'] = {}): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return entries.length === 0 ? '' : `?${entries.join('&')}`;
}
