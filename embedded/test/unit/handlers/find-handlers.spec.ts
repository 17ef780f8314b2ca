import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';
import type { AskOptions } from '../../support/registry.js';

let registry: TestRegistry;
let provider: string;

beforeEach(() => {
  registry = new TestRegistry();
  provider = registry.service({ version: '1.0.0' });
});

const find = (query = '', options: AskOptions = {}) =>
  registry.ask(`GET /instances?appId=default&serviceName=orders${query}`, options);
const revision = () => find().headers['X-Resource-Revision'];
const idsOf = (told: ReturnType<typeof find>) =>
  (told.json.instances ?? []).map(({ instanceId }) => instanceId);

describe('the revision of a find', () => {
  it('is that of nothing while there are no instances', () => {
    expect(revision()).toBe('97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe');
  });

  it('changes with every change of an instance, and comes back to nothing at the end', () => {
    const path = `/microservices/${provider}/instances/own`;
    const changes = [
      () => registry.instance(provider, { instanceId: 'own' }),
      () => registry.ask(`PUT ${path}/status?value=DOWN`),
      () => registry.ask(`PUT ${path}/properties`, { body: {} }),
      () => registry.instance(provider),
      () => registry.ask(`DELETE ${path}`),
    ];
    const revisions = changes.map(change => {
      change();
      return revision();
    });
    expect(new Set(revisions).size).toBe(changes.length);
    registry.clock.advance(120_000);
    expect(revision()).toBe('97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe');
  });

  it('changes when the last of two leases runs out first', () => {
    registry.instance(provider);
    registry.instance(provider, { healthCheck: { mode: 'push', interval: 5, times: 3 } });
    const before = revision();
    registry.clock.advance(20_000);
    expect(revision()).not.toBe(before);
  });

  it('does not change with a heartbeat, nor with another service', () => {
    const instanceId = registry.instance(provider);
    const before = revision();
    registry.beat(provider, instanceId);
    registry.instance(registry.service({ serviceName: 'other' }));
    expect(revision()).toBe(before);
    expect(find(`&rev=${before}`)).toMatchObject({ status: 304, text: '' });
  });
});

describe('a find', () => {
  it('returns the instances of all versions, whatever their status', () => {
    registry.instance(provider, { instanceId: 'a' });
    const second = registry.service({ version: '2.0.0' });
    registry.instance(second, { instanceId: 'b', status: 'OUTOFSERVICE' });
    expect(idsOf(find('&version=1.0.0'))).toEqual(['a', 'b']);
  });

  it('asks for an alias where no service has the name', () => {
    registry.instance(registry.service({ serviceName: 'x', alias: 'app:x' }), { instanceId: 'a' });
    expect(idsOf(registry.ask('GET /instances?appId=default&serviceName=app:x'))).toEqual(['a']);
  });

  it('leaves out services that lack a tag that is wanted', () => {
    registry.instance(provider, { instanceId: 'a' });
    registry.ask(`POST /microservices/${provider}/tags`, { body: { tags: { t: 'x' } } });
    registry.instance(registry.service({ version: '2.0.0' }), { instanceId: 'b' });
    expect(idsOf(find('&tags=t'))).toEqual(['a']);
    expect(find('&tags=t,u')).toMatchObject({ status: 200, json: {} });
  });

  it('takes the environment of the consumer, not of the query', () => {
    const testing = registry.service({ environment: 'testing' });
    registry.instance(provider, { instanceId: 'a' });
    registry.instance(testing, { instanceId: 'b' });
    const consumerId = registry.service({ serviceName: 'shop', environment: 'testing' });
    expect(idsOf(find('&env='))).toEqual(['a']);
    expect(idsOf(find('&env=testing'))).toEqual(['b']);
    expect(idsOf(find('', { consumerId }))).toEqual(['b']);
    const inNone = registry.service({ serviceName: 'shop' });
    expect(idsOf(find('&env=testing', { consumerId: inNone }))).toEqual(['a']);
  });

  it('of a provider that is unknown is refused, with both sides named', () => {
    const consumerId = registry.service({ serviceName: 'shop', environment: 'testing' });
    expect(refusalOf(find('', { consumerId }))).toBe(
      `400 400012 Consumer[${consumerId}][testing/default/shop/0.0.1] find provider` +
        '[testing/default/orders] failed, provider does not exist',
    );
  });
});

describe('another application', () => {
  let consumerId: string;

  beforeEach(() => {
    consumerId = registry.service({ serviceName: 'shop', appId: 'other' });
    registry.instance(provider, { instanceId: 'a' });
  });

  it('does not see the instances of a service that does not allow it', () => {
    expect(find('', { consumerId })).toMatchObject({ status: 200, json: {} });
    const one = registry.ask(`GET /microservices/${provider}/instances/a`, { consumerId });
    expect(one.json.errorCode).toBe('400017');
    const list = registry.ask(`GET /microservices/${provider}/instances`, { consumerId });
    expect(list.json.errorCode).toBe('400012');
  });

  it('sees those of a service that allows it, in any case of letters', () => {
    const body = { properties: { allowCrossApp: 'True' } };
    registry.ask(`PUT /microservices/${provider}/properties`, { body });
    expect(idsOf(find('', { consumerId }))).toEqual(['a']);
  });

  it('sees everything as long as it sends no id', () => {
    expect(idsOf(find())).toEqual(['a']);
  });

  it('does not see another environment, allowed or not', () => {
    const body = { properties: { allowCrossApp: 'true' } };
    registry.ask(`PUT /microservices/${provider}/properties`, { body });
    const testing = registry.service({ serviceName: 'shop', environment: 'testing' });
    const list = registry.ask(`GET /microservices/${provider}/instances`, { consumerId: testing });
    expect(list.json.errorCode).toBe('400012');
  });
});

describe('the Service Center itself', () => {
  const wanted = 'GET /instances?appId=default&serviceName=SERVICECENTER';

  beforeEach(() => {
    registry.model.registerSelf('self', { host: '127.0.0.1', port: 30_100 });
  });

  it('is found from every environment, by an unknown consumer too, and depended on by none', () => {
    const consumerId = registry.service({ serviceName: 'shop', environment: 'testing' });
    expect(idsOf(registry.ask(wanted, { consumerId: 'unknown' }))).toEqual(['self']);
    expect(idsOf(registry.ask(`${wanted}&env=production`, { consumerId }))).toEqual(['self']);
    expect(registry.ask(`GET /microservices/${consumerId}/providers`).json).toEqual({});
  });

  it('is listed by another environment’s consumer under its id', () => {
    const consumerId = registry.service({
      serviceName: 'shop',
      appId: 'a',
      environment: 'testing',
    });
    const id = '7062417bf9ebd4c646bb23059003cea42180894a';
    expect(idsOf(registry.ask(`GET /microservices/${id}/instances`, { consumerId }))).toEqual([
      'self',
    ]);
  });

  it('is not found from another domain', () => {
    expect(registry.ask(wanted, { domain: 'other' }).json.errorCode).toBe('400012');
  });
});

describe('dependencies', () => {
  const providersOf = (id: string, query = '') =>
    registry.ask(`GET /microservices/${id}/providers${query}`).json;
  const consumersOf = (id: string, query = '') =>
    registry.ask(`GET /microservices/${id}/consumers${query}`).json;

  it('are created by a find with a consumer, for all versions', () => {
    const second = registry.service({ version: '2.0.0' });
    const consumerId = registry.service({ serviceName: 'shop' });
    find('', { consumerId });
    find('', { consumerId });
    expect(providersOf(consumerId).providers).toMatchObject([
      { serviceId: provider },
      { serviceId: second },
    ]);
    expect(consumersOf(second).consumers).toMatchObject([{ serviceId: consumerId }]);
  });

  it('do not come from a find that found no service, or none that may be seen', () => {
    const other = registry.service({ serviceName: 'shop', appId: 'other' });
    find('', { consumerId: other });
    registry.ask('GET /instances?appId=other&serviceName=nobody', { consumerId: other });
    registry.ask(`GET /microservices/${provider}/instances`, { consumerId: other });
    expect(providersOf(other)).toEqual({});
  });

  it('outlive the provider and end with the consumer', () => {
    const consumerId = registry.service({ serviceName: 'shop' });
    find('', { consumerId });
    registry.ask(`DELETE /microservices/${provider}?force=true`);
    expect(providersOf(consumerId)).toEqual({});
    registry.service({ version: '1.0.0' });
    expect(consumersOf(provider).consumers).toMatchObject([{ serviceId: consumerId }]);
    registry.ask(`DELETE /microservices/${consumerId}`);
    expect(consumersOf(provider)).toEqual({});
  });

  it('on itself are left out on demand', () => {
    find('', { consumerId: provider });
    expect(providersOf(provider).providers).toHaveLength(1);
    expect(providersOf(provider, '?noSelf=1')).toEqual({});
    expect(consumersOf(provider, '?noSelf=1')).toEqual({});
  });

  it('are refused for an unknown service', () => {
    const told = (kind: string) => refusalOf(registry.ask(`GET /microservices/x/${kind}`));
    expect(told('providers')).toBe('400 400012 Consumer does not exist');
    expect(told('consumers')).toBe('400 400012 Provider does not exist');
  });
});

describe('a batch of finds', () => {
  const query = (body: object, options: AskOptions = {}) =>
    registry.ask('POST /instances/action?type=query', { ...options, body });
  const orders = { appId: 'default', serviceName: 'orders' };

  it('sorts what it found by index, and groups what failed by code', () => {
    registry.instance(provider, { instanceId: 'a' });
    const rev = revision();
    const nobody = { appId: 'default', serviceName: 'nobody' };
    const services = [
      { service: nobody },
      { service: orders, rev },
      { service: orders, rev: 'old' },
      { service: { ...nobody, serviceName: 'somebody' } },
    ];
    const detail =
      'Micro-service does not exist(Consumer[][///] find provider[/default/nobody] failed, ' +
      'provider does not exist)';
    expect(query({ services }).json).toMatchObject({
      services: {
        failed: [{ indexes: [0, 3], error: { errorCode: '400012', detail } }],
        notModified: [1],
        updated: [{ index: 2, rev, instances: [{ instanceId: 'a' }] }],
      },
    });
  });

  it('leaves out the instances of a service that has none', () => {
    expect(query({ services: [{ service: orders }] }).json).toEqual({
      services: { updated: [{ index: 0, rev: '97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe' }] },
    });
  });

  it('finds single instances too, each failure under its own code', () => {
    registry.instance(provider, { instanceId: 'a' });
    const instances = ['a', 'b'].map(instanceId => ({
      instance: { serviceId: provider, instanceId },
    }));
    const unknown = { instance: { serviceId: 'x', instanceId: 'a' } };
    const { json } = query({ instances: [...instances, unknown] });
    expect(json).toMatchObject({
      instances: {
        updated: [{ index: 0, instances: [{ instanceId: 'a' }] }],
        failed: [
          { indexes: [1], error: { errorCode: '400017' } },
          { indexes: [2], error: { errorCode: '400012' } },
        ],
      },
    });
    expect(json).not.toHaveProperty('services');
  });

  it('makes its consumer depend on what it found', () => {
    const consumerId = registry.service({ serviceName: 'shop' });
    query({ services: [{ service: orders }] }, { consumerId });
    const { providers } = registry.ask(`GET /microservices/${consumerId}/providers`).json;
    expect(providers).toMatchObject([{ serviceId: provider }]);
  });

  it.each([
    [{ services: [null] }, 'invalid nil pointer'],
    [
      { services: [{}] },
      "field 'FindService.Service' invalid value '<nil>' does not match rule: {Min: 1}",
    ],
    [
      { instances: [{ instance: { serviceId: 'x' } }] },
      "field 'HeartbeatSetElement.InstanceId' invalid value '' does not match rule: {Min: 1, Max: 64, Regexp: ^[A-Za-z0-9_.-]*$}",
    ],
    [{ services: 1 }, 'Unmarshal error'],
  ])('is refused as a whole: %j', (body, detail) => {
    expect(refusalOf(query(body))).toBe(`400 400001 ${detail}`);
  });
});
