import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import { FakeClock } from '../support/registry.js';
import { arrival, ask, outcome, rawExchange, registered, started } from './server.js';

const version = 'GET /v4/default/registry/version HTTP/1.1\r\nHost: h\r\n\r\n';

describe('an answer that trickles', () => {
  it('comes whole in the end, on a connection that is closed behind it', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.trickle(0, { chunkBytes: 7 });
    const { status, text, headers } = await ask(serviceCenter, 'GET /version');
    expect([status, headers.connection]).toEqual([200, 'close']);
    expect(JSON.parse(text)).toMatchObject({ apiVersion: '4.0.0' });
    expect(serviceCenter.requests).toMatchObject([{ status: 200 }]);
  });

  it('begins with its first byte, and sends the rest when the fault ends', async () => {
    const serviceCenter = await started();
    const dispose = serviceCenter.faults.trickle(3_600_000);
    const arrived = arrival(serviceCenter);
    let received = '';
    const answer = rawExchange(serviceCenter, version, bytes => {
      received ||= bytes;
      dispose();
    });
    await arrived;
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"apiVersion"/);
    expect(received).toBe('H');
  });

  it('is an answer to what was executed at once', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    serviceCenter.faults.trickle(3_600_000);
    const arrived = arrival(serviceCenter);
    const late = outcome(ask(serviceCenter, `DELETE ${path}`));
    await arrived;
    await Promise.resolve();
    expect(serviceCenter.instances()).toEqual([]);
    await serviceCenter.faults.clear();
    expect(await late).toBe(200);
  });

  it('is given up with the connection', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.trickle(3_600_000);
    const arrived = arrival(serviceCenter);
    const late = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    await serviceCenter.stop();
    expect(await late).toBe('ECONNRESET');
    expect(serviceCenter.faults.list()).toMatchObject([{ kind: 'trickle', hits: 1 }]);
  });
});

describe('garbage', () => {
  it('is no HTTP, and the end of the connection', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.garbage();
    expect(await rawExchange(serviceCenter, version)).toMatch(/neither HTTP nor JSON/);
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toMatch(/^HPE_/);
    expect(serviceCenter.requests).toMatchObject([{ status: undefined }, { status: undefined }]);
  });

  it('may be a body that is no JSON, though the answer says so', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.garbage({ insteadOf: 'json' });
    const { status, text, headers } = await ask(serviceCenter, 'GET /version');
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=UTF-8']);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  it('is what one wants it to be', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.garbage({ times: 1 }, 'SSH-2.0\r\n');
    expect(await rawExchange(serviceCenter, version)).toBe('SSH-2.0\r\n');
    serviceCenter.faults.garbage({ insteadOf: 'json' }, Buffer.from('[1,'));
    expect((await ask(serviceCenter, 'GET /version')).text).toBe('[1,');
  });

  it('stands in for the execution, unless it comes afterwards', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    serviceCenter.faults.garbage({ times: 1 });
    await outcome(ask(serviceCenter, `DELETE ${path}`));
    expect(serviceCenter.instances()).toHaveLength(1);
    serviceCenter.faults.garbage({ when: 'after' });
    await outcome(ask(serviceCenter, `DELETE ${path}`));
    expect(serviceCenter.instances()).toEqual([]);
  });
});

describe('swallowing renewals', () => {
  const leaseAfterBeat = async (serviceCenter: EmbeddedServiceCenter, clock: FakeClock) => {
    const path = await registered(serviceCenter);
    clock.advance(30_000);
    const beat = await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`));
    return [beat, serviceCenter.instances()[0]?.leaseRemainingMs];
  };

  it('answers 200 and renews no lease', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    serviceCenter.faults.swallowRenewals();
    expect(await leaseAfterBeat(serviceCenter, clock)).toEqual([200, 90_000]);
    await ask(serviceCenter, 'PUT /heartbeats', {
      Instances: [{ serviceId: 'orders', instanceId: 'own' }],
    });
    expect(serviceCenter.instances()).toMatchObject([{ leaseRemainingMs: 90_000 }]);
    clock.advance(90_000);
    expect(serviceCenter.instances()).toEqual([]);
    expect(
      await outcome(ask(serviceCenter, 'PUT /microservices/orders/instances/own/heartbeat')),
    ).toBe(400);
  });

  it('ends with its fault', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    serviceCenter.faults.swallowRenewals()();
    expect(await leaseAfterBeat(serviceCenter, clock)).toEqual([200, 120_000]);
  });

  it('hits heartbeats alone, unless another operation is named', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    serviceCenter.faults.answer(503, '');
    serviceCenter.faults.swallowRenewals();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(503);
    await serviceCenter.faults.clear();
    serviceCenter.faults.swallowRenewals({ operation: 'registerInstance' });
    expect(await leaseAfterBeat(serviceCenter, clock)).toEqual([200, 120_000]);
    clock.advance(30_000);
    await registered(serviceCenter);
    expect(serviceCenter.instances()).toMatchObject([{ leaseRemainingMs: 90_000 }]);
  });
});

describe('a clock that is off', () => {
  const dateOf = async (serviceCenter: EmbeddedServiceCenter) =>
    Date.parse((await ask(serviceCenter, 'GET /version')).headers.date ?? '');

  it('appears in the Date header and in time stamps, and affects no lease', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    const dispose = serviceCenter.faults.skewClock(3_600_000);
    await registered(serviceCenter);
    expect(await dateOf(serviceCenter)).toBe(clock.now() + 3_600_000);
    expect(serviceCenter.instances()).toMatchObject([
      { timestamp: String((clock.now() + 3_600_000) / 1000), leaseRemainingMs: 120_000 },
    ]);
    dispose();
    expect(await dateOf(serviceCenter)).toBe(clock.now());
  });

  it('shows in answers that another fault gives, too', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    serviceCenter.faults.skewClock(-60_000);
    serviceCenter.faults.trickle(0, { chunkBytes: 1000, times: 1 });
    expect(await dateOf(serviceCenter)).toBe(clock.now() - 60_000);
    serviceCenter.faults.answer(200, '{}');
    expect(await dateOf(serviceCenter)).toBe(clock.now() - 60_000);
  });

  it('is off by what was said last', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    serviceCenter.faults.skewClock(1000);
    const later = serviceCenter.faults.skewClock(5000);
    expect(await dateOf(serviceCenter)).toBe(clock.now() + 5000);
    later();
    expect(await dateOf(serviceCenter)).toBe(clock.now() + 1000);
    await serviceCenter.faults.clear();
    expect(await dateOf(serviceCenter)).toBe(clock.now());
  });
});

describe('closing idle connections', () => {
  it('closes those that wait for a request, and leaves a request that is under way', async () => {
    const serviceCenter = await started();
    const agent = new Agent({ keepAlive: true });
    const idle = await new Promise<Socket>(resolve => {
      get(`${serviceCenter.url}/version`, { agent }, response => {
        const { socket } = response;
        response.resume().once('end', () => resolve(socket));
      });
    });
    const closed = new Promise(resolve => idle.once('close', resolve));
    serviceCenter.faults.hang();
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    expect(serviceCenter.faults.closeIdleConnections()).toBe(1);
    await closed;
    agent.destroy();
    await serviceCenter.faults.clear();
    expect(await hanging).toBe('ECONNRESET');
  });
});

describe('refusing connections for a while', () => {
  it('ends by itself', async () => {
    const serviceCenter = await started();
    const listen = await serviceCenter.faults.refuse(30);
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe('ECONNREFUSED');
    while ((await outcome(ask(serviceCenter, 'GET /version'))) !== 200);
    expect(serviceCenter.faults.list()).toEqual([]);
    await listen();
  });
});

describe('the list of faults', () => {
  it('lists active faults, their requests and their number of hits', async () => {
    const serviceCenter = await started();
    const { faults } = serviceCenter;
    const dispose = faults.delay(0, { path: /version/ });
    faults.answer(503, 'no', { operation: 'heartbeat', times: 3, contentType: 'text/html' });
    await ask(serviceCenter, 'GET /version');
    expect(faults.list()).toEqual([
      { id: '1', kind: 'delay', match: { path: /version/ }, hits: 1, settings: { ms: 0 } },
      {
        id: '2',
        kind: 'answer',
        match: { operation: 'heartbeat', times: 3 },
        hits: 0,
        settings: { status: 503, body: 'no', contentType: 'text/html' },
      },
    ]);
    dispose();
    expect(faults.list()).toMatchObject([{ id: '2' }]);
  });

  it('has none that is spent, unless it still holds a request', async () => {
    const serviceCenter = await started();
    const { faults } = serviceCenter;
    faults.answer(503, '', { times: 1 });
    await ask(serviceCenter, 'GET /version');
    expect(faults.list()).toEqual([]);
    faults.hang({ times: 1 });
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    await Promise.resolve();
    expect(faults.list()).toMatchObject([{ kind: 'hang', hits: 1 }]);
    await faults.clear();
    await hanging;
  });

  it('contains a refusal until the registry is started', async () => {
    const serviceCenter = await started();
    await serviceCenter.faults.refuse();
    expect(serviceCenter.faults.list()).toMatchObject([{ kind: 'refuse' }]);
    await serviceCenter.start();
    expect(serviceCenter.faults.list()).toEqual([]);
    expect(await outcome(exchange(serviceCenter.url, { path: '/version' }))).toBe(200);
  });
});
