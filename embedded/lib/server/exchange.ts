import { ServerResponse } from 'node:http';
import type { IncomingMessage, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../api/answer.js';
import { codeOf } from '../errors.js';
import type { ApiRequest } from '../api/call.js';
import { tcpSocketOf } from './tls.js';

/** One request that has arrived in full, and the way to end it. */
export interface Exchange {
  readonly request: ApiRequest;
  /** False once it is answered, or the client is gone. */
  readonly isOpen: boolean;
  /** The connection itself, for who answers in raw bytes and ends it. */
  readonly socket: Socket;
  /** Calls back when the request is over: answered, torn down, or given up by the client. */
  onEnd(listener: () => void): void;
  send(answer: Answer): void;
  /** Closes the connection without an answer. */
  close(): void;
  /** Breaks the connection: the client sees ECONNRESET. */
  reset(): void;
}

/** What a client sent. */
export function requestOf(incoming: IncomingMessage, body: Buffer = Buffer.alloc(0)): ApiRequest {
  const { method = 'GET', url = '/', headers } = incoming;
  const { remoteAddress } = incoming.socket;
  return { method, target: url, headers, body, remoteAddress };
}

/** Writes an answer, encode or not, and ends it. */
export function write(
  response: ServerResponse,
  { status, headers, body }: Pick<Answer, 'status'> & (Encoded | Pick<Answer, 'headers' | 'body'>),
): void {
  const length = status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length }).end(body);
}

/** An exchange of plain HTTP. */
export class HttpExchange implements Exchange {
  readonly request: ApiRequest;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(incoming: IncomingMessage, response: ServerResponse, body: Buffer) {
    this.#incoming = incoming;
    this.#response = response;
    this.request = requestOf(incoming, body);
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  get socket(): Socket {
    return this.#incoming.socket;
  }

  onEnd(listener: () => void): void {
    this.#response.once('close', listener);
  }

  send(answer: Answer): void {
    const { headers, body } = encode(answer, this.request.headers);
    write(this.#response, { status: answer.status, headers, body });
  }

  close(): void {
    this.#incoming.socket.destroy();
  }

  reset(): void {
    tcpSocketOf(this.#incoming.socket).resetAndDestroy();
  }
}

/** The answer that lets a handshake through; every other one refuses it. */
export const switchingProtocols: Answer = { status: 101, headers: {}, body: '' };

/** The request for a WebSocket: an exchange like any other until its answer is 101. */
export class Handshake implements Exchange {
  readonly request: ApiRequest;
  readonly #incoming: IncomingMessage;
  readonly #accept: () => void;
  #isAnswered = false;

  /** @param accept answers 101, and takes the connection over */
  constructor(incoming: IncomingMessage, accept: () => void) {
    this.request = requestOf(incoming);
    this.#incoming = incoming;
    this.#accept = accept;
    // HTTP has let go of the connection and with it of its errors; 'close' follows each of them.
    incoming.socket.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return !this.#isAnswered && !this.#incoming.socket.destroyed;
  }

  get socket(): Socket {
    return this.#incoming.socket;
  }

  onEnd(listener: () => void): void {
    const { socket } = this.#incoming;
    socket.once('close', listener);
    // Only who reads on learns that the client has gone.
    socket.once('end', () => socket.destroy()).resume();
  }

  send(answer: Answer): void {
    this.#isAnswered = true;
    if (answer.status === switchingProtocols.status) this.#accept();
    else this.#refuse(answer);
  }

  close(): void {
    this.#incoming.socket.destroy();
  }

  reset(): void {
    tcpSocketOf(this.#incoming.socket).resetAndDestroy();
  }

  #refuse(answer: Answer): void {
    const { socket } = this.#incoming;
    const response = new ServerResponse(this.#incoming);
    if (!takesOver(response, socket)) return;
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.destroySoon());
    write(response, { status: answer.status, ...encode(answer, this.request.headers) });
  }
}

/**
 * False where the answer to a request before this one is still under way: one that Node gives by itself,
 * as to a request without a Host, and that ends the connection.
 */
function takesOver(response: ServerResponse, socket: Socket): boolean {
  try {
    response.assignSocket(socket);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ERR_HTTP_SOCKET_ASSIGNED') return false;
    throw error;
  }
}

/** True for a WebSocket handshake as RFC 6455 wants it; any other upgrade is not one of ours. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  );
}

/** A shorter body is not worth it (pkg/rest/server.go). */
const minBytes = 1400;

/** An answer as it goes out. */
export interface Encoded {
  readonly headers: OutgoingHttpHeaders;
  /** Text unless it is compressed: Node sends it in one piece with the head, and a Buffer in another. */
  readonly body: string | Buffer;
}

/** Compresses a body that is long enough for who asks for gzip by name, with a weight above 0. */
export function encode({ headers, body }: Answer, request: IncomingHttpHeaders): Encoded {
  const { Vary, ...rest } = headers;
  // Told of every answer, compressed or not, ahead of what the answer itself varies by.
  const varied = { ...rest, Vary: ['Accept-Encoding', ...(Vary === undefined ? [] : [Vary])] };
  const isEncoded = Object.keys(headers).some(name => /^content-encoding$/i.test(name));
  if (isEncoded || Buffer.byteLength(body) < minBytes || !acceptsGzip(request['accept-encoding']))
    return { headers: varied, body };
  return { headers: { ...varied, 'Content-Encoding': 'gzip' }, body: gzipSync(body) };
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .map(coding =>
      coding
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .some(([name, ...parameters]) => name === 'gzip' && parameters.every(hasWeight));
}

/** False for `q=0`, in any number of digits. */
function hasWeight(parameter: string): boolean {
  return !/^q=0(\.0*)?$/.test(parameter);
}

/**
 * Calls back once a request has arrived in full, however long it is; one byte more than anybody takes
 * is enough to refuse it by, so that what lies far beyond `maxBytes` is not kept.
 */
export function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  act: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  incoming.on('data', (chunk: Buffer) => {
    if (length <= maxBytes) chunks.push(chunk);
    length += chunk.length;
  });
  incoming.on('end', () => act(Buffer.concat(chunks)));
}
