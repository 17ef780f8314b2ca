import { describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';
import type { AskOptions } from '../../support/registry.js';

const unavailable = '500 500011 context deadline exceeded';
const internal = '500 500003 context deadline exceeded';

/** Creates a registry with one instance and then takes its store down. */
function stage() {
  const registry = new TestRegistry();
  const serviceId = registry.service({ schemas: ['api'] });
  registry.instance(serviceId, {
    instanceId: 'own',
    healthCheck: { mode: 'push', interval: 5, times: 3 },
  });
  const { oddities } = registry.model;
  oddities.set({ storeDown: true });
  const outcome = (line: string, options: AskOptions = {}) => {
    const told = registry.ask(line.replaceAll('S/', `/microservices/${serviceId}/`), options);
    return told.status === 200 ? '200' : refusalOf(told);
  };
  return { registry, clock: registry.clock, serviceId, oddities, outcome };
}

describe('storeDown', () => {
  it.each([
    ['a heartbeat', 'PUT S/instances/own/heartbeat'],
    ['a find', 'GET /instances?appId=default&serviceName=orders'],
    ['a list', 'GET S/instances'],
    ['a read', 'GET S/instances/own'],
    [
      'a look for a service',
      'GET /existence?type=microservice&appId=default&serviceName=orders&version=0.0.1',
    ],
  ])('leaves %s as it is', (_, line) => {
    expect(stage().outcome(line)).toBe('200');
  });

  it('takes a POST of a living instance for a heartbeat', () => {
    const body = { instance: { instanceId: 'own', hostName: 'h' } };
    expect(stage().outcome('POST S/instances', { body })).toBe('200');
  });

  it.each([
    ['a registration', 'POST S/instances', { instance: { hostName: 'h' } }],
    ['a removal', 'DELETE S/instances/own', ''],
    ['a change of status', 'PUT S/instances/own/status?value=DOWN', ''],
    ['a change of properties', 'PUT S/instances/own/properties', { properties: {} }],
    ['a change of many', 'PUT /instances/status', { status: 'UP' }],
    ['a heartbeat of an unknown instance', 'PUT S/instances/other/heartbeat', ''],
    ['the registration of a service', 'POST /microservices', { service: { serviceName: 'x' } }],
    ['the removal of a service', 'DELETE /microservices/ID', ''],
    ['a change of a service', 'PUT S/properties', { properties: {} }],
    ['tags', 'POST S/tags', { tags: { a: 'b' } }],
    ['a tag', 'PUT S/tags/a?value=b', ''],
    ['the removal of a tag', 'DELETE S/tags/a', ''],
    ['a schema', 'PUT S/schemas/api', { schema: '{}', summary: 's' }],
    [
      'all schemas',
      'POST S/schemas',
      { schemas: [{ schemaId: 'api', schema: '{}', summary: 's' }] },
    ],
    ['the removal of a schema', 'DELETE S/schemas/api', ''],
    ['a look at a schema', 'GET S/schemas/api', ''],
    ['a look at all schemas', 'GET S/schemas', ''],
    [
      'dependencies',
      'POST /dependencies',
      {
        dependencies: [
          {
            consumer: { appId: 'default', serviceName: 'orders', version: '0.0.1' },
            providers: [{ serviceName: 'p' }],
          },
        ],
      },
    ],
  ])('refuses %s', (_, line, body) => {
    const { outcome, serviceId } = stage();
    expect(outcome(line.replace('/ID', `/${serviceId}`), { body })).toBe(unavailable);
  });

  it.each([
    ['past the cache', 'GET S/instances?noCache=1'],
    ['of an unknown instance', 'GET S/instances/other'],
    ['of an unknown service', 'GET /microservices/nobody'],
    ['of services past the cache', 'GET /microservices?noCache=1'],
    [
      'after a service that is not known',
      'GET /existence?type=microservice&appId=default&serviceName=nobody&version=0.0.1',
    ],
    ['with a revision that is not the cache’s', 'GET S/instances?rev=x'],
    ['of a service that is not known', 'GET /instances?appId=default&serviceName=nobody'],
  ])('refuses a read %s', (_, line) => {
    expect(stage().outcome(line)).toBe(internal);
  });

  it('reports failures in a batch', () => {
    const { registry, serviceId } = stage();
    const instances = ['own', 'other'].map(instanceId => ({ serviceId, instanceId }));
    const { json } = registry.ask('PUT /heartbeats', { body: { instances } });
    const errMessage = 'Registry service is unavailable(context deadline exceeded)';
    expect(json.instances).toEqual([
      { serviceId, instanceId: 'own' },
      { serviceId, instanceId: 'other', errMessage },
    ]);
  });

  it('checks a request before it asks the store', () => {
    const { outcome } = stage();
    expect(outcome('POST S/instances', { body: { instance: {} } })).toMatch(/^400 400001/);
  });

  it('changes nothing', () => {
    const { registry, oddities, outcome, serviceId } = stage();
    outcome('PUT S/instances/own/status?value=DOWN');
    outcome('DELETE S/instances/own');
    oddities.set({ storeDown: false });
    expect(registry.read(serviceId, 'own').status).toBe('UP');
  });

  it('does not keep a test from forgetting an instance', () => {
    const { registry } = stage();
    expect(registry.model.forget('own')).toBe(true);
    expect(registry.model.snapshot()).toEqual([]);
  });

  it('lets no lease end, watched or not, and starts all anew once the store is back', () => {
    const { registry, clock, oddities, serviceId } = stage();
    const gone: string[] = [];
    registry.model.onChange(({ instance }) => gone.push(instance.instanceId));
    clock.advance(60_000);
    expect(registry.read(serviceId, 'own')).toBeDefined();
    oddities.set({ storeDown: false });
    clock.advance(19_999);
    expect(gone).toEqual([]);
    clock.advance(1);
    expect(gone).toEqual(['own']);
  });

  it('starts all leases anew also when it was down for no time: a restart of the store', () => {
    const { registry, clock, oddities } = stage();
    oddities.set({ storeDown: false });
    clock.advance(15_000);
    oddities.set({ storeDown: true });
    oddities.set({ storeDown: false });
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 20_000 }]);
  });

  it('does not renew by heartbeats, which are answered all the same', () => {
    const { registry, clock, oddities, outcome } = stage();
    clock.advance(5000);
    oddities.set({ renewalStepMs: 1000 });
    for (let count = 0; count < 3; count += 1) {
      expect(outcome('PUT S/instances/own/heartbeat')).toBe('200');
      clock.advance(1000);
    }
    expect(registry.model.snapshot()).toMatchObject([{ leaseRemainingMs: 12_000 }]);
  });

  it('gives an instance that is seen no longer than its lease no more time', () => {
    const { registry, clock, oddities } = stage();
    oddities.clear();
    clock.advance(20_000);
    oddities.set({ storeDown: true });
    expect(registry.model.snapshot()).toEqual([]);
  });
});

describe('the health of a server', () => {
  it('turns bad some time after its store went down, and good some time after it is back', () => {
    const { clock, oddities, outcome } = stage();
    const health = () => outcome('GET /health');
    clock.advance(47_999);
    expect(health()).toBe('200');
    clock.advance(1);
    expect(health()).toBe('400 400002 context deadline exceeded');
    oddities.set({ storeDown: false });
    clock.advance(29_999);
    expect(health()).toBe('400 400002 context deadline exceeded');
    clock.advance(1);
    expect(health()).toBe('200');
  });

  it('stays good when the store is back before that', () => {
    const { clock, oddities, outcome } = stage();
    clock.advance(47_999);
    oddities.set({ storeDown: false });
    expect(outcome('GET /health')).toBe('200');
    clock.advance(60_000);
    expect(outcome('GET /health')).toBe('200');
  });

  it('is bad again at once when the store goes down while the server still complains', () => {
    const { clock, oddities, outcome } = stage();
    clock.advance(48_000);
    oddities.set({ storeDown: false });
    clock.advance(10_000);
    oddities.set({ storeDown: true });
    expect(outcome('GET /health')).toMatch(/^400 400002/);
  });

  it('counts from the start for a server that starts without its store', () => {
    const registry = new TestRegistry({ oddities: { storeDown: true, unhealthyAfterMs: 1000 } });
    registry.clock.advance(1000);
    expect(registry.ask('GET /health').status).toBe(400);
  });
});
