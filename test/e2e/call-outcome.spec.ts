import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig } from 'axios';
import { type CallOutcome, callOutcome } from '../../lib/discovery/call-outcome.js';

/** The errors of axios and `fetch` as they are, over real sockets: the table's words are those of other code. */
const server = createServer();
let url: string;

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = urlOf(server.address());
});

afterEach(async () => {
  server.removeAllListeners('request');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}

/** The outcome of a call that must fail. */
function failure(call: Promise<unknown>): Promise<CallOutcome | 'no failure'> {
  return call.then(
    () => 'no failure' as const,
    (error: unknown) => callOutcome(error),
  );
}

function answerWith(listener: RequestListener): void {
  server.removeAllListeners('request').on('request', listener);
}

/** What axios and `fetch` say of the same request. */
async function both(to: string): Promise<(CallOutcome | 'no failure')[]> {
  const agents = { httpAgent: new Agent() };
  const fetched = fetch(to).then(answer => answer.text());
  return Promise.all([failure(axios.get(to, agents)), failure(fetched)]);
}

test('nobody listens', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const to = urlOf(closed.address());
  closed.close();
  await once(closed, 'close');
  expect(await both(to)).toEqual(['unsent', 'unsent']);
});

test('a host that does not exist', async () => {
  expect(await both('http://no-such-host.invalid/')).toEqual(['unsent', 'unsent']);
});

test('a server that does not speak TLS, and one that closes during the handshake', async () => {
  answerWith((_, answer) => answer.end());
  expect(await both(url.replace('http:', 'https:'))).toEqual(['unsent', 'unsent']);
  // It reads first: otherwise the end is a reset, which says nothing of the handshake.
  const closing = createTcpServer(socket => socket.once('data', () => socket.end()));
  await once(closing.listen(0, '127.0.0.1'), 'listening');
  const outcomes = await both(urlOf(closing.address()).replace('http:', 'https:'));
  closing.close();
  expect(outcomes).toEqual(['unsent', 'unsent']);
});

test('a connection that is reset, or closed without an answer', async () => {
  answerWith(({ socket }) => socket.resetAndDestroy());
  expect(await both(url)).toEqual(['broken', 'broken']);
  answerWith(({ socket }) => socket.end());
  expect(await both(url)).toEqual(['broken', 'broken']);
});

test('an answer that is cut off', async () => {
  answerWith(({ socket }, answer) => {
    answer.writeHead(200, { 'content-length': 100 });
    answer.write('beginning', () => socket.destroy());
  });
  expect(await both(url)).toEqual(['broken', 'broken']);
});

test('an answer that is no HTTP', async () => {
  answerWith(({ socket }) => socket.end('HTTP/9 nonsense\r\n\r\n'));
  expect(await both(url)).toEqual(['broken', 'broken']);
});

test('an answer that is too long says nothing about the server', async () => {
  answerWith((_, answer) => answer.end('much too long'));
  expect(await failure(axios.get(url, { maxContentLength: 3 }))).toBe('nothing');
});

test('a time that is up is late, a call that is cancelled nothing', async () => {
  answerWith(() => undefined);
  expect(await failure(axios.get(url, { timeout: 20 }))).toBe('late');
  expect(await failure(fetch(url, { signal: AbortSignal.timeout(20) }))).toBe('late');
  expect(await failure(axios.get(url, { signal: AbortSignal.timeout(20) }))).toBe('nothing');
  expect(await failure(fetch(url, { signal: AbortSignal.abort() }))).toBe('nothing');
});

describe('a connection that is reused and reset', () => {
  test.each<[string, AxiosRequestConfig]>([
    ['with redirects', {}],
    ['without redirects', { maxRedirects: 0 }],
  ])('is stale, %s', async (_, config) => {
    const httpAgent = new Agent({ keepAlive: true });
    answerWith((_, answer) => answer.end('first'));
    await axios.get(url, { ...config, httpAgent });
    answerWith(({ socket }) => socket.resetAndDestroy());
    expect(await failure(axios.get(url, { ...config, httpAgent }))).toBe('stale');
    httpAgent.destroy();
  });
});
