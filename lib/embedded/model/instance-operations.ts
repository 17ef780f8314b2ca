import { randomUUID } from 'node:crypto';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { HealthCheck, InstanceRef, InstanceStatus } from '../../protocol/wire.js';
import { leaseLengthMs, storedHealthCheck } from './health-check.js';
import type { RequestedHealthCheck } from './health-check.js';
import type { Namespace } from './namespace.js';
import { refuseInstance } from './quota-checks.js';
import type { InstanceRecord, ServiceRecord, StoredInstance } from './records.js';
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
  { ledger }: Namespace,
  { instances }: ServiceRecord,
  instance: StoredInstance,
  healthCheck: HealthCheck,
): void {
  const { instanceId } = instance;
  const lease = ledger.leases.grant(leaseLengthMs(healthCheck), () => {
    instances.delete(instanceId);
  });
  instances.set(instanceId, { instance, modRevision: ledger.nextRevision(), lease });
}

/**
 * Starts the lease of an instance again in full, whatever its status.
 *
 * @throws RegistryError 400017 when the instance, or its service, is unknown
 */
export function heartbeat(namespace: Namespace, ref: InstanceRef): void {
  requireInstance(namespace, ref, 'leaseId not exist, instance not exist').lease?.renew();
}

/** @throws RegistryError 400017 when the instance is unknown, or gone already */
export function unregisterInstance(namespace: Namespace, ref: InstanceRef): void {
  requireInstance(namespace, ref, "Instance's leaseId not exist.").lease?.revoke();
  namespace.services.get(ref.serviceId)?.instances.delete(ref.instanceId);
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
  const record = requireInstance(namespace, ref, 'Service instance does not exist.');
  const modTimestamp = namespace.ledger.timestamp();
  namespace.services.get(ref.serviceId)?.instances.set(ref.instanceId, {
    ...record,
    instance: { ...record.instance, ...change, modTimestamp },
    modRevision: namespace.ledger.nextRevision(),
  });
}

/**
 * Gives this status, whatever it is, to every instance that has all of these properties; to every
 * one when there are none. Their time of change stays (datasource/etcd/ms.go).
 */
export function updateManyStatuses(
  { services, ledger }: Namespace,
  properties: Readonly<Record<string, string>>,
  status: string | undefined,
): void {
  const wanted = Object.entries(properties);
  for (const { instances } of services.all())
    for (const [instanceId, record] of instances) {
      const { instance } = record;
      if (wanted.some(([key, value]) => instance.properties?.[key] !== value)) continue;
      const modRevision = ledger.nextRevision();
      instances.set(instanceId, { ...record, instance: { ...instance, status }, modRevision });
    }
}

function requireInstance(namespace: Namespace, ref: InstanceRef, detail: string): InstanceRecord {
  const record = namespace.services.get(ref.serviceId)?.instances.get(ref.instanceId);
  if (record === undefined) throw new RegistryError(ErrorCode.InstanceNotExists, detail);
  return record;
}
