import type { Lease } from '../model/leases.js';
import type { Namespace } from '../model/namespace.js';
import type { StoredInstance, StoredMicroservice } from '../model/records.js';
import type { ServiceRecord } from '../model/service-directory.js';
import { serviceCenterId } from '../model/own-service.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { FaultInfo } from '../server/faults.js';
import type {
  FaultView,
  InstanceView,
  LeaseView,
  RegistryView,
  ServiceView,
  ServiceWithInstances,
} from './messages.js';

/** Returns all services and instances. */
export function registryView(model: RegistryModel): RegistryView {
  const services = model
    .namespaces()
    .flatMap(namespace =>
      [...namespace.services.all()]
        .filter(({ service }) => service.serviceId !== serviceCenterId)
        .map(record => serviceWithInstances(namespace, record)),
    );
  return { now: model.shared.now(), services };
}

function serviceWithInstances(
  { name }: Namespace,
  { service, instances }: ServiceRecord,
): ServiceWithInstances {
  const views = [...instances.values()].map(({ instance, lease }) =>
    instanceView(name, instance, lease),
  );
  return { ...serviceView(name, service), instances: views };
}

/** @param tenant name of the namespace */
export function serviceView(tenant: string, service: StoredMicroservice): ServiceView {
  const { serviceId, appId, serviceName, version, environment = '', properties = {} } = service;
  const key = serviceKey(tenant, serviceId);
  return { key, tenant, serviceId, appId, serviceName, version, environment, properties };
}

/** @param lease undefined if the instance is removed */
export function instanceView(
  tenant: string,
  instance: StoredInstance,
  lease: Lease | undefined,
): InstanceView {
  const { instanceId, hostName, status = '', endpoints = [], properties = {} } = instance;
  const key = instanceKey(tenant, instance);
  const leaseOrNull = lease === undefined ? null : leaseView(lease);
  return { key, instanceId, hostName, status, endpoints, properties, lease: leaseOrNull };
}

/** Returns the current state of a lease. */
export function leaseView({ lengthMs, remainingMs, renewedAt }: Lease): LeaseView {
  return { lengthMs, remainingMs, renewedAt };
}

/** Returns a key for a service of a namespace; ids contain no line breaks. */
export function serviceKey(tenant: string, serviceId: string): string {
  return `${tenant}\n${serviceId}`;
}

/** Returns a key for an instance of a namespace. */
export function instanceKey(
  tenant: string,
  { serviceId, instanceId }: Pick<StoredInstance, 'serviceId' | 'instanceId'>,
): string {
  return `${tenant}\n${serviceId}\n${instanceId}`;
}

/** Returns a fault as JSON, with its expression as text. */
export function faultView({ id, kind, match, hits, settings }: FaultInfo): FaultView {
  const entries = Object.entries({ ...match, path: match.path?.source }).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  );
  return { id, kind, match: Object.fromEntries(entries), hits, settings };
}
