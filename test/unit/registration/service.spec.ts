import { describe, expect, it } from '@jest/globals';
import { findService } from '../../../lib/registration/service.js';
import { clientOf, type FakeAnswer, FakeSend } from '../../support/fake-send.js';
import { recordOf } from './parts.js';

const found = { body: { serviceId: 's' } };
const forbidden = { status: 403, body: { errorCode: '403205' } };
const busy = { status: 500, body: { errorCode: '500003' } };
const stored = (change: object) => ({
  body: { service: { serviceId: 's', serviceName: 'orders', version: '1.2.3', ...change } },
});

/** Finds a service that is deployed with these values, and returns the result and the requests. */
async function find(microservice: object, tags: Record<string, string>, ...answers: FakeAnswer[]) {
  const http = new FakeSend(found, ...answers);
  const base = recordOf();
  const record = { ...base, microservice: { ...base.microservice, ...microservice }, tags };
  const result = await findService(clientOf(http.send), record, {});
  const sent = http.requests.map(({ method, url, body }) => {
    const path = url.replace(/^.*\/registry/, '').replace(/\?.*/, '');
    return `${method} ${path} ${body ?? ''}`.trim();
  });
  return { result, sent };
}

describe('a new deployment of the same version', () => {
  it('with other properties updates those of the service', async () => {
    const { result, sent } = await find(
      { properties: { owner: 'b' } },
      {},
      stored({ properties: { owner: 'a', old: 'x' } }),
      {},
    );
    expect(result).toEqual({ serviceId: 's', created: false, updated: ['properties'] });
    expect(sent.at(-1)).toBe('PUT /microservices/s/properties {"properties":{"owner":"b"}}');
  });

  it('with the same properties updates nothing', async () => {
    const properties = { owner: 'a' };
    const { result, sent } = await find({ properties }, {}, stored({ properties }));
    expect(result).toEqual({ serviceId: 's', created: false });
    expect(sent).toHaveLength(2);
  });

  it('with other tags updates those of the service', async () => {
    const { result, sent } = await find({}, { canary: 'yes' }, stored({}), { body: {} }, {});
    expect(result).toMatchObject({ updated: ['tags'] });
    expect(sent.at(-1)).toBe('POST /microservices/s/tags {"tags":{"canary":"yes"}}');
  });

  it('says what the registry does not change', async () => {
    const { result } = await find({ description: 'new', alias: 'o' }, {}, stored({ alias: 'o' }));
    expect(result).toEqual({ serviceId: 's', created: false, outdated: ['description'] });
  });

  it('that describes nothing of the service reads nothing', async () => {
    const { sent } = await find({}, {});
    expect(sent).toEqual(['GET /existence']);
  });

  it('registers all the same when the registry refuses to show or to change the service', async () => {
    const deployed = { properties: { owner: 'b' } };
    expect((await find(deployed, {}, forbidden)).result).toEqual({
      serviceId: 's',
      created: false,
    });
    expect((await find(deployed, {}, stored({}), forbidden)).result).toEqual({
      serviceId: 's',
      created: false,
      outdated: ['properties'],
    });
  });

  it('is tried again when the registry is busy', async () => {
    await expect(find({ properties: { owner: 'b' } }, {}, busy)).rejects.toMatchObject({
      errorCode: 500_003,
    });
  });
});
