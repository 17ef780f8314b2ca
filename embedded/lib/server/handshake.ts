import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from '../api/answer.js';
import type { ApiRequest } from '../api/call.js';
import { encoded } from './compression.js';
import { requestOf, write } from './exchange.js';
import type { Exchange } from './exchange.js';
import { tcpSocketOf } from './tls.js';

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
    write(response, { status: answer.status, ...encoded(answer, this.request.headers) });
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
    const isCoded = typeof error === 'object' && error !== null && 'code' in error;
    if (isCoded && error.code === 'ERR_HTTP_SOCKET_ASSIGNED') return false;
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
