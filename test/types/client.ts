import {
  ErrorCode,
  type ServiceCenterClient,
  ServiceCenterResponseError,
} from '../../lib/index.js';

/* Compiled and never run: what may be asked of the client, and what the compiler must refuse. */

const flag: boolean | undefined = undefined;
const ref = { serviceId: 's', instanceId: 'i' };

export async function ask(client: ServiceCenterClient): Promise<unknown> {
  const { signal } = new AbortController();
  await client.unregisterMicroservice('s', { force: flag, signal, timeoutMs: undefined });
  await client.listSchemas('s', { withSchema: flag });
  await client.registerMicroservice({ serviceName: 'a', version: '1' }, { tags: undefined });
  await client.getInstance(ref, { noCache: flag });
  const found = await client.findInstances({
    appId: 'a',
    serviceName: 'b',
    environment: undefined,
  });
  // @ts-expect-error an unchanged answer has no instances
  void found.instances;
  if (found.modified) void found.instances[0]?.instanceId.length;

  const query = { appId: 'a', serviceName: 'b', environment: undefined, revision: undefined };
  await client.findInstances({ ...query, tags: ['team'] });
  const batch = await client.findInstancesInBatch([query], {
    consumerId: 's',
    noCache: flag,
    signal,
  });
  for (const result of batch) {
    // @ts-expect-error it may be a refusal
    void result.modified;
    if (result instanceof ServiceCenterResponseError) void result.errorCode?.toFixed();
    else if (result.modified) void result.instances[0]?.instanceId.length;
  }
  // @ts-expect-error the registry takes no tags in a batch
  await client.findInstancesInBatch([{ ...query, tags: ['team'] }]);
  void (await client.listProviders('s', { signal }))[0]?.serviceName.length;
  void (await client.listConsumers('s'))[0]?.serviceName.length;

  // @ts-expect-error a status is one of five
  await client.setInstanceStatus(ref, 'AWAY');
  // @ts-expect-error an instance has a host name
  await client.registerInstance('s', { endpoints: [] });
  // @ts-expect-error both ids are needed
  await client.sendHeartbeat({ serviceId: 's' });
  // @ts-expect-error properties are texts
  await client.setInstanceProperties(ref, { weight: 1 });
  return found;
}

export function isGone(error: unknown): boolean {
  return (
    error instanceof ServiceCenterResponseError && error.errorCode === ErrorCode.InstanceNotExists
  );
}
