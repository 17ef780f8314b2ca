import type { EventEmitter } from 'node:events';
import type { Agent, IncomingMessage } from 'node:http';
import { codeOf } from '../errors.js';
import type {
  Handshake,
  OpenSocket,
  Socket,
  SocketEnd,
  SocketEvents,
} from '../protocol/open-socket.js';
import {
  type Connections,
  type ConnectionSettings,
  headersOf,
  sendable,
  senderHeaders,
} from './http.js';

/** The part of `ws` that is used; its types would be in the declarations of this library. */
export interface WebSocketPackage {
  readonly default: new (
    url: string,
    options: {
      readonly headers: Record<string, string>;
      readonly agent: Agent;
      readonly maxPayload: number;
      readonly perMessageDeflate: false;
      readonly followRedirects: false;
    },
  ) => WebSocketOfPackage;
}

interface WebSocketOfPackage extends EventEmitter {
  readonly readyState: number;
  ping(): void;
  close(code: number): void;
  terminate(): void;
}

/** `readyState` of a socket that is open. */
const open = 1;

/**
 * Creates the port to WebSockets. They are opened with the agents of the other connections, so that TLS and
 * proxies are the same, and with the headers of `serviceCenter.axios`. `ws` is loaded at the first handshake.
 */
export function openSocketOver(
  connections: Pick<Connections, 'agents'>,
  { axios: extras }: Pick<ConnectionSettings, 'axios'>,
  load: () => Promise<WebSocketPackage> = loadWebSockets,
): OpenSocket {
  return (handshake, events) => {
    const headers = sendable({ ...headersOf(extras?.() ?? {}), ...handshake.headers });
    const socket = new LazySocket(events);
    load()
      .then(
        ws => socket.follow(() => begin(ws, { ...handshake, headers }, connections.agents)),
        (error: unknown) => socket.end({ kind: 'unavailable', error }),
      )
      .catch((error: unknown) => socket.end({ kind: 'failed', error }));
    return socket;
  };
}

let loading: Promise<WebSocketPackage> | undefined;

/**
 * Loads `ws`, once in a process: jest refuses an import between two tests, which would look like a package that is
 * missing.
 */
export function loadWebSockets(): Promise<WebSocketPackage> {
  loading ??= loadPackage();
  return loading;
}

/** Bundlers take an import in a `try` for an optional one. */
async function loadPackage(): Promise<WebSocketPackage> {
  try {
    return await import('ws');
  } catch (cause) {
    throw new Error('The package ws cannot be loaded', { cause });
  }
}

function begin(
  { default: WebSocket }: WebSocketPackage,
  { url, headers, maxMessageBytes }: Handshake,
  { httpAgent, httpsAgent }: Connections['agents'],
): WebSocketOfPackage {
  return new WebSocket(url, {
    headers: { ...headers, ...senderHeaders },
    agent: url.startsWith('https:') ? httpsAgent : httpAgent,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
}

/** A socket of `ws`, or of nothing while that is being loaded. */
class LazySocket implements Socket {
  #socket: WebSocketOfPackage | undefined;
  #connection: IncomingMessage['socket'] | undefined;
  #isOver = false;

  constructor(private readonly events: SocketEvents) {}

  ping(): void {
    if (this.#socket?.readyState === open) this.#socket.ping();
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.close(1000);
    // The server may be silent: nobody waits for its goodbye.
    const connection = this.#connection;
    connection?.end(() => connection.destroy());
  }

  terminate(): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  /** Starts the handshake, unless the socket is over already. */
  follow(start: () => WebSocketOfPackage): void {
    if (this.#isOver) return;
    const { events } = this;
    const socket = start();
    let failure: SocketEnd | undefined;
    this.#socket = socket;
    socket.on('upgrade', (answer: IncomingMessage) => {
      this.#connection = answer.socket;
    });
    socket.on('open', () => this.#isOver || events.opened());
    socket.on('message', (data: Buffer) => this.#isOver || events.received(data.toString()));
    for (const name of ['ping', 'pong']) socket.on(name, () => this.#isOver || events.heard());
    socket.on('unexpected-response', (_: unknown, answer: IncomingMessage) => {
      this.end({ kind: 'refused', status: answer.statusCode ?? 0 });
      socket.terminate();
    });
    socket.on('error', (cause: Error) => {
      failure = { kind: 'failed', error: withCode(cause) };
    });
    socket.on('close', (code: number) => this.end(failure ?? { kind: 'closed', code }));
  }

  /** Tells how it ended, unless that was told or asked for. */
  end(how: SocketEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events.ended(how);
  }
}

/** Errors of a handshake that is no handshake have no code. */
function withCode(cause: Error): Error {
  return Object.assign(new Error(cause.message, { cause }), {
    code: codeOf(cause) ?? 'ERR_NETWORK',
  });
}
