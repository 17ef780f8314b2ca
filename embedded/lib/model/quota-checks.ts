import { ErrorCode, RegistryError } from './registry-error.js';
import type { Namespace } from './namespace.js';
import type { ServiceRecord } from './service-directory.js';

/**
 * @throws RegistryError 400100 if a project has no room for another service, even if it exists
 * already
 */
export function refuseService(namespace: Namespace): void {
  refuseOver('SERVICE', namespace.shared.quotas.services, namespace.counted.services);
}

/**
 * @throws RegistryError 400100 if a project has no room for another instance, even if it exists
 * already
 */
export function refuseInstance(namespace: Namespace): void {
  refuseOver('INSTANCE', namespace.shared.quotas.instances, namespace.counted.instances);
}

/** @throws RegistryError 400100 if a service has no room for another schema */
export function refuseSchema({ shared }: Namespace, { service, schemas }: ServiceRecord): void {
  const { size } = new Set([...(service.schemas ?? []), ...schemas.keys()]);
  refuseOver('SCHEMA', shared.quotas.schemas, size);
}

function refuseOver(resource: string, max: number, current: number): void {
  if (current + 1 <= max) return;
  throw new RegistryError(
    ErrorCode.NotEnoughQuota,
    `no quota to create ${resource}, max num is ${max}, curNum is ${current}, apply num is 1`,
  );
}
