import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry, ageOfChange, refusalOf } from '../../support/registry.js';

let registry: TestRegistry;
let serviceId: string;
let path: string;

beforeEach(() => {
  registry = new TestRegistry();
  serviceId = registry.service({ version: '1.2.3' });
  path = `/microservices/${serviceId}/instances`;
});

describe('registering an instance', () => {
  it('gives an id of 32 hexadecimal digits to one that brings none, a new one each time', () => {
    const [first, second] = [registry.instance(serviceId), registry.instance(serviceId)];
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
  });

  it('keeps what was sent, and adds status, health check, version and time', () => {
    const sent = {
      instanceId: 'own',
      hostName: 'host-1',
      endpoints: ['rest://10.0.0.1:80'],
      properties: { zone: 'a', empty: '' },
      dataCenterInfo: { name: 'dc', region: 'r', availableZone: 'az' },
    };
    registry.instance(serviceId, sent);
    const now = String(registry.clock.now() / 1000);
    expect(registry.read(serviceId, 'own')).toEqual({
      ...sent,
      serviceId,
      status: 'UP',
      healthCheck: { mode: 'push', interval: 30, times: 3 },
      version: '1.2.3',
      timestamp: now,
      modTimestamp: now,
    });
  });

  it('ignores what is the server’s to say: service, version and times', () => {
    const claims = { serviceId: 'other', version: '9', timestamp: '1', modTimestamp: '1' };
    const instanceId = registry.instance(serviceId, claims);
    expect(registry.read(serviceId, instanceId)).toMatchObject({ serviceId, version: '1.2.3' });
    expect(registry.read(serviceId, instanceId).timestamp).not.toBe('1');
  });

  it('reads keys whatever their case and leaves unknown ones out', () => {
    const body = { INSTANCE: { HostName: 'h', INSTANCEID: 'own', colour: 'red' } };
    expect(registry.ask(`POST ${path}`, { body }).json).toEqual({ instanceId: 'own' });
    expect(registry.read(serviceId, 'own')).not.toHaveProperty('colour');
  });

  it('only renews a living id: the record stays, and so does the revision', () => {
    registry.instance(serviceId, { instanceId: 'own', hostName: 'first' });
    const before = registry.ask(`GET ${path}`).headers['X-Resource-Revision'];
    registry.clock.advance(100_000);
    registry.instance(serviceId, { instanceId: 'own', hostName: 'second' });
    registry.clock.advance(100_000);
    expect(registry.read(serviceId, 'own')).toMatchObject({ hostName: 'first' });
    expect(registry.ask(`GET ${path}`).headers['X-Resource-Revision']).toBe(before);
  });

  it('registers anew once the lease of the id is over', () => {
    registry.instance(serviceId, { instanceId: 'own', hostName: 'first' });
    registry.clock.advance(120_000);
    registry.instance(serviceId, { instanceId: 'own', hostName: 'second' });
    expect(registry.read(serviceId, 'own')).toMatchObject({ hostName: 'second' });
  });

  it('keeps the same id under two services apart', () => {
    const other = registry.service({ serviceName: 'other' });
    registry.instance(serviceId, { instanceId: 'own', hostName: 'a' });
    registry.instance(other, { instanceId: 'own', hostName: 'b' });
    expect(registry.read(serviceId, 'own').hostName).toBe('a');
    expect(registry.read(other, 'own').hostName).toBe('b');
  });

  it('is refused for an unknown service, after its fields have been checked', () => {
    const unknown = 'POST /microservices/unknown/instances';
    const right = { instance: { hostName: 'h' } };
    const wrong = { instance: {} };
    expect(refusalOf(registry.ask(unknown, { body: right }))).toBe(
      "400 400012 Invalid 'serviceID' in request body.",
    );
    expect(refusalOf(registry.ask(unknown, { body: wrong }))).toMatch(/^400 400001 field/);
  });
});

describe('an instance', () => {
  it('is gone at once after it was unregistered, and a second time is refused', () => {
    const instanceId = registry.instance(serviceId);
    expect(registry.ask(`DELETE ${path}/${instanceId}`)).toMatchObject({ status: 200, text: '' });
    expect(registry.beat(serviceId, instanceId)).toBe(400);
    expect(refusalOf(registry.ask(`DELETE ${path}/${instanceId}`))).toBe(
      "400 400017 Instance's leaseId not exist.",
    );
  });

  it('changes its status, its time of change and the revision', () => {
    const instanceId = registry.instance(serviceId);
    const { headers } = registry.ask(`GET ${path}`);
    registry.clock.advance(5000);
    registry.ask(`PUT ${path}/${instanceId}/status?value=OUTOFSERVICE`);
    const instance = registry.read(serviceId, instanceId);
    expect(instance.status).toBe('OUTOFSERVICE');
    expect(ageOfChange(instance)).toBe(5);
    expect(registry.ask(`GET ${path}`).headers).not.toEqual(headers);
  });

  it('has its properties replaced as a whole, by nothing too', () => {
    const instanceId = registry.instance(serviceId, { properties: { a: '1' } });
    const put = `PUT ${path}/${instanceId}/properties`;
    registry.ask(put, { body: { properties: { b: '2' } } });
    expect(registry.read(serviceId, instanceId).properties).toEqual({ b: '2' });
    registry.ask(put, { body: {} });
    expect(registry.read(serviceId, instanceId)).not.toHaveProperty('properties');
  });

  it('has its properties replaced under the ids of the body, where it has any', () => {
    const instanceId = registry.instance(serviceId);
    const body = { serviceId, instanceId, properties: { a: '1' } };
    registry.ask('PUT /microservices/x/instances/y/properties', { body });
    expect(registry.read(serviceId, instanceId).properties).toEqual({ a: '1' });
  });

  it('is found by the beginning of its id, the exact id first', () => {
    registry.instance(serviceId, { instanceId: 'own-10' });
    registry.instance(serviceId, { instanceId: 'own-1' });
    expect(registry.read(serviceId, 'own-1').instanceId).toBe('own-1');
    expect(registry.read(serviceId, 'own-10').instanceId).toBe('own-10');
    expect(registry.read(serviceId, 'ow').instanceId).toBe('own-1');
  });

  it('is refused with a message that names consumer and provider', () => {
    const consumerId = registry.service({ serviceName: 'shop', version: '2' });
    expect(refusalOf(registry.ask(`GET ${path}/nobody`, { consumerId }))).toBe(
      `400 400017 Consumer[${consumerId}][/default/shop/2] find provider[${serviceId}]` +
        '[/default/orders/1.2.3] instance[nobody] failed, provider instance does not exist',
    );
  });

  it('is refused when its service, or the consumer, is unknown', () => {
    expect(refusalOf(registry.ask('GET /microservices/x/instances/y'))).toBe(
      '400 400012 Provider[x] does not exist.',
    );
    expect(refusalOf(registry.ask(`GET ${path}/y`, { consumerId: 'z' }))).toBe(
      '400 400012 Consumer[z] does not exist.',
    );
  });
});

describe('the instances of a service', () => {
  it('are returned with a revision, and not again if the client has it', () => {
    registry.instance(serviceId);
    const { headers, json } = registry.ask(`GET ${path}`);
    const revision = headers['X-Resource-Revision'];
    expect(json.instances).toHaveLength(1);
    expect(registry.ask(`GET ${path}?rev=${revision}`)).toMatchObject({ status: 304, text: '' });
    expect(registry.ask(`GET ${path}?rev=${revision}&noCache=1`).status).toBe(200);
    expect(registry.ask(`GET ${path}?rev=${revision}&cacheOnly=TRUE`).status).toBe(200);
    expect(registry.ask(`GET ${path}?rev=other`).status).toBe(200);
  });

  it('are refused when they lack a tag that is wanted', () => {
    registry.ask(`POST /microservices/${serviceId}/tags`, { body: { tags: { a: 'x' } } });
    expect(registry.ask(`GET ${path}?tags=a`).status).toBe(200);
    expect(refusalOf(registry.ask(`GET ${path}?tags=a,b`))).toBe(
      `400 400012 Consumer[][///] find provider[${serviceId}][/default/orders/1.2.3] instances` +
        ' failed, provider instance does not exist',
    );
    expect(registry.ask(`GET ${path}/x?tags=b`).json.errorCode).toBe('400017');
  });
});

describe('the registry from within', () => {
  it('returns all instances of all namespaces except its own', () => {
    registry.model.registerSelf('self', { host: 'h', port: 1 });
    registry.instance(serviceId, { instanceId: 'a' });
    const elsewhere = { domain: 'other' };
    registry.instance(registry.service({}, elsewhere), { instanceId: 'b' }, elsewhere);
    expect(registry.model.snapshot()).toMatchObject([
      { instanceId: 'a', domain: 'default', project: 'default', leaseRemainingMs: 120_000 },
      { instanceId: 'b', domain: 'other', project: 'default' },
    ]);
  });

  it('forgets an instance as if its lease were over', () => {
    const instanceId = registry.instance(serviceId);
    expect(registry.model.forget(instanceId)).toBe(true);
    expect(registry.beat(serviceId, instanceId)).toBe(400);
    expect(registry.model.forget(instanceId)).toBe(false);
  });

  it('forgets a service with its instances, but never itself', () => {
    const instanceId = registry.instance(serviceId);
    expect(registry.model.forgetService(serviceId)).toBe(true);
    expect(registry.ask(`GET /microservices/${serviceId}`).status).toBe(400);
    expect(registry.beat(serviceId, instanceId)).toBe(400);
    expect(registry.model.forgetService(serviceId)).toBe(false);
    expect(registry.model.forgetService('7062417bf9ebd4c646bb23059003cea42180894a')).toBe(false);
  });
});

describe('namespaces', () => {
  it('share nothing: neither services nor instances nor lists', () => {
    const instanceId = registry.instance(serviceId);
    const below = `/microservices/${serviceId}`;
    for (const [prefix, domain] of [
      ['/v4/other/registry', 'default'],
      ['/v4/default/registry', 'other'],
    ] as const) {
      const ask = (line: string) => registry.ask(line, { domain });
      expect(ask(`GET ${prefix}${below}`).json.errorCode).toBe('400012');
      expect(ask(`PUT ${prefix}${below}/instances/${instanceId}/heartbeat`).status).toBe(400);
      expect(ask(`GET ${prefix}/microservices`).json).toEqual({});
      const find = `GET ${prefix}/instances?appId=default&serviceName=orders`;
      expect(ask(find).json.errorCode).toBe('400012');
    }
  });

  it('make other ids of the same service', () => {
    const other = registry.service({ version: '1.2.3' }, { domain: 'other' });
    expect(other).not.toBe(serviceId);
  });
});

describe('the status of many instances', () => {
  const set = (body: unknown) => registry.ask('PUT /instances/status', { body });
  const statuses = () =>
    registry
      .ask('GET /instances?appId=default&serviceName=orders')
      .json.instances.map(({ instanceId, status }) => [instanceId, status]);

  it('is set where all properties match, and nowhere else', () => {
    const id = registry.service();
    registry.instance(id, { instanceId: 'a', properties: { zone: '1', rack: '1' } });
    registry.instance(id, { instanceId: 'b', properties: { zone: '1' } });
    registry.instance(id, { instanceId: 'c' });
    const matches = { properties: { zone: '1', rack: '1' } };
    expect(set({ matches, status: 'DOWN' })).toMatchObject({ status: 200, text: '' });
    expect(statuses()).toEqual([
      ['a', 'DOWN'],
      ['b', 'UP'],
      ['c', 'UP'],
    ]);
  });

  it('is set everywhere in the namespace when nothing is to match, and is not checked', () => {
    const id = registry.service();
    registry.instance(id, { instanceId: 'a' });
    const other = registry.service({}, { domain: 'other' });
    registry.instance(other, { instanceId: 'b' }, { domain: 'other' });
    set({ status: 'SLEEPING' });
    expect(statuses()).toEqual([['a', 'SLEEPING']]);
    const told = registry.ask(`GET /microservices/${other}/instances/b`, { domain: 'other' });
    expect(told.json.instance.status).toBe('UP');
  });

  it('changes the revision, but neither the lease nor the time of change', () => {
    const id = registry.service();
    registry.instance(id, { instanceId: 'a' });
    const revision = () =>
      registry.ask(`GET /microservices/${id}/instances`).headers['X-Resource-Revision'];
    const before = revision();
    registry.clock.advance(119_000);
    set({ status: 'DOWN' });
    expect(revision()).not.toBe(before);
    expect(ageOfChange(registry.read(id, 'a'))).toBe(0);
    registry.clock.advance(1_000);
    expect(registry.beat(id, 'a')).toBe(400);
  });

  it('is refused with `Unmarshal error` if the body is not the right JSON', () => {
    expect(refusalOf(set('{'))).toBe('400 400001 Unmarshal error');
    expect(refusalOf(set({ matches: { properties: { a: 1 } } }))).toBe(
      '400 400001 Unmarshal error',
    );
  });
});
