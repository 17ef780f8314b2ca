import { once } from 'node:events';
import {
  Agent as PlainAgent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ServiceCenterOptions } from '../../../lib/index.js';
import type { Socket, SocketEnd } from '../../../lib/protocol/open-socket.js';
import { startTimer } from '../../../lib/nest/ticker.js';
import { Connections } from '../../../lib/transport/http.js';
import {
  loadWebSockets,
  openSocketOver,
  type WebSocketPackage,
} from '../../../lib/transport/web-socket.js';
import { version } from '../../../lib/version.js';
import { certificateAuthority } from '../../support/certificates.js';
import { startForwardProxy } from '../../support/forward-proxy.js';
import { registryProxyAgent } from '../../support/registry-proxy-agent.js';
import { resolve } from '../options/resolving.js';

const authority = certificateAuthority();
const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

/** A server of WebSockets, what it was asked with, and its connections. */
interface Peer {
  readonly url: string;
  readonly requests: IncomingMessage[];
  /** Resolves with the server's end of the next connection. */
  readonly connection: Promise<WebSocket>;
}

async function peer(server: Server = createServer()): Promise<Peer> {
  const webSockets = new WebSocketServer({ server, perMessageDeflate: true });
  const requests: IncomingMessage[] = [];
  const connection = new Promise<WebSocket>(resolve => {
    webSockets.on('connection', (socket, request) => {
      requests.push(request);
      resolve(socket);
    });
  });
  return { url: await listening(server), requests, connection };
}

async function listening(server: Server): Promise<string> {
  const scheme = server instanceof SecureServer ? 'https' : 'http';
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An agent that shows its connection. */
class Agent extends PlainAgent {
  override createConnection(
    ...asked: Parameters<PlainAgent['createConnection']>
  ): Duplex | null | undefined {
    const connection = super.createConnection(...asked);
    this.emit('connected', connection);
    return connection;
  }
}

/** A socket, and what was told of it. */
class Opened {
  readonly told: unknown[] = [];
  readonly #waiting = new Set<() => void>();
  readonly socket: Socket;

  constructor(
    url: string,
    serviceCenter: ServiceCenterOptions = {},
    load?: () => Promise<WebSocketPackage>,
  ) {
    const settings = resolve({ serviceCenter }).serviceCenter;
    const connections = new Connections(settings, startTimer);
    closings.push(() => {
      this.socket.terminate();
      connections.closeIdle();
    });
    const headers = { 'X-Ours': 'ours' };
    this.socket = openSocketOver(
      connections,
      settings,
      load,
    )(
      { url, headers, maxMessageBytes: 100 },
      {
        opened: () => this.#tell('opened'),
        received: text => this.#tell(text),
        heard: () => this.#tell('heard'),
        ended: end => this.#tell(end),
      },
    );
  }

  #tell(what: unknown): void {
    this.told.push(what);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves once so much was told. */
  async count(count: number): Promise<readonly unknown[]> {
    while (this.told.length < count)
      await new Promise<void>(wake => {
        this.#waiting.add(wake);
      });
    return this.told;
  }
}

/** Resolves with how a socket ended that was never open. */
async function endOf(opened: Opened): Promise<unknown> {
  return (await opened.count(1))[0];
}

const code = (value: string): object => ({
  kind: 'failed',
  error: expect.objectContaining({ code: value }),
});

describe('a socket over ws', () => {
  it('opens with its headers and those of serviceCenter.axios, and offers no compression', async () => {
    const { url, requests } = await peer();
    const axios = { headers: { 'X-Theirs': 'theirs', 'x-ours': 'not this' } };
    await new Opened(`${url}/watcher`, { axios }).count(1);
    const [request] = requests;
    expect(request?.url).toBe('/watcher');
    expect(request?.headers).toMatchObject({
      'x-ours': 'ours',
      'x-theirs': 'theirs',
      'user-agent': `nestjs-servicecomb/${version}`,
    });
    expect(request?.headers).not.toHaveProperty('sec-websocket-extensions');
  });

  it('tells texts, pings and pongs, answers pings, and pings without a payload', async () => {
    const { url, connection } = await peer();
    const opened = new Opened(url);
    opened.socket.ping();
    const server = await connection;
    await opened.count(1);
    server.ping();
    await once(server, 'pong');
    server.send('ä');
    expect(await opened.count(3)).toEqual(['opened', 'heard', 'ä']);
    const pinged = once(server, 'ping');
    opened.socket.ping();
    expect((await pinged)[0]).toHaveLength(0);
    expect(await opened.count(4)).toEqual(['opened', 'heard', 'ä', 'heard']);
  });

  it.each<readonly [string, (server: WebSocket) => void, SocketEnd]>([
    ['is closed', server => server.close(1001), { kind: 'closed', code: 1001 }],
    ['is cut', server => server.terminate(), { kind: 'closed', code: 1006 }],
  ])('tells once that it %s', async (_, end, told) => {
    const { url, connection } = await peer();
    const opened = new Opened(url);
    await opened.count(1);
    end(await connection);
    expect(await opened.count(2)).toEqual(['opened', told]);
  });

  it('ends when a message is too long', async () => {
    const { url, connection } = await peer();
    const opened = new Opened(url);
    (await connection).send('x'.repeat(101));
    expect(await opened.count(2)).toEqual(['opened', code('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')]);
  });

  it('says goodbye when it is closed, waits for no answer, and tells nothing more', async () => {
    const { url, connection } = await peer();
    const opened = new Opened(url);
    const server = await connection;
    await opened.count(1);
    const closed = once(server, 'close');
    opened.socket.close();
    expect((await closed)[0]).toBe(1000);
    opened.socket.terminate();
    expect(opened.told).toEqual(['opened']);
  });

  it('frees its connection when it is closed, although the server reads nothing', async () => {
    const { url, connection } = await peer();
    const httpAgent = new Agent();
    const connected = once(httpAgent, 'connected');
    const opened = new Opened(url, { axios: { httpAgent } });
    const server = await connection;
    await opened.count(1);
    server.pause();
    opened.socket.close();
    await once((await connected)[0], 'close');
    expect(opened.told).toEqual(['opened']);
  });

  it.each(['close', 'terminate'] as const)('can be ended before it is open: %s', async end => {
    const { url } = await peer();
    for (const turns of [0, 1, 5]) {
      const opened = new Opened(url);
      for (let turn = 0; turn < turns; turn += 1) await immediate();
      opened.socket[end]();
      await immediate();
      expect(opened.told.filter(told => told !== 'opened')).toEqual([]);
    }
  });
});

describe('a handshake', () => {
  it.each([200, 302, 401, 404, 503])('that is answered %i is refused', async status => {
    const listener: RequestListener = (_, response) => {
      response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end('no');
    };
    const url = await listening(createServer(listener));
    expect(await endOf(new Opened(url))).toEqual({ kind: 'refused', status });
  });

  it('that is refused leaves no connection', async () => {
    const server = createServer((_, response) => response.writeHead(404).write('and so on'));
    const connected = once(server, 'connection');
    const opened = new Opened(await listening(server));
    const [connection] = await connected;
    const closed = once(connection, 'close');
    await opened.count(1);
    await closed;
  });

  it('that nobody answers fails with the code', async () => {
    expect(await endOf(new Opened('http://127.0.0.1:1'))).toEqual(code('ECONNREFUSED'));
  });

  it('that is no WebSocket handshake fails', async () => {
    const server = createServer();
    server.on('upgrade', (_, socket) => {
      socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      );
    });
    expect(await endOf(new Opened(await listening(server)))).toEqual(code('ERR_NETWORK'));
  });

  it('with a setting that is a bug fails with the bug', async () => {
    expect(await endOf(new Opened('http://127.0.0.1:1/#fragment'))).toMatchObject({
      kind: 'failed',
      error: { name: 'SyntaxError' },
    });
  });
});

describe('TLS', () => {
  const secure = (hosts = ['127.0.0.1']) => createSecureServer(authority.issue(hosts));

  it('trusts whom serviceCenter.tls trusts', async () => {
    const { url } = await peer(secure());
    expect(await endOf(new Opened(url, { tls: { ca: authority.cert } }))).toBe('opened');
    expect(await endOf(new Opened(url))).toEqual(code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  });

  it('verifies the host', async () => {
    const { url } = await peer(secure(['elsewhere.example']));
    const tls = { ca: authority.cert };
    expect(await endOf(new Opened(url, { tls }))).toEqual(code('ERR_TLS_CERT_ALTNAME_INVALID'));
    const named = { ...tls, servername: 'elsewhere.example' };
    expect(await endOf(new Opened(url, { tls: named }))).toBe('opened');
  });

  it('goes through the agent of serviceCenter.axios', async () => {
    const proxy = await startForwardProxy();
    const { asked, host } = proxy;
    closings.push(() => proxy.close());
    const { url } = await peer(secure(['registry.example']));
    const { port } = new URL(url);
    const httpsAgent = registryProxyAgent(`http://me:s3cret@${host}`, { ca: authority.cert });
    closings.push(() => httpsAgent.destroy());
    const named = `https://registry.example:${port}`;
    expect(await endOf(new Opened(named, { axios: { httpsAgent } }))).toBe('opened');
    expect(asked.map(({ method, url: target }) => `${method} ${target}`)).toEqual([
      `CONNECT registry.example:${port}`,
    ]);
  });
});

describe('ws', () => {
  it('that is not there makes it unavailable', async () => {
    const error = new Error('no ws');
    const opened = new Opened('http://127.0.0.1:1', {}, () => Promise.reject(error));
    expect(await endOf(opened)).toEqual({ kind: 'unavailable', error });
  });

  it('opens nothing that was ended while ws was loaded', async () => {
    const { url, requests } = await peer();
    const opened = new Opened(url, {}, async () => import('ws'));
    opened.socket.terminate();
    await new Opened(url).count(1);
    expect(requests).toHaveLength(1);
  });

  it('is loaded once in a process', async () => {
    const loading = loadWebSockets();
    expect(loadWebSockets()).toBe(loading);
    expect(await loading).toHaveProperty('default');
  });

  it('tells nothing when it was ended meanwhile', async () => {
    const opened = new Opened('http://127.0.0.1:1', {}, () => Promise.reject(new Error('no ws')));
    opened.socket.terminate();
    await immediate();
    expect(opened.told).toEqual([]);
  });
});
