import { randomUUID } from 'node:crypto';
import { ErrorCode, catchRegistryError, RegistryError } from './registry-error.js';
import type { HealthCheck, InstanceRef, InstanceStatus } from './wire.js';
import type { ChangeKind } from './changes.js';
import type { Lease } from './leases.js';
import type { Namespace } from './namespace.js';
import { refuseInstance } from './quota-checks.js';
import type { InstanceRecord, StoredInstance } from './records.js';
import type { ServiceRecord } from './service-directory.js';
import type { LeaseFloors } from './shared-state.js';

/** An instance in a registration. */
export type RequestedInstance = Omit<
  StoredInstance,
  'instanceId' | 'serviceId' | 'healthCheck' | 'version' | 'timestamp' | 'modTimestamp'
> & {
  readonly instanceId?: string | undefined;
  readonly healthCheck?: RequestedHealthCheck | undefined;
};

/** Times of the first and last write: whole seconds since 1970, in decimal digits. */
export type Stamps = Required<Pick<StoredInstance, 'timestamp' | 'modTimestamp'>>;

/** Returns a new id in the server's format: 32 hexadecimal digits. */
export function newInstanceId(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * Registers an instance and returns its id. If the id belongs to a living instance, its lease is
 * renewed and its record stays unchanged, whatever the request contains (datasource/etcd/ms.go,
 * sendHeartbeatInstead).
 *
 * @param stamps times of a restored record; now for a new one
 * @throws RegistryError 400012 if the service is unknown; 400100 if the quota is used up, even if
 * the instance exists already
 */
export function registerInstance(
  namespace: Namespace,
  serviceId: string,
  requested: RequestedInstance,
  stamps: Stamps = stampsOf(namespace.shared.timestamp()),
): string {
  refuseInstance(namespace);
  const owner = namespace.requireService(serviceId, "Invalid 'serviceID' in request body.");
  const instanceId = requested.instanceId ?? newInstanceId();
  const living = owner.instances.get(instanceId);
  if (living !== undefined && isKeptAlive(namespace, { serviceId, instanceId }, living))
    return instanceId;
  const { shared } = namespace;
  shared.store.require();
  if (shared.removedInstances.isRegistrationLost(keyOf(namespace, { serviceId, instanceId })))
    return instanceId;
  const healthCheck = storedHealthCheck(requested.healthCheck, shared.floors);
  const { version } = owner.service;
  const instance = { ...requested, instanceId, serviceId, healthCheck, version, ...stamps };
  addInstance(namespace, owner, instance, healthCheck);
  return instanceId;
}

function stampsOf(timestamp: string): Stamps {
  return { timestamp, modTimestamp: timestamp };
}

/**
 * Returns whether a registration counted as a heartbeat; if that is refused, the instance is
 * registered anew.
 */
function isKeptAlive(namespace: Namespace, ref: InstanceRef, { lease }: InstanceRecord): boolean {
  return !(catchRegistryError(() => renewLease(namespace, ref, lease)) instanceof RegistryError);
}

function renewLease({ name, shared }: Namespace, ref: InstanceRef, lease: Lease | undefined): void {
  if (lease !== undefined) shared.renewals.heartbeat(lease, () => keyOf({ name }, ref));
}

/** Returns one text for an id, the same after a removal and a new registration. */
function keyOf({ name }: Pick<Namespace, 'name'>, { serviceId, instanceId }: InstanceRef): string {
  return `${name}/${serviceId}/${instanceId}`;
}

function addInstance(
  namespace: Namespace,
  owner: ServiceRecord,
  instance: StoredInstance,
  healthCheck: HealthCheck,
): void {
  const { shared } = namespace;
  const { instanceId } = instance;
  const lease = shared.leases.grant(
    leaseLengthMs(healthCheck),
    () => removeInstance(namespace, owner, { instanceId, kind: 'expired' }),
    { tenant: namespace.name, serviceId: owner.service.serviceId, instanceId },
  );
  const before = owner.instances.get(instanceId);
  before?.lease?.revoke();
  const key = keyOf(namespace, instance);
  if (shared.removedInstances.readmit(key)) shared.renewals.failNext(key);
  const after = { instance, modRevision: shared.nextRevision(), lease };
  owner.instances.set(instanceId, after);
  if (before === undefined) namespace.count(owner.service, { services: 0, instances: 1 });
  publish(namespace, owner, { kind: 'registered', before, after });
}

function removeInstance(
  namespace: Namespace,
  owner: ServiceRecord,
  { instanceId, kind }: { readonly instanceId: string; readonly kind: 'removed' | 'expired' },
): void {
  const { service, instances } = owner;
  const before = instances.get(instanceId);
  instances.delete(instanceId);
  // The instances of a removed service are removed without an event.
  if (before === undefined || namespace.services.get(service.serviceId) !== owner) return;
  namespace.count(service, { services: 0, instances: -1 });
  const hadHeartbeats = before.lease?.wasRenewed ?? false;
  namespace.shared.removedInstances.add(() => keyOf(namespace, before.instance), {
    wasUnregistered: kind === 'removed',
    hadHeartbeats,
  });
  publish(namespace, owner, { kind, before });
}

/** A change of an instance; at least one of the two states is present. */
type Change = { readonly kind: ChangeKind } & (
  | { readonly before?: InstanceRecord | undefined; readonly after: InstanceRecord }
  | { readonly before: InstanceRecord; readonly after?: undefined }
);

/** Emits a change at once, and again once it is published. */
function publish(
  namespace: Namespace,
  owner: ServiceRecord,
  { kind, before, after }: Change,
): void {
  const { name: tenant, dependencies, services, shared } = namespace;
  const { instance } = after ?? before;
  const changed = (kind: ChangeKind) => {
    const { service } = owner;
    return { kind, instance, tenant, consumerIds: dependencies.consumersOf(service), service };
  };
  shared.history.add({ kind, instance, tenant, service: owner.service });
  if (shared.changes.hasAny) shared.changes.emit(changed(kind));
  shared.publication.publish({
    kind,
    owner,
    before,
    after,
    instance,
    key: keyOf(namespace, instance),
    isRegistered: () => services.get(instance.serviceId) === owner,
    notify: kind => {
      if (shared.published.hasAny) shared.published.emit(changed(kind));
    },
  });
}

/**
 * Renews the lease of an instance in full, whatever its status.
 *
 * @throws RegistryError 400017 if the instance or its service is unknown, also if an oddity reports
 * the result of an earlier heartbeat
 */
export function heartbeat(namespace: Namespace, ref: InstanceRef): void {
  const detail = 'leaseId not exist, instance not exist';
  renewLease(namespace, ref, requireInstance(namespace, ref, detail).record.lease);
}

/** @throws RegistryError 400017 if the instance is unknown */
export function unregisterInstance(namespace: Namespace, ref: InstanceRef): void {
  namespace.shared.store.require();
  const { owner, record } = requireInstance(namespace, ref, "Instance's leaseId not exist.");
  record.lease?.revoke();
  removeInstance(namespace, owner, { instanceId: ref.instanceId, kind: 'removed' });
}

/** Removes an instance as if its lease had ended; has no effect if it does not exist. */
export function expireInstance(namespace: Namespace, { serviceId, instanceId }: InstanceRef): void {
  const owner = namespace.services.get(serviceId);
  owner?.instances.get(instanceId)?.lease?.revoke();
  if (owner !== undefined) removeInstance(namespace, owner, { instanceId, kind: 'expired' });
}

/** The fields of an instance that a change replaces; its lease is not affected. */
export type InstanceChange =
  | { readonly status: InstanceStatus }
  | { readonly properties: Readonly<Record<string, string>> | undefined };

/** @throws RegistryError 400017 if the instance is unknown */
export function updateInstance(
  namespace: Namespace,
  ref: InstanceRef,
  change: InstanceChange,
): void {
  const { shared } = namespace;
  shared.store.require();
  const found = requireInstance(namespace, ref, 'Service instance does not exist.');
  const { owner, record: before } = found;
  // The server takes all other fields from its cache, so it may undo an earlier change (M18).
  const base = shared.publication.cachedInstance(owner, ref.instanceId) ?? before;
  const instance = { ...base.instance, ...change, modTimestamp: shared.timestamp() };
  const after = { ...before, instance, modRevision: shared.nextRevision() };
  owner.instances.set(ref.instanceId, after);
  publish(namespace, owner, { kind: 'updated', before, after });
}

/**
 * Sets the status of every instance that has all given properties; of all instances if none are
 * given. The time of the last change stays the same (datasource/etcd/ms.go).
 */
export function updateManyStatuses(
  namespace: Namespace,
  properties: Readonly<Record<string, string>>,
  status: string | undefined,
): void {
  const { shared } = namespace;
  shared.store.require();
  const wanted = Object.entries(properties);
  for (const owner of namespace.services.all())
    for (const [instanceId, before] of owner.instances) {
      const base = shared.publication.cachedInstance(owner, instanceId) ?? before;
      if (wanted.some(([key, value]) => base.instance.properties?.[key] !== value)) continue;
      const instance = { ...base.instance, status };
      const after = { ...before, instance, modRevision: shared.nextRevision() };
      owner.instances.set(instanceId, after);
      publish(namespace, owner, { kind: 'updated', before, after });
    }
}

function requireInstance(namespace: Namespace, ref: InstanceRef, detail: string) {
  const owner = namespace.services.get(ref.serviceId);
  const record = owner?.instances.get(ref.instanceId);
  if (owner === undefined || record === undefined) {
    namespace.shared.store.require();
    throw new RegistryError(ErrorCode.InstanceNotExists, detail);
  }
  return { owner, record };
}

/** A health check in a registration; `interval` and `times` may be below the server's limits. */
export interface RequestedHealthCheck {
  readonly mode?: string | undefined;
  readonly port?: number | undefined;
  readonly interval?: number | undefined;
  readonly times?: number | undefined;
  readonly url?: string | undefined;
}

/** datasource.DefaultLeaseRenewalInterval and DefaultLeaseRetryTimes. */
const defaults = { interval: 30, times: 3 };

/**
 * Returns the health check that the server stores: the defaults if there is none or its mode is
 * `pull`, which the server ignores; for `push` at least the lower limits
 * (populateInstanceDefaultValue).
 */
function storedHealthCheck(
  requested: RequestedHealthCheck | undefined,
  { minIntervalMs, minTimes }: LeaseFloors,
): HealthCheck {
  if (requested === undefined) return { mode: 'push', ...defaults };
  const { mode, port, url, interval = 0, times = 0 } = requested;
  if (mode === 'pull') return { mode, port, ...defaults, url };
  return {
    mode: 'push',
    port,
    interval: Math.max(interval, Math.floor(minIntervalMs / 1000)),
    times: Math.max(times, minTimes),
    url,
  };
}

/**
 * Returns the length of a lease. The server multiplies in 32 bits; an overflow to zero or less
 * becomes the shortest lease, one second (calcInstanceTTL).
 */
function leaseLengthMs({ interval, times = 0 }: HealthCheck): number {
  return Math.max(Math.imul(interval, times + 1), 1) * 1000;
}
