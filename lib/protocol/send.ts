import type { Route } from './routes.js';

/** One HTTP request, complete: nothing is added to it on the way but what HTTP itself needs. */
export interface HttpRequest {
  readonly method: Route['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text of the body; undefined sends none, with `Content-Length: 0`. */
  readonly body: string | undefined;
  /** Deadline in milliseconds for all of it: connection, headers and the last byte of the body. */
  readonly timeoutMs: number;
  /** Longest body of an answer that is read, in bytes after decompression. */
  readonly maxAnswerBytes: number;
  /** Ends the request at once when aborted. */
  readonly signal: AbortSignal | undefined;
}

/** What came back, whatever its status. Header names are in lower case. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/**
 * The port to HTTP. Resolves with every answer, also one that says no; rejects with the HTTP
 * library's own error when there is none (`classify.ts` reads it), never before the socket is freed.
 */
export type Send = (request: HttpRequest) => Promise<HttpReply>;
