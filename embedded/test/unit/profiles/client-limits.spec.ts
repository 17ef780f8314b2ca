import { describe, expect, it } from '@jest/globals';
import type { LimitWarning } from '../../../lib/index.js';
import { TestRegistry } from '../../support/registry.js';
import type { AskOptions, TestRegistryOptions } from '../../support/registry.js';

function withInstance(options: TestRegistryOptions) {
  const registry = new TestRegistry(options);
  const { limits } = registry.profile;
  const serviceId = registry.service({ serviceId: 'orders' });
  const instanceId = registry.instance(serviceId, { instanceId: 'own' });
  const beatAfter = (ms: number) => {
    registry.clock.advance(ms);
    expect(registry.beat(serviceId, instanceId)).toBe(200);
  };
  return { registry, limits, beatAfter };
}

describe('heartbeats of a cloud', () => {
  it.each([
    ['cse-exclusive', 20_000],
    ['cse-professional', 30_000],
  ] as const)('are told by %s when they come sooner than each %d ms', (profile, minDistanceMs) => {
    const { registry, limits, beatAfter } = withInstance({ profile });
    beatAfter(1000);
    beatAfter(15_000);
    expect(limits.warnings).toEqual([
      {
        kind: 'heartbeat-too-soon',
        at: registry.clock.now(),
        domain: 'default',
        project: 'default',
        serviceId: 'orders',
        instanceId: 'own',
        distanceMs: 15_000,
        minDistanceMs,
      },
    ]);
  });

  it('are in time at the interval itself, and when a request has taken a little longer', () => {
    const { limits, beatAfter } = withInstance({ profile: 'cse-professional' });
    for (const ms of [30_000, 29_600, 45_000]) beatAfter(ms);
    expect(limits.warnings).toEqual([]);
  });

  it('are measured for each instance on its own, and anew after it was registered again', () => {
    const { registry, limits, beatAfter } = withInstance({ profile: 'cse-exclusive' });
    registry.instance('orders', { instanceId: 'other' });
    beatAfter(0);
    expect(registry.beat('orders', 'other')).toBe(200);
    registry.ask('DELETE /microservices/orders/instances/own');
    registry.instance('orders', { instanceId: 'own' });
    beatAfter(1);
    expect(limits.warnings).toEqual([]);
  });

  it('count in a batch as well, and not when they fail', () => {
    const { registry, limits, beatAfter } = withInstance({ profile: 'cse-exclusive' });
    beatAfter(0);
    const instances = ['own', 'none'].map(instanceId => ({ serviceId: 'orders', instanceId }));
    registry.ask('PUT /heartbeats', { body: { instances } });
    expect(limits.warnings).toMatchObject([{ instanceId: 'own', distanceMs: 0 }]);
  });

  it("are nothing to tell of at Apache's", () => {
    const { limits, beatAfter } = withInstance({});
    beatAfter(0);
    beatAfter(0);
    expect(limits.warnings).toEqual([]);
  });
});

describe('service discovery of a cloud', () => {
  const domain = 'default';
  const withConsumer = (options: TestRegistryOptions, instances = 0) => {
    const registry = new TestRegistry(options);
    const { limits } = registry.profile;
    const consumerId = registry.service({ serviceId: 'shop', serviceName: 'shop' }, { domain });
    for (let at = 0; at < instances; at += 1) registry.instance(consumerId, {}, { domain });
    const findAfter = (ms: number, asker: AskOptions = { consumerId }) => {
      registry.clock.advance(ms);
      return registry.ask('GET /instances?appId=default&serviceName=orders&version=latest', {
        ...asker,
        domain,
      });
    };
    return { registry, limits, findAfter };
  };

  it.each([
    ['cse-exclusive', 20_000],
    ['cse-professional', 30_000],
    ['cse-legacy', 30_000],
  ] as const)('is told by %s when it comes sooner than each %d ms', (profile, minDistanceMs) => {
    const { registry, limits, findAfter } = withConsumer({ profile });
    findAfter(0);
    findAfter(15_000);
    const where = { domain: 'default', project: 'default', serviceId: 'shop' };
    const at = registry.clock.now();
    expect(limits.warnings).toEqual([
      { kind: 'find-too-soon', at, ...where, instances: 1, distanceMs: 15_000, minDistanceMs },
    ]);
  });

  it('counts a batch as one, and whatever the answer is', () => {
    const { registry, limits, findAfter } = withConsumer({ profile: 'cse-exclusive' });
    const services = ['orders', 'stock'].map(serviceName => ({
      service: { appId: 'default', serviceName },
    }));
    const body = { services };
    registry.ask('POST /instances/action?type=query', { consumerId: 'shop', body });
    expect(limits.warnings).toEqual([]);
    expect(findAfter(1000).status).toBe(400);
    expect(limits.warnings).toMatchObject([{ distanceMs: 1000 }]);
  });

  it('may come from each instance of the consumer', () => {
    const { limits, findAfter } = withConsumer({ profile: 'cse-exclusive' }, 2);
    for (const ms of [0, 5000, 15_000, 5000]) findAfter(ms);
    expect(limits.warnings).toEqual([]);
    findAfter(1000);
    expect(limits.warnings).toMatchObject([{ instances: 2, distanceMs: 6000 }]);
  });

  it('is in time when a request has taken a little longer', () => {
    const { limits, findAfter } = withConsumer({ profileOverrides: { minFindMs: 1000 } });
    for (const ms of [0, 980, 1000]) findAfter(ms);
    expect(limits.warnings).toEqual([]);
    findAfter(979);
    expect(limits.warnings).toHaveLength(1);
  });

  it('is not measured without a consumer, nor without a limit', () => {
    const cloud = withConsumer({ profile: 'cse-exclusive' });
    const apache = withConsumer({});
    for (let count = 0; count < 3; count += 1) {
      cloud.findAfter(0, {});
      apache.findAfter(0);
    }
    expect([...cloud.limits.warnings, ...apache.limits.warnings]).toEqual([]);
  });
});

describe('registrations of a cloud', () => {
  const register = (registry: TestRegistry) =>
    registry.ask('POST /microservices/orders/instances', { body: { instance: { hostName: 'h' } } });

  it('are refused after ten in a second, with the answer of the gateway, and reported', () => {
    const { registry, limits } = withInstance({ profile: 'cse-professional' });
    for (let count = 1; count < 10; count += 1) expect(register(registry).status).toBe(200);
    expect(register(registry)).toMatchObject({
      status: 429,
      json: {
        error_code: 'APIGW.0308',
        error_msg: expect.stringContaining('limit:10,time:1 second'),
      },
    });
    expect(limits.warnings).toMatchObject([
      { kind: 'registration-throttled', serviceId: 'orders', limitPerSecond: 10 },
    ]);
  });

  it('are taken again a second later', () => {
    const { registry } = withInstance({ profileOverrides: { registrationsPerSecond: 1 } });
    registry.clock.advance(999);
    expect(register(registry).status).toBe(429);
    registry.clock.advance(1);
    expect(register(registry).status).toBe(200);
  });

  it('are refused in plain text without a gateway', () => {
    const { registry } = withInstance({ profileOverrides: { registrationsPerSecond: 1 } });
    expect(register(registry)).toMatchObject({ status: 429, text: 'Too Many Requests\n' });
  });
});

describe('warnings', () => {
  it('are passed to listeners until they are removed', () => {
    const { limits, beatAfter } = withInstance({ profileOverrides: { minHeartbeatMs: 1000 } });
    const told: LimitWarning[] = [];
    const remove = limits.onWarning(warning => told.push(warning));
    beatAfter(0);
    beatAfter(10);
    remove();
    beatAfter(10);
    expect(told).toEqual(limits.warnings.slice(0, 1));
    expect(limits.warnings).toHaveLength(2);
  });

  it('are kept to the last thousand', () => {
    const { limits, beatAfter } = withInstance({ profileOverrides: { minHeartbeatMs: 10_000 } });
    for (let count = 0; count < 2002; count += 1) beatAfter(1);
    expect(limits.warnings).toHaveLength(1000);
  });
});
