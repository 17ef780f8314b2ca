import { ErrorCode, RegistryError } from './registry-error.js';
import type { Namespace } from './namespace.js';
import type { ServiceRecord } from './records.js';
import { isShared, serviceCenterName } from './own-service.js';

/**
 * @throws RegistryError 400100 if a project has no room for another service, even if it exists
 * already
 */
export function refuseService(namespace: Namespace): void {
  const { shared, services } = namespace;
  refuseOver('SERVICE', shared.quotas.services, services.size - sharedIn(namespace).length);
}

/**
 * @throws RegistryError 400100 if a project has no room for another instance, even if it exists
 * already
 */
export function refuseInstance(namespace: Namespace): void {
  const { shared, services } = namespace;
  const count = instancesOf(services.all()) - instancesOf(sharedIn(namespace));
  refuseOver('INSTANCE', shared.quotas.instances, count);
}

/** @throws RegistryError 400100 if a service has no room for another schema */
export function refuseSchema({ shared }: Namespace, { service, schemas }: ServiceRecord): void {
  const { size } = new Set([...(service.schemas ?? []), ...schemas.keys()]);
  refuseOver('SCHEMA', shared.quotas.schemas, size);
}

/** Returns the Service Center's own services, which do not count (datasource/etcd/ops.go). */
function sharedIn(namespace: Namespace): readonly ServiceRecord[] {
  const isHere = isShared(namespace, serviceCenterName);
  return isHere ? namespace.services.versionsOf(serviceCenterName) : [];
}

/** Counts without copying, because this runs for each registration. */
function instancesOf(records: Iterable<ServiceRecord>): number {
  let count = 0;
  for (const { instances } of records) count += instances.size;
  return count;
}

function refuseOver(resource: string, max: number, current: number): void {
  if (current + 1 <= max) return;
  throw new RegistryError(
    ErrorCode.NotEnoughQuota,
    `no quota to create ${resource}, max num is ${max}, curNum is ${current}, apply num is 1`,
  );
}
