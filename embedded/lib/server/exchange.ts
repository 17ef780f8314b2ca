import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from '../api/answer.js';
import type { ApiRequest } from '../api/call.js';
import { encoded, type Encoded } from './compression.js';
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

/** Writes an answer, encoded or not, and ends it. */
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
    const { headers, body } = encoded(answer, this.request.headers);
    write(this.#response, { status: answer.status, headers, body });
  }

  close(): void {
    this.#incoming.socket.destroy();
  }

  reset(): void {
    tcpSocketOf(this.#incoming.socket).resetAndDestroy();
  }
}
