import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../api/answer.js';
import type { ApiRequest } from '../api/call.js';
import { encoded } from './compression.js';

/** One request that has arrived in full, and the way to end it. */
export class Exchange {
  readonly request: ApiRequest;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(incoming: IncomingMessage, response: ServerResponse, body: Buffer) {
    this.#incoming = incoming;
    this.#response = response;
    const { method = 'GET', url = '/', headers } = incoming;
    this.request = { method, target: url, headers, body };
  }

  /** False once it is answered, or the client is gone. */
  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  /** Calls back when the request is over: answered, torn down, or given up by the client. */
  onEnd(listener: () => void): void {
    this.#response.once('close', listener);
  }

  send(answer: Answer): void {
    const { status } = answer;
    const { headers, body } = encoded(answer, this.request.headers);
    const length = status === 304 ? {} : { 'Content-Length': body.length };
    this.#response.writeHead(status, { ...headers, ...length }).end(body);
  }

  /** Closes the connection without an answer. */
  close(): void {
    this.#incoming.socket.destroy();
  }

  /** Breaks the connection: the client sees ECONNRESET. */
  reset(): void {
    this.#incoming.socket.resetAndDestroy();
  }
}
