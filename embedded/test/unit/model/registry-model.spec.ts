import { beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceChanged } from '../../../lib/model/changes.js';
import { TestRegistry } from '../../support/registry.js';

let registry: TestRegistry;
let serviceId: string;
let changes: InstanceChanged[];
let stop: () => void;

beforeEach(() => {
  registry = new TestRegistry();
  serviceId = registry.service();
  changes = [];
  stop = registry.model.onChange(change => changes.push(change));
});

const shortLived = { healthCheck: { mode: 'push', interval: 5, times: 3 } };
const kinds = () => changes.map(({ kind, instance }) => `${kind} ${instance.instanceId}`);

describe('a listener of the registry', () => {
  it('is called for each change of an instance, with the new state', () => {
    const path = `/microservices/${serviceId}/instances/own`;
    registry.instance(serviceId, { instanceId: 'own' });
    registry.ask(`PUT ${path}/status?value=DOWN`);
    registry.ask(`PUT ${path}/properties`, { body: { properties: { a: '1' } } });
    registry.ask(`DELETE ${path}`);
    expect(changes).toMatchObject([
      { kind: 'registered', instance: { status: 'UP' }, service: { serviceName: 'orders' } },
      { kind: 'updated', instance: { status: 'DOWN' } },
      { kind: 'updated', instance: { status: 'DOWN', properties: { a: '1' } } },
      { kind: 'removed', instance: { status: 'DOWN', properties: { a: '1' } } },
    ]);
  });

  it('gets the services that depend on the changed one, and the namespace', () => {
    const consumerId = registry.service({ serviceName: 'shop' });
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId });
    registry.instance(serviceId);
    expect(changes).toMatchObject([{ tenant: 'default/default', consumerIds: [consumerId] }]);
  });

  it('is not called for heartbeats, or for the registration of a living instance', () => {
    registry.instance(serviceId, { instanceId: 'own' });
    registry.instance(serviceId, { instanceId: 'own', hostName: 'other' });
    registry.beat(serviceId, 'own');
    expect(kinds()).toEqual(['registered own']);
  });

  it('is not called for instances that are removed with their service, not even when their leases end', () => {
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.ask(`DELETE /microservices/${serviceId}?force=true`);
    registry.clock.advance(20_000);
    expect(kinds()).toEqual(['registered own']);
  });

  it('is called for a forgotten instance as if its lease had ended', () => {
    registry.instance(serviceId, { instanceId: 'own' });
    registry.model.forget('own');
    expect(kinds()).toEqual(['registered own', 'expired own']);
  });

  it('is not called once it is removed', () => {
    stop();
    registry.instance(serviceId);
    expect(changes).toEqual([]);
  });
});

describe('the lease of an instance while there is a listener', () => {
  it('ends at its very moment, without a request', () => {
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.clock.advance(19_999);
    expect(kinds()).toEqual(['registered own']);
    registry.clock.advance(1);
    expect(kinds()).toEqual(['registered own', 'expired own']);
  });

  it('ends on time when it was granted after a longer one', () => {
    registry.instance(serviceId, { instanceId: 'long' });
    registry.instance(serviceId, { instanceId: 'short', ...shortLived });
    registry.clock.advance(20_000);
    expect(kinds()).toEqual(['registered long', 'registered short', 'expired short']);
    registry.clock.advance(100_000);
    expect(kinds().at(-1)).toBe('expired long');
  });

  it('ends when its renewal says', () => {
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.clock.advance(15_000);
    registry.beat(serviceId, 'own');
    registry.clock.advance(19_999);
    expect(kinds()).toEqual(['registered own']);
    registry.clock.advance(1);
    expect(kinds()).toEqual(['registered own', 'expired own']);
  });

  it('ends on time when it was granted before anybody listened', () => {
    stop();
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.model.onChange(change => changes.push(change));
    registry.clock.advance(20_000);
    expect(kinds()).toEqual(['expired own']);
  });

  it('takes no other instance along when its service was removed and registered anew', () => {
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.ask(`DELETE /microservices/${serviceId}?force=true`);
    registry.service();
    registry.clock.advance(10_000);
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.clock.advance(10_000);
    expect(kinds()).toEqual(['registered own', 'registered own']);
    expect(registry.beat(serviceId, 'own')).toBe(200);
  });

  it('uses one timer for all leases, and none without a listener', () => {
    registry.instance(serviceId);
    registry.instance(serviceId, shortLived);
    const another = registry.model.onChange(() => undefined);
    expect(registry.clock.timers).toBe(1);
    stop();
    expect(registry.clock.timers).toBe(1);
    another();
    expect(registry.clock.timers).toBe(0);
    registry.instance(serviceId);
    expect(registry.clock.timers).toBe(0);
  });
});

describe('a listener of renewals', () => {
  it('is called for each heartbeat that renews a lease, over HTTP or WebSocket', () => {
    const heard: string[] = [];
    const stop = registry.model.shared.renewals.renewed.add(({ holder, remainingMs }) =>
      heard.push(`${holder.tenant} ${holder.instanceId} ${remainingMs}`),
    );
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    registry.clock.advance(5000);
    registry.beat(serviceId, 'own');
    registry.ask('PUT /heartbeats', { body: { Instances: [{ serviceId, instanceId: 'own' }] } });
    registry.instance(serviceId, { instanceId: 'own' });
    registry.beat(serviceId, 'unknown');
    stop();
    registry.beat(serviceId, 'own');
    expect(heard).toEqual(Array.from({ length: 3 }, () => 'default/default own 20000'));
  });
});

describe('a listener of services', () => {
  it('is called when one is registered, changed and removed', () => {
    const heard: string[] = [];
    registry.model.shared.serviceChanges.add(({ kind, tenant, service }) =>
      heard.push(`${kind} ${tenant} ${service.serviceName} ${service.properties?.['a'] ?? ''}`),
    );
    const shopId = registry.service({ serviceName: 'shop' });
    registry.ask(`PUT /microservices/${shopId}/properties`, { body: { properties: { a: '1' } } });
    registry.ask(`DELETE /microservices/${shopId}`);
    expect(heard).toEqual([
      'registered default/default shop ',
      'updated default/default shop 1',
      'removed default/default shop 1',
    ]);
  });
});

describe('forgetting an instance', () => {
  it('emits the end of its lease once', () => {
    registry.instance(serviceId, { instanceId: 'own', ...shortLived });
    expect(registry.model.forget('own')).toBe(true);
    registry.clock.advance(60_000);
    expect(kinds()).toEqual(['registered own', 'expired own']);
  });
});
