import { describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';

const full = (resource: string, max: number, current: number) =>
  `400 400100 no quota to create ${resource}, max num is ${max}, curNum is ${current}, apply num is 1`;

describe('the quota of services', () => {
  const add = (registry: TestRegistry, service: object, domain = 'default') =>
    registry.ask('POST /microservices', {
      domain,
      body: { service: { serviceName: 'orders', ...service } },
    });

  it('counts versions, and neither the Service Center nor another project', () => {
    const registry = new TestRegistry({ quotas: { services: 2 } });
    expect(add(registry, { version: '1' }).status).toBe(200);
    expect(add(registry, { version: '2' }).status).toBe(200);
    expect(refusalOf(add(registry, { version: '3' }))).toBe(full('SERVICE', 2, 2));
    expect(add(registry, { version: '3' }, 'other').status).toBe(200);
  });

  it('refuses a service that is there already, too, but a wrong one for what is wrong', () => {
    const registry = new TestRegistry({ quotas: { services: 1 } });
    add(registry, {});
    expect(refusalOf(add(registry, {}))).toBe(full('SERVICE', 1, 1));
    expect(add(registry, { level: 'HIGH' }).json.errorCode).toBe('400001');
  });

  it('has room again once a service is gone', () => {
    const registry = new TestRegistry({ quotas: { services: 1 } });
    const { serviceId } = add(registry, {}).json;
    registry.ask(`DELETE /microservices/${serviceId}`);
    expect(add(registry, {}).status).toBe(200);
  });
});

describe('the quota of instances', () => {
  const add = (registry: TestRegistry, serviceId: string, instance: object = {}) =>
    registry.ask(`POST /microservices/${serviceId}/instances`, {
      body: { instance: { hostName: 'h', ...instance } },
    });

  it('counts those of all services of a project, the Service Center’s own excepted', () => {
    const registry = new TestRegistry({ quotas: { instances: 2 } });
    registry.model.registerSelf('self', { host: 'h', port: 7 });
    const [orders, stock] = [registry.service(), registry.service({ serviceName: 'stock' })];
    expect(add(registry, orders).status).toBe(200);
    expect(add(registry, stock).status).toBe(200);
    expect(refusalOf(add(registry, orders))).toBe(full('INSTANCE', 2, 2));
  });

  it('has room again for each instance that is gone, however it went, once', () => {
    const registry = new TestRegistry({ quotas: { instances: 3 } });
    const [orders, stock] = [registry.service(), registry.service({ serviceName: 'stock' })];
    const fill = () => {
      for (let count = 1; count <= 3; count += 1)
        registry.instance(orders, { instanceId: `${count}` });
      expect(refusalOf(add(registry, stock))).toBe(full('INSTANCE', 3, 3));
    };
    fill();
    registry.ask(`DELETE /microservices/${orders}/instances/1`);
    registry.model.forget('2');
    registry.clock.advance(120_000);
    fill();
    registry.ask(`DELETE /microservices/${orders}?force=1`);
    for (const instanceId of ['a', 'b']) registry.instance(stock, { instanceId });
    // The same instance again is none more, and the leases of the removed service end without effect.
    registry.instance(stock, { instanceId: 'b' });
    registry.clock.advance(60_000);
    for (const id of ['a', 'b']) registry.beat(stock, id);
    registry.clock.advance(60_000);
    expect(add(registry, stock).status).toBe(200);
    expect(refusalOf(add(registry, stock))).toBe(full('INSTANCE', 3, 3));
  });

  it('refuses a living instance, too, and is looked at before the service', () => {
    const registry = new TestRegistry({ quotas: { instances: 1 } });
    const id = registry.service();
    add(registry, id, { instanceId: 'own' });
    expect(refusalOf(add(registry, id, { instanceId: 'own' }))).toBe(full('INSTANCE', 1, 1));
    expect(refusalOf(add(registry, 'unknown'))).toBe(full('INSTANCE', 1, 1));
    expect(add(registry, id, { hostName: '' }).json.errorCode).toBe('400001');
  });

  it('has room again once a lease has run out', () => {
    const registry = new TestRegistry({ quotas: { instances: 1 } });
    const id = registry.service();
    add(registry, id);
    registry.clock.advance(120_000);
    expect(add(registry, id).status).toBe(200);
  });

  it('lets the Service Center register itself however full it is', () => {
    const registry = new TestRegistry({ quotas: { instances: 0, services: 0 } });
    registry.model.registerSelf('self', { host: 'h', port: 7 });
    expect(registry.ask('GET /health').json.instances).toHaveLength(1);
  });
});

describe('the quota of schemas', () => {
  it('is the most that a service may declare, replace, and add', () => {
    const registry = new TestRegistry({ quotas: { schemas: 1 } });
    const id = registry.service({ schemas: ['a'] });
    const service = { serviceName: 'b', schemas: ['a', 'b'] };
    expect(registry.ask('POST /microservices', { body: { service } }).json.detail).toContain(
      "field 'MicroService.Schemas' invalid value '[a b]' does not match rule: {Max: 1, Regexp: ",
    );
    const put = registry.ask(`PUT /microservices/${id}/schemas/b`, { body: { schema: 'x' } });
    expect(refusalOf(put)).toBe(full('SCHEMA', 1, 1));
    const schemas = ['a', 'b'].map(schemaId => ({ schemaId, summary: 's', schema: 'x' }));
    const post = (body: object) => registry.ask(`POST /microservices/${id}/schemas`, { body });
    expect(refusalOf(post({ schemas }))).toBe('400 400001 Invalid request.');
    expect(post({ schemas: schemas.slice(1) }).status).toBe(200);
  });
});

describe('the quota of tags', () => {
  it('is the most that a request may set or remove', () => {
    const registry = new TestRegistry({ quotas: { tags: 1 } });
    const path = `/microservices/${registry.service()}/tags`;
    const set = (tags: object) => registry.ask(`POST ${path}`, { body: { tags } });
    expect(set({ a: 'b' }).status).toBe(200);
    expect(set({ a: 'b', c: 'd' }).json.detail).toContain(
      "field 'AddServiceTagsRequest.Tags' invalid value 'map[a:b c:d]' does not match rule: {Max: 1,",
    );
    expect(registry.ask(`DELETE ${path}/a,c`).json.detail).toContain(
      "field 'DeleteServiceTagsRequest.Keys' invalid value '[a c]' does not match rule: {Min: 1, Max: 1,",
    );
  });

  it('of 0 is no limit, as in any rule of the server', () => {
    const registry = new TestRegistry({ quotas: { tags: 0 } });
    const path = `/microservices/${registry.service()}/tags`;
    expect(registry.ask(`POST ${path}`, { body: { tags: { a: 'b' } } }).status).toBe(200);
  });
});

describe('the quotas', () => {
  it('are the server’s where nothing is said', () => {
    const registry = new TestRegistry({ quotas: { services: undefined } });
    expect(registry.model.quotas).toEqual({
      services: 50_000,
      instances: 150_000,
      schemas: 100,
      tags: 100,
      accounts: 1000,
      roles: 100,
    });
  });

  it('appear as usage in the metrics', () => {
    const registry = new TestRegistry({ quotas: { services: 4, instances: 10 } });
    registry.instance(registry.service());
    const { text } = registry.askTarget('GET', '/metrics');
    expect(text).toContain('service_center_db_service_usage{instance=""} 0.25\n');
    expect(text).toContain('service_center_db_instance_usage{instance=""} 0.1\n');
  });
});
