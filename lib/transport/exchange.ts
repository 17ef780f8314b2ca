import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
} from 'node:http';
import { type Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline, type Readable, Transform } from 'node:stream';
import { constants, createBrotliDecompress, createUnzip } from 'node:zlib';
import { timer } from 'rxjs';
import { codeOf } from '../errors.js';
import type { HttpRequest } from '../protocol/channel.js';
import { headersRead, type HttpReply } from '../protocol/wire.js';

/** The agents that connections are made with, and how to close those that are idle. */
export interface ConnectionsPort {
  readonly agents: { readonly httpAgent: Agent; readonly httpsAgent: SecureAgent };
  closeIdle(): void;
}

/** A request, with a method of any kind. */
export type Asked = Omit<HttpRequest, 'method'> & { readonly method: string };

/** Longest request that is sent, in bytes. */
const maxRequestBytes = 1_048_576;

/**
 * Sends a request and reads its answer: the whole body, but only the headers that somebody reads. One deadline
 * covers connecting, headers and body. A kept connection that the server has just closed is no failure: the
 * request is sent once more, over a new one.
 *
 * Rejects with the signal's reason, with a `TimeoutError`, or with an error that has a code; the request is in
 * none of them. The socket has been freed by then.
 */
export function exchange(asked: Asked, connections: ConnectionsPort): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs, maxAnswerBytes } = asked;
    let isOver = false;
    const release = () => {
      isOver = true;
      deadline.unsubscribe();
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown) => {
      release();
      sent.destroy();
      reject(error);
    };
    const abort = () => fail(signal?.reason);
    const read = async (answer: IncomingMessage) => {
      const body = await bodyOf(decoded(answer), maxAnswerBytes);
      release();
      resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), body });
    };
    const send = () => {
      const request = begin(asked, connections.agents);
      request.on('response', answer => void read(answer).catch(fail));
      return request.end(asked.body);
    };
    const sendAgain = () => {
      // All kept connections are as old as the one that was closed.
      connections.closeIdle();
      sent = send().on('error', error => fail(unanswered(error)));
    };
    let sent = send().on('error', error => {
      // A request that is given up emits an error, too: as if the server had closed the connection.
      if (!isOver && wasKeptTooLong(sent, error)) sendAgain();
      else fail(unanswered(error));
    });
    const deadline = timer(timeoutMs).subscribe(() => fail(timeoutError()));
    signal?.addEventListener('abort', abort);
  });
}

function begin(
  { method, url, headers, body = '' }: Asked,
  { httpAgent, httpsAgent }: ConnectionsPort['agents'],
): ClientRequest {
  if (Buffer.byteLength(body) > maxRequestBytes) throw coded('ERR_BAD_REQUEST');
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const options = {
    // Agents of proxies read it, too.
    protocol,
    method,
    // Without the brackets of an IPv6 address.
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    path: `${pathname}${search}`,
    headers: { ...headers, 'Accept-Encoding': 'gzip, compress, deflate, br' },
    insecureHTTPParser: false,
  };
  return protocol === 'https:'
    ? secureRequest({ ...options, agent: httpsAgent })
    : plainRequest({ ...options, agent: httpAgent });
}

function wasKeptTooLong({ reusedSocket }: ClientRequest, error: unknown): boolean {
  const code = codeOf(error);
  return reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** An error of an agent may have no code; it is no bug of ours for that. */
function unanswered(cause: Error): Error {
  return coded(codeOf(cause) ?? 'ERR_NETWORK', { cause }, cause.message);
}

function timeoutError(): DOMException {
  return new DOMException('The deadline has passed', 'TimeoutError');
}

function coded(code: string, options?: ErrorOptions, message = `HTTP failed: ${code}`): Error {
  return Object.assign(new Error(message, options), { code });
}

function headersOf({ headers }: IncomingMessage): HttpReply['headers'] {
  const read: Record<string, string> = {};
  for (const name of headersRead) {
    const value = headers[name];
    if (typeof value === 'string') read[name] = value;
  }
  return read;
}

/** Accepts what is cut off, as axios does: its length is verified by HTTP. */
const zlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const brotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

/** Returns the body of an answer after decompression; with an encoding that is not known, as it came. */
function decoded(answer: IncomingMessage): Readable {
  const encoding = answer.headers['content-encoding']?.toLowerCase();
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
    case 'compress':
    case 'x-compress':
      return pipeline(answer, createUnzip(zlibOptions), ignore);
    case 'deflate':
      return pipeline(answer, withZlibHeader(), createUnzip(zlibOptions), ignore);
    case 'br':
      return pipeline(answer, createBrotliDecompress(brotliOptions), ignore);
    case undefined:
    default:
      return answer;
  }
}

/** The stream at the end of a pipeline has its error, too. */
function ignore(): void {}

/** Some servers send "deflate" without the header of zlib (RFC 9110, 8.4.1.2). */
function withZlibHeader(): Transform {
  let isFirst = true;
  return new Transform({
    transform(piece: Buffer, _, done) {
      if (isFirst && piece[0] !== 0x78) this.push(Buffer.of(0x78, 0x9c));
      isFirst = false;
      done(undefined, piece);
    },
  });
}

/**
 * Reads a text. Decodes the pieces as they come: a list of them would take 400 MB for a mebibyte in pieces of
 * one byte. Removes a byte order mark; bytes that are not UTF-8 become U+FFFD.
 * @throws Error with the code `ERR_ANSWER_TOO_LONG`; with the code `ERR_BAD_RESPONSE` and its cause when the
 * answer breaks off or cannot be decompressed
 */
export function bodyOf(answer: Readable, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let decoder: InstanceType<typeof TextDecoder> | undefined;
    let text = '';
    let length = 0;
    answer.on('data', (piece: Uint8Array) => {
      length += piece.length;
      if (length > maxBytes) {
        answer.destroy();
        return reject(coded('ERR_ANSWER_TOO_LONG'));
      }
      decoder ??= new TextDecoder();
      text += decoder.decode(piece, { stream: true });
    });
    answer.on('end', () => resolve(decoder === undefined ? text : text + decoder.decode()));
    answer.on('error', cause => reject(coded('ERR_BAD_RESPONSE', { cause })));
  });
}
