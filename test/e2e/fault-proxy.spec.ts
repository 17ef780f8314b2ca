import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import { startProxy } from '../support/proxied.js';
import type { Cleanup } from '../support/test-app.js';

/** A server that answers with what it is sent, what it has received, and a proxy before it. */
async function startEcho(cleanup: Cleanup) {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket);
    socket.unref();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => received.push(chunk.toString()));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { received, proxy: await startProxy(cleanup, `http://127.0.0.1:${port}`) };
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  await once(socket, 'connect');
  // The clean-up breaks it; a test that expects an error listens for it.
  socket.on('error', () => undefined);
  socket.unref();
  return socket;
}

async function answerTo(socket: Socket, bytes: string): Promise<string> {
  socket.write(bytes);
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

/** Lets all that is under way on this machine arrive. */
async function settle(url: string): Promise<void> {
  const socket = await open(url);
  socket.destroy();
  await once(socket, 'close');
}

describe('the fault proxy', () => {
  concurrently('passes on what comes, both ways, and the end of it', async cleanup => {
    const { proxy, received } = await startEcho(cleanup);
    const socket = await open(proxy.url);
    expect(await answerTo(socket, 'hello')).toBe('hello');
    expect(received).toEqual(['hello']);
    expect(proxy.connections).toBe(1);
    socket.end('bye');
    expect(await text(socket)).toBe('bye');
  });

  concurrently(
    'suspended accepts connections, and passes on nothing until it resumes',
    async cleanup => {
      const { proxy, received } = await startEcho(cleanup);
      proxy.suspend();
      const socket = await open(proxy.url);
      socket.write('hello');
      await settle(proxy.url);
      expect(received).toEqual([]);
      const answer = once(socket, 'data');
      proxy.resume();
      expect(String(await answer)).toBe('hello');
    },
  );

  concurrently(
    'paused on the way from the server delivers, and holds the answer',
    async cleanup => {
      const { proxy, received } = await startEcho(cleanup);
      const socket = await open(proxy.url);
      proxy.pause('from');
      let answered = '';
      socket.on('data', chunk => (answered += String(chunk)));
      socket.write('hello');
      while (received.length === 0) await settle(proxy.url);
      await settle(proxy.url);
      expect(answered).toBe('');
      proxy.resume();
      await once(socket, 'data');
      expect(answered).toBe('hello');
    },
  );

  concurrently('breaks open connections, and takes new ones', async cleanup => {
    const { proxy } = await startEcho(cleanup);
    const socket = await open(proxy.url);
    await answerTo(socket, 'hello');
    const error = once(socket, 'error');
    proxy.reset();
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(await answerTo(await open(proxy.url), 'again')).toBe('again');
  });

  concurrently('breaks an expired connection with its next byte, and no other', async cleanup => {
    const { proxy, received } = await startEcho(cleanup);
    const socket = await open(proxy.url);
    await answerTo(socket, 'hello');
    proxy.expireConnections();
    const other = await open(proxy.url);
    expect(await answerTo(other, 'other')).toBe('other');
    const error = once(socket, 'error');
    socket.write('too late');
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(received).toEqual(['hello', 'other']);
  });

  concurrently('trickles an answer', async cleanup => {
    const { proxy } = await startEcho(cleanup);
    proxy.trickle(1, 5);
    const socket = await open(proxy.url);
    const chunks: string[] = [];
    socket.on('data', chunk => chunks.push(String(chunk)));
    socket.end('hello');
    await once(socket, 'end');
    expect(chunks.join('')).toBe('hello');
    expect(chunks.length).toBeGreaterThan(1);
  });

  concurrently('refuses connections until it is started again, on the same port', async cleanup => {
    const { proxy } = await startEcho(cleanup);
    const { url } = proxy;
    await proxy.refuse();
    await expect(open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.start();
    expect(proxy.url).toBe(url);
    expect(await answerTo(await open(url), 'hello')).toBe('hello');
  });
});
