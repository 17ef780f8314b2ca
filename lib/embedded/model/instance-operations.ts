import { randomUUID } from 'node:crypto';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { HealthCheck, InstanceRef, InstanceStatus } from '../../protocol/wire.js';
import type { InstanceChanged } from './changes.js';
import { leaseLengthMs, storedHealthCheck } from './health-check.js';
import type { RequestedHealthCheck } from './health-check.js';
import type { Namespace } from './namespace.js';
import { refuseInstance } from './quota-checks.js';
import type { ServiceRecord, StoredInstance } from './records.js';
import { RegistryError } from './registry-error.js';

/** An instance that asks to be registered. */
export type RequestedInstance = Omit<
  StoredInstance,
  'instanceId' | 'serviceId' | 'healthCheck' | 'version' | 'timestamp' | 'modTimestamp'
> & {
  readonly instanceId?: string | undefined;
  readonly healthCheck?: RequestedHealthCheck | undefined;
};

/** An id as the server makes them: 32 hexadecimal digits. */
export function newInstanceId(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * Registers an instance and tells its id. The id of a living instance is only kept alive: its
 * record stays as it is, whatever the request says (datasource/etcd/ms.go, sendHeartbeatInstead).
 *
 * @throws RegistryError 400012 when the service is unknown; 400100 when there is no room for
 * another instance, even when this is not one
 */
export function registerInstance(
  namespace: Namespace,
  serviceId: string,
  requested: RequestedInstance,
): string {
  refuseInstance(namespace);
  const owner = namespace.requireService(serviceId, "Invalid 'serviceID' in request body.");
  const instanceId = requested.instanceId ?? newInstanceId();
  const living = owner.instances.get(instanceId);
  if (living === undefined) {
    const timestamp = namespace.ledger.timestamp();
    const healthCheck = storedHealthCheck(requested.healthCheck, namespace.ledger.floors);
    const { version } = owner.service;
    const stamps = { timestamp, modTimestamp: timestamp };
    addInstance(
      namespace,
      owner,
      { ...requested, instanceId, serviceId, healthCheck, version, ...stamps },
      healthCheck,
    );
  } else living.lease?.renew();
  return instanceId;
}

function addInstance(
  namespace: Namespace,
  owner: ServiceRecord,
  instance: StoredInstance,
  healthCheck: HealthCheck,
): void {
  const { ledger } = namespace;
  const { instanceId } = instance;
  const lease = ledger.leases.grant(leaseLengthMs(healthCheck), () =>
    takeOut(namespace, owner, { instanceId, kind: 'expired' }),
  );
  owner.instances.set(instanceId, { instance, modRevision: ledger.nextRevision(), lease });
  tell(namespace, owner, { kind: 'registered', instance });
}

function takeOut(
  namespace: Namespace,
  owner: ServiceRecord,
  { instanceId, kind }: { readonly instanceId: string; readonly kind: 'removed' | 'expired' },
): void {
  const { service, instances } = owner;
  const record = instances.get(instanceId);
  instances.delete(instanceId);
  // A service that was removed took its instances along, and nobody is told (contract.md 12.13).
  const isFiled = namespace.services.get(service.serviceId) === owner;
  if (record !== undefined && isFiled) tell(namespace, owner, { kind, instance: record.instance });
}

function tell(
  { name, dependencies, ledger }: Namespace,
  { service }: ServiceRecord,
  change: Pick<InstanceChanged, 'kind' | 'instance'>,
): void {
  const consumerIds = dependencies.consumersOf(service);
  ledger.changes.tell({ ...change, tenant: name, consumerIds, service });
}

/**
 * Starts the lease of an instance again in full, whatever its status.
 *
 * @throws RegistryError 400017 when the instance, or its service, is unknown
 */
export function heartbeat(namespace: Namespace, ref: InstanceRef): void {
  const detail = 'leaseId not exist, instance not exist';
  requireInstance(namespace, ref, detail).record.lease?.renew();
}

/** @throws RegistryError 400017 when the instance is unknown, or gone already */
export function unregisterInstance(namespace: Namespace, ref: InstanceRef): void {
  const { owner, record } = requireInstance(namespace, ref, "Instance's leaseId not exist.");
  record.lease?.revoke();
  takeOut(namespace, owner, { instanceId: ref.instanceId, kind: 'removed' });
}

/** What a change of an instance replaces; its lease runs on untouched. */
export type InstanceChange =
  | { readonly status: InstanceStatus }
  | { readonly properties: Readonly<Record<string, string>> | undefined };

/** @throws RegistryError 400017 when the instance is unknown */
export function updateInstance(
  namespace: Namespace,
  ref: InstanceRef,
  change: InstanceChange,
): void {
  const found = requireInstance(namespace, ref, 'Service instance does not exist.');
  const { owner, record } = found;
  const { ledger } = namespace;
  const instance = { ...record.instance, ...change, modTimestamp: ledger.timestamp() };
  const modRevision = ledger.nextRevision();
  owner.instances.set(ref.instanceId, { ...record, instance, modRevision });
  tell(namespace, owner, { kind: 'updated', instance });
}

/**
 * Gives this status, whatever it is, to every instance that has all of these properties; to every
 * one when there are none. Their time of change stays (datasource/etcd/ms.go).
 */
export function updateManyStatuses(
  namespace: Namespace,
  properties: Readonly<Record<string, string>>,
  status: string | undefined,
): void {
  const wanted = Object.entries(properties);
  for (const owner of namespace.services.all())
    for (const [instanceId, record] of owner.instances) {
      const { instance: before } = record;
      if (wanted.some(([key, value]) => before.properties?.[key] !== value)) continue;
      const modRevision = namespace.ledger.nextRevision();
      const instance = { ...before, status };
      owner.instances.set(instanceId, { ...record, instance, modRevision });
      tell(namespace, owner, { kind: 'updated', instance });
    }
}

function requireInstance(namespace: Namespace, ref: InstanceRef, detail: string) {
  const owner = namespace.services.get(ref.serviceId);
  const record = owner?.instances.get(ref.instanceId);
  if (owner === undefined || record === undefined)
    throw new RegistryError(ErrorCode.InstanceNotExists, detail);
  return { owner, record };
}
