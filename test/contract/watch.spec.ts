import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceRef } from '../../lib/protocol/wire.js';
import { LiveWatcher } from '../support/live-watcher.js';
import { fresh, type RegistryUnderTest, startRegistry } from './registry-under-test.js';

let registry: RegistryUnderTest;
let live: LiveWatcher;
let consumerId: string;
const created: string[] = [];

beforeAll(async () => {
  registry = await startRegistry();
});

beforeEach(async () => {
  live = new LiveWatcher(registry.address);
  consumerId = await service(fresh('shop'));
});

afterEach(() => live.watcher.stop());

afterAll(async () => {
  for (const serviceId of created)
    await live.client.unregisterMicroservice(serviceId, { force: true }).catch(() => undefined);
  await registry.stop();
});

async function service(serviceName: string): Promise<string> {
  const record = { appId: 'contract', serviceName, version: '1.0.0' };
  const serviceId = await live.client.registerMicroservice(record);
  created.push(serviceId);
  await registry.wait(1_000);
  return serviceId;
}

/** A provider that the consumer has found. */
async function provider(): Promise<{ readonly serviceId: string; readonly serviceName: string }> {
  const serviceName = fresh('orders');
  const serviceId = await service(serviceName);
  await live.client.findInstances({ appId: 'contract', serviceName, consumerId });
  await registry.wait(3_000);
  return { serviceId, serviceName };
}

async function registered(serviceId: string): Promise<InstanceRef> {
  const instance = { instanceId: fresh('i'), hostName: 'h' };
  return { serviceId, instanceId: await live.client.registerInstance(serviceId, instance) };
}

describe('a watcher', () => {
  it('is told which provider has an instance that was registered, changed or removed', async () => {
    const { serviceId, serviceName } = await provider();
    await live.open(consumerId);
    const hint = ['hint', expect.objectContaining({ appId: 'contract', serviceName })];
    const ref = await registered(serviceId);
    expect(await live.next()).toEqual(hint);
    await live.client.setInstanceStatus(ref, 'DOWN');
    expect(await live.next()).toEqual(hint);
    await live.client.setInstanceProperties(ref, { a: '1' });
    expect(await live.next()).toEqual(hint);
    await live.client.unregisterInstance(ref);
    expect(await live.next()).toEqual(hint);
  });

  it('is told of providers that a batch has found', async () => {
    const serviceName = fresh('orders');
    const serviceId = await service(serviceName);
    await live.client.findInstancesInBatch([{ appId: 'contract', serviceName }], { consumerId });
    await registry.wait(3_000);
    await live.open(consumerId);
    await registered(serviceId);
    expect(await live.next()).toMatchObject(['hint', { serviceName }]);
  });

  it('is not told of others', async () => {
    const { serviceId, serviceName } = await provider();
    const other = await service(fresh('other'));
    await live.open(consumerId);
    await registered(other);
    await registered(serviceId);
    expect(await live.next()).toMatchObject(['hint', { serviceName }]);
  });

  it('is told that the registry does not know the service that watches', async () => {
    await live.open(fresh('none'));
    expect(await live.next()).toMatchObject(['lost', { errorCode: 400_012 }]);
    expect(await live.next()).toEqual(['hint', 'all']);
  });

  it('gets a pong for its ping', async () => {
    await live.open(consumerId);
    live.watcher.probe();
    expect(await live.next()).toEqual(['heard']);
  });
});
