import type { Clock } from '../clock.js';
import type { Listeners } from '../listeners.js';
import type { OddityKnobs } from './oddities.js';
import type { ChangeListener, InstanceChanged } from './changes.js';
import { expireInstance } from './instance-operations.js';
import { SharedState } from './shared-state.js';
import type { LeaseFloors } from './shared-state.js';
import { Namespace } from './namespace.js';
import { resolveQuotas } from './quotas.js';
import type { Quotas } from './quotas.js';
import type { StoredInstance } from './records.js';
import type { ServiceRecord } from './service-directory.js';
import { ownInstance, ownService, serviceCenterId, serviceCenterName } from './own-service.js';
import { addService, removeService } from './service-operations.js';

/** An instance in its current state. */
export interface LiveInstance extends StoredInstance {
  readonly domain: string;
  readonly project: string;
  /** Milliseconds until the lease ends unless a heartbeat arrives. */
  readonly leaseRemainingMs: number;
}

/** Options of a registry, with the server's own values for those that are absent. */
export interface RegistryOptions {
  readonly floors: LeaseFloors;
  readonly quotas?: Quotas | undefined;
  readonly oddities?: OddityKnobs | undefined;
  /** Names of services besides the Service Center that are visible to everyone. */
  readonly sharedServices?: Iterable<string> | undefined;
}

/** The data of a Service Center and its operations, independent of HTTP. */
export class RegistryModel {
  readonly #shared: SharedState;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(
    clock: Clock,
    { floors, quotas = resolveQuotas(), oddities, sharedServices = [] }: RegistryOptions,
  ) {
    this.#shared = new SharedState(clock, {
      floors,
      quotas,
      oddities,
      sharedServices: new Set([...sharedServices, serviceCenterName]),
      owners: () => this.#owners(),
    });
    this.#addOwnService();
  }

  get quotas(): Quotas {
    return this.#shared.quotas;
  }

  get floors(): LeaseFloors {
    return this.#shared.floors;
  }

  /** Number of the last change of an instance. */
  get revision(): number {
    return this.#shared.revision;
  }

  /** Gives later changes numbers above this one. */
  raiseRevision(least: number): void {
    this.#shared.raiseRevision(least);
  }

  /** The oddities of the registry. */
  get oddities(): OddityKnobs {
    return this.#shared.oddities;
  }

  /** Whether a read may differ from the store, or the store is down. */
  get hasStaleReads(): boolean {
    return this.#shared.publication.isDelayed || this.#shared.store.isDown;
  }

  /** @throws RegistryError 400002 while the server considers its store unreachable */
  requireHealth(): void {
    this.#shared.store.requireHealth();
  }

  /** The namespace that contains the Service Center itself. */
  get root(): Namespace {
    return this.namespace('default', 'default');
  }

  /**
   * Returns a domain and project, which is created on first use. Leases that are over end first.
   */
  namespace(domain: string, project: string): Namespace {
    this.#shared.catchUp();
    const key = JSON.stringify([domain, project]);
    const known = this.#namespaces.get(key);
    if (known !== undefined) return known;
    const namespace = new Namespace(domain, project, this.#shared);
    this.#namespaces.set(key, namespace);
    return namespace;
  }

  /** Returns all namespaces used so far. */
  namespaces(): Namespace[] {
    this.#shared.catchUp();
    return [...this.#namespaces.values()];
  }

  /** Returns the namespaces of one domain used so far. */
  projectsOf(domain: string): Namespace[] {
    return this.namespaces().filter(namespace => namespace.domain === domain);
  }

  /**
   * Calls a listener for each change of an instance at once. While there is a listener, leases end
   * on time. The returned function removes it.
   */
  onChange(listener: ChangeListener): () => void {
    return this.#listen(this.#shared.changes, listener);
  }

  /**
   * Calls a listener for each change once it is published to watchers, which oddities may delay.
   */
  onPublished(listener: ChangeListener): () => void {
    return this.#listen(this.#shared.published, listener);
  }

  /**
   * Forgets all services, instances and dependencies, and counts changes from the beginning again, as
   * a server that starts on an empty store. Oddities stay.
   */
  clear(): void {
    for (const namespace of this.#namespaces.values())
      for (const record of namespace.services.all())
        if (record.service.serviceId !== serviceCenterId) removeService(namespace, record);
    this.#namespaces.clear();
    this.#shared.clear();
    this.#addOwnService();
  }

  /** The state that all namespaces share. */
  get shared(): SharedState {
    return this.#shared;
  }

  /** Registers the Service Center itself, until the returned function is called. */
  registerSelf(
    instanceId: string,
    at: { readonly host: string; readonly port: number },
  ): () => void {
    const { instances } = this.root.requireService(serviceCenterId);
    const modRevision = this.#shared.nextRevision();
    const instance = ownInstance(instanceId, at, this.#shared.timestamp());
    instances.set(instanceId, { instance, modRevision });
    return () => {
      instances.delete(instanceId);
    };
  }

  /**
   * Returns `host:port` of every endpoint of the Service Center itself; none while it is stopped.
   */
  ownAddresses(): string[] {
    const { instances } = this.root.requireService(serviceCenterId);
    return [...instances.values()]
      .flatMap(({ instance }) => instance.endpoints ?? [])
      .flatMap(endpoint => /^\w+:\/\/([^/?]+)/.exec(endpoint)?.[1] ?? []);
  }

  /** Returns all instances of all namespaces, except the Service Center's own. */
  snapshot(): LiveInstance[] {
    this.#shared.catchUp();
    const live: LiveInstance[] = [];
    for (const { domain, project, services } of this.#namespaces.values())
      for (const { instances } of services.all())
        for (const { instance, lease } of instances.values())
          if (lease)
            live.push({
              ...instance,
              domain,
              project,
              leaseRemainingMs: Math.max(lease.remainingMs, 0),
            });
    return live;
  }

  /** Removes an instance as if its lease had ended; returns false if there is none. */
  forget(instanceId: string): boolean {
    const refs = this.snapshot().filter(instance => instance.instanceId === instanceId);
    for (const ref of refs) expireInstance(this.namespace(ref.domain, ref.project), ref);
    return refs.length > 0;
  }

  /**
   * Removes a service with its instances; returns false if there is none, or it is the Service
   * Center.
   */
  forgetService(serviceId: string): boolean {
    const namespaces = [...this.#namespaces.values()].filter(({ services }) =>
      services.get(serviceId),
    );
    if (serviceId === serviceCenterId || namespaces.length === 0) return false;
    for (const namespace of namespaces)
      removeService(namespace, namespace.requireService(serviceId));
    return true;
  }

  #addOwnService(): void {
    addService(this.root, ownService(this.#shared.timestamp()));
  }

  #listen(changes: Listeners<InstanceChanged>, listener: ChangeListener): () => void {
    const remove = changes.add(listener);
    this.#shared.scheduleExpiry();
    return () => {
      remove();
      this.#shared.scheduleExpiry();
    };
  }

  *#owners(): Iterable<ServiceRecord> {
    for (const { services } of this.#namespaces.values()) yield* services.all();
  }
}
