import { describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { FakeClock } from '../support/registry.js';
import { EventClient } from './event-source.js';
import { ask, registered, started } from './server.js';

const beat = (serviceCenter: EmbeddedServiceCenter) =>
  ask(serviceCenter, 'PUT /microservices/orders/instances/own/heartbeat');

describe('the stream of events', () => {
  it('begins with all that is registered, and the faults that are on', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    serviceCenter.faults.hang({ path: /x/ });
    const events = await EventClient.listen(serviceCenter);
    expect(await events.next('registry')).toMatchObject({
      now: clock.now(),
      services: [
        {
          serviceName: 'orders',
          instances: [{ instanceId: 'own', lease: { remainingMs: 120_000, lengthMs: 120_000 } }],
        },
      ],
    });
    expect(await events.next('faults')).toMatchObject([{ kind: 'hang', match: { path: 'x' } }]);
  });

  it('tells of what happened before, and with which setup', async () => {
    const clock = new FakeClock();
    const options = { clock, profile: 'cse-exclusive', oddities: { publicationMs: 300 } } as const;
    const serviceCenter = await started(options);
    await registered(serviceCenter);
    const registeredAt = clock.now();
    clock.advance(1_000);
    serviceCenter.forget('own');
    const events = await EventClient.listen(serviceCenter);
    const history = await events.next('history');
    expect(history).toMatchObject([
      { kind: 'registered', at: registeredAt, service: { serviceName: 'orders' } },
      { kind: 'registered', at: registeredAt, instance: { instanceId: 'own', lease: null } },
      { kind: 'expired', at: registeredAt + 1_000, instance: { instanceId: 'own' } },
    ]);
    expect(await events.next('setup')).toEqual({
      profile: 'cse-exclusive',
      oddities: { publicationMs: 300 },
    });
    serviceCenter.oddities.clear();
    expect(await events.next('setup')).toEqual({ profile: 'cse-exclusive', oddities: {} });
  });

  it('keeps the last 500 changes', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    for (let count = 0; count < 300; count += 1)
      for (const status of ['DOWN', 'UP'])
        serviceCenter.answer({
          method: 'PUT',
          target: `/v4/default/registry/microservices/orders/instances/own/status?value=${status}`,
          headers: {},
          body: Buffer.alloc(0),
        });
    const events = await EventClient.listen(serviceCenter);
    const history = await events.next('history');
    expect(history).toHaveLength(500);
    expect(new Set(history.map(({ kind }) => kind))).toEqual(new Set(['updated']));
  });

  it('sends events in the order in which they happen', async () => {
    const serviceCenter = await started();
    const events = await EventClient.listen(serviceCenter);
    await registered(serviceCenter);
    await ask(serviceCenter, 'PUT /microservices/orders/instances/own/status?value=DOWN');
    serviceCenter.forget('own');
    serviceCenter.forgetService('orders');
    const told: string[] = [];
    while (told.length < 5)
      for (const { kind, instance } of await events.next('changes'))
        told.push(`${kind} ${instance?.instanceId ?? 'service'}`);
    expect(told).toEqual([
      'registered service',
      'registered own',
      'updated own',
      'expired own',
      'removed service',
    ]);
  });

  it('sends the end of a lease without a request', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    const events = await EventClient.listen(serviceCenter);
    clock.advance(120_000);
    expect(await events.next('changes')).toMatchObject([
      { kind: 'expired', at: clock.now(), instance: { instanceId: 'own', lease: null } },
    ]);
  });

  it('sends the renewals of an instance in a batch once, with the lease at that time', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    const events = await EventClient.listen(serviceCenter);
    await events.next('faults');
    clock.advance(5000);
    await Promise.all([beat(serviceCenter), beat(serviceCenter), beat(serviceCenter)]);
    const lease = { remainingMs: 120_000, lengthMs: 120_000, renewedAt: clock.now() };
    expect(await events.next('renewals')).toMatchObject([{ lease }]);
    expect(events.waiting).toBe(0);
  });

  it('sends faults that begin, apply and end', async () => {
    const serviceCenter = await started();
    const events = await EventClient.listen(serviceCenter);
    expect(await events.next('faults')).toEqual([]);
    const dispose = serviceCenter.faults.delay(0);
    expect(await events.next('faults')).toMatchObject([{ kind: 'delay', hits: 0 }]);
    await ask(serviceCenter, 'GET /version');
    expect(await events.next('faults')).toMatchObject([{ hits: 1 }]);
    dispose();
    expect(await events.next('faults')).toEqual([]);
  });

  it('sends the whole registry again after too many changes', async () => {
    const serviceCenter = await started();
    const ids = Array.from({ length: 1100 }, (_, count) => `service-${count}`);
    const register = (id: string) =>
      ask(serviceCenter, 'POST /microservices', { service: { serviceId: id, serviceName: id } });
    for (let at = 0; at < ids.length; at += 100)
      await Promise.all(ids.slice(at, at + 100).map(register));
    const events = await EventClient.listen(serviceCenter);
    expect((await events.next('registry')).services).toHaveLength(1100);
    for (const id of ids) serviceCenter.forgetService(id);
    expect((await events.next('registry')).services).toEqual([]);
  });

  it('is sent to each listener, and costs nothing without one', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    const listeners = await Promise.all(
      Array.from({ length: 20 }, () => EventClient.listen(serviceCenter)),
    );
    expect(clock.timers).toBe(1);
    serviceCenter.forget('own');
    for (const events of listeners)
      expect(await events.next('changes')).toMatchObject([{ kind: 'expired' }]);
    for (const events of listeners) events.leave();
    // Leases end on time only for listeners, so the timer shows whether one is left.
    await registered(serviceCenter);
    while (clock.timers > 0) await ask(serviceCenter, 'GET /version');
    expect(clock.timers).toBe(0);
  });

  it('is an event stream that is not cached, with the headers of the page', async () => {
    const serviceCenter = await started();
    const { headers } = await EventClient.listen(serviceCenter);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  it('ends with the server', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await EventClient.listen(serviceCenter);
    await registered(serviceCenter);
    expect(clock.timers).toBe(1);
    await serviceCenter.stop();
    expect(clock.timers).toBe(0);
  });
});
