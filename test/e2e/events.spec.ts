import { describe, expect } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  type HeartbeatSucceededEvent,
  type InstanceRegisteredEvent,
  OnRegistryEvent,
  RegistryEvents,
} from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

describe('events', () => {
  concurrently('tell the life of an instance in order', async cleanup => {
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

  concurrently('carry the time and the instance, and are frozen', async cleanup => {
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

  concurrently('come after the state has changed', async cleanup => {
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

  concurrently('reach methods under @OnRegistryEvent', async cleanup => {
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

  concurrently('tell a change of status, at the registry too', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    await registration.setStatus('OUTOFSERVICE');
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    expect(events.of(RegistryEvents.StatusChanged)).toMatchObject([
      { from: 'UP', to: 'OUTOFSERVICE' },
    ]);
  });

  concurrently('tell no change of status that the registry did not take', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    registry.faults.answer(500, { errorCode: 500_003 }, { operation: 'setInstanceStatus' });
    await expect(registration.setStatus('DOWN')).rejects.toMatchObject({ errorCode: 500_003 });
    expect(events.of(RegistryEvents.StatusChanged)).toEqual([]);
    expect(registry.instances()).toMatchObject([{ status: 'UP' }]);
  });
});

describe('properties', () => {
  concurrently('are replaced at the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    await registration.setProperties({ weight: '10' });
    expect(registry.instances()).toMatchObject([{ properties: { weight: '10' } }]);
  });
});
