import { afterEach, describe, expect, it } from '@jest/globals';
import { ServiceCenterResponseError } from '../../lib/errors.js';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { profileNames } from '../../lib/options/profiles.js';
import { httpClient } from './registry-under-test.js';

const running = new Set<EmbeddedServiceCenter>();

afterEach(async () => {
  await Promise.all([...running].map(serviceCenter => serviceCenter.stop()));
  running.clear();
});

async function started(profile: (typeof profileNames)[number]) {
  const serviceCenter = new EmbeddedServiceCenter({ port: 0, profile });
  running.add(serviceCenter);
  const { url } = await serviceCenter.start();
  return { serviceCenter, client: httpClient(url, { domain: 'tenant' }) };
}

describe.each(profileNames)('the client at a Service Center like %s', profile => {
  it('registers, beats, finds and leaves', async () => {
    const { client } = await started(profile);
    const key = { appId: 'default', serviceName: 'orders', version: '1.0.0' };
    const serviceId = await client.registerMicroservice(key);
    expect(await client.findServiceId(key)).toBe(serviceId);
    const instanceId = await client.registerInstance(serviceId, {
      hostName: 'host-1',
      endpoints: ['rest://10.0.0.7:3000'],
    });
    const ref = { serviceId, instanceId };
    await client.sendHeartbeat(ref);
    expect(await client.sendHeartbeats([ref])).toEqual([ref]);
    await client.setInstanceStatus(ref, 'DOWN');
    await client.setInstanceProperties(ref, { zone: 'a' });
    const found = await client.findInstances({ appId: 'default', serviceName: 'orders' });
    expect(found).toMatchObject({ instances: [{ instanceId, status: 'DOWN' }] });
    await client.unregisterInstance(ref);
    await client.unregisterMicroservice(serviceId);
  });

  it('learns that the registry has forgotten it', async () => {
    const { client } = await started(profile);
    const beat = client.sendHeartbeat({ serviceId: 'none', instanceId: 'none' });
    await expect(beat).rejects.toMatchObject({
      status: 400,
      errorCode: 400_017,
      message: expect.stringContaining('Instance does not exist'),
    });
  });

  it('reads a fault in the words of the registry', async () => {
    const { serviceCenter, client } = await started(profile);
    serviceCenter.faults.answer(500, { errorCode: 500_003, detail: 'disk full' });
    const beat = client.sendHeartbeat({ serviceId: 'orders', instanceId: 'own' });
    await expect(beat).rejects.toMatchObject({ status: 500, errorCode: 500_003 });
  });
});

describe('the client', () => {
  it('takes the throttling of a gateway for a refusal', async () => {
    const { serviceCenter, client } = await started('cse-professional');
    const serviceId = await client.registerMicroservice({
      serviceName: 'orders',
      version: '1.0.0',
    });
    const register = () => client.registerInstance(serviceId, { hostName: 'h' });
    await Promise.all(Array.from({ length: 10 }, register));
    const refused: unknown = await register().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ServiceCenterResponseError);
    expect(refused).toMatchObject({ status: 429 });
    expect(serviceCenter.warnings).toMatchObject([{ kind: 'registration-throttled' }]);
  });
});
