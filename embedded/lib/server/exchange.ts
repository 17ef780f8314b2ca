import { ServerResponse } from 'node:http';
import type { IncomingMessage, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../api/answer.js';
import { codeOf } from '../errors.js';
import type { ApiRequest } from '../api/call.js';
import { tcpSocketOf } from './tls.js';

/** A request that has arrived in full, and the ways to end it. */
export interface Exchange {
  readonly request: ApiRequest;
  /** False once it is answered or the client has disconnected. */
  readonly isOpen: boolean;
  /** The connection, for answers in raw bytes that end it. */
  readonly socket: Socket;
  /** Calls back when the request is over: answered, aborted, or cancelled by the client. */
  onEnd(listener: () => void): void;
  send(answer: Answer): void;
  /** Closes the connection without an answer. */
  close(): void;
  /** Resets the connection: the client sees ECONNRESET. */
  reset(): void;
}

/** Returns the request of a client. */
export function requestOf(incoming: IncomingMessage, body: Buffer = Buffer.alloc(0)): ApiRequest {
  const { method = 'GET', url = '/', headers } = incoming;
  const { remoteAddress } = incoming.socket;
  return { method, target: url, headers, body, remoteAddress };
}

/** Writes an answer, compressed or not, and ends it. */
function write(
  response: ServerResponse,
  { status, headers, body }: Pick<Answer, 'status'> & (Encoded | Pick<Answer, 'headers' | 'body'>),
): void {
  const length = status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length }).end(body);
}

/** An exchange over plain HTTP. */
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

/** The answer that accepts a handshake; any other one refuses it. */
export const switchingProtocols: Answer = { status: 101, headers: {}, body: '' };

/** The request for a WebSocket, an exchange like any other until it is answered 101. */
export class Handshake implements Exchange {
  readonly request: ApiRequest;
  readonly #incoming: IncomingMessage;
  readonly #accept: () => void;
  #isAnswered = false;

  /** @param accept answers 101 and takes over the connection */
  constructor(incoming: IncomingMessage, accept: () => void) {
    this.request = requestOf(incoming);
    this.#incoming = incoming;
    this.#accept = accept;
    // Node's HTTP server no longer handles errors of this connection; 'close' follows each of them.
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
    // The disconnect of a client is noticed only while reading.
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
 * Returns false if an earlier request is still being answered: Node itself answers some, such as
 * one without a Host, and then closes the connection.
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

/** Returns whether a request is a WebSocket handshake by RFC 6455. Other upgrades are ignored. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  );
}

/** Shorter bodies are not compressed (pkg/rest/server.go). */
const minBytes = 1400;

/** Headers and body as sent. */
export interface Encoded {
  readonly headers: OutgoingHttpHeaders;
  /**
   * Text unless compressed: Node sends text in one packet with the head, and a Buffer in another.
   */
  readonly body: string | Buffer;
}

/** Compresses a long body if the client accepts gzip by name, with a weight above 0. */
export function encode({ headers, body, gzip }: Answer, request: IncomingHttpHeaders): Encoded {
  const { Vary, ...rest } = headers;
  // Sent with every answer, compressed or not, before the answer's own `Vary`.
  const varied = { ...rest, Vary: ['Accept-Encoding', ...(Vary === undefined ? [] : [Vary])] };
  const isEncoded = Object.keys(headers).some(name => /^content-encoding$/i.test(name));
  if (isEncoded || Buffer.byteLength(body) < minBytes || !acceptsGzip(request['accept-encoding']))
    return { headers: varied, body };
  const compressed = gzip === undefined ? gzipSync(body) : gzip();
  return { headers: { ...varied, 'Content-Encoding': 'gzip' }, body: compressed };
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

/** Returns false for `q=0`, with any number of digits. */
function hasWeight(parameter: string): boolean {
  return !/^q=0(\.0*)?$/.test(parameter);
}

/**
 * Calls back once a request has arrived in full, whatever its length. What exceeds `maxBytes` by
 * more than a chunk is dropped, because the request is refused anyway.
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
