import type { IncomingHttpHeaders } from 'node:http';
import type { OperationName } from '../api/operations.js';
import { Listeners } from '../listeners.js';
import { pathOf } from '../api/request-target.js';

/** A request that reached the embedded Service Center, and what came of it. */
export interface RecordedRequest {
  /** When it had arrived in full: milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  /** The operation it asked for; undefined where the operation has no name. */
  readonly operation: OperationName | undefined;
  readonly method: string;
  /** Path and query as they came; a token in it is `***`. */
  readonly path: string;
  /** By lower-case names; of credentials only the first word is kept, `Bearer ***`. */
  readonly headers: IncomingHttpHeaders;
  /** The first 64 KiB of it; `***` where it may hold a password. */
  readonly body: string;
  /** Status of the answer; undefined while there is none, and for good when none was sent. */
  readonly status: number | undefined;
}

/** A request as it is kept: its answer is to come. */
type Entry = Omit<RecordedRequest, 'status'> & { status: number | undefined };

/** A listener told of each request. */
export type RequestListener = (request: RecordedRequest) => void;

const capacity = 10_000;

/** The last requests, oldest first. */
export class Journal {
  /** A ring once it is full: the newest entry takes the place of the oldest. */
  readonly #entries: RecordedRequest[] = [];
  #next = 0;
  readonly #listeners = new Listeners<RecordedRequest>();

  get requests(): readonly RecordedRequest[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }

  /** Writes a request down, tells the listeners, and returns what notes the status of its answer. */
  add(request: Omit<RecordedRequest, 'status'>): (status: number) => void {
    const entry: Entry = { ...request, status: undefined };
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % capacity;
    this.#listeners.emit(entry);
    return status => {
      entry.status = status;
    };
  }

  /** Adds a listener; the returned function removes it. */
  onRequest(listener: RequestListener): () => void {
    return this.#listeners.add(listener);
  }
}

/** What of a request may hold a secret. */
export interface RequestTexts {
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const blank = '***';

/** What a JSON Web Token begins with, whatever it says. */
const token = /eyJ[\w-]*\.[\w-]*(\.[\w-]*)?/g;

/** A request as others may see it: without tokens, and without bodies that hold passwords. */
export function withoutSecrets({ path, headers, body }: RequestTexts): RequestTexts {
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
