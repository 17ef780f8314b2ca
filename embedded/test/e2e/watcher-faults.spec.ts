import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter, WatcherCut } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import { FrameClient } from '../support/frame-client.js';
import { FakeClock } from '../support/registry.js';
import { ask, registered, started } from './server.js';

const watcher = '/v4/default/registry/microservices/shop/watcher';
const handshake =
  `GET ${watcher} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`;

let clock: FakeClock;
let serviceCenter: EmbeddedServiceCenter;
let client: FrameClient;
let own: string;

beforeEach(async () => {
  clock = new FakeClock();
  serviceCenter = await started({ clock });
  client = new FrameClient(serviceCenter.url);
  const shop = { serviceId: 'shop', serviceName: 'shop' };
  await ask(serviceCenter, 'POST /microservices', { service: shop });
  own = await registered(serviceCenter);
  const path = '/v4/default/registry/instances?appId=default&serviceName=orders';
  await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': 'shop' } });
  await open();
});

afterEach(() => client.close());

async function open(): Promise<void> {
  client.connect(watcher);
  expect(await client.next()).toMatchObject({ type: 'handshake', payload: { status: 101 } });
}

async function setStatus(status: string): Promise<void> {
  expect((await ask(serviceCenter, `PUT ${own}/status?value=${status}`)).status).toBe(200);
}

/** Returns the status in each frame that the client has got. */
async function statuses(): Promise<unknown[]> {
  const frames = await client.rest();
  return frames.map(({ payload }) => Object(payload).json?.instance?.status);
}

describe('watchers that are cut', () => {
  it.each<[WatcherCut, string]>([
    ['rst', 'ECONNRESET'],
    ['fin', 'end'],
  ])('by %s get %s', async (how, expected) => {
    const { hostname, port } = new URL(serviceCenter.url);
    const socket = connect(Number(port), hostname, () => socket.write(handshake));
    await once(socket, 'data');
    const ended = new Promise(resolve => {
      socket.once('end', () => resolve('end'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(serviceCenter.faults.cutWatchers(how)).toBe(2);
    expect(await ended).toBe(expected);
  });

  it.each<[WatcherCut]>([['rst'], ['fin']])(
    'by %s get no close frame, and may come back at once',
    async how => {
      const closed = once(client.socket, 'close');
      expect(serviceCenter.faults.cutWatchers(how)).toBe(1);
      expect(await closed).toEqual([1006, Buffer.alloc(0)]);
      expect(await client.next()).toEqual({ type: 'tcp-closed', payload: {} });
      await open();
      await setStatus('DOWN');
      expect(await statuses()).toEqual(['DOWN']);
    },
  );

  it('leave no timer behind, although they are muted', async () => {
    serviceCenter.faults.muteWatchers();
    serviceCenter.faults.cutWatchers();
    expect(await client.next()).toMatchObject({ type: 'tcp-closed' });
    expect(clock.timers).toBe(0);
  });
});

describe('watchers that are muted', () => {
  it('get no frame, no ping, no pong and no close until the end, and are not dropped', async () => {
    const end = serviceCenter.faults.muteWatchers();
    let frames = 0;
    for (const type of ['message', 'ping', 'pong', 'close'])
      client.socket.on(type, () => {
        frames += 1;
      });
    client.socket.ping();
    await setStatus('DOWN');
    clock.advance(600_000);
    await ask(serviceCenter, 'GET /version');
    expect(frames).toBe(0);
    end();
    // The lease has ended meanwhile; the frames are in order.
    for (const action of ['UPDATE', 'DELETE'])
      expect(await client.next()).toMatchObject({ payload: { json: { action } } });
    expect(await client.next()).toMatchObject({ type: 'pong' });
  });

  it('do not hear that the client closes', async () => {
    const end = serviceCenter.faults.muteWatchers();
    const closed = once(client.socket, 'close');
    client.socket.close(1000);
    await ask(serviceCenter, 'GET /version');
    expect(client.socket.readyState).toBe(client.socket.CLOSING);
    end();
    expect((await closed)[0]).toBe(1000);
  });

  it('are those that are open', async () => {
    const [first] = [client.socket];
    serviceCenter.faults.muteWatchers();
    let frames = 0;
    first.on('message', () => {
      frames += 1;
    });
    await open();
    await setStatus('DOWN');
    expect(await client.next()).toMatchObject({ type: 'text' });
    expect(frames).toBe(0);
    expect(serviceCenter.faults.list()).toMatchObject([{ settings: { watchers: 1 } }]);
  });

  it('stay muted until the last of several faults ends', async () => {
    const [first, second] = [
      serviceCenter.faults.muteWatchers(),
      serviceCenter.faults.muteWatchers(),
    ];
    await setStatus('DOWN');
    first();
    await ask(serviceCenter, 'GET /version');
    second();
    expect(await statuses()).toEqual(['DOWN']);
  });

  it.each([
    [5000, 5000],
    [5001, 1],
  ])('get of %i frames %i, the newest among them', async (changes, frames) => {
    const end = serviceCenter.faults.muteWatchers();
    for (let at = 1; at < changes; at += 1)
      serviceCenter.answer({
        method: 'PUT',
        target: `/v4/default/registry${own}/status?value=DOWN`,
        headers: {},
        body: Buffer.alloc(0),
      });
    await setStatus('TESTING');
    end();
    const got = await statuses();
    expect([got.length, got.at(-1)]).toEqual([frames, 'TESTING']);
  });
});

describe('frames', () => {
  it('are swallowed if they fit', async () => {
    const { faults } = serviceCenter;
    const instanceId = 'own';
    const end = faults.swallowFrames({ action: 'UPDATE', serviceName: 'orders', instanceId });
    faults.swallowFrames({ serviceName: 'other' });
    faults.swallowFrames({ consumerId: 'other' });
    faults.swallowFrames({ instanceId: 'other' });
    await setStatus('DOWN');
    serviceCenter.forget('own');
    expect(await client.rest()).toMatchObject([{ payload: { json: { action: 'DELETE' } } }]);
    expect(faults.list().map(({ hits }) => hits)).toEqual([1, 0, 0, 0]);
    end();
  });

  it('are swallowed as often as wanted', async () => {
    serviceCenter.faults.swallowFrames({ consumerId: 'shop', times: 1 });
    await setStatus('DOWN');
    await setStatus('TESTING');
    expect(await statuses()).toEqual(['TESTING']);
    expect(serviceCenter.faults.list()).toEqual([]);
  });

  it('come late, behind later ones, and at once when the fault ends', async () => {
    const end = serviceCenter.faults.delayFrames(3_600_000, { times: 1 });
    await setStatus('DOWN');
    await setStatus('TESTING');
    expect(await statuses()).toEqual(['TESTING']);
    end();
    expect(await statuses()).toEqual(['DOWN']);
  });

  it('come late by themselves', async () => {
    serviceCenter.faults.delayFrames(1);
    await setStatus('DOWN');
    expect(await client.next()).toMatchObject({ payload: { json: { action: 'UPDATE' } } });
  });

  it('are not sent any more to a watcher that has gone', async () => {
    serviceCenter.faults.delayFrames(3_600_000, { times: 1 });
    await setStatus('DOWN');
    serviceCenter.faults.cutWatchers();
    expect(await client.next()).toMatchObject({ type: 'tcp-closed' });
    expect(serviceCenter.faults.list()).toEqual([]);
  });

  it('come twice', async () => {
    serviceCenter.faults.doubleFrames();
    await setStatus('DOWN');
    expect(await statuses()).toEqual(['DOWN', 'DOWN']);
  });

  it('are not hit by faults for requests', async () => {
    serviceCenter.faults.swallowRenewals();
    await setStatus('DOWN');
    expect(await statuses()).toEqual(['DOWN']);
  });
});

describe('watchers', () => {
  it('stay when idle connections are closed', async () => {
    serviceCenter.faults.closeIdleConnections();
    await setStatus('DOWN');
    expect(await statuses()).toEqual(['DOWN']);
  });
});

describe('the handshake of a watcher', () => {
  it('is the operation `watch` for faults and the journal', async () => {
    expect(serviceCenter.requests.at(-1)).toMatchObject({ operation: 'watch', status: 101 });
    serviceCenter.faults.answer(503, 'wait', { operation: 'watch' });
    client.connect(watcher);
    const [error] = await once(client.socket, 'error');
    expect(error.message).toBe('Unexpected server response: 503');
  });
});
