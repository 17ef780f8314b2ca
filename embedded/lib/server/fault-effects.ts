import { STATUS_CODES } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { setTimer, systemClock } from '../clock.js';
import { messageOf } from '../model/registry-error.js';
import type { ErrorBody } from '../model/registry-error.js';
import { switchingProtocols, encode } from './exchange.js';
import type { Exchange } from './exchange.js';
import type { FaultEffect } from './fault.js';

/** Where a fault strikes, as a match says it. */
export type When = 'before' | 'after' | undefined;

/** An error in the registry's form; the message that belongs to the code is filled in. */
export interface FaultError {
  readonly errorCode: number | string;
  readonly errorMessage?: string | undefined;
  readonly detail?: string | undefined;
}

/** What an answer may carry: text, an error in the registry's form, or any other object. */
export type FaultBody = string | FaultError | Readonly<Record<string, unknown>>;

/** Never answers; letting go of a request closes its connection. */
export function hang(when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    return () => exchange.close();
  };
}

/** Answers so many milliseconds late; letting go of a request answers it at once. */
export function delay(ms: number, when: When): FaultEffect {
  return ({ exchange, execute, send }) => {
    const early = when === 'before' ? undefined : execute();
    const finish = () => {
      cancel();
      send(early ?? execute());
    };
    const cancel = setTimer(systemClock, ms, finish);
    exchange.onEnd(cancel);
    return finish;
  };
}

/** Breaks the connection. */
export function reset(when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    exchange.reset();
  };
}

/** Gives this answer instead. */
export function answerWith(answer: Answer, when: When): FaultEffect {
  return ({ execute, send }) => {
    if (when === 'after') execute();
    send(answer);
  };
}

/** How an answer trickles. */
export interface TrickleRate {
  /** Milliseconds between two chunks. */
  readonly everyMs: number;
  readonly chunkBytes: number;
}

/**
 * Sends the answer, its head too, chunk by chunk, and closes the connection behind it. Letting go
 * of a request sends the rest at once.
 */
export function trickle(rate: TrickleRate): FaultEffect {
  return ({ exchange, execute, send, note }) => {
    const answer = execute();
    if (answer === switchingProtocols) {
      send(answer);
      return undefined;
    }
    const finish = sendSlowly(exchange, rawAnswer(answer, exchange.request.headers), rate);
    note(answer.status);
    return finish;
  };
}

function sendSlowly(
  { socket }: Exchange,
  bytes: Buffer,
  { everyMs, chunkBytes }: TrickleRate,
): () => void {
  let at = 0;
  let cancel = () => {};
  const next = () => {
    socket.write(bytes.subarray(at, at + chunkBytes));
    at += chunkBytes;
    if (at >= bytes.length) socket.end();
    else cancel = setTimer(systemClock, everyMs, next);
  };
  socket.once('close', () => cancel());
  next();
  return () => {
    cancel();
    if (socket.writable) socket.end(bytes.subarray(at));
  };
}

/** Writes bytes as they are where an answer should be, and closes the connection behind them. */
export function writeBytes(bytes: Uint8Array, when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    exchange.socket.end(bytes);
  };
}

/** Executes a request in an environment of its own, and gives its answer. */
export function executeWithin(within: (execute: () => Answer) => Answer): FaultEffect {
  return ({ execute, send }) => send(within(execute));
}

/** The answer of a status, a body and its type. */
export function faultAnswer(
  status: number,
  body: FaultBody,
  {
    contentType,
    headers = {},
  }: {
    readonly contentType?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): Answer {
  const given = contentType === undefined ? headers : { ...headers, 'Content-Type': contentType };
  if (typeof body !== 'string') {
    if (!isError(body)) return json(body, given, status);
    const error = withMessage(body);
    return { ...json(error, given, status), error };
  }
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...given }, body };
}

function isError(body: FaultError | Readonly<Record<string, unknown>>): body is FaultError {
  return 'errorCode' in body;
}

function withMessage({
  errorCode,
  errorMessage = messageOf(Number(errorCode)),
  ...rest
}: FaultError): ErrorBody {
  return { errorCode: String(errorCode), errorMessage, ...rest };
}

/** An answer as it stands on the wire, for who writes it itself: the last one of its connection. */
export function rawAnswer(answer: Answer, request: IncomingHttpHeaders): Buffer {
  const { headers, body } = encode(answer, request);
  return rawBytes(answer.status, { Date: new Date().toUTCString(), ...headers }, Buffer.from(body));
}

/** The bytes of a status, headers and a body; a length and `Connection: close` are added. */
export function rawBytes(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: Uint8Array,
): Buffer {
  const all = { ...headers, 'Content-Length': body.length, Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${String(value)}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body]);
}
