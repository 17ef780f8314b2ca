import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import { FrameClient } from '../support/frame-client.js';
import { FakeClock } from '../support/registry.js';
import { arrival, ask, outcome, rawExchange, registered, started } from './server.js';

const watcher = '/v4/default/registry/microservices/shop/watcher';
const beats = '/v4/default/registry/microservices/orders/instances/own/heartbeat';

let clock: FakeClock;
let serviceCenter: EmbeddedServiceCenter;
let client: FrameClient;

beforeEach(async () => {
  clock = new FakeClock();
  serviceCenter = await started({ clock });
  client = new FrameClient(serviceCenter.url);
  const shop = { serviceId: 'shop', serviceName: 'shop' };
  await ask(serviceCenter, 'POST /microservices', { service: shop });
  await registered(serviceCenter);
});

afterEach(() => client.close());

/** Opens a connection after making the service `shop` depend on `orders`. */
async function watch(headers = {}): Promise<void> {
  const path = '/v4/default/registry/instances?appId=default&serviceName=orders';
  await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': 'shop' } });
  await open(watcher, headers);
}

async function open(path: string, headers = {}): Promise<void> {
  client.connect(path, headers);
  expect(await client.next()).toMatchObject({ type: 'handshake', payload: { status: 101 } });
}

describe('a watcher', () => {
  it('is notified of the end of a lease at that moment, with the last state of the instance', async () => {
    await watch();
    client.socket.ping();
    await client.next();
    clock.advance(119_999);
    expect(await client.rest()).toEqual([]);
    clock.advance(1);
    expect(await client.next()).toMatchObject({
      type: 'text',
      payload: { json: { action: 'DELETE', instance: { instanceId: 'own', status: 'UP' } } },
    });
  });

  it('is notified of a forgotten instance', async () => {
    await watch();
    serviceCenter.forget('own');
    expect(await client.next()).toMatchObject({ payload: { json: { action: 'DELETE' } } });
  });

  it('gets the environment of the service, if it has one', async () => {
    const service = { serviceId: 'cart', serviceName: 'cart', environment: 'testing' };
    await ask(serviceCenter, 'POST /microservices', { service });
    const path = '/v4/default/registry/instances?appId=default&serviceName=cart';
    await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': 'cart' } });
    await open('/v4/default/registry/microservices/cart/watcher');
    await ask(serviceCenter, 'POST /microservices/cart/instances', {
      instance: { hostName: '<h>' },
    });
    expect(await client.next()).toMatchObject({
      payload: { json: { key: { environment: 'testing' }, instance: { hostName: '<h>' } } },
    });
  });

  it('hears nothing of another domain with the same names', async () => {
    const headers = { 'X-Domain-Name': 'other' };
    const service = { serviceId: 'shop', serviceName: 'shop' };
    const path = '/v4/default/registry/microservices';
    await exchange(serviceCenter.url, { method: 'POST', path, headers, body: { service } });
    await watch(headers);
    serviceCenter.forget('own');
    expect(await client.rest()).toEqual([]);
  });

  it('is notified on each of its connections', async () => {
    await watch();
    await open(watcher);
    serviceCenter.forget('own');
    const actions = [await client.next(), await client.next()];
    expect(actions).toMatchObject(actions.map(() => ({ type: 'text' })));
  });

  it('is pinged each 30 s as long as it does not ping itself', async () => {
    await watch();
    clock.advance(29_999);
    serviceCenter.forget('own');
    clock.advance(30_051);
    for (const type of ['text', 'ping', 'ping'])
      expect(await client.next()).toMatchObject({ type });
    expect(await client.rest()).toEqual([]);
    clock.advance(90_000);
    expect(await client.rest()).toEqual([]);
  });

  it('is dropped 120 s after its last pong, and not before', async () => {
    await watch();
    clock.advance(60_000);
    const noticed = clock.nextTimer();
    client.socket.pong();
    await noticed;
    clock.advance(119_999);
    await ask(serviceCenter, 'POST /microservices/orders/instances', {
      instance: { hostName: 'h' },
    });
    clock.advance(1);
    const types = [];
    for (let type = ''; type !== 'tcp-closed'; types.push(type)) ({ type } = await client.next());
    // In between, the first lease ends and the second instance is registered.
    expect(types.join()).toBe('ping,ping,ping,text,ping,ping,text,tcp-closed');
  });

  it('is closed when it leaves more than 1 MiB unread', async () => {
    const properties = { text: 'x'.repeat(50_000) };
    const instances = Array.from({ length: 100 }, () => ({ hostName: 'h', properties }));
    serviceCenter.load({ format: 1, services: [{ service: { serviceName: 'bulk' }, instances }] });
    const path = '/v4/default/registry/instances?appId=default&serviceName=bulk';
    await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': 'shop' } });
    await open(watcher);
    client.socket.pause();
    // The kernel takes some megabytes before the first byte waits in the registry.
    for (let count = 0; count < 10 && clock.timers > 0; count += 1)
      await ask(serviceCenter, 'PUT /instances/status', { matches: {}, status: 'DOWN' });
    expect(clock.timers).toBe(0);
  });

  it('leaves no timer behind when it goes', async () => {
    await watch();
    expect(clock.timers).toBe(3);
    client.socket.close(1000);
    await once(client.socket, 'close');
    // The server notices the end a moment later.
    while (clock.timers > 0) expect((await ask(serviceCenter, 'GET /version')).status).toBe(200);
  });

  it('is offered neither compression nor a subprotocol', async () => {
    client.connect(watcher, { 'Sec-WebSocket-Protocol': 'chat' });
    const [{ headers }] = await once(client.socket, 'upgrade');
    expect(headers).not.toHaveProperty('sec-websocket-protocol');
    expect(headers).not.toHaveProperty('sec-websocket-extensions');
  });
});

describe('a heartbeat over WebSocket', () => {
  it('pings each 30 s, however often the client pings', async () => {
    await open(beats);
    client.socket.ping('hello');
    expect(await client.next()).toMatchObject({ type: 'pong', payload: { text: 'hello' } });
    clock.advance(30_000);
    expect(await client.next()).toEqual({ type: 'ping', payload: { length: 0 } });
    clock.advance(30_000);
    expect(await client.next()).toEqual({ type: 'ping', payload: { length: 0 } });
  });

  it('gets one pong for many pings while it does not read', async () => {
    await open(beats);
    let pongs = 0;
    client.socket.on('pong', () => {
      pongs += 1;
    });
    client.socket.pause();
    const pings = 100_000;
    const longest = 'x'.repeat(125);
    for (let sent = 0; sent < pings; sent += 1) client.socket.ping(longest);
    const noticed = clock.nextTimer();
    client.socket.pong();
    await noticed;
    client.socket.close(1000);
    client.socket.resume();
    await once(client.socket, 'close');
    expect(pongs).toBeGreaterThan(0);
    expect(pongs).toBeLessThan(pings / 2);
  });

  it.each([
    [999, 30_000],
    [1000, 1000],
    [3_600_000, 3_600_000],
    [3_600_001, 30_000],
  ])('takes an interval of %i ms as %i', async (heartbeatPingIntervalMs, expected) => {
    serviceCenter = await started({ clock, heartbeatPingIntervalMs });
    await registered(serviceCenter);
    client = new FrameClient(serviceCenter.url);
    await open(beats);
    clock.advance(expected - 1);
    expect(await client.rest()).toEqual([]);
    clock.advance(1);
    expect(await client.next()).toMatchObject({ type: 'ping' });
  });

  it('renews the lease with each pong', async () => {
    await open(beats);
    clock.advance(60_000);
    const noticed = clock.nextTimer();
    client.socket.pong();
    await noticed;
    await client.rest();
    expect(serviceCenter.instances()).toMatchObject([{ leaseRemainingMs: 120_000 }]);
  });

  it('renews nothing by being opened, or by a ping', async () => {
    clock.advance(60_000);
    await open(beats);
    client.socket.ping();
    await client.next();
    expect(serviceCenter.instances()).toMatchObject([{ leaseRemainingMs: 60_000 }]);
  });

  it('lets the lease run on when the client closes', async () => {
    await open(beats);
    client.socket.close(1000);
    expect(await client.next()).toMatchObject({ type: 'close', payload: { code: 1000 } });
    clock.advance(119_999);
    expect(serviceCenter.instances()).toHaveLength(1);
    clock.advance(1);
    expect(serviceCenter.instances()).toEqual([]);
  });

  it('is dropped 120 s after the last pong, but never before the first one', async () => {
    await open(beats);
    for (let beat = 0; beat < 2; beat += 1) {
      clock.advance(115_000);
      await ask(serviceCenter, 'PUT /microservices/orders/instances/own/heartbeat');
    }
    const noticed = clock.nextTimer();
    client.socket.pong();
    await noticed;
    clock.advance(119_999);
    expect(await client.rest()).toHaveLength(11);
    clock.advance(1);
    expect((await client.next()).type).toBe('tcp-closed');
  });
});

describe('a handshake', () => {
  it('stands in the journal with its status', async () => {
    await open(watcher);
    expect(serviceCenter.requests.at(-1)).toMatchObject({ path: watcher, status: 101 });
  });

  it.each([
    ['without a key', { 'Sec-WebSocket-Version': '13' }],
    [
      'of an old version',
      { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Key': `${'A'.repeat(22)}==` },
    ],
  ])('is refused like a plain GET %s', async (_, more) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', ...more };
    const { status, text } = await exchange(serviceCenter.url, { path: watcher, headers });
    expect([status, text]).toEqual([400, 'Bad Request\n']);
  });

  it('is passed over where there is no WebSocket', async () => {
    client.connect('/v4/default/registry/version');
    const [, response] = await once(client.socket, 'unexpected-response');
    expect(response.statusCode).toBe(200);
  });

  it('of another protocol is passed over too, and the body is read all the same', async () => {
    const headers = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAA',
    };
    const path = '/v4/default/registry/microservices';
    const body = { service: { serviceId: 'java', serviceName: 'java' } };
    const { text } = await exchange(serviceCenter.url, { method: 'POST', path, headers, body });
    expect(text).toBe('{"serviceId":"java"}');
  });

  it('of another protocol leaves the connection open for the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const reuses = async (headers = {}) => {
      const request = get(`${serviceCenter.url}/version`, { agent, headers });
      const [response] = await once(request, 'response');
      response.resume();
      await once(response, 'end');
      return request.reusedSocket;
    };
    expect(await reuses({ Connection: 'Upgrade, keep-alive', Upgrade: 'h2c' })).toBe(false);
    // The agent gets a connection back one turn after the end of the answer.
    await setImmediate();
    expect(await reuses()).toBe(true);
    agent.destroy();
  });
});

describe('a fault on a handshake', () => {
  const match = { path: /\/watcher$/ };
  const key = `${'A'.repeat(22)}==`;
  const handshake =
    `GET ${watcher} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
  /** Opens a connection whose handshake hangs. */
  const hangingSocket = async () => {
    serviceCenter.faults.hang(match);
    const arrived = arrival(serviceCenter);
    const { hostname, port } = new URL(serviceCenter.url);
    const socket = connect(Number(port), hostname, () => socket.write(handshake));
    await arrived;
    return socket;
  };
  const connected = async () => {
    client.connect(watcher);
    const [error] = await once(client.socket, 'error');
    expect((await client.next()).type).toBe('tcp-closed');
    return error.code ?? error.message;
  };

  it('may hang it until the fault ends', async () => {
    const dispose = serviceCenter.faults.hang(match);
    const arrived = arrival(serviceCenter);
    const hanging = connected();
    await arrived;
    await Promise.resolve();
    dispose();
    expect(await hanging).toMatch(/ECONNRESET|socket hang up/);
    await open(watcher);
  });

  it('lets go of a client that gives up', async () => {
    const hanging = await hangingSocket();
    hanging.end();
    await once(hanging, 'close');
    expect(serviceCenter.requests.at(-1)?.status).toBeUndefined();
  });

  it('does no harm when the client breaks the connection', async () => {
    const hanging = await hangingSocket();
    hanging.resetAndDestroy();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });

  it('may answer it otherwise', async () => {
    serviceCenter.faults.answer(503, 'wait', { ...match, times: 1 });
    expect(await connected()).toBe('Unexpected server response: 503');
    await open(watcher);
  });

  it('ends the connection of one that is refused', async () => {
    serviceCenter.faults.answer(503, 'wait', match);
    expect(await rawExchange(serviceCenter, handshake)).toMatch(/^HTTP\/1\.1 503 .*wait$/s);
  });

  it('answers once, although the fault ends after its delay', async () => {
    const dispose = serviceCenter.faults.delay(1, match);
    await open(watcher);
    dispose();
    expect(await client.rest()).toEqual([]);
  });

  it('may break its connection', async () => {
    serviceCenter.faults.reset(match);
    expect(await connected()).toBe('ECONNRESET');
  });

  it('may put it off', async () => {
    const dispose = serviceCenter.faults.delay(3_600_000, match);
    const arrived = arrival(serviceCenter);
    const opened = open(watcher);
    await arrived;
    await Promise.resolve();
    dispose();
    await opened;
    expect(await client.rest()).toEqual([]);
  });
});

describe('closing the door', () => {
  it.each([
    ['stop', (): Promise<unknown> => serviceCenter.stop()],
    ['refuse', (): Promise<unknown> => serviceCenter.faults.refuse()],
  ])('by %s ends every WebSocket, and leaves no timer', async (_, close) => {
    await watch();
    await open(beats);
    await close();
    expect(clock.timers).toBe(0);
    expect(await client.next()).toMatchObject({ type: 'tcp-closed' });
    expect(await client.next()).toMatchObject({ type: 'tcp-closed' });
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe('ECONNREFUSED');
  });
});
