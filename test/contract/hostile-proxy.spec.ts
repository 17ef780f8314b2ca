import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { httpClient } from './registry-under-test.js';

const closings: (() => void)[] = [];

afterEach(() => {
  for (const close of closings.splice(0)) close();
});

/** A proxy of a kind that no one should have: it does as told with each connection. */
async function hostile(treat: (socket: Socket) => void) {
  const ends: Promise<unknown>[] = [];
  const server = createServer(socket => {
    ends.push(new Promise(resolve => socket.on('close', resolve)));
    closings.push(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('data', () => treat(socket)).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { proxy: `http://me:s3cret@127.0.0.1:${port}`, ends, name: `proxy 127.0.0.1:${port}` };
}

const ask = (proxy: string, timeoutMs = 5_000): Promise<unknown> =>
  httpClient('https://registry.example:30100', { proxy, timeoutMs })
    .listMicroservices()
    .catch((error: unknown) => error);

/** One byte of a header after the other, until the connection is closed. */
function trickle(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\nX-Long: ');
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
}

function flood(socket: Socket): void {
  const more = () => {
    while (!socket.destroyed && socket.write(`X: ${'x'.repeat(1_000)}\r\n`));
  };
  socket.write('HTTP/1.1 200 OK\r\n');
  socket.on('drain', more);
  more();
}

describe('a proxy', () => {
  it.each([
    ['is silent', () => undefined],
    ['never ends its answer', trickle],
    ['is silent after its answer', (socket: Socket) => void socket.write('HTTP/1.1 200\r\n\r\n')],
  ])('that %s has its connection closed after the deadline', async (_, treat) => {
    const { proxy, ends } = await hostile(treat);
    expect(await ask(proxy, 200)).toMatchObject({ code: 'ERR_SERVICECOMB_TIMEOUT' });
    await Promise.all(ends);
    expect(ends).toHaveLength(1);
  });

  it.each([
    ['closes at once', (socket: Socket) => void socket.destroy(), 'ECONNRESET'],
    ['closes in the middle', (socket: Socket) => void socket.end('HTTP/1.1 20'), 'ECONNRESET'],
    ['speaks no HTTP', (socket: Socket) => void socket.end('SSH-2.0\r\n'), 'HPE_INVALID_CONSTANT'],
    ['has headers without end', flood, 'HPE_HEADER_OVERFLOW'],
  ])('that %s is told as such', async (_, treat, reason) => {
    const { proxy, ends, name } = await hostile(treat);
    expect(await ask(proxy)).toMatchObject({
      reason: 'ERR_PROXY_UNREACHABLE',
      advice: expect.stringContaining(`(${name}: ${reason})`),
    });
    await Promise.all(ends);
  });

  it('that speaks right behind its answer has that taken for the registry', async () => {
    const { proxy } = await hostile(socket => void socket.write('HTTP/1.1 200\r\n\r\nhello'));
    expect(await ask(proxy)).toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
      advice: expect.stringContaining('does not speak TLS'),
    });
  });
});
