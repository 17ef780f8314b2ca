import type { IncomingHttpHeaders } from 'node:http';
import type { OperationName } from '../api/operations.js';
import { Listeners } from '../listeners.js';
import { pathOf } from '../api/request-target.js';

/** A request to the embedded Service Center, with the status of its answer. */
export interface RecordedRequest {
  /** Time when it had arrived in full: milliseconds since 1970 by the registry's clock. */
  readonly at: number;
  /** The requested operation; undefined if it has no name. */
  readonly operation: OperationName | undefined;
  readonly method: string;
  /** Path and query as received; a token in it is replaced by `***`. */
  readonly path: string;
  /** Header names are in lower case; of credentials only the scheme is kept, `Bearer ***`. */
  readonly headers: IncomingHttpHeaders;
  /** The first 64 KiB of the body; `***` if it may contain a password. */
  readonly body: string;
  /** Status of the answer; undefined if none was sent yet, or ever. */
  readonly status: number | undefined;
}

/** A recorded request that may not be answered yet. */
type Entry = Omit<RecordedRequest, 'status'> & { status: number | undefined };

/** Called for each request. */
export type RequestListener = (request: RecordedRequest) => void;

const capacity = 10_000;

/** Records the last requests, oldest first. */
export class Journal {
  /** A ring buffer once it is full: the newest entry replaces the oldest. */
  readonly #entries: RecordedRequest[] = [];
  #next = 0;
  readonly #listeners = new Listeners<RecordedRequest>();

  get requests(): readonly RecordedRequest[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }

  /** Records a request, notifies the listeners, and returns a function that sets the status. */
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

/** Parts of a request that may contain secrets. */
export interface RequestTexts {
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const blank = '***';

/** The beginning of every JSON Web Token. */
const token = /eyJ[\w-]*\.[\w-]*(\.[\w-]*)?/g;

/** Returns a request without tokens, and without a body that may contain a password. */
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

/** The scheme is not a secret: `Bearer ***`. */
function cut(value: string | readonly string[] | undefined): string {
  const [, scheme = ''] = /^(\w+ )/.exec(String(value)) ?? [];
  return scheme + blank;
}

/** Returns whether a path leads to a token or an account, in any spelling. */
function holdsPassword(target: string): boolean {
  const path = pathOf(target);
  return path === undefined || /\/(token|accounts)(\/|$)/i.test(path);
}
