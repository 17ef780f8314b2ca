import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { setTimer, systemClock } from '../clock.js';
import { isHandshake } from './exchange.js';
import { createSecureServer, withPlainHttpAnswer } from './tls.js';
import type { TlsOptions } from './tls.js';

/** The server's limits: 60 s for everything, 32 KiB of headers (etc/conf/app.yaml). */
const limits = {
  keepAliveTimeout: 60_000,
  headersTimeout: 60_000,
  requestTimeout: 60_000,
  maxHeaderSize: 32_768,
};

/**
 * Since 24.9 Node asks which upgrades are wanted, and receives the others in full by itself. Before
 * that it hands over every one as soon as somebody listens for them.
 */
const settings = { ...limits, shouldUpgradeCallback: isHandshake };

/** What becomes of the requests that arrive. */
export interface Receiver {
  receive(incoming: IncomingMessage, response: ServerResponse): void;
  /**
   * Takes over the connection of a request that asks for another protocol, or leaves it: false has
   * the request received like one that never asked.
   *
   * @param head what came behind the request's head
   */
  upgrade(incoming: IncomingMessage, head: Buffer): boolean;
  /** Answers a request for a tunnel, which is never dug, and closes its connection. */
  refuseTunnel(incoming: IncomingMessage): void;
}

/** Where to listen, and how. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Absent for plain HTTP. */
  readonly tls?: TlsOptions | undefined;
}

/** A port of this machine that can be opened and closed again and again. */
export class Listener {
  readonly #server;
  /** What listens: the server itself, unless something lies between. */
  readonly #tcpServer: TcpServer;
  /** The event by which the server takes a connection that can be read. */
  readonly #connection: 'connection' | 'secureConnection';
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  readonly #lastResponses = new WeakMap<Socket, ServerResponse>();
  #port: number;
  #lastTurn: Promise<void> = Promise.resolve();

  /** @throws Error when a certificate or a key cannot be read */
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

  /** The port that listens, or will; 0 until a free one has been found. */
  get port(): number {
    return this.#port;
  }

  /**
   * Opens the port; without effect on an open one. A free port, once found, is kept for next time.
   *
   * @throws Error that names the address when it cannot be had
   */
  open(): Promise<void> {
    return this.#inTurn(() => this.#listen());
  }

  /** Closes the port and every connection; without effect on a closed one. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#shut());
  }

  /** Closes each connection on which no request is under way, and tells how many these were. */
  closeIdle(): number {
    const open = [...this.#sockets].filter(socket => !socket.destroyed);
    this.#server.closeIdleConnections();
    return open.filter(socket => socket.destroyed).length;
  }

  /** Opening and closing wait for each other, in the order in which they were asked for. */
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

  /** Goes on once the requests that came before on a connection are answered. */
  #inOrder(socket: Socket, goOn: () => void): void {
    const last = this.#lastResponses.get(socket);
    if (last === undefined || last.closed) return goOn();
    // HTTP has let go of the connection and with it of its errors; 'close' follows each of them.
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
    const why = isTaken ? 'the port is taken; is another registry running?' : cause.message;
    const address = `${this.#host}:${this.#port}`;
    return new Error(`The embedded Service Center cannot listen on ${address}: ${why}`, { cause });
  }
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/**
 * How long what a client goes on sending is still taken, in milliseconds: a connection that is closed
 * with something unread takes back the answer that is under way (rstAvoidanceDelay of Go's net/http).
 */
const lingerMs = 500;

/** Answers what it is expected to do besides `100-continue` as Go does. */
function refuseExpectation(response: ServerResponse): void {
  response.writeHead(417, { Connection: 'close', 'Content-Length': 0 }).end();
}

/** Answers what is no HTTP as Go does. */
function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  // What follows the unreadable is no more readable, and answered already.
  if (socket.writableEnded) return;
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const head = 'Content-Type: text/plain; charset=utf-8\r\nConnection: close';
  // What failed to shake hands understands no HTTP.
  const isTls = /^ERR_(SSL|TLS)_/.test(error.code ?? '');
  if (socket.writable && !isTls) {
    socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${status}`);
    setTimer(systemClock, lingerMs, () => socket.destroy());
  } else socket.destroy();
}

/**
 * The beginning of a request, with its body as far as it came, that no longer asks for an upgrade:
 * the server answers it as if it had not (Go's net/http leaves it to the handler, and none but the
 * WebSocket routes looks). Java's HTTP client asks for `h2c` with each first request.
 */
export function withoutUpgrade(incoming: IncomingMessage, body: Buffer): Buffer {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = incoming;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() !== 'upgrade')
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
