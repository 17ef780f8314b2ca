import { ErrorCode, RegistryError } from './registry-error.js';
import { InstanceTable } from './instance-list.js';
import type { Namespace } from './namespace.js';
import { refuseService } from './quota-checks.js';
import type { StoredMicroservice } from './records.js';
import { isShared, serviceCenterId } from './own-service.js';
import { nameKeyOf, serviceIdFor } from './service-directory.js';
import type { ServiceName, ServiceRecord } from './service-directory.js';

/** A service in a registration, with or without its id. */
export type RequestedMicroservice = Omit<StoredMicroservice, 'serviceId'> & {
  readonly serviceId?: string | undefined;
};

/**
 * Registers a service and returns its id. If the service exists already, its record stays
 * unchanged, whatever the request contains (datasource/etcd/ms.go, RegisterService).
 *
 * @throws RegistryError 400010 if the id belongs to another service, or the service has another id;
 * 400100 if the quota is used up, even if the service exists already
 */
export function registerService(namespace: Namespace, requested: RequestedMicroservice): string {
  refuseService(namespace);
  namespace.shared.store.require();
  const serviceId = requested.serviceId ?? serviceIdFor(namespace.name, requested);
  const holder = namespace.services.holderOf(requested);
  if (holder === undefined && namespace.services.get(serviceId) === undefined) {
    const timestamp = namespace.shared.timestamp();
    const service = { ...requested, serviceId, timestamp, modTimestamp: timestamp };
    addService(namespace, service);
    return serviceId;
  }
  if (holder === undefined || (requested.serviceId !== undefined && requested.serviceId !== holder))
    throw new RegistryError(
      ErrorCode.ServiceAlreadyExists,
      'ServiceID conflict or found the same service with different id.',
    );
  return holder;
}

/** Adds a service without tags, schemas or instances. */
export function addService(namespace: Namespace, service: StoredMicroservice): void {
  namespace.services.add({
    service,
    tags: new Map(),
    schemas: new Map(),
    instances: new InstanceTable(namespace.shared.listTexts),
  });
  namespace.count(service, { services: 1, instances: 0 });
  namespace.shared.serviceChanges.emit({ kind: 'registered', tenant: namespace.name, service });
}

/**
 * Returns the id of one version of a service, by its name or alias.
 *
 * @throws RegistryError 400012 if no service has the name, 400026 if none has the version
 */
export function findServiceId(
  namespace: Namespace,
  wanted: ServiceName & { readonly version: string },
): string {
  const versions = namespace.services.versionsOf(wanted, wanted.serviceName);
  const flag = `${nameKeyOf(wanted)}/${wanted.version}`;
  if (versions.length === 0) {
    namespace.shared.store.requireForFind();
    throw new RegistryError(ErrorCode.ServiceNotExists, `${flag} does not exist.`);
  }
  const found = versions.find(({ service }) => service.version === wanted.version);
  if (found === undefined)
    throw new RegistryError(ErrorCode.ServiceVersionNotExists, `${flag} version mismatch.`);
  return found.service.serviceId;
}

/** Returns all services of a namespace, shared ones only if asked for. */
export function listServices(namespace: Namespace, withShared: boolean): StoredMicroservice[] {
  return [...namespace.services.all()]
    .map(({ service }) => service)
    .filter(service => withShared || !isShared(namespace, service));
}

/** Replaces all properties of a service; undefined removes them. */
export function setServiceProperties(
  namespace: Namespace,
  serviceId: string,
  properties: Readonly<Record<string, string>> | undefined,
): void {
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  const modTimestamp = namespace.shared.timestamp();
  record.service = { ...record.service, properties, modTimestamp };
  const { service } = record;
  namespace.shared.serviceChanges.emit({ kind: 'updated', tenant: namespace.name, service });
}

/**
 * Removes a service with its tags, schemas and instances.
 *
 * @throws RegistryError 400001 for the Service Center itself; without `force` 400023 while another
 * service depends on it, and 400013 while it has instances
 */
export function unregisterService(
  namespace: Namespace,
  serviceId: string,
  { force }: { readonly force: boolean },
): void {
  if (serviceId === serviceCenterId)
    throw new RegistryError(ErrorCode.InvalidParameters, 'not allow to delete service center');
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  if (!force) refuseWhileInUse(namespace, record);
  removeService(namespace, record);
}

/** Removes a service, in use or not. */
export function removeService(namespace: Namespace, record: ServiceRecord): void {
  namespace.services.remove(record);
  namespace.count(record.service, { services: -1, instances: -record.instances.size });
  namespace.shared.publication.dropLists(record);
  namespace.dependencies.removeConsumer(record.service.serviceId);
  const { service } = record;
  namespace.shared.serviceChanges.emit({ kind: 'removed', tenant: namespace.name, service });
}

function refuseWhileInUse(namespace: Namespace, record: ServiceRecord): void {
  const { service } = record;
  const consumers = namespace.dependencies.consumersOf(service);
  if (consumers.some(id => id !== service.serviceId))
    throw new RegistryError(
      ErrorCode.ServiceHasConsumers,
      'Can not delete this service, other service rely it.',
    );
  if (namespace.shared.publication.cachedInstances(record).length > 0)
    throw new RegistryError(
      ErrorCode.ServiceHasInstances,
      'Can not delete the service deployed instance(s).',
    );
}

/** @throws RegistryError 400012 if the service is unknown */
export function replaceTags(
  namespace: Namespace,
  serviceId: string,
  tags: ReadonlyMap<string, string>,
): void {
  namespace.shared.store.require();
  namespace.requireService(serviceId).tags = tags;
}

/** @throws RegistryError 400012 if the service is unknown, 400018 if it does not have the tag */
export function setTag(
  namespace: Namespace,
  serviceId: string,
  { key, value }: { readonly key: string; readonly value: string },
): void {
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  if (!record.tags.has(key))
    throw new RegistryError(ErrorCode.TagNotExists, 'Tag does not exist, please add one first.');
  record.tags = new Map([...record.tags, [key, value]]);
}

/** Removes all of these tags, or none if one is missing (400018). */
export function removeTags(namespace: Namespace, serviceId: string, keys: readonly string[]): void {
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  const tags = new Map(record.tags);
  for (const key of keys)
    if (!tags.delete(key))
      throw new RegistryError(
        ErrorCode.TagNotExists,
        `Delete tags failed for this key ${key} does not exist.`,
      );
  record.tags = tags;
}
