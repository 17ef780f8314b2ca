import { describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';

function registered(healthCheck?: object, floors = {}) {
  const registry = new TestRegistry(floors);
  const serviceId = registry.service();
  const instanceId = registry.instance(serviceId, healthCheck ? { healthCheck } : {});
  return { registry, serviceId, instanceId, clock: registry.clock };
}

describe('the lease of an instance', () => {
  it.each([
    ['120 s without a health check', undefined, 120],
    ['interval × (times + 1)', { mode: 'push', interval: 15, times: 3 }, 60],
    ['no shorter than the floors allow', { mode: 'push', interval: 1, times: 0 }, 20],
    ['no fewer times than the floor', { mode: 'push', interval: 60, times: 1 }, 240],
    ['120 s for mode pull, whatever it says', { mode: 'pull', interval: 7, times: 1 }, 120],
  ])('lasts %s', (_, healthCheck, seconds) => {
    const { registry, clock, serviceId, instanceId } = registered(healthCheck);
    clock.advance(seconds * 1000 - 1);
    expect(registry.read(serviceId, instanceId)).toBeDefined();
    clock.advance(1);
    expect(registry.read(serviceId, instanceId)).toBeUndefined();
  });

  it('has the floors it is set up with', () => {
    const floors = { minIntervalMs: 2000, minTimes: 1 };
    const { registry } = registered({ mode: 'push', interval: 1, times: 0 }, floors);
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 4000 }]);
  });

  it('has a floor of whole seconds', () => {
    const floors = { minIntervalMs: 2900, minTimes: 0 };
    const { registry } = registered({ mode: 'push', interval: 1, times: 0 }, floors);
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 2000 }]);
  });

  it('has no floor but a second when the floor is below one', () => {
    const floors = { minIntervalMs: 200, minTimes: 0 };
    const { registry } = registered({ mode: 'push', interval: 1, times: 0 }, floors);
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 1000 }]);
  });

  it('is a second where the product overflows 32 bits', () => {
    const { registry } = registered({ mode: 'push', interval: 2_147_483_647, times: 3 });
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 1000 }]);
  });

  it('starts again in full with each heartbeat', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    clock.advance(119_000);
    expect(registry.beat(serviceId, instanceId)).toBe(200);
    clock.advance(119_999);
    expect(registry.beat(serviceId, instanceId)).toBe(200);
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 120_000 }]);
  });

  it('is over at its very end: a heartbeat then is refused', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    clock.advance(120_000);
    const path = `/microservices/${serviceId}/instances/${instanceId}/heartbeat`;
    expect(refusalOf(registry.ask(`PUT ${path}`))).toBe(
      '400 400017 leaseId not exist, instance not exist',
    );
  });

  it('ends by itself, without a request about the instance', () => {
    const { registry, clock, serviceId } = registered();
    registry.instance(serviceId, { healthCheck: { mode: 'push', interval: 5, times: 3 } });
    clock.advance(20_000);
    expect(registry.model.snapshot()).toHaveLength(1);
    clock.advance(100_000);
    expect(registry.model.snapshot()).toEqual([]);
  });

  it('takes no other instance along when it ends after the id was registered anew', () => {
    const { registry, clock, serviceId } = registered();
    registry.instance(serviceId, { instanceId: 'own' });
    clock.advance(60_000);
    registry.ask(`DELETE /microservices/${serviceId}/instances/own`);
    registry.instance(serviceId, { instanceId: 'own' });
    clock.advance(60_000);
    expect(registry.beat(serviceId, 'own')).toBe(200);
    clock.advance(119_999);
    expect(registry.read(serviceId, 'own')).toBeDefined();
  });

  it('is dropped for good when it was renewed and then given up', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    clock.advance(60_000);
    registry.beat(serviceId, instanceId);
    registry.ask(`DELETE /microservices/${serviceId}/instances/${instanceId}`);
    clock.advance(60_000);
    expect(registry.model.snapshot()).toEqual([]);
    clock.advance(60_000);
    expect(registry.model.snapshot()).toEqual([]);
  });

  it('is not touched by a change of status or properties', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    clock.advance(60_000);
    const path = `/microservices/${serviceId}/instances/${instanceId}`;
    registry.ask(`PUT ${path}/status?value=DOWN`);
    registry.ask(`PUT ${path}/properties`, { body: { properties: { a: '1' } } });
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 60_000 }]);
  });

  it('is renewed by a heartbeat of an instance that is DOWN', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    registry.ask(`PUT /microservices/${serviceId}/instances/${instanceId}/status?value=DOWN`);
    clock.advance(60_000);
    expect(registry.beat(serviceId, instanceId)).toBe(200);
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 120_000 }]);
  });
});

describe('a batch of heartbeats', () => {
  it('renews known instances and returns an error for the others', () => {
    const { registry, clock, serviceId, instanceId } = registered();
    clock.advance(60_000);
    const instances = [
      { serviceId, instanceId },
      { serviceId, instanceId: 'nobody' },
      { serviceId, instanceId },
    ];
    expect(registry.ask('PUT /heartbeats', { body: { instances } })).toMatchObject({
      status: 200,
      json: {
        instances: [
          { serviceId, instanceId },
          {
            instanceId: 'nobody',
            errMessage: 'Instance does not exist(leaseId not exist, instance not exist)',
          },
        ],
      },
    });
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 120_000 }]);
  });

  it('does not check ids, nor whether they are there', () => {
    const body = { instances: [null, { instanceId: 'a b' }] };
    const { json } = new TestRegistry().ask('PUT /heartbeats', { body });
    const errMessage = 'Instance does not exist(leaseId not exist, instance not exist)';
    expect(json).toEqual({ instances: [{ errMessage }, { instanceId: 'a b', errMessage }] });
  });

  it.each<[unknown]>([[{}], [{ instances: [] }], ['null']])(
    'is refused when it is empty: %j',
    body => {
      const told = new TestRegistry().ask('PUT /heartbeats', { body });
      expect(refusalOf(told)).toBe('400 400001 Request format invalid.');
    },
  );

  it('is refused when it is no JSON of the right form', () => {
    const told = new TestRegistry().ask('PUT /heartbeats', { body: { instances: [1] } });
    expect(refusalOf(told)).toBe('400 400001 Unmarshal error');
  });
});
