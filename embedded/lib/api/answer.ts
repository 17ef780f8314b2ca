import type { ErrorBody, RegistryError } from '../model/registry-error.js';

/** The answer to a request, as a client gets it. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds before it goes out; the request is executed anew when the store answers sooner. */
  readonly waitMs?: number | undefined;
}

/** An answer on its way to a client. */
export interface Answer extends ApiAnswer {
  /** The error in the body, which another form of the registry says otherwise. */
  readonly error?: ErrorBody;
}

/** Go's encoding/json writes these so that its output may stand in HTML. */
const htmlCharacters = /[<>&\u2028\u2029]/g;

/** An answer with an object; fields that are undefined are left out. */
export function json(
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=UTF-8', ...headers },
    body: goJson(value),
  };
}

/** The text of an object as Go writes it. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    htmlCharacters,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The answer of what succeeded and has nothing to tell (pkg/rest/util.go, WriteSuccess). */
export const done: Answer = {
  status: 200,
  headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  body: '',
};

/** An answer in words, as Go's http.Error writes it. */
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

/** The answer of a refusal. */
export function errorAnswer({ body, status, waitMs }: RegistryError): Answer {
  const answer = { ...json(body, {}, status), error: body };
  return waitMs === undefined ? answer : { ...answer, waitMs };
}

/** A list as an answer carries it: an empty one is left out. */
export function omitEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
