import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { setTimer, systemClock } from '../clock.js';
import { isHandshake } from './exchange.js';
import { createSecureServer, withPlainHttpAnswer } from './tls.js';
import type { TlsOptions } from './tls.js';

/** The server's limits: 60 s for each timeout, 32 KiB of headers (etc/conf/app.yaml). */
const limits = {
  keepAliveTimeout: 60_000,
  headersTimeout: 60_000,
  requestTimeout: 60_000,
  maxHeaderSize: 32_768,
};

/**
 * From Node 24.9 on, this selects the upgrades, and Node receives other requests itself. Before,
 * Node passes every upgrade to the 'upgrade' listener.
 */
const settings = { ...limits, shouldUpgradeCallback: isHandshake };

/** Handles the requests that arrive. */
export interface Receiver {
  receive(incoming: IncomingMessage, response: ServerResponse): void;
  /**
   * Takes over the connection of an upgrade request. Returns false if the upgrade is ignored and
   * the request must be received normally.
   *
   * @param head bytes that followed the head of the request
   */
  upgrade(incoming: IncomingMessage, head: Buffer): boolean;
  /** Refuses a request for a tunnel and closes its connection. */
  refuseTunnel(incoming: IncomingMessage): void;
}

/** Address to listen on, and TLS. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Absent for plain HTTP. */
  readonly tls?: TlsOptions | undefined;
}

/** A port that can be opened and closed repeatedly. */
export class Listener {
  readonly #server;
  /** The listening server: the HTTP server itself, or the one in front of TLS. */
  readonly #tcpServer: TcpServer;
  /** The event by which the server accepts a connection. */
  readonly #connection: 'connection' | 'secureConnection';
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  readonly #lastResponses = new WeakMap<Socket, ServerResponse>();
  #port: number;
  #lastTurn: Promise<void> = Promise.resolve();

  /** @throws Error if a certificate or a key cannot be read */
  constructor({ host, port, tls }: ListenerOptions, receiver: Receiver) {
    this.#host = host;
    this.#port = port;
    const receive = (incoming: IncomingMessage, response: ServerResponse) => {
      this.#lastResponses.set(incoming.socket, response);
      receiver.receive(incoming, response);
    };
    if (tls === undefined) {
      this.#server = createServer(settings, receive);
      this.#tcpServer = this.#server;
      this.#connection = 'connection';
    } else {
      const server = createSecureServer(tls, settings, receive);
      this.#server = server;
      this.#tcpServer = withPlainHttpAnswer(server);
      this.#connection = 'secureConnection';
    }
    this.#server.on('upgrade', (incoming: IncomingMessage, _: unknown, head: Buffer) => {
      this.#inOrder(incoming.socket, () => {
        if (!receiver.upgrade(incoming, head)) this.#receiveAsPlain(incoming, head);
      });
    });
    this.#server.on('connect', (incoming: IncomingMessage) => {
      this.#inOrder(incoming.socket, () => receiver.refuseTunnel(incoming));
    });
    this.#tcpServer.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', answerUnreadable);
    this.#server.on('checkExpectation', (incoming: IncomingMessage, response: ServerResponse) => {
      this.#lastResponses.set(incoming.socket, response);
      refuseExpectation(response);
    });
  }

  /** The port; 0 until a free one was chosen. */
  get port(): number {
    return this.#port;
  }

  /**
   * Opens the port; has no effect if it is open. A free port is kept for the next time.
   *
   * @throws Error that names the address if it is not available
   */
  open(): Promise<void> {
    return this.#inTurn(() => this.#listen());
  }

  /** Closes the port and every connection; has no effect if it is closed. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#shut());
  }

  /** Closes every connection without an open request and returns their number. */
  closeIdle(): number {
    const open = [...this.#sockets].filter(socket => !socket.destroyed);
    this.#server.closeIdleConnections();
    return open.filter(socket => socket.destroyed).length;
  }

  /** Opening and closing run one after the other, in the order of the calls. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#lastTurn.then(act, act);
    this.#lastTurn = turn;
    return turn;
  }

  async #listen(): Promise<void> {
    if (this.#tcpServer.listening) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error) => reject(this.#cannotListen(cause));
      this.#tcpServer.once('error', fail);
      this.#tcpServer.listen({ host: this.#host, port: this.#port }, () => {
        this.#tcpServer.off('error', fail);
        resolve();
      });
    });
    const address = this.#tcpServer.address();
    if (isAddressInfo(address)) this.#port = address.port;
  }

  async #shut(): Promise<void> {
    if (!this.#tcpServer.listening) return;
    await new Promise<void>(resolve => {
      this.#tcpServer.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Continues once the earlier requests on a connection are answered. */
  #inOrder(socket: Socket, goOn: () => void): void {
    const last = this.#lastResponses.get(socket);
    if (last === undefined || last.closed) return goOn();
    // Node's HTTP server no longer handles errors of this connection; 'close' follows each of them.
    socket.on('error', () => undefined);
    last.once('close', () => {
      if (!socket.destroyed) goOn();
    });
  }

  #receiveAsPlain(incoming: IncomingMessage, head: Buffer): void {
    incoming.socket.unshift(withoutUpgrade(incoming, head));
    this.#server.emit(this.#connection, incoming.socket);
  }

  #cannotListen(cause: Error): Error {
    const isTaken = 'code' in cause && cause.code === 'EADDRINUSE';
    const why = isTaken ? 'the port is in use; is another registry running?' : cause.message;
    const address = `${this.#host}:${this.#port}`;
    return new Error(`The embedded Service Center cannot listen on ${address}: ${why}`, { cause });
  }
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/**
 * Milliseconds for which further input of a client is still read. Closing a connection with unread
 * input would discard the answer that is being sent (rstAvoidanceDelay of Go's net/http).
 */
const lingerMs = 500;

/** Answers an `Expect` other than `100-continue` as Go does. */
function refuseExpectation(response: ServerResponse): void {
  response.writeHead(417, { Connection: 'close', 'Content-Length': 0 }).end();
}

/** Answers a malformed request as Go does. */
function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  // The connection was answered already; further input is ignored.
  if (socket.writableEnded) return;
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const head = 'Content-Type: text/plain; charset=utf-8\r\nConnection: close';
  // A client that failed the TLS handshake cannot read HTTP.
  const isTls = /^ERR_(SSL|TLS)_/.test(error.code ?? '');
  if (socket.writable && !isTls) {
    socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${status}`);
    setTimer(systemClock, lingerMs, () => socket.destroy());
  } else socket.destroy();
}

/**
 * Returns the bytes of a request, with its body so far, without its `Upgrade` header. The server
 * ignores such upgrades (Go's net/http leaves them to the handlers, and only the WebSocket routes
 * look). Java's HTTP client asks for `h2c` with each first request.
 */
function withoutUpgrade(incoming: IncomingMessage, body: Buffer): Buffer {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = incoming;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() !== 'upgrade')
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
