import { getEventListeners, once } from 'node:events';
import { Agent, createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, globalAgent } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as immediate } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { HttpService } from '@nestjs/axios';
import { afterEach, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import {
  type Asked,
  bodyOf,
  Connections,
  createPrivateAxios,
  exchange,
  secretsBeside,
  sendThrough,
} from '../../../lib/transport/http.js';
import { startTimer } from '../../../lib/nest/ticker.js';
import { version } from '../../../lib/version.js';
import { certificateAuthority } from '../../support/certificates.js';
import { resolve } from '../options/resolving.js';

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that is told each connection, and answers in bytes. */
async function speaking(onConnection: (socket: Socket, nth: number) => void): Promise<string> {
  let count = 0;
  const server = createSocketServer(socket => {
    closings.push(() => socket.destroy());
    socket.on('error', () => undefined);
    onConnection(socket, (count += 1));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function asking(url: string, more: Partial<Asked> = {}): Asked {
  const bounds = { timeoutMs: 5_000, maxAnswerBytes: 1_000, signal: undefined };
  return { method: 'PUT', url, headers: {}, body: undefined, ...bounds, ...more };
}

function connections() {
  const httpAgent = new Agent({ keepAlive: true });
  closings.push(() => httpAgent.destroy());
  const closed = { count: 0 };
  const closeIdle = () => {
    closed.count += 1;
    for (const socket of Object.values(httpAgent.freeSockets).flat()) socket?.destroy();
  };
  return { agents: { httpAgent, httpsAgent: globalAgent }, closeIdle, closed, startTimer };
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

describe('the headers of an answer', () => {
  const names = 'constructor get set has delete concat clear normalize toJSON __proto__ then';
  const odd = names.split(' ').flatMap(name => [`${name}: a`, `${name}: b`]);
  const read = ['Date: now', 'Retry-After: 3', 'X-Resource-Revision: r', 'Location: /a'];
  const lines = ['HTTP/1.1 200 OK', ...odd, ...read, 'Content-Length: 0'];
  const expected = {
    date: 'now',
    'retry-after': '3',
    'x-resource-revision': 'r',
    location: '/a',
  };

  it('are passed on to axios if somebody reads them; others would break old versions of it', async () => {
    const url = await speaking(socket =>
      socket.on('data', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`)),
    );
    const { serviceCenter } = resolve({});
    const own = new Connections(serviceCenter, startTimer);
    closings.push(() => own.closeIdle());
    const { adapter } = createPrivateAxios(own, serviceCenter).defaults;
    if (typeof adapter !== 'function') throw new TypeError('No adapter of our own');
    const headers = new axios.AxiosHeaders();
    const config = { method: 'put', url, headers, timeout: 5_000, maxContentLength: 9 };
    expect((await adapter(config)).headers).toEqual(expected);
  });
});

describe('the headers of a request', () => {
  it('say who sends it and what is read, whatever the headers of serviceCenter.axios are', async () => {
    const url = await serving(({ headers }, response) => {
      const { accept, 'accept-encoding': encodings, 'user-agent': sender } = headers;
      response.setHeader('location', JSON.stringify([accept, encodings, sender])).end();
    });
    const theirs = { accept: 'text/html', 'user-agent': 'theirs' };
    const { serviceCenter } = resolve({ serviceCenter: { axios: { headers: theirs } } });
    const own = new Connections(serviceCenter, startTimer);
    closings.push(() => own.closeIdle());
    const send = sendThrough(new HttpService(createPrivateAxios(own, serviceCenter)));
    const { location = '' } = (await send({ ...asking(url), method: 'PUT' })).headers;
    const encodings = 'gzip, compress, deflate, br';
    const expected = ['application/json', encodings, `nestjs-servicecomb/${version}`];
    expect(JSON.parse(location)).toEqual(expected);
  });

  it('are sent without the characters that no header can hold', async () => {
    const url = await serving((request, response) => {
      response.setHeader('location', JSON.stringify(request.headers['x-key'])).end();
    });
    const { serviceCenter } = resolve({
      serviceCenter: { axios: { headers: { 'X-Key': 'a\nb€c', 'X-Off': false } } },
    });
    const own = new Connections(serviceCenter, startTimer);
    closings.push(() => own.closeIdle());
    const send = sendThrough(new HttpService(createPrivateAxios(own, serviceCenter)));
    expect((await send({ ...asking(url), method: 'PUT' })).headers.location).toBe('"abc"');
  });
});

describe('the body of an answer', () => {
  const text = Buffer.from('{"services":[]}');
  it.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', text],
  ])('is decompressed from %s', async (encoding, body) => {
    const url = await serving((_, response) =>
      response.setHeader('content-encoding', encoding).end(body),
    );
    expect((await exchange(asking(url), connections())).body).toBe('{"services":[]}');
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('may be empty in %s', async encoding => {
    const url = await serving((_, response) =>
      response.setHeader('content-encoding', encoding).end(),
    );
    expect(await exchange(asking(url), connections())).toMatchObject({ status: 200, body: '' });
  });
});

describe('one deadline', () => {
  it.each([
    ['an answer without end', ['HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n', 'x']],
    ['headers without end', ['HTTP/1.1 200 OK\r\n', 'X: y\r\n']],
    ['silence', []],
  ])('ends %s, and closes the connection', async (_, [first = '', ...rest]) => {
    const ended = withResolvers();
    const url = await speaking(socket => {
      socket.on('close', () => ended.resolve());
      const timer = setInterval(() => socket.resume().write(rest.join('')), 5);
      closings.push(() => clearInterval(timer));
      socket.write(first);
    });
    const reply = exchange(asking(url, { timeoutMs: 100 }), connections());
    await expect(reply).rejects.toMatchObject({ name: 'TimeoutError' });
    await ended.promise;
  });

  it('covers the request that is sent again over a new connection, too', async () => {
    const url = await speaking((socket, nth) => {
      if (nth === 1) socket.once('data', () => socket.write(ok));
      if (nth === 1) socket.once('data', () => socket.on('data', () => socket.resetAndDestroy()));
    });
    const ours = connections();
    await exchange(asking(url), ours);
    const began = performance.now();
    const reply = exchange(asking(url, { timeoutMs: 200 }), ours);
    await expect(reply).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(ours.closed.count).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(190);
  });
});

describe('a request over a kept connection', () => {
  it.each(['ends at its deadline', 'is aborted'])('that %s is not sent again', async how => {
    const requests: string[] = [];
    const url = await speaking((socket, nth) =>
      socket.on('data', () => {
        requests.push(`connection ${nth}`);
        if (requests.length !== 2) socket.write(ok);
        else if (how === 'is aborted') abort('enough');
      }),
    );
    const { signal, abort } = abortable();
    const ours = connections();
    await exchange(asking(url), ours);
    await exchange(asking(url, { timeoutMs: 100, signal }), ours).catch(() => undefined);
    // A request that is given up emits its error soon after.
    await immediate();
    await exchange(asking(url), ours);
    expect(ours.closed.count).toBe(0);
    expect(requests).toEqual(['connection 1', 'connection 1', 'connection 2']);
  });
});

describe('a kept connection that was closed', () => {
  it('costs nothing: the request is sent once more, over a new one', async () => {
    const url = await speaking((socket, nth) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (nth === 1 && requests === 2) socket.resetAndDestroy();
        else socket.write(ok);
      });
    });
    const ours = connections();
    await exchange(asking(url), ours);
    expect(await exchange(asking(url), ours)).toMatchObject({ status: 200 });
    expect(ours.closed.count).toBe(1);
  });

  it('counts as a failure if the new one is reset, too', async () => {
    const url = await speaking((socket, nth) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (nth === 1 && requests === 1) socket.write(ok);
        else socket.resetAndDestroy();
      });
    });
    const ours = connections();
    await exchange(asking(url), ours);
    await expect(exchange(asking(url), ours)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(ours.closed.count).toBe(1);
  });
});

describe('a request', () => {
  it('that is aborted rejects with the reason, and frees the connection', async () => {
    const ended = withResolvers();
    const asked = withResolvers();
    const url = await speaking(socket => {
      socket.on('close', () => ended.resolve());
      socket.on('data', () => asked.resolve());
    });
    const { signal, abort } = abortable();
    const reply = exchange(asking(url, { signal }), connections());
    await asked.promise;
    abort('enough');
    await expect(reply).rejects.toBe('enough');
    await ended.promise;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('leaves no listener on the signal of 3,000 requests', async () => {
    const url = await serving((_, response) => response.end());
    const { signal } = abortable();
    const ours = connections();
    for (let nth = 0; nth < 3_000; nth += 1) await exchange(asking(url, { signal }), ours);
    const refused = asking('http://127.0.0.1:1', { signal });
    await expect(exchange(refused, ours)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('of more than a mebibyte is not sent', async () => {
    const request = asking('http://127.0.0.1:1', { body: 'ü'.repeat(524_289) });
    await expect(exchange(request, connections())).rejects.toMatchObject({
      code: 'ERR_BAD_REQUEST',
    });
  });

  it('reaches an IPv6 address', async () => {
    const request = asking('http://[::1]:1');
    await expect(exchange(request, connections())).rejects.toMatchObject({
      cause: { message: expect.stringContaining('::1') },
    });
  });
});

function abortable(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: reason => controller.abort(reason) };
}

function answer(...pieces: readonly (string | Uint8Array)[]): Readable {
  return Readable.from(pieces.map(piece => Buffer.from(piece)));
}

describe('the text of an answer', () => {
  it('is its text, however it was cut into pieces, without a byte order mark', async () => {
    const bytes = Buffer.from('\uFEFF{"city":"Zürich 😀"}');
    const pieces = Array.from(bytes, byte => Uint8Array.of(byte));
    expect(await bodyOf(answer(...pieces), 100)).toBe('{"city":"Zürich 😀"}');
    expect(await bodyOf(answer(), 100)).toBe('');
  });

  it('may be as long as it may be, and no byte longer, also where axios does not count', async () => {
    expect(await bodyOf(answer('abc', 'de'), 5)).toBe('abcde');
    const endless = answer('abc', 'def', 'ghi');
    await expect(bodyOf(endless, 5)).rejects.toMatchObject({ code: 'ERR_ANSWER_TOO_LONG' });
    expect(endless.destroyed).toBe(true);
  });

  it('that breaks off is a bad answer, with the cause', async () => {
    const cause = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    const broken = new Readable({ read: () => broken.destroy(cause) });
    await expect(bodyOf(broken, 5)).rejects.toMatchObject({ code: 'ERR_BAD_RESPONSE', cause });
  });
});

/** As `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

const request = {
  method: 'PUT',
  headers: {},
  body: undefined,
  timeoutMs: 5_000,
  maxAnswerBytes: 1_048_576,
  signal: undefined,
} as const;

async function closeOf(socket: Socket | undefined): Promise<void> {
  if (socket !== undefined) await once(socket, 'close');
}

describe('connections whose certificates are renewed', () => {
  const authority = certificateAuthority();
  const own = { ca: authority.cert };

  /** A server that keeps its answers until a test sends them, and the connections that it has had. */
  async function servingTls() {
    const waiting: ServerResponse[] = [];
    const sockets: Socket[] = [];
    const server = createSecureServer(authority.issue(['127.0.0.1']), (_, response) => {
      waiting.push(response);
      server.emit('waiting');
    });
    // The client alone closes a connection.
    server.keepAliveTimeout = 0;
    server.on('secureConnection', (socket: Socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closings.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { serviceCenter } = resolve({ serviceCenter: { tls: own } });
    const connections = new Connections(serviceCenter, startTimer);
    closings.push(() => connections.closeIdle());
    const http = new HttpService(createPrivateAxios(connections, serviceCenter));
    const send = sendThrough(http);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    /** Begins a request, and returns what ends it. */
    const begin = async () => {
      const isWaiting = once(server, 'waiting');
      const reply = send({ ...request, url });
      await isWaiting;
      return async () => {
        waiting.shift()?.end();
        await reply;
      };
    };
    return { begin, connections, sockets };
  }

  it('are closed if they are idle, and the next request makes a new one', async () => {
    const { begin, connections, sockets } = await servingTls();
    await (
      await begin()
    )();
    const closed = closeOf(sockets[0]);
    connections.renew(own);
    await closed;
    await (
      await begin()
    )();
    expect(sockets).toHaveLength(2);
  });

  it('are closed as soon as they are free if they are in use', async () => {
    const { begin, connections, sockets } = await servingTls();
    const end = await begin();
    const closed = closeOf(sockets[0]);
    connections.renew(own);
    await end();
    await closed;
    await (
      await begin()
    )();
    expect(sockets).toHaveLength(2);
  });
});

describe('the secrets in the headers of serviceCenter.axios', () => {
  it('are their texts', () => {
    const headers = { 'X-Key': 'secret', 'X-On': true, 'X-None': undefined, common: {} };
    const { serviceCenter } = resolve({ serviceCenter: { axios: { headers } } });
    expect(secretsBeside(serviceCenter)).toEqual(['secret']);
    expect(secretsBeside(resolve({}).serviceCenter)).toEqual([]);
  });
});
