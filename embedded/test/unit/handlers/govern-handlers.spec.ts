import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';

let registry: TestRegistry;
let orders: string;
let shop: string;

beforeEach(() => {
  registry = new TestRegistry();
  registry.model.registerSelf('self', { host: 'h', port: 7 });
  orders = registry.service({ version: '1.0.0', schemas: ['s'], properties: { team: 'a:b' } });
  registry.instance(orders, { instanceId: 'own', properties: { zone: '1' } });
  shop = registry.service({ serviceName: 'shop', appId: 'web', environment: 'testing' });
  registry.ask(`POST /microservices/${orders}/tags`, { body: { tags: { k: 'v' } } });
  registry.ask(`PUT /microservices/${orders}/schemas/s`, { body: { schema: 'x' } });
  const providers = [{ appId: 'default', serviceName: 'orders' }];
  const consumer = { appId: 'web', serviceName: 'shop', version: '0.0.1', environment: 'testing' };
  registry.ask('POST /dependencies', { body: { dependencies: [{ consumer, providers }] } });
});

const govern = (path: string, domain = 'default'): unknown => {
  const { text } = registry.ask(`GET /v4/default/govern${path}`, { domain });
  return JSON.parse(text);
};
const list = (query: string) => govern(`/microservices?${query}`);

describe('the details of one service', () => {
  it('are everything that is filed under it', () => {
    const second = registry.service({ version: '2.0.0' });
    expect(govern(`/microservices/${orders}`)).toMatchObject({
      service: {
        microService: { serviceId: orders, schemas: ['s'] },
        instances: [{ instanceId: 'own', properties: { zone: '1' } }],
        schemaInfos: [{ schemaId: 's', schema: 'x' }],
        consumers: [{ serviceId: shop }],
        tags: { k: 'v' },
        microServiceVersions: ['1.0.0', '2.0.0'],
      },
    });
    expect(govern(`/microservices/${second}`)).not.toHaveProperty('service.tags');
    expect(govern(`/microservices/${shop}`)).toMatchObject({
      service: { providers: [{ serviceId: orders }, { serviceId: second }] },
    });
  });

  it('are refused for an unknown service', () => {
    expect(refusalOf(registry.ask('GET /v4/default/govern/microservices/x'))).toBe(
      '400 400012 Service does not exist.',
    );
  });
});

describe('the list of services with details', () => {
  it('has the services alone when nothing is asked for, without the ids of schemas', () => {
    const told = list('appId=default');
    expect(told).toEqual({ allServicesDetail: [{ microService: expect.anything() }] });
    expect(told).not.toHaveProperty('allServicesDetail.0.microService.schemas');
    expect(told).not.toHaveProperty('statistics');
  });

  it.each([
    ['tags', { tags: { k: 'v' } }],
    ['schemas', { schemaInfos: [{ schemaId: 's', schema: 'x' }] }],
    ['dependencies', { consumers: [{ serviceId: 'shop' }] }],
    ['instances', { instances: [{ instanceId: 'own' }] }],
  ])('has %s on demand', (options, expected) => {
    const text = JSON.stringify(expected).replace('"shop"', `"${shop}"`);
    const { allServicesDetail } = list(`options=${options}&appId=default`) as {
      allServicesDetail: object[];
    };
    expect(allServicesDetail).toMatchObject([JSON.parse(text)]);
    expect(Object.keys(allServicesDetail[0] ?? {})).toHaveLength(2);
  });

  it('leaves out the properties of instances', () => {
    expect(list('options=instances')).not.toHaveProperty(
      'allServicesDetail.0.instances.0.properties',
    );
  });

  it('leaves out of the dependencies the service itself', () => {
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId: orders });
    expect(list('options=dependencies&appId=default')).not.toHaveProperty(
      'allServicesDetail.0.providers',
    );
  });

  it('has all of it, and the statistics too, on demand', () => {
    expect(list('options=all&serviceName=orders')).toMatchObject({
      allServicesDetail: [{ tags: {}, instances: [{}], schemaInfos: [{}], consumers: [{}] }],
      statistics: { services: { count: 2, onlineCount: 1 } },
    });
  });

  it('has the statistics alone when nothing else is asked for', () => {
    expect(list('options=statistics')).toEqual({ statistics: expect.anything() });
    expect(list('options=statistics,tags')).toHaveProperty('allServicesDetail');
  });

  it.each([
    ['env=testing', 'shop'],
    ['appId=web', 'shop'],
    ['serviceName=orders', 'orders'],
    ['property=team:a:b', 'orders'],
  ])('keeps to what is wanted: %s', (query, serviceName) => {
    expect(list(query)).toMatchObject({ allServicesDetail: [{ microService: { serviceName } }] });
  });

  it('is empty when nothing is as wanted', () => {
    expect(list('property=team')).toEqual({});
    expect(list('env=production')).toEqual({});
  });

  it('has shared services on demand', () => {
    expect(list('withShared=1')).toMatchObject({
      allServicesDetail: [{ microService: { serviceName: 'SERVICECENTER' } }, {}, {}],
    });
  });

  it('counts the instances instead of telling them, and counts in no other way', () => {
    const { allServicesDetail } = list('options=instances&countOnly=1') as {
      allServicesDetail: object[];
    };
    expect(allServicesDetail).toEqual([
      { microService: expect.anything(), statics: { instances: { count: 1 } } },
      { microService: expect.anything(), statics: { instances: {} } },
    ]);
    expect(refusalOf(registry.ask('GET /v4/default/govern/microservices?countOnly=true'))).toBe(
      '400 400001 parameter countOnly must be 1 or 0',
    );
  });
});

describe('the dependency graph', () => {
  const blank = { type: '', color: '', position: '' };

  it('has a node for each service and a line for each dependency', () => {
    const from = { id: shop, name: 'shop', appId: 'web', version: '0.0.1', ...blank };
    const node = { id: orders, name: 'orders', appId: 'default', version: '1.0.0', ...blank };
    const to = { ...node, appId: '', version: '' };
    expect(govern('/relations')).toEqual({
      nodes: [node, from],
      lines: [{ from, to, type: '', color: '', descriptor: '' }],
      circles: null,
    });
  });

  it('has no line from a service to itself', () => {
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId: orders });
    expect(govern('/relations')).toMatchObject({ lines: [{ from: { name: 'shop' } }] });
  });

  it('has shared services on demand', () => {
    expect(govern('/relations?withShared=true')).toMatchObject({
      nodes: [{ name: 'SERVICECENTER' }, {}, {}],
    });
  });

  it('is null all over where there is nothing', () => {
    expect(govern('/relations', 'empty')).toEqual({ nodes: null, lines: null, circles: null });
  });
});

describe('the applications', () => {
  it('are those of one environment, and none is an environment too', () => {
    expect(govern('/apps')).toEqual({ appIds: ['default'] });
    expect(govern('/apps?env=testing')).toEqual({ appIds: ['web'] });
    expect(govern('/apps?env=development')).toEqual({});
    expect(govern('/apps?env=development&withShared=1')).toEqual({ appIds: ['default'] });
  });

  it('are refused for an environment that cannot be', () => {
    expect(refusalOf(registry.ask('GET /v4/default/govern/apps?env=none'))).toContain(
      "400 400001 field 'GetAppsRequest.Environment' invalid value 'none'",
    );
  });
});

describe('the statistics', () => {
  it('count versions of a service once, and leave out the Service Center', () => {
    registry.service({ version: '2.0.0' });
    expect(govern('/statistics')).toEqual({
      statistics: {
        services: { count: 2, onlineCount: 1 },
        instances: { count: 1, countByDomain: 1 },
        apps: { count: 2 },
      },
    });
  });

  it('count the Service Center where shared services are wanted', () => {
    expect(list('options=statistics&withShared=1')).toMatchObject({
      statistics: { services: { count: 3, onlineCount: 2 }, instances: { count: 2 } },
    });
  });

  it('count the same services in other projects of the domain', () => {
    const other = '/v4/other/registry/microservices';
    const service = { serviceId: orders, serviceName: 'orders' };
    registry.ask(`POST ${other}`, { body: { service } });
    registry.ask(`POST ${other}/${orders}/instances`, { body: { instance: { hostName: 'h' } } });
    expect(govern('/statistics')).toMatchObject({
      statistics: { instances: { count: 1, countByDomain: 2 } },
    });
  });

  it('are empty where there is nothing', () => {
    expect(govern('/statistics', 'empty')).toEqual({
      statistics: { services: {}, instances: {}, apps: {} },
    });
  });

  it('do not count an instance whose lease has run out', () => {
    registry.clock.advance(120_000);
    expect(govern('/statistics')).toMatchObject({ statistics: { instances: {} } });
    expect(govern('/statistics')).not.toHaveProperty('statistics.instances.count');
  });
});
