import type { ErrorBody, RegistryError } from '../model/registry-error.js';

/** The answer to a request. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * Milliseconds until the answer is sent. The request is executed again if the store recovers
   * earlier.
   */
  readonly waitMs?: number | undefined;
}

/** An answer before it is adapted to the profile. */
export interface Answer extends ApiAnswer {
  /** The error in the body, which some profiles write differently. */
  readonly error?: ErrorBody;
  /** Returns the compressed body if it is kept; it is compressed for each answer otherwise. */
  readonly gzip?: () => Buffer;
}

/** Characters that Go's encoding/json escapes so that its output can stand in HTML. */
const htmlCharacters = /[<>&\u2028\u2029]/g;

/** Returns an answer with a JSON body; undefined fields are omitted. */
export function json(
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Answer {
  return jsonText(goJson(value), headers, status);
}

/** Returns an answer whose body is JSON text already. */
export function jsonText(
  body: string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=UTF-8', ...headers },
    body,
  };
}

/** Returns a value as JSON text in Go's spelling. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    htmlCharacters,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The answer to an operation that succeeds without a result (pkg/rest/util.go, WriteSuccess). */
export const done: Answer = {
  status: 200,
  headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  body: '',
};

/** Returns an answer of plain text, like Go's http.Error. */
export function plain(status: number, text: string, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: {
      ...headers,
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
    },
    body: `${text}\n`,
  };
}

/** Returns the answer for an error. */
export function errorAnswer({ body, status, waitMs }: RegistryError): Answer {
  const answer = { ...json(body, {}, status), error: body };
  return waitMs === undefined ? answer : { ...answer, waitMs };
}

/** Returns a list, or undefined if it is empty: the server omits empty lists. */
export function omitEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
