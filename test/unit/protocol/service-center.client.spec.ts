import { describe, expect, it } from '@jest/globals';
import { ServiceCenterProtocolError } from '../../../lib/errors.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import { clientOf, FakeSend } from '../../support/fake-send.js';
import { operations } from './operations.js';

const root = 'http://a:1/v4/default/registry';
const ref = { serviceId: 's', instanceId: 'i' };

const wrongInEveryField = {
  serviceId: '',
  instanceId: '..',
  service: {},
  services: 5,
  instance: [],
  instances: {},
  schema: 5,
  schemas: 'c',
  providers: 'p',
  consumers: {},
  tags: [],
  version: 5,
};

const wrongInEveryItem = {
  services: [{}],
  instances: [{}],
  schemas: [{}],
  providers: [{}],
  consumers: [{}],
  tags: { team: 1 },
  apiVersion: 4,
};

describe('each method of the client', () => {
  it('is tested here', () => {
    const methods = Object.getOwnPropertyNames(ServiceCenterClient.prototype);
    const tested = new Set(operations.map(({ name }) => name.split(' ')[0]));
    expect(methods.filter(name => name !== 'constructor' && name !== 'address')).toEqual([
      ...tested,
    ]);
  });

  it.each(operations)('asks as the registry expects: $name', async operation => {
    const http = new FakeSend({ body: operation.answer, headers: { 'x-resource-revision': 'r1' } });
    await operation.ask(clientOf(http.send));
    const [request] = http.requests;
    expect(http.lines).toEqual([operation.sent.replace(' ', ` ${root}`)]);
    expect(request?.body).toBe(
      operation.body === undefined ? undefined : JSON.stringify(operation.body),
    );
    const writes = request?.method === 'PUT' || request?.method === 'POST';
    expect(request?.headers['Content-Type']).toBe(writes ? 'application/json' : undefined);
  });

  it.each(operations)('reads the answer: $name', async operation => {
    const http = new FakeSend({ body: operation.answer, headers: { 'x-resource-revision': 'r1' } });
    expect(await operation.ask(clientOf(http.send))).toEqual(operation.value);
  });

  it.each(operations)('refuses an answer of another shape: $name', async ({ ask }) => {
    const wrong = ['<html>', '[]', '"text"', '5', 'null', wrongInEveryField, wrongInEveryItem];
    for (const body of wrong)
      await expect(ask(clientOf(new FakeSend({ body }).send))).rejects.toBeInstanceOf(
        ServiceCenterProtocolError,
      );
  });

  it.each(operations)('passes signal and deadline on: $name', async ({ ask }) => {
    const { signal } = new AbortController();
    const http = new FakeSend({ status: 400, body: { errorCode: '400001' } });
    const asked = ask(clientOf(http.send), { signal, timeoutMs: 77 });
    await expect(asked).rejects.toMatchObject({ errorCode: 400_001 });
    expect(http.requests[0]).toMatchObject({ signal, timeoutMs: 77 });
  });
});

describe('the server leaves out what is empty, so that', () => {
  it.each([
    ['listMicroservices', []],
    ['getTags', {}],
    ['listSchemas', []],
    ['listProviders', []],
    ['listConsumers', []],
    ['listInstances', []],
    ['getHealth', []],
    ['sendHeartbeats', []],
    ['getVersion', {}],
    ['findInstances', { modified: true, revision: 'r1', instances: [] }],
  ])('%s reads {} as %j', async (name, value) => {
    const http = new FakeSend({ body: {}, headers: { 'x-resource-revision': 'r1' } });
    const operation = operations.find(known => known.name === name);
    expect(await operation?.ask(clientOf(http.send))).toEqual(value);
  });
});

describe('findInstances', () => {
  it('tells when nothing has changed since a revision', async () => {
    const http = new FakeSend({ status: 304 });
    const query = { appId: 'app', serviceName: 'orders', revision: 'r1' };
    expect(await clientOf(http.send).findInstances(query)).toEqual({ modified: false });
  });

  it('says who asks only when that is known', async () => {
    const http = new FakeSend({ body: {} });
    const client = clientOf(http.send);
    await client.findInstances({ appId: 'app', serviceName: 'orders', consumerId: 'me' });
    await client.findInstances({ appId: 'app', serviceName: 'orders' });
    const [known, unknown] = http.requests;
    expect(known?.headers).toHaveProperty('X-ConsumerId', 'me');
    expect(unknown?.headers).not.toHaveProperty('X-ConsumerId');
  });

  it('has no revision when the answer has none', async () => {
    const http = new FakeSend({ body: {} });
    const found = await clientOf(http.send).findInstances({ appId: 'app', serviceName: 'orders' });
    expect(found).toEqual({ modified: true, revision: undefined, instances: [] });
  });
});

describe('sendHeartbeat', () => {
  it('is for the instance that is given, also in an object that has changed since', async () => {
    const http = new FakeSend();
    const client = clientOf(http.send);
    const ref = { serviceId: 's', instanceId: 'i' };
    await client.sendHeartbeat(ref);
    ref.instanceId = 'j';
    await client.sendHeartbeat(ref);
    await client.sendHeartbeat({ serviceId: 't', instanceId: 'j' });
    await client.sendHeartbeat({ serviceId: 't', instanceId: 'j' });
    const paths = http.requests.map(({ url }) => /microservices(.*)/.exec(url)?.[1]);
    expect(paths).toEqual([
      '/s/instances/i/heartbeat',
      '/s/instances/j/heartbeat',
      '/t/instances/j/heartbeat',
      '/t/instances/j/heartbeat',
    ]);
  });
});

describe('findInstancesInBatch', () => {
  const key = { appId: 'app', serviceName: 'orders' };
  const refused = (indexes: readonly number[], detail: string) => ({
    services: { failed: [{ indexes, error: { errorCode: '400012', detail } }] },
  });

  it('says who asks', async () => {
    const http = new FakeSend({ body: { services: { notModified: [0] } } });
    await clientOf(http.send).findInstancesInBatch([key], { consumerId: 'me' });
    expect(http.requests[0]?.headers).toHaveProperty('X-ConsumerId', 'me');
  });

  it.each([
    ['has none for one of them', { notModified: [0] }],
    ['has two for one of them', { notModified: [0, 1], updated: [{ index: 1 }] }],
    ['has two for one of them and none for the other', { notModified: [0, 0] }],
    ['has one for a provider that was not asked for', { notModified: [0, 1, 2] }],
    [
      'has an instance without an id',
      { notModified: [0], updated: [{ index: 1, instances: [{}] }] },
    ],
    ['refuses one without a code', { notModified: [0], failed: [{ indexes: [1], error: {} }] }],
  ])('refuses an answer that %s', async (_, services) => {
    const client = clientOf(new FakeSend({ body: { services } }).send);
    await expect(client.findInstancesInBatch([key, key])).rejects.toBeInstanceOf(
      ServiceCenterProtocolError,
    );
  });

  it('tells a consumer that is unknown as a single find does', async () => {
    const detail = 'Micro-service does not exist(Consumer[me] does not exist.)';
    const client = clientOf(new FakeSend({ body: refused([0], detail) }).send);
    const results = await client.findInstancesInBatch([key], { consumerId: 'me' });
    expect(results).toMatchObject([
      { errorCode: 400_012, status: 400, detail: 'Consumer[me] does not exist.' },
    ]);
  });

  it('takes no other text of a success into an error: a gateway may have put a secret there', async () => {
    const client = clientOf(new FakeSend({ body: refused([0], 'Bearer c4n4ry') }).send);
    const [result] = await client.findInstancesInBatch([key]);
    expect(JSON.stringify(result)).not.toContain('c4n4ry');
    expect(result).toMatchObject({ message: expect.stringContaining('app/orders') });
  });
});

describe('getInstance', () => {
  it('takes another instance whose id begins with the one asked for as none', async () => {
    const http = new FakeSend({ body: { instance: { instanceId: 'i-2', hostName: 'host' } } });
    await expect(clientOf(http.send).getInstance(ref)).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_RESPONSE',
      errorCode: 400_017,
      operation: 'getInstance',
      address: 'http://a:1',
    });
  });

  it('claims no status and no refusal that the server never sent for such an instance', async () => {
    const http = new FakeSend({ body: { instance: { instanceId: 'i-2', hostName: 'host' } } });
    await expect(clientOf(http.send).getInstance(ref)).rejects.toMatchObject({
      status: 200,
      message:
        'Service Center\'s answer to "getInstance" at http://a:1 counts as errorCode 400017: ' +
        'HTTP 200: it is another instance, whose id begins with this one',
    });
  });
});
