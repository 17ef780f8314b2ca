import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import { FrameClient } from '../support/frame-client.js';
import { FakeClock } from '../support/registry.js';
import { arrival, ask, outcome, rawExchange, registered, started } from './server.js';

describe('starting', () => {
  it('listens on the port that it returns', async () => {
    const serviceCenter = await started();
    expect(serviceCenter.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(await outcome(exchange(serviceCenter.url, { path: '/health' }))).toBe(200);
  });

  it('listens on port 30100 by default', () => {
    expect(new EmbeddedServiceCenter().url).toBe('http://127.0.0.1:30100');
    expect(new EmbeddedServiceCenter({ host: '::1', port: 7 }).url).toBe('http://[::1]:7');
  });

  it('has no effect on one that listens', async () => {
    const serviceCenter = await started();
    expect(await serviceCenter.start()).toEqual({ url: serviceCenter.url });
    const { text } = await exchange(serviceCenter.url, { path: '/health' });
    expect(JSON.parse(text).instances).toHaveLength(1);
  });

  it('is refused in one clear sentence when the port is taken', async () => {
    const { url } = await started();
    const port = Number(new URL(url).port);
    await expect(new EmbeddedServiceCenter({ port }).start()).rejects.toThrow(
      `The embedded Service Center cannot listen on 127.0.0.1:${port}: ` +
        'the port is in use; is another registry running?',
    );
  });

  it('can be tried again once the port is free', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const serviceCenter = new EmbeddedServiceCenter({ port });
    await expect(serviceCenter.start()).rejects.toThrow('in use');
    await new Promise(resolve => other.close(resolve));
    await serviceCenter.start();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
    await serviceCenter.stop();
  });

  it('is refused with the reason when the address is not one of this machine', async () => {
    const elsewhere = new EmbeddedServiceCenter({ port: 0, host: '192.0.2.1' });
    await expect(elsewhere.start()).rejects.toThrow(/192\.0\.2\.1:0: .*EADDRNOTAVAIL/);
  });
});

describe('stopping', () => {
  it('refuses connections from then on', async () => {
    const serviceCenter = await started();
    await serviceCenter.stop();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe('ECONNREFUSED');
  });

  it('has no effect on one that does not listen', async () => {
    const serviceCenter = await started();
    await serviceCenter.stop();
    await expect(serviceCenter.stop()).resolves.toBeUndefined();
    await expect(new EmbeddedServiceCenter().stop()).resolves.toBeUndefined();
  });

  it('closes requests that hang', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.hang();
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    await serviceCenter.stop();
    expect(await hanging).toBe('ECONNRESET');
  });

  it('closes connections on which nothing has been sent', async () => {
    const serviceCenter = await started();
    const idle = rawExchange(serviceCenter, 'GET /version HTTP/1.1\r\nHost: h\r\n\r\n');
    await arrival(serviceCenter);
    await serviceCenter.stop();
    expect(await idle).toMatch(/^(HTTP\/1\.1 200 OK|$)/);
  });

  it('waits for a start under way', async () => {
    const serviceCenter = new EmbeddedServiceCenter({ port: 0 });
    await Promise.all([serviceCenter.start(), serviceCenter.stop()]);
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe('ECONNREFUSED');
  });
});

describe('starting again', () => {
  it('is on the same port, with all data', async () => {
    const serviceCenter = await started();
    const { url } = serviceCenter;
    const path = await registered(serviceCenter);
    await serviceCenter.stop();
    expect(serviceCenter.instances()).toHaveLength(1);
    expect(await serviceCenter.start()).toEqual({ url });
    expect(await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`))).toBe(200);
  });

  it('finds leases over that ended meanwhile', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    const path = await registered(serviceCenter);
    await serviceCenter.stop();
    clock.advance(120_000);
    await serviceCenter.start();
    expect(await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`))).toBe(400);
  });

  it('is another instance of the Service Center', async () => {
    const serviceCenter = await started();
    const ids = async () => {
      const { text } = await exchange(serviceCenter.url, { path: '/health' });
      return JSON.parse(text).instances.map((own: { instanceId: string }) => own.instanceId);
    };
    const before = await ids();
    await serviceCenter.stop();
    await serviceCenter.start();
    const after = await ids();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });
});

describe('the quotas', () => {
  it('can be limited', async () => {
    const serviceCenter = await started({ quotas: { instances: 1 } });
    await registered(serviceCenter);
    const instance = { hostName: 'h' };
    const line = 'POST /microservices/orders/instances';
    const { text } = await ask(serviceCenter, line, { instance });
    expect(JSON.parse(text).errorCode).toBe('400100');
  });
});

describe('looking inside', () => {
  it('returns the instances with the remaining time of their leases', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock, minIntervalMs: 1000, minTimes: 1 });
    await registered(serviceCenter);
    clock.advance(1000);
    expect(serviceCenter.instances()).toMatchObject([
      { instanceId: 'own', serviceId: 'orders', status: 'UP', leaseRemainingMs: 119_000 },
    ]);
  });

  it('uses the clock of this machine by default', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    const [instance] = serviceCenter.instances();
    expect(Math.abs(Number(instance?.timestamp) - Date.now() / 1000)).toBeLessThan(5);
    expect(instance?.leaseRemainingMs).toBeGreaterThan(110_000);
  });

  it('forgets instances and services on demand', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    expect(serviceCenter.forget('own')).toBe(true);
    expect(JSON.parse((await ask(serviceCenter, `PUT ${path}/heartbeat`)).text).errorCode).toBe(
      '400017',
    );
    expect(serviceCenter.forgetService('orders')).toBe(true);
    expect(await outcome(ask(serviceCenter, 'GET /microservices/orders'))).toBe(400);
  });
});

describe('resetting', () => {
  const path = '/v4/default/registry/instances?appId=default&serviceName=orders';
  const revisionOf = async ({ url }: EmbeddedServiceCenter, rev = '') => {
    const { status, headers } = await exchange(url, { path: `${path}&rev=${rev}` });
    return { status, revision: String(headers['x-resource-revision']) };
  };

  it('forgets all services and instances, and goes on listening', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': 'orders' } });
    serviceCenter.reset();
    expect(serviceCenter.dump()).toEqual({ format: 1, revision: 1, services: [] });
    expect((await ask(serviceCenter, 'GET /microservices/orders')).status).toBe(400);
    await registered(serviceCenter);
    const { text } = await ask(serviceCenter, 'GET /microservices/orders/providers');
    expect(text).toBe('{}');
  });

  it('counts revisions anew, so that a list of before seems to be unchanged', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    const { revision } = await revisionOf(serviceCenter);
    serviceCenter.reset();
    await registered(serviceCenter);
    expect(await revisionOf(serviceCenter, revision)).toEqual({ status: 304, revision });
    expect(await revisionOf(serviceCenter, '0')).toEqual({ status: 200, revision });
  });

  it('keeps its own instance while it listens, and has none while it does not', async () => {
    const serviceCenter = await started();
    serviceCenter.reset();
    const { text } = await exchange(serviceCenter.url, { path: '/health' });
    expect(JSON.parse(text).instances).toHaveLength(1);
    await serviceCenter.stop();
    serviceCenter.reset();
    await serviceCenter.start();
    const again = await exchange(serviceCenter.url, { path: '/health' });
    expect(JSON.parse(again.text).instances).toHaveLength(1);
  });

  it('cuts watchers, and leaves no timer and no change behind', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock, oddities: 'realistic' });
    const instance = await registered(serviceCenter);
    const client = new FrameClient(serviceCenter.url);
    client.connect('/v4/default/registry/microservices/orders/watcher');
    await client.next();
    for (const change of ['heartbeat', 'heartbeat', 'status?value=DOWN'])
      await ask(serviceCenter, `PUT ${instance}/${change}`);
    await ask(serviceCenter, `DELETE ${instance}`);
    serviceCenter.reset();
    expect(await client.next()).toMatchObject({ type: 'tcp-closed' });
    expect(clock.timers).toBe(0);
    await registered(serviceCenter);
    clock.advance(119_999);
    expect(serviceCenter.instances()).toMatchObject([{ instanceId: 'own', status: 'UP' }]);
  });
});
