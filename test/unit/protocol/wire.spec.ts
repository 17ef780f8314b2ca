import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { ServiceCenterProtocolError, ServiceCenterResponseError } from '../../../lib/errors.js';
import {
  consumerHeader,
  instanceParameters,
  isHeartbeatResult,
  isInstance,
  isInstanceId,
  isMicroservice,
  isSchema,
  isServiceId,
  jsonObject,
  pathOf,
  routes,
  serviceParameters,
} from '../../../lib/protocol/wire.js';
import { clientOf, type FakeReply, FakeSend } from '../../support/fake-send.js';
import { operations } from './operations.js';

const instance = { instanceId: 'i', serviceId: 's', hostName: 'host', endpoints: ['rest://a:1'] };
const service = { serviceId: 's', serviceName: 'orders', version: '1.0.0' };

describe('an instance of an answer', () => {
  it.each([
    { instanceId: 'i' },
    instance,
    { ...instance, status: 'UP', properties: { a: '1' } },
    { ...instance, healthCheck: { mode: 'push', interval: 30, times: 3 } },
    { ...instance, healthCheck: { mode: 'push', interval: 30 } },
    { ...instance, instanceId: 'odd/id' },
    { ...instance, somethingNew: [1] },
  ])('can be %j', value => {
    expect(isInstance(value)).toBe(true);
  });

  it.each([
    null,
    [],
    'i',
    {},
    { ...instance, instanceId: 5 },
    { ...instance, serviceId: '' },
    { ...instance, serviceId: 5 },
    { ...instance, hostName: 5 },
    { ...instance, status: {} },
    { ...instance, endpoints: 'rest://a:1' },
    { ...instance, endpoints: [1] },
    { ...instance, properties: ['a'] },
    { ...instance, properties: { a: 1 } },
    { ...instance, healthCheck: 'push' },
    { ...instance, healthCheck: { interval: '30', times: 3 } },
    { ...instance, healthCheck: { interval: -30, times: 3 } },
    { ...instance, healthCheck: { interval: 1.5, times: 3 } },
  ])('cannot be %j', value => {
    expect(isInstance(value)).toBe(false);
  });
});

describe('a service of an answer', () => {
  it.each([service, { ...service, properties: { a: '1' }, schemas: ['c'] }])('can be %j', value => {
    expect(isMicroservice(value)).toBe(true);
  });

  it.each([
    null,
    {},
    { ...service, serviceId: undefined },
    { ...service, serviceName: undefined },
    { ...service, version: 1 },
    { ...service, properties: { a: 1 } },
    { ...service, schemas: [1] },
  ])('cannot be %j', value => {
    expect(isMicroservice(value)).toBe(false);
  });
});

describe('a schema of an answer', () => {
  it.each([
    [{ schemaId: 'c' }, true],
    [{ schemaId: 'c', schema: 'text', summary: 'abc' }, true],
    [{ schemaId: 5 }, false],
    [{ schemaId: 'c', schema: {} }, false],
    [{ schemaId: 'c', summary: 5 }, false],
    [null, false],
  ])('%j: %p', (value, is) => {
    expect(isSchema(value)).toBe(is);
  });
});

describe('a result of a batch of heartbeats', () => {
  it.each([
    [{ serviceId: 's', instanceId: 'i' }, true],
    [{ serviceId: 's', instanceId: 'i', errMessage: 'gone' }, true],
    [{ serviceId: 's' }, false],
    [{ instanceId: 'i' }, false],
    [{ serviceId: 's', instanceId: 'i', errMessage: 5 }, false],
    ['i', false],
  ])('%j: %p', (value, is) => {
    expect(isHeartbeatResult(value)).toBe(is);
  });
});

/** Any reply: garbage, any JSON, and answers of the registry with any value in their place. */
function anyReply(): fc.Arbitrary<FakeReply> {
  const json = fc.jsonValue({ maxDepth: 3 });
  const field = fc.constantFrom(
    ...'instances instance services service serviceId instanceId schemas schema'.split(' '),
    ...'tags version errorCode errCode detail errorMessage'.split(' '),
  );
  const instanceLike = fc.record(
    { instanceId: json, serviceId: json, hostName: json, healthCheck: json, endpoints: json },
    { requiredKeys: [] },
  );
  const like = fc.dictionary(field, fc.oneof(json, instanceLike, fc.array(instanceLike)));
  return fc.record({
    status: fc.oneof(fc.constantFrom(200, 304, 400, 401, 404, 429, 500), fc.nat({ max: 999 })),
    headers: fc.dictionary(fc.constantFrom('retry-after', 'date'), fc.string()),
    body: fc.oneof(
      fc.string(),
      fc.json(),
      like.map(value => JSON.stringify(value)),
    ),
  });
}

describe('any answer at all', () => {
  it('gives a value or an error of ours, whatever was asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), anyReply(), async ({ ask }, reply) => {
        try {
          await ask(clientOf(new FakeSend(reply).send));
        } catch (error) {
          const isOurs =
            error instanceof ServiceCenterProtocolError ||
            error instanceof ServiceCenterResponseError;
          if (!isOurs) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives no id that cannot be a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), id => {
        if (isServiceId(id)) expect(decodeURIComponent(encodeURIComponent(id))).toBe(id);
        if (isInstanceId(id)) expect(encodeURIComponent(id)).toBe(id);
      }),
    );
  });
});

describe('a serviceId', () => {
  it.each([
    'a',
    'e0f0da073f2c91e8979a89ff2d7c69t6',
    'x'.repeat(64),
    'a/b c',
    '服务',
    '...',
    '.a',
    '😀'.repeat(64),
  ])('can be %j', id => {
    expect(isServiceId(id)).toBe(true);
    expect(serviceParameters(id)).toEqual({ serviceId: id });
  });

  it.each(['', 'x'.repeat(65), '😀'.repeat(65), '.', '..', '\uD800'])('cannot be %j', id => {
    expect(isServiceId(id)).toBe(false);
    expect(() => serviceParameters(id)).toThrow(RangeError);
    expect(() => serviceParameters(id)).toThrow(JSON.stringify(id));
  });

  it.each([undefined, null, 5, {}, ['a']])('cannot be %p', id => {
    expect(isServiceId(id)).toBe(false);
  });
});

describe('an instanceId', () => {
  it.each(['a', 'com.huawei.instance.InstanceService', 'A_b-c.9', 'x'.repeat(64), '...'])(
    'can be %j',
    instanceId => {
      const ref = { serviceId: 's', instanceId };
      expect(isInstanceId(instanceId)).toBe(true);
      expect(instanceParameters(ref)).toEqual(ref);
    },
  );

  it.each(['', 'x'.repeat(65), '.', '..', 'a b', 'a/b', 'ä', 'a\n', '%2e'])(
    'cannot be %j',
    instanceId => {
      expect(isInstanceId(instanceId)).toBe(false);
      expect(() => instanceParameters({ serviceId: 's', instanceId })).toThrow(RangeError);
    },
  );

  it('needs a serviceId that can be one', () => {
    expect(() => instanceParameters({ serviceId: '..', instanceId: 'i' })).toThrow(
      'serviceId must be 1 to 64 characters',
    );
  });

  it.each([undefined, null, 5, {}])('cannot be %p', id => {
    expect(isInstanceId(id)).toBe(false);
  });
});

describe('the id of who asks', () => {
  it('is a header', () => {
    expect(consumerHeader('a/b')).toEqual({ 'X-ConsumerId': 'a/b' });
  });

  it.each(['', '..', 'x'.repeat(65), '服务', 'a\r\nX: y', 'a b', 'ä', '\uD800'])(
    'is not sent as something else where it is %j',
    id => {
      expect(() => consumerHeader(id)).toThrow(RangeError);
    },
  );
});

describe('an object of an answer', () => {
  it.each([
    '{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}',
    String.raw`{"\u005f_proto__":{"polluted":true},"a":{"_\u005fproto__":{"polluted":true}}}`,
  ])('has no key that becomes a prototype: %s', text => {
    const object = jsonObject(text);
    expect(Object.keys(object ?? {})).toEqual(['a']);
    const copy: Record<string, unknown> = Object.assign({}, object?.['a']);
    expect(copy['polluted']).toBeUndefined();
  });

  it('keeps all other keys, also where there are escapes', () => {
    expect(jsonObject(String.raw`{"constructor":"\u003c","a":null}`)).toEqual({
      constructor: '<',
      a: null,
    });
  });
});

const parameters = { project: 'p', serviceId: 's', instanceId: 'i', schemaId: 'c' };

describe('a path', () => {
  it.each([
    ['getVersion', 'GET /v4/p/registry/version'],
    ['getHealth', 'GET /v4/p/registry/health'],
    ['getExistence', 'GET /v4/p/registry/existence'],
    ['registerMicroservice', 'POST /v4/p/registry/microservices'],
    ['listMicroservices', 'GET /v4/p/registry/microservices'],
    ['getMicroservice', 'GET /v4/p/registry/microservices/s'],
    ['unregisterMicroservice', 'DELETE /v4/p/registry/microservices/s'],
    ['setMicroserviceProperties', 'PUT /v4/p/registry/microservices/s/properties'],
    ['getTags', 'GET /v4/p/registry/microservices/s/tags'],
    ['setTags', 'POST /v4/p/registry/microservices/s/tags'],
    ['listSchemas', 'GET /v4/p/registry/microservices/s/schemas'],
    ['replaceSchemas', 'POST /v4/p/registry/microservices/s/schemas'],
    ['getSchema', 'GET /v4/p/registry/microservices/s/schemas/c'],
    ['setSchema', 'PUT /v4/p/registry/microservices/s/schemas/c'],
    ['removeSchema', 'DELETE /v4/p/registry/microservices/s/schemas/c'],
    ['registerInstance', 'POST /v4/p/registry/microservices/s/instances'],
    ['listInstances', 'GET /v4/p/registry/microservices/s/instances'],
    ['getInstance', 'GET /v4/p/registry/microservices/s/instances/i'],
    ['unregisterInstance', 'DELETE /v4/p/registry/microservices/s/instances/i'],
    ['setInstanceProperties', 'PUT /v4/p/registry/microservices/s/instances/i/properties'],
    ['setInstanceStatus', 'PUT /v4/p/registry/microservices/s/instances/i/status'],
    ['heartbeat', 'PUT /v4/p/registry/microservices/s/instances/i/heartbeat'],
    ['heartbeats', 'PUT /v4/p/registry/heartbeats'],
    ['findInstances', 'GET /v4/p/registry/instances'],
    ['queryInstances', 'POST /v4/p/registry/instances/action'],
    ['listProviders', 'GET /v4/p/registry/microservices/s/providers'],
    ['listConsumers', 'GET /v4/p/registry/microservices/s/consumers'],
    ['watch', 'GET /v4/p/registry/microservices/s/watcher'],
  ] as const)('of %s is %s', (name, line) => {
    expect(`${routes[name].method} ${pathOf(routes[name], parameters)}`).toBe(line);
  });

  it.each(['', '.', '..'])('refuses %j as any part', value => {
    for (const name of ['project', 'serviceId', 'schemaId'])
      expect(() => pathOf(routes.setSchema, { ...parameters, [name]: value })).toThrow(RangeError);
  });

  it('refuses a part that is missing', () => {
    expect(() => pathOf(routes.getMicroservice, { project: 'p' })).toThrow(
      'serviceId must not be empty, "." or "..", got ""',
    );
  });

  it('keeps each part one segment that URL clients leave alone', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 64 })
      .filter(text => text !== '.' && text !== '..');
    fc.assert(
      fc.property(part, part, (project, serviceId) => {
        const path = pathOf(routes.getMicroservice, { project, serviceId });
        const segments = new URL(path, 'http://a:1').pathname.split('/').map(decodeURIComponent);
        expect(segments).toEqual(['', 'v4', project, 'registry', 'microservices', serviceId]);
      }),
    );
  });
});
