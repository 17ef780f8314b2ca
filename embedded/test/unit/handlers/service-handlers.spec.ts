import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry, ageOfChange, refusalOf } from '../../support/registry.js';

let registry: TestRegistry;

beforeEach(() => {
  registry = new TestRegistry();
});

const existence = (query: string) =>
  registry.ask(`GET /existence?type=microservice&appId=default&${query}`);

describe('registering a service', () => {
  it.each([
    [{ serviceName: 'demo' }, '14269a7363d2986e8423c66349345c6975599868'],
    [
      { serviceName: 'orders', appId: 'myApp', environment: 'production', version: '1.2.3' },
      '3ee69294a40f87c49cfebe179beff66dfbf01b11',
    ],
  ])('makes the id out of what it is called: %j', (service, id) => {
    expect(registry.service(service)).toBe(id);
  });

  it('keeps everything that was sent, and no empty field', () => {
    const service = {
      serviceName: 'orders',
      appId: 'shop',
      version: '1.2.3.4',
      description: 'Orders <&> more',
      level: 'FRONT',
      status: 'DOWN',
      schemas: ['a'],
      paths: [{ path: '/a', property: { b: 'c' } }, null],
      properties: { a: '1' },
      providers: [{ appId: 'shop', serviceName: 'stock' }],
      alias: 'shop:orders',
      LBStrategy: { name: 'random' },
      environment: 'acceptance',
      registerBy: 'SDK',
      framework: {},
    };
    const sent = { ...service, paths: service.paths.slice(0, 1) };
    const id = registry.service({ ...sent, description: 'Orders <&> more', tenant: '' });
    const now = String(registry.clock.now() / 1000);
    const { json, text } = registry.ask(`GET /microservices/${id}`);
    const stamps = { serviceId: id, timestamp: now, modTimestamp: now };
    expect(json).toEqual({ service: { ...sent, ...stamps } });
    expect(text).toContain(String.raw`Orders \u003c\u0026\u003e more`);
  });

  it('takes the alias of another service of the same version for that service', () => {
    const first = registry.service({ serviceName: 'first', alias: 'same' });
    expect(registry.service({ serviceName: 'second', alias: 'same' })).toBe(first);
    expect(registry.service({ serviceName: 'second', alias: 'same', version: '2' })).not.toBe(
      first,
    );
  });

  it.each([
    ['the id belongs to another service', { serviceId: 'own', serviceName: 'other' }],
    ['the service has another id', { serviceId: 'new', serviceName: 'first' }],
    ['its alias belongs to another', { serviceId: 'new', serviceName: 'other', alias: 'a' }],
  ])('is refused when %s', (_, service) => {
    registry.service({ serviceId: 'own', serviceName: 'first', alias: 'a' });
    const told = registry.ask('POST /microservices', { body: { service } });
    expect(refusalOf(told)).toBe(
      '400 400010 ServiceID conflict or found the same service with different id.',
    );
  });

  it('registers tags and instances along with it', () => {
    const body = {
      service: { serviceName: 'orders' },
      tags: { a: 'b' },
      instances: [{ hostName: 'h', instanceId: 'own' }],
    };
    const { serviceId } = registry.ask('POST /microservices', { body }).json;
    expect(registry.ask(`GET /microservices/${serviceId}/tags`).json).toEqual({ tags: { a: 'b' } });
    expect(registry.read(serviceId, 'own')).toMatchObject({ serviceId });
  });

  it('stays registered when its tags or instances are refused', () => {
    const body = {
      service: { serviceId: 'own', serviceName: 'orders' },
      tags: { a: '0' },
      instances: [{}, null],
    };
    const told = registry.ask('POST /microservices', { body });
    const wrong = (what: string) => `Invalid parameter(s)(field '${what}`;
    expect(told.json.detail).toContain(`errMessages: [${wrong('AddServiceTagsRequest.Tags')}`);
    expect(told.json.detail).toContain(wrong('MicroServiceInstance.HostName'));
    expect(told.json.detail).toContain(
      wrong("RegisterInstanceRequest.Instance' invalid value '<nil>"),
    );
    expect(registry.ask('GET /microservices/own').status).toBe(200);
  });

  // A real server never answers rules alone, and closes the connection for several instances.
  it('takes several instances, and rules, which it ignores', () => {
    const body = {
      service: { serviceName: 'orders' },
      rules: [{ ruleType: 'BLACK', attribute: 'ServiceName', pattern: 'shop' }],
    };
    const { serviceId } = registry.ask('POST /microservices', { body }).json;
    const instances = ['a', 'b'].map(instanceId => ({ hostName: 'h', instanceId }));
    registry.ask('POST /microservices', { body: { ...body, instances } });
    expect(registry.ask(`GET /microservices/${serviceId}/instances`).json.instances).toHaveLength(
      2,
    );
  });

  it.each([['{}'], ['null'], ['{"service":null}']])('is refused without a service: %s', body => {
    expect(refusalOf(registry.ask('POST /microservices', { body }))).toBe(
      '400 400001 Request body is empty',
    );
  });
});

describe('the existence of a service', () => {
  it('is asked by name or by alias, and by the exact version', () => {
    const id = registry.service({ serviceName: 'orders', alias: 'shop:orders', version: '1.0' });
    expect(existence('serviceName=orders&version=1.0').json).toEqual({ serviceId: id });
    expect(existence('serviceName=shop:orders&version=1.0').json).toEqual({ serviceId: id });
    expect(refusalOf(existence('serviceName=orders&version=2.0'))).toBe(
      '400 400026 /default/orders/2.0 version mismatch.',
    );
    expect(refusalOf(existence('serviceName=stock&version=1.0'))).toBe(
      '400 400012 /default/stock/1.0 does not exist.',
    );
  });

  it('is not asked of anything else', () => {
    expect(refusalOf(registry.ask('GET /existence?type=instance'))).toBe(
      '400 400001 Only micro-service and schema can be used as type.',
    );
  });
});

describe('the services of a namespace', () => {
  it('are listed without the Service Center, unless shared ones are wanted', () => {
    expect(registry.ask('GET /microservices').json).toEqual({});
    const id = registry.service();
    expect(registry.ask('GET /microservices').json.services).toMatchObject([{ serviceId: id }]);
    const { services } = registry.ask('GET /microservices?withShared=true').json;
    expect(services).toMatchObject([{ serviceName: 'SERVICECENTER' }, { serviceId: id }]);
  });
});

describe('the properties of a service', () => {
  it('are replaced as a whole, and its time of change with them', () => {
    const id = registry.service({ properties: { a: '1' } });
    registry.clock.advance(3000);
    registry.ask(`PUT /microservices/${id}/properties`, { body: {} });
    const { service } = registry.ask(`GET /microservices/${id}`).json;
    expect(service).not.toHaveProperty('properties');
    expect(ageOfChange(service)).toBe(3);
  });

  it('are those of the service in the body, where it names one', () => {
    const id = registry.service();
    const body = { serviceId: id, properties: { a: '1' } };
    registry.ask('PUT /microservices/other/properties', { body });
    expect(registry.ask(`GET /microservices/${id}`).json.service.properties).toEqual({ a: '1' });
  });
});

describe('unregistering a service', () => {
  it('takes everything along that is filed under it', () => {
    const id = registry.service({ alias: 'a' });
    const instanceId = registry.instance(id);
    registry.ask(`PUT /microservices/${id}/schemas/s`, { body: { schema: 'x' } });
    expect(registry.ask(`DELETE /microservices/${id}?force=1`).status).toBe(200);
    expect(registry.beat(id, instanceId)).toBe(400);
    expect(existence('serviceName=a&version=0.0.1').json.errorCode).toBe('400012');
    expect(registry.service({ alias: 'a' })).toBe(id);
    expect(registry.ask(`GET /microservices/${id}/schemas`).json).toEqual({});
    registry.clock.advance(200_000);
    expect(registry.model.snapshot()).toEqual([]);
  });

  it('leaves the other versions of the name', () => {
    const id = registry.service({ version: '1' });
    const other = registry.service({ version: '2' });
    registry.ask(`DELETE /microservices/${id}`);
    expect(existence('serviceName=orders&version=2').json).toEqual({ serviceId: other });
  });

  it('is refused while another service depends on it, and only then while it has instances', () => {
    const id = registry.service();
    registry.instance(id);
    const consumerId = registry.service({ serviceName: 'shop' });
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId });
    const remove = () => refusalOf(registry.ask(`DELETE /microservices/${id}?force=false`));
    expect(remove()).toBe('400 400023 Can not delete this service, other service rely it.');
    registry.ask(`DELETE /microservices/${consumerId}`);
    expect(remove()).toBe('400 400013 Can not delete the service deployed instance(s).');
  });

  it('is not refused to a service that depends on itself alone', () => {
    const id = registry.service();
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId: id });
    expect(registry.ask(`DELETE /microservices/${id}`).status).toBe(200);
  });

  it('is never granted for the Service Center, wherever it is asked for', () => {
    const line = 'DELETE /v4/other/registry/microservices/7062417bf9ebd4c646bb23059003cea42180894a';
    expect(refusalOf(registry.ask(line))).toBe('400 400001 not allow to delete service center');
  });

  it('answers for each of many, once', () => {
    const id = registry.service();
    const body = { serviceIds: [id, 'unknown', id], force: true };
    expect(registry.ask('DELETE /microservices', { body }).json).toEqual({
      services: [
        { serviceId: id },
        {
          serviceId: 'unknown',
          errMessage: 'Micro-service does not exist(Service does not exist.)',
        },
      ],
    });
  });
});

describe('tags', () => {
  let path: string;
  const tags = () => registry.ask(`GET ${path}`).json;

  beforeEach(() => {
    path = `/microservices/${registry.service()}/tags`;
    registry.ask(`POST ${path}`, { body: { tags: { a: 'x', b: 'y' } } });
  });

  it('are replaced as a whole', () => {
    registry.ask(`POST ${path}`, { body: { tags: { c: 'z' } } });
    expect(tags()).toEqual({ tags: { c: 'z' } });
    registry.ask(`POST ${path}`, { body: {} });
    expect(tags()).toEqual({});
  });

  it('are changed one by one when they are there', () => {
    expect(registry.ask(`PUT ${path}/a?value=new`).status).toBe(200);
    expect(tags()).toEqual({ tags: { a: 'new', b: 'y' } });
    expect(refusalOf(registry.ask(`PUT ${path}/c?value=new`))).toBe(
      '400 400018 Tag does not exist, please add one first.',
    );
  });

  it('are removed all together or not at all', () => {
    expect(refusalOf(registry.ask(`DELETE ${path}/a,c`))).toBe(
      '400 400018 Delete tags failed for this key c does not exist.',
    );
    expect(tags()).toEqual({ tags: { a: 'x', b: 'y' } });
    expect(registry.ask(`DELETE ${path}/a,b`).status).toBe(200);
    expect(tags()).toEqual({});
  });

  it('are refused for an unknown service', () => {
    for (const line of ['GET', 'POST', 'PUT', 'DELETE'])
      expect(
        refusalOf(
          registry.ask(
            `${line} /microservices/x/tags${line === 'GET' || line === 'POST' ? '' : '/a?value=b'}`,
            { body: {} },
          ),
        ),
      ).toBe('400 400012 Service does not exist.');
  });
});

describe('schemas', () => {
  let id: string;
  let path: string;

  beforeEach(() => {
    id = registry.service({ schemas: ['declared'] });
    path = `/microservices/${id}/schemas`;
  });

  it('are declared by their upload', () => {
    registry.ask(`PUT ${path}/extra`, { body: { schema: 'x' } });
    const { service } = registry.ask(`GET /microservices/${id}`).json;
    expect(service.schemas).toEqual(['declared', 'extra']);
    expect(registry.ask(`GET ${path}?withSchema=1`).json).toEqual({
      schemas: [{ schemaId: 'declared' }, { schemaId: 'extra', schema: 'x' }],
    });
  });

  it('stay declared when what was uploaded is removed', () => {
    registry.ask(`PUT ${path}/declared`, { body: { schema: 'x' } });
    expect(registry.ask(`DELETE ${path}/declared`).status).toBe(200);
    expect(registry.ask(`GET ${path}`).json).toEqual({ schemas: [{ schemaId: 'declared' }] });
  });

  it('are replaced all at once, declarations included', () => {
    const schemas = [{ schemaId: 'new', summary: 's', schema: 'y' }];
    expect(registry.ask(`POST ${path}`, { body: { schemas } }).status).toBe(200);
    expect(registry.ask(`GET ${path}?withSchema=1`).json).toEqual({ schemas });
  });

  it('are refused in one word when they are replaced all at once', () => {
    for (const schemas of [[], [{ schemaId: 'a', schema: 'y' }], [null]])
      expect(refusalOf(registry.ask(`POST ${path}`, { body: { schemas } }))).toBe(
        '400 400001 Invalid request.',
      );
  });

  it('are returned with their summary in a header, even an empty one', () => {
    registry.ask(`PUT ${path}/a`, { body: { schema: 'x', summary: 'abc' } });
    registry.ask(`PUT ${path}/b`, { body: { schema: 'x' } });
    expect(registry.ask(`GET ${path}/a`).headers['X-Schema-Summary']).toBe('abc');
    expect(registry.ask(`GET ${path}/b`).headers['X-Schema-Summary']).toBe('');
    const exists = registry.ask(`GET /existence?type=schema&serviceId=${id}&schemaId=a`);
    expect(exists).toMatchObject({
      json: { schemaId: 'a' },
      headers: { 'X-Schema-Summary': 'abc' },
    });
  });

  it('are refused for an unknown service, each with its own message', () => {
    const unknown = '/microservices/x/schemas';
    const existence = '/existence?type=schema&serviceId=x&schemaId=a';
    expect(refusalOf(registry.ask(`GET ${existence}`))).toBe('400 400012 service does not exist.');
    for (const line of [`GET ${unknown}`, `GET ${unknown}/a`, `DELETE ${unknown}/a`])
      expect(refusalOf(registry.ask(line))).toBe('400 400012 Service does not exist.');
  });

  it('are refused over a hundred, but not for a change of one', () => {
    const schemas = Array.from({ length: 100 }, (_, at) => `s${at}`);
    const full = `/microservices/${registry.service({ serviceName: 'full', schemas })}/schemas`;
    expect(registry.ask(`PUT ${full}/s1`, { body: { schema: 'x' } }).status).toBe(200);
    expect(refusalOf(registry.ask(`PUT ${full}/more`, { body: { schema: 'x' } }))).toBe(
      '400 400100 no quota to create SCHEMA, max num is 100, curNum is 100, apply num is 1',
    );
  });

  it('are listed with or without their text, and no other way', () => {
    expect(registry.ask(`GET ${path}?withSchema=0`).status).toBe(200);
    expect(registry.ask(`GET ${path}?withSchema=%20`).status).toBe(200);
    expect(refusalOf(registry.ask(`GET ${path}?withSchema=yes`))).toBe(
      '400 400001 parameter withSchema must be 1 or 0',
    );
  });
});
