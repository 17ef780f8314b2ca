import { STATUS_CODES } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { setTimer, systemClock } from '../clock.js';
import { messageOf } from '../model/registry-error.js';
import type { ErrorBody } from '../model/registry-error.js';
import { switchingProtocols, encode } from './exchange.js';
import type { Exchange } from './exchange.js';
import type { FaultEffect, FrameEffect } from './fault.js';

/** When a fault acts, as in a match. */
export type When = 'before' | 'after' | undefined;

/** An error in the registry's format; a missing message is filled in by code. */
export interface FaultError {
  readonly errorCode: number | string;
  readonly errorMessage?: string | undefined;
  readonly detail?: string | undefined;
}

/** Body of an answer: text, an error in the registry's format, or any other object. */
export type FaultBody = string | FaultError | Readonly<Record<string, unknown>>;

/** Never answers; releasing a request closes its connection. */
export function hang(when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    return () => exchange.close();
  };
}

/** Answers late; releasing a request answers it at once. */
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

/** Resets the connection. */
export function reset(when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    exchange.reset();
  };
}

/** Sends a given answer. */
export function answerWith(answer: Answer, when: When): FaultEffect {
  return ({ execute, send }) => {
    if (when === 'after') execute();
    send(answer);
  };
}

/** Speed of a slow answer. */
export interface TrickleRate {
  /** Milliseconds between two chunks. */
  readonly everyMs: number;
  readonly chunkBytes: number;
}

/**
 * Sends the answer with its head in chunks and then closes the connection. Releasing a request
 * sends the rest at once.
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

/** Sends raw bytes instead of an answer and then closes the connection. */
export function writeBytes(bytes: Uint8Array, when: When): FaultEffect {
  return ({ exchange, execute }) => {
    if (when === 'after') execute();
    exchange.socket.end(bytes);
  };
}

/** Executes a request inside another function and sends its answer. */
export function executeWithin(within: (execute: () => Answer) => Answer): FaultEffect {
  return ({ execute, send }) => send(within(execute));
}

/** Sends no frame. */
export const swallowFrame: FrameEffect = () => undefined;

/** Sends a frame twice. */
export const doubleFrame: FrameEffect = ({ send }) => {
  send();
  send();
};

/** Sends a frame late; releasing it sends it at once. */
export function delayFrame(ms: number): FrameEffect {
  return ({ send, onEnd }) => {
    const finish = () => {
      cancel();
      send();
    };
    const cancel = setTimer(systemClock, ms, finish);
    onEnd(cancel);
    return finish;
  };
}

/** Returns the answer with a status, a body and its type. */
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

/** Returns an answer as bytes, to be the last one of its connection. */
function rawAnswer(answer: Answer, request: IncomingHttpHeaders): Buffer {
  const { headers, body } = encode(answer, request);
  return rawBytes(answer.status, { Date: new Date().toUTCString(), ...headers }, Buffer.from(body));
}

/** Returns status, headers and body as bytes, with a length and `Connection: close`. */
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
