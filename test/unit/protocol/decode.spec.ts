import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { ServiceCenterProtocolError, ServiceCenterResponseError } from '../../../lib/errors.js';
import * as decode from '../../../lib/protocol/decode.js';
import { isInstanceId, isServiceId } from '../../../lib/protocol/ids.js';
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
    expect(decode.isInstance(value)).toBe(true);
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
    expect(decode.isInstance(value)).toBe(false);
  });
});

describe('a service of an answer', () => {
  it.each([service, { ...service, properties: { a: '1' }, schemas: ['c'] }])('can be %j', value => {
    expect(decode.isMicroservice(value)).toBe(true);
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
    expect(decode.isMicroservice(value)).toBe(false);
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
    expect(decode.isSchema(value)).toBe(is);
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
    expect(decode.isHeartbeatResult(value)).toBe(is);
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
