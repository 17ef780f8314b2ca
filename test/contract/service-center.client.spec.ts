import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import type { InstanceRef, Microservice, MicroserviceInstance } from '../../lib/protocol/wire.js';
import { fresh, httpClient, type RegistryUnderTest, startRegistry } from './registry-under-test.js';

/** A real registry needs half a minute for a lease to end. */
const patienceMs = 60_000;

let registry: RegistryUnderTest;
let client: ServiceCenterClient;
const created: string[] = [];

beforeAll(async () => {
  registry = await startRegistry();
  client = httpClient(registry.address);
});

afterAll(async () => {
  for (const serviceId of created)
    await client.unregisterMicroservice(serviceId, { force: true }).catch(() => undefined);
  await registry.stop();
});

function newService(change: Partial<Microservice> = {}): Microservice {
  return { appId: 'contract', serviceName: fresh('orders'), version: '1.0.0', ...change };
}

function newInstance(change: Partial<MicroserviceInstance> = {}): MicroserviceInstance {
  return {
    instanceId: fresh('i'),
    hostName: 'host-1',
    endpoints: ['rest://10.0.0.7:3000'],
    healthCheck: { mode: 'push', interval: 5, times: 3 },
    ...change,
  };
}

async function registeredService(service = newService()): Promise<string> {
  const serviceId = await client.registerMicroservice(service);
  created.push(serviceId);
  return serviceId;
}

async function registeredInstance(
  instance = newInstance(),
  serviceId?: string,
): Promise<InstanceRef> {
  const owner = serviceId ?? (await registeredService());
  return { serviceId: owner, instanceId: await client.registerInstance(owner, instance) };
}

/** Lets a write become visible in the caches of a real registry. */
function published(): Promise<void> {
  return registry.wait(1_000);
}

const nobody = { serviceId: fresh('none'), instanceId: fresh('none') };

describe('the registry itself', () => {
  it('tells its version', async () => {
    expect(await client.getVersion()).toMatchObject({
      apiVersion: '4.0.0',
      version: expect.any(String),
    });
  });

  it('tells its own instances', async () => {
    const [itself] = await client.getHealth();
    expect(itself?.endpoints?.[0]).toMatch(/^rest:\/\/.+:\d+\//);
  });
});

describe('a service', () => {
  it('has an id once it is registered, and the same one each time', async () => {
    const service = newService();
    const serviceId = await registeredService(service);
    expect(await client.registerMicroservice(service)).toBe(serviceId);
    expect(await client.findServiceId(service)).toBe(serviceId);
  });

  it('is stored as it was sent, and left as it is by a second registration', async () => {
    const service = newService({
      environment: 'testing',
      description: 'takes “orders” <&>',
      level: 'FRONT',
      properties: { team: 'zürich' },
      schemas: ['orders-v1'],
      framework: { name: 'nestjs', version: '12.0.0' },
      registerBy: 'SDK',
    });
    const serviceId = await registeredService(service);
    await client.registerMicroservice({ ...service, properties: { team: 'other' } });
    await published();
    expect(await client.getMicroservice(serviceId)).toMatchObject({ ...service, serviceId });
  });

  it('is another one in another version or environment', async () => {
    const service = newService();
    const ids = [
      await registeredService(service),
      await registeredService({ ...service, version: '1.0.1' }),
      await registeredService({ ...service, environment: 'production' }),
    ];
    expect(new Set(ids).size).toBe(3);
  });

  it('is listed', async () => {
    const service = newService();
    const serviceId = await registeredService(service);
    await published();
    const listed = await client.listMicroservices();
    expect(listed.find(known => known.serviceId === serviceId)).toMatchObject(service);
  });

  it('has its properties replaced', async () => {
    const serviceId = await registeredService(newService({ properties: { a: '1', b: '2' } }));
    await client.setMicroserviceProperties(serviceId, { b: '3' });
    await published();
    expect((await client.getMicroservice(serviceId)).properties).toEqual({ b: '3' });
  });

  it('has tags, which are replaced', async () => {
    const service = newService();
    const serviceId = await client.registerMicroservice(service, { tags: { team: 'a' } });
    created.push(serviceId);
    await published();
    expect(await client.getTags(serviceId)).toEqual({ team: 'a' });
    await client.setTags(serviceId, { tier: 'b' });
    await published();
    expect(await client.getTags(serviceId)).toEqual({ tier: 'b' });
  });

  it('has no tags at first', async () => {
    expect(await client.getTags(await registeredService())).toEqual({});
  });

  it('is gone when it is removed', async () => {
    const service = newService();
    const serviceId = await registeredService(service);
    await client.unregisterMicroservice(serviceId);
    await registry.wait(3_000);
    await expect(client.getMicroservice(serviceId)).rejects.toMatchObject({ errorCode: 400_012 });
    await expect(client.findServiceId(service)).rejects.toMatchObject({ errorCode: 400_012 });
  });

  it('is not removed with its instances unless forced', async () => {
    const { serviceId } = await registeredInstance();
    await published();
    await expect(client.unregisterMicroservice(serviceId)).rejects.toMatchObject({
      errorCode: 400_013,
    });
    await client.unregisterMicroservice(serviceId, { force: true });
  });
});

describe('a schema', () => {
  const schema = { schemaId: 'orders-v1', schema: 'openapi: "3.0.0" # ü', summary: 'abc123' };

  it('is read back as it was uploaded, and replaced', async () => {
    const serviceId = await registeredService();
    await client.setSchema(serviceId, schema);
    await published();
    expect(await client.getSchema(serviceId, schema.schemaId)).toBe(schema.schema);
    await client.setSchema(serviceId, { ...schema, schema: 'other' });
    await published();
    expect(await client.getSchema(serviceId, schema.schemaId)).toBe('other');
  });

  it('is listed with its summary, and with its text when asked for', async () => {
    const serviceId = await registeredService();
    await client.setSchema(serviceId, schema);
    await published();
    const { schemaId, summary } = schema;
    expect(await client.listSchemas(serviceId)).toEqual([{ schemaId, summary }]);
    expect(await client.listSchemas(serviceId, { withSchema: true })).toEqual([schema]);
  });

  it('is gone when it is removed', async () => {
    const serviceId = await registeredService();
    await client.setSchema(serviceId, schema);
    await client.removeSchema(serviceId, schema.schemaId);
    await published();
    await expect(client.getSchema(serviceId, schema.schemaId)).rejects.toMatchObject({
      errorCode: 400_016,
    });
  });
});

describe('an instance', () => {
  it('keeps the id it was sent with, and is stored as sent', async () => {
    const instance = newInstance({
      status: 'STARTING',
      properties: { zone: 'a' },
      dataCenterInfo: { name: 'dc', region: 'eu', availableZone: 'eu-1' },
    });
    const ref = await registeredInstance(instance);
    expect(ref.instanceId).toBe(instance.instanceId);
    expect(await client.getInstance(ref, { noCache: true })).toMatchObject({
      ...instance,
      serviceId: ref.serviceId,
      version: '1.0.0',
    });
  });

  it('is given an id when it has none', async () => {
    const ref = await registeredInstance(newInstance({ instanceId: undefined }));
    expect(ref.instanceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['its interval is under five seconds', { interval: 1, times: 0 }, { interval: 5, times: 3 }],
    ['its times is under three', { interval: 30, times: 1 }, { interval: 30, times: 3 }],
  ])('has a longer lease than it asks for when %s', async (_, asked, stored) => {
    const ref = await registeredInstance(newInstance({ healthCheck: { mode: 'push', ...asked } }));
    const { healthCheck } = await client.getInstance(ref, { noCache: true });
    expect(healthCheck).toMatchObject(stored);
  });

  it('is not changed by a second registration while it lives', async () => {
    const instance = newInstance();
    const ref = await registeredInstance(instance);
    const moved = { ...instance, endpoints: ['rest://10.0.0.8:3000'], status: 'DOWN' as const };
    expect(await client.registerInstance(ref.serviceId, moved)).toBe(ref.instanceId);
    expect(await client.getInstance(ref, { noCache: true })).toMatchObject({
      endpoints: instance.endpoints,
      status: 'UP',
    });
  });

  it('is listed with the others of its service, whatever their status', async () => {
    const serviceId = await registeredService();
    const up = await registeredInstance(newInstance(), serviceId);
    const down = await registeredInstance(newInstance({ status: 'DOWN' }), serviceId);
    const listed = await client.listInstances(serviceId, { noCache: true });
    expect(new Set(listed.map(({ instanceId }) => instanceId))).toEqual(
      new Set([up.instanceId, down.instanceId]),
    );
  });

  it('is not there while its service has none', async () => {
    const serviceId = await registeredService();
    await published();
    expect(await client.listInstances(serviceId, { noCache: true })).toEqual([]);
  });

  it('has its status changed', async () => {
    const ref = await registeredInstance();
    await published();
    await client.setInstanceStatus(ref, 'OUTOFSERVICE');
    const { status } = await client.getInstance(ref, { noCache: true });
    expect(status).toBe('OUTOFSERVICE');
  });

  it('has its properties replaced', async () => {
    const ref = await registeredInstance(newInstance({ properties: { a: '1', b: '2' } }));
    await published();
    await client.setInstanceProperties(ref, { b: '3' });
    const { properties } = await client.getInstance(ref, { noCache: true });
    expect(properties).toEqual({ b: '3' });
  });

  it('is gone when it is removed, for the registry and for its heartbeats', async () => {
    const ref = await registeredInstance();
    await client.unregisterInstance(ref);
    await expect(client.getInstance(ref, { noCache: true })).rejects.toMatchObject({
      errorCode: 400_017,
    });
    await expect(client.sendHeartbeat(ref)).rejects.toMatchObject({ errorCode: 400_017 });
    await expect(client.unregisterInstance(ref)).rejects.toMatchObject({ errorCode: 400_017 });
  });

  it('is not the one whose id begins with its own', async () => {
    const ref = await registeredInstance();
    const prefix = { ...ref, instanceId: ref.instanceId.slice(0, -1) };
    await expect(client.getInstance(prefix, { noCache: true })).rejects.toMatchObject({
      errorCode: 400_017,
    });
  });
});

describe('a lease', () => {
  it(
    'ends interval × (times + 1) after the last heartbeat',
    async () => {
      const ref = await registeredInstance();
      await registry.wait(10_000);
      await client.sendHeartbeat(ref);
      await registry.wait(18_000);
      expect(await client.getInstance(ref, { noCache: true })).toMatchObject(ref);
      await registry.wait(5_000);
      await expect(client.getInstance(ref, { noCache: true })).rejects.toMatchObject({
        errorCode: 400_017,
      });
      await expect(client.sendHeartbeat(ref)).rejects.toMatchObject({ errorCode: 400_017 });
    },
    patienceMs,
  );

  it(
    'is renewed by a second registration',
    async () => {
      const instance = newInstance();
      const ref = await registeredInstance(instance);
      await registry.wait(12_000);
      await client.registerInstance(ref.serviceId, instance);
      await registry.wait(12_000);
      expect(await client.getInstance(ref, { noCache: true })).toMatchObject(ref);
    },
    patienceMs,
  );

  it(
    'is not renewed by a change of the instance',
    async () => {
      const ref = await registeredInstance();
      await registry.wait(12_000);
      await client.setInstanceStatus(ref, 'DOWN');
      await registry.wait(11_000);
      await expect(client.getInstance(ref, { noCache: true })).rejects.toMatchObject({
        errorCode: 400_017,
      });
    },
    patienceMs,
  );

  it(
    'is renewed for several instances at once, with a word for each that is gone',
    async () => {
      const ref = await registeredInstance();
      const other = await registeredInstance();
      await registry.wait(12_000);
      const results = await client.sendHeartbeats([ref, other, nobody]);
      await registry.wait(12_000);
      const failed = results.filter(({ errMessage }) => errMessage !== undefined);
      expect(results).toHaveLength(3);
      expect(failed).toEqual([{ ...nobody, errMessage: expect.stringContaining('not exist') }]);
      for (const living of [ref, other])
        expect(await client.getInstance(living, { noCache: true })).toMatchObject(living);
    },
    patienceMs,
  );
});

describe('a find', () => {
  async function provider() {
    const service = newService();
    const ref = await registeredInstance(newInstance(), await registeredService(service));
    await published();
    const query = { appId: 'contract', serviceName: service.serviceName };
    return { ref, query, service };
  }

  it('tells the instances of a provider in all versions', async () => {
    const { ref, query, service } = await provider();
    const newer = await registeredService({ ...service, version: '2.0.0' });
    const second = await registeredInstance(newInstance(), newer);
    await published();
    const found = await client.findInstances(query);
    expect(found).toMatchObject({ modified: true, revision: expect.any(String) });
    const ids = found.modified ? found.instances.map(({ instanceId }) => instanceId) : [];
    expect(new Set(ids)).toEqual(new Set([ref.instanceId, second.instanceId]));
  });

  it('says that nothing has changed since a revision', async () => {
    const { query } = await provider();
    const found = await client.findInstances(query);
    const revision = found.modified ? found.revision : undefined;
    expect(await client.findInstances({ ...query, revision })).toEqual({ modified: false });
  });

  it('tells what has changed since a revision', async () => {
    const { ref, query } = await provider();
    const found = await client.findInstances(query);
    const revision = found.modified ? found.revision : undefined;
    await client.setInstanceStatus(ref, 'DOWN');
    await published();
    expect(await client.findInstances({ ...query, revision })).toMatchObject({
      modified: true,
      instances: [{ instanceId: ref.instanceId, status: 'DOWN' }],
    });
  });

  it('tells the truth past the cache', async () => {
    const { ref, query } = await provider();
    await client.unregisterInstance(ref);
    expect(await client.findInstances({ ...query, noCache: true })).toMatchObject({
      modified: true,
      instances: [],
    });
  });

  it('knows who asks', async () => {
    const { ref, query } = await provider();
    const consumerId = await registeredService();
    await published();
    expect(await client.findInstances({ ...query, consumerId })).toMatchObject({
      instances: [{ instanceId: ref.instanceId }],
    });
  });

  it('looks in one environment', async () => {
    const service = newService({ environment: 'testing' });
    await registeredInstance(newInstance(), await registeredService(service));
    await published();
    const query = { appId: 'contract', serviceName: service.serviceName };
    expect(await client.findInstances({ ...query, environment: 'testing' })).toMatchObject({
      instances: [{}],
    });
    await expect(client.findInstances(query)).rejects.toMatchObject({ errorCode: 400_012 });
  });

  it('looks for services with all of these tags, whatever their values', async () => {
    const service = newService();
    const serviceId = await client.registerMicroservice(service, {
      tags: { team: 'a', tier: 'b' },
    });
    created.push(serviceId);
    const ref = await registeredInstance(newInstance(), serviceId);
    await published();
    const query = { appId: 'contract', serviceName: service.serviceName };
    const both = await client.findInstances({ ...query, tags: ['team', 'tier'] });
    expect(both).toMatchObject({ instances: [{ instanceId: ref.instanceId }] });
    const neither = await client.findInstances({ ...query, tags: ['team', 'none'] });
    expect(neither).toMatchObject({ modified: true, instances: [] });
  });
});

describe('a batch of finds', () => {
  async function providers() {
    const [first, second] = [newService(), newService()];
    for (const service of [first, second])
      await registeredInstance(newInstance(), await registeredService(service));
    await published();
    return [first, second].map(({ serviceName }) => ({ appId: 'contract', serviceName }));
  }
  const unknown = { appId: 'contract', serviceName: nobody.serviceId };

  it('tells what became of each provider, in the order of the question', async () => {
    const [known, changed] = await providers();
    if (known === undefined || changed === undefined) throw new Error('there are two');
    const found = await client.findInstances(known);
    const revision = found.modified ? found.revision : undefined;
    const asked = [unknown, changed, { ...known, revision }, unknown];
    expect(await client.findInstancesInBatch(asked)).toMatchObject([
      { code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 400_012, status: 400 },
      { modified: true, revision: expect.any(String), instances: [{ hostName: 'host-1' }] },
      { modified: false },
      { code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 400_012 },
    ]);
  });

  it('finds what a single find does, revision included', async () => {
    const asked = await providers();
    const singles = await Promise.all(asked.map(query => client.findInstances(query)));
    expect(await client.findInstancesInBatch(asked)).toEqual(singles);
  });

  it('tells the truth past the cache', async () => {
    const service = newService();
    const ref = await registeredInstance(newInstance(), await registeredService(service));
    await published();
    await client.unregisterInstance(ref);
    const query = { appId: 'contract', serviceName: service.serviceName };
    expect(await client.findInstancesInBatch([query], { noCache: true })).toMatchObject([
      { modified: true, instances: [] },
    ]);
  });

  it('tells of each provider that the consumer is unknown', async () => {
    const consumerId = nobody.serviceId;
    const detail = `Consumer[${consumerId}] does not exist.`;
    const results = await client.findInstancesInBatch(await providers(), { consumerId });
    expect(results).toMatchObject([
      { errorCode: 400_012, detail },
      { errorCode: 400_012, detail },
    ]);
  });

  it('makes the consumer depend on what was found', async () => {
    const consumerId = await registeredService();
    const asked = await providers();
    await client.findInstancesInBatch(asked, { consumerId });
    await registry.wait(3_000);
    const found = await client.listProviders(consumerId);
    expect(new Set(found.map(({ serviceName }) => serviceName))).toEqual(
      new Set(asked.map(({ serviceName }) => serviceName)),
    );
  });
});

describe('a dependency', () => {
  it('is not there before the provider was found', async () => {
    const serviceId = await registeredService();
    await published();
    expect(await client.listProviders(serviceId)).toEqual([]);
    expect(await client.listConsumers(serviceId)).toEqual([]);
  });

  it('is listed from both ends once a consumer has found a provider', async () => {
    const service = newService();
    const providerId = await registeredService(service);
    const consumerId = await registeredService();
    await published();
    const query = { appId: 'contract', serviceName: service.serviceName };
    await client.findInstances({ ...query, consumerId });
    await registry.wait(3_000);
    expect(await client.listProviders(consumerId)).toMatchObject([{ serviceId: providerId }]);
    expect(await client.listConsumers(providerId)).toMatchObject([{ serviceId: consumerId }]);
  });
});

describe('a domain', () => {
  it('is a registry of its own', async () => {
    const inDomain = httpClient(registry.address, { domain: fresh('acme') });
    const service = newService();
    const serviceId = await inDomain.registerMicroservice(service);
    await expect(client.findServiceId(service)).rejects.toMatchObject({ errorCode: 400_012 });
    await inDomain.unregisterMicroservice(serviceId, { force: true });
  });
});

describe('the registry refuses', () => {
  const unknown = nobody.serviceId;
  const key = newService();
  const refusals: [string, number, () => Promise<unknown>][] = [
    ['to find a service that is unknown', 400_012, () => client.findServiceId(key)],
    ['to read one', 400_012, () => client.getMicroservice(unknown)],
    ['to remove one', 400_012, () => client.unregisterMicroservice(unknown)],
    ['to change one', 400_012, () => client.setMicroserviceProperties(unknown, {})],
    ['the tags of one', 400_012, () => client.getTags(unknown)],
    ['tags for one', 400_012, () => client.setTags(unknown, { a: 'b' })],
    ['the schemas of one', 400_012, () => client.listSchemas(unknown)],
    ['a schema of one', 400_012, () => client.getSchema(unknown, 'c')],
    [
      'a schema for one',
      400_012,
      () => client.setSchema(unknown, { schemaId: 'c', schema: 'x', summary: 'a' }),
    ],
    ['to remove a schema of one', 400_012, () => client.removeSchema(unknown, 'c')],
    ['an instance of one', 400_012, () => client.registerInstance(unknown, newInstance())],
    ['the instances of one', 400_012, () => client.listInstances(unknown)],
    [
      'to find its instances',
      400_012,
      () => client.findInstances({ appId: 'contract', serviceName: unknown }),
    ],
    ['the providers of one', 400_012, () => client.listProviders(unknown)],
    ['the consumers of one', 400_012, () => client.listConsumers(unknown)],
    ['no finds at all', 400_001, () => client.findInstancesInBatch([])],
    ['a heartbeat of an instance that is unknown', 400_017, () => client.sendHeartbeat(nobody)],
    ['to remove one', 400_017, () => client.unregisterInstance(nobody)],
    ['a status for one', 400_017, () => client.setInstanceStatus(nobody, 'UP')],
    ['properties for one', 400_017, () => client.setInstanceProperties(nobody, {})],
    ['no heartbeats at all', 400_001, () => client.sendHeartbeats([])],
    [
      'a name that is none',
      400_001,
      () => client.registerMicroservice(newService({ serviceName: '-x' })),
    ],
    [
      'a version that is none',
      400_001,
      () => client.registerMicroservice(newService({ version: 'v1' })),
    ],
  ];

  it.each(refusals)('%s, with errorCode %i', async (_, errorCode, ask) => {
    await expect(ask()).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_RESPONSE',
      errorCode,
      status: 400,
      address: registry.address,
    });
  });

  it('another version of a service, with errorCode 400026', async () => {
    const service = newService();
    await registeredService(service);
    await published();
    await expect(client.findServiceId({ ...service, version: '9.9.9' })).rejects.toMatchObject({
      errorCode: 400_026,
    });
  });

  it('a second id for a service, with errorCode 400010', async () => {
    const service = newService();
    await registeredService(service);
    await expect(
      client.registerMicroservice({ ...service, serviceId: fresh('other') }),
    ).rejects.toMatchObject({ errorCode: 400_010 });
  });

  it('a schema that was never uploaded, with errorCode 400016', async () => {
    const serviceId = await registeredService();
    await published();
    await expect(client.getSchema(serviceId, 'c')).rejects.toMatchObject({ errorCode: 400_016 });
    await expect(client.removeSchema(serviceId, 'c')).rejects.toMatchObject({ errorCode: 400_016 });
  });

  it('an instance that is not there, with errorCode 400017', async () => {
    const ref = { serviceId: await registeredService(), instanceId: fresh('none') };
    await published();
    await expect(client.getInstance(ref, { noCache: true })).rejects.toMatchObject({
      errorCode: 400_017,
    });
  });

  it('an instance without a host name, with errorCode 400001', async () => {
    const serviceId = await registeredService();
    await expect(
      client.registerInstance(serviceId, newInstance({ hostName: '' })),
    ).rejects.toMatchObject({ errorCode: 400_001, detail: expect.stringContaining('HostName') });
  });

  it('a consumer that is unknown, with errorCode 400012', async () => {
    const query = { appId: 'contract', serviceName: fresh('orders'), consumerId: fresh('none') };
    await expect(client.findInstances(query)).rejects.toMatchObject({ errorCode: 400_012 });
  });
});
