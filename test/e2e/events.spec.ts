import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  type HeartbeatSucceededEvent,
  type InstanceRegisteredEvent,
  OnRegistryEvent,
  RegistryEvents,
} from '../../lib/index.js';
import { Cleanup, createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('events', () => {
  it('tell the life of an instance in order', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth(RegistryEvents.HeartbeatSucceeded);
    await app.close();
    expect(events.names()).toEqual([
      'servicecomb.service.registered',
      'servicecomb.instance.registered',
      'servicecomb.heartbeat.succeeded',
      'servicecomb.instance.unregistered',
    ]);
  });

  it('carry the time and the instance, and are frozen', async () => {
    const registry = await startRegistry(cleanup);
    const { events, registration } = await startApp(cleanup, optionsFor(registry.url));
    const { serviceId, instanceId } = registration.snapshot();
    const [event] = events.of(RegistryEvents.InstanceRegistered);
    expect(event).toMatchObject({
      name: 'servicecomb.instance.registered',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      instance: {
        serviceId,
        instanceId,
        serviceName: 'orders',
        version: '1.0.0',
        endpoints: [expect.stringMatching(/^rest:\/\/127\.0\.0\.1:\d+$/)],
      },
    });
    expect(Object.isFrozen(event)).toBe(true);
  });

  it('come after the state has changed', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await createApp(cleanup, optionsFor(registry.url));
    const seen = new Promise<string>(resolve => {
      app
        .get(EventEmitter2)
        .once(RegistryEvents.InstanceRegistered, () => resolve(registration.state));
    });
    await app.listen(0, '127.0.0.1');
    expect(await seen).toBe('registered');
  });

  it('reach methods under @OnRegistryEvent', async () => {
    const seen: string[] = [];
    @Injectable()
    class Listener {
      @OnRegistryEvent(RegistryEvents.InstanceRegistered)
      registered({ registrations }: InstanceRegisteredEvent): void {
        seen.push(`registered ${registrations}`);
      }

      @OnRegistryEvent(RegistryEvents.HeartbeatSucceeded)
      beat({ instance }: HeartbeatSucceededEvent): void {
        seen.push(`beat of ${instance?.serviceName}`);
      }
    }
    const registry = await startRegistry(cleanup);
    const { events } = await startApp(cleanup, optionsFor(registry.url), {
      providers: [Listener],
    });
    await events.nth(RegistryEvents.HeartbeatSucceeded);
    expect(seen).toEqual(['registered 1', 'beat of orders']);
  });

  it('whose listener throws are logged once, and the heartbeat goes on', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events, log } = await startApp(cleanup, optionsFor(registry.url));
    app.get(EventEmitter2).on(RegistryEvents.HeartbeatSucceeded, () => {
      throw new Error('a bug in the application');
    });
    await events.nth(RegistryEvents.HeartbeatSucceeded, 3);
    expect(log.matching(/^error A listener of servicecomb\.heartbeat\.succeeded threw/)).toEqual([
      expect.stringContaining('a bug in the application'),
    ]);
  });

  it('tell a change of status, at the registry too', async () => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    await registration.setStatus('OUTOFSERVICE');
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    expect(events.of(RegistryEvents.StatusChanged)).toMatchObject([
      { from: 'UP', to: 'OUTOFSERVICE' },
    ]);
  });

  it('tell no change of status that the registry did not take', async () => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    registry.faults.answer(500, { errorCode: 500_003 }, { operation: 'setInstanceStatus' });
    await expect(registration.setStatus('DOWN')).rejects.toMatchObject({ errorCode: 500_003 });
    expect(events.of(RegistryEvents.StatusChanged)).toEqual([]);
    expect(registry.instances()).toMatchObject([{ status: 'UP' }]);
  });

  it('are logged once a change, not once a beat', async () => {
    const registry = await startRegistry(cleanup);
    const { events, log } = await startApp(cleanup, optionsFor(registry.url));
    registry.faults.answer(503, 'away', { operation: 'heartbeat', times: 2 });
    await events.nth(RegistryEvents.HeartbeatRecovered);
    expect(log.matching(/A heartbeat of orders/)).toHaveLength(1);
    expect(log.matching(/answered again/)).toHaveLength(1);
  });
});

describe('properties', () => {
  it('are replaced at the registry', async () => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    await registration.setProperties({ weight: '10' });
    expect(registry.instances()).toMatchObject([{ properties: { weight: '10' } }]);
  });
});
