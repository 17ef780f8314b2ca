import type { OperationName } from './routes.js';
import type { HttpReply } from './send.js';

/** What a decoder answers when a reply is not of the expected shape. */
export const unexpected: unique symbol = Symbol('unexpected');

/** One operation of the registry: what to send, and how to read the answer. */
export interface Operation<T> {
  readonly name: OperationName;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown;
  /** What is secret in the body. */
  readonly secrets?: readonly string[] | undefined;
  /** Whether what a success says is secret: then it is not shown where it is not what was expected, either. */
  readonly isAnswerSecret?: boolean | undefined;
  /** A success that is not HTTP 200. */
  readonly otherStatus?: number | undefined;
  /** Whether an answer is as long as what is registered: a list, or a schema. @default false */
  readonly mayBeLong?: boolean | undefined;
  /** What a success looks like, for the error when it does not: `a list of instances`. */
  readonly expected: string;
  readonly decode: (reply: HttpReply) => T | typeof unexpected;
}

/** What a caller may bound an operation by. */
export interface CallOptions {
  /** Ends the call at once when aborted; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of one attempt in milliseconds. @default the client's */
  readonly timeoutMs?: number | undefined;
}
