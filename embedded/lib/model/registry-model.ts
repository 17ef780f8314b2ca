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
import type { ServiceRecord, StoredInstance } from './records.js';
import { ownInstance, ownService, serviceCenterId } from './own-service.js';
import { addService, removeService } from './service-operations.js';

/** An instance as it stands in the embedded Service Center now. */
export interface LiveInstance extends StoredInstance {
  readonly domain: string;
  readonly project: string;
  /** Milliseconds until the instance is forgotten, unless a heartbeat comes. */
  readonly leaseRemainingMs: number;
}

/** Everything a Service Center knows, without a word of HTTP. */
export class RegistryModel {
  readonly #shared: SharedState;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(
    clock: Clock,
    floors: LeaseFloors,
    quotas: Quotas = resolveQuotas(),
    oddities?: OddityKnobs,
  ) {
    const owners = () => this.#owners();
    this.#shared = new SharedState(clock, { floors, quotas, oddities, owners });
    addService(this.root, ownService(this.#shared.timestamp()));
  }

  get quotas(): Quotas {
    return this.#shared.quotas;
  }

  get floors(): LeaseFloors {
    return this.#shared.floors;
  }

  /** The number of the last change of an instance. */
  get revision(): number {
    return this.#shared.revision;
  }

  /** Numbers later changes from at least here on. */
  raiseRevision(least: number): void {
    this.#shared.raiseRevision(least);
  }

  /** How far it is from a registry that is always on time. */
  get oddities(): OddityKnobs {
    return this.#shared.oddities;
  }

  /** True while a read may differ from what the store says, or the store says nothing. */
  get hasStaleReads(): boolean {
    return this.#shared.publication.isDelayed || this.#shared.store.isDown;
  }

  /** @throws RegistryError 400002 while the server takes its store for unreachable */
  requireHealth(): void {
    this.#shared.store.requireHealth();
  }

  /** The namespace the Service Center itself is registered in. */
  get root(): Namespace {
    return this.namespace('default', 'default');
  }

  /** A domain and project as they are now: leases that have run out end first. Created on first use. */
  namespace(domain: string, project: string): Namespace {
    this.#shared.catchUp();
    const key = JSON.stringify([domain, project]);
    const known = this.#namespaces.get(key);
    if (known !== undefined) return known;
    const namespace = new Namespace(domain, project, this.#shared);
    this.#namespaces.set(key, namespace);
    return namespace;
  }

  /** All namespaces so far. */
  namespaces(): Namespace[] {
    this.#shared.catchUp();
    return [...this.#namespaces.values()];
  }

  /** The namespaces of one domain so far. */
  projectsOf(domain: string): Namespace[] {
    return this.namespaces().filter(namespace => namespace.domain === domain);
  }

  /**
   * Tells a listener of each change of an instance at once, and ends leases on time as long as
   * there is a listener. The returned function removes it.
   */
  onChange(listener: ChangeListener): () => void {
    return this.#listen(this.#shared.changes, listener);
  }

  /** The same, except that changes are told when they reach those who watch: late, where that is wanted. */
  onPublished(listener: ChangeListener): () => void {
    return this.#listen(this.#shared.published, listener);
  }

  /** What all namespaces share. */
  get shared(): SharedState {
    return this.#shared;
  }

  /** Lists the Service Center itself as running there, until the returned function is called. */
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

  /** `host:port` of every endpoint of the Service Center itself; none while it does not run. */
  ownAddresses(): string[] {
    const { instances } = this.root.requireService(serviceCenterId);
    return [...instances.values()]
      .flatMap(({ instance }) => instance.endpoints ?? [])
      .flatMap(endpoint => /^\w+:\/\/([^/?]+)/.exec(endpoint)?.[1] ?? []);
  }

  /** All instances of all namespaces, the Service Center's own excepted. */
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

  /** Drops an instance as if its lease had run out; false when there is none. */
  forget(instanceId: string): boolean {
    const refs = this.snapshot().filter(instance => instance.instanceId === instanceId);
    for (const ref of refs) expireInstance(this.namespace(ref.domain, ref.project), ref);
    return refs.length > 0;
  }

  /** Drops a service with its instances; false when there is none, or it is the Service Center. */
  forgetService(serviceId: string): boolean {
    const namespaces = [...this.#namespaces.values()].filter(({ services }) =>
      services.get(serviceId),
    );
    if (serviceId === serviceCenterId || namespaces.length === 0) return false;
    for (const namespace of namespaces)
      removeService(namespace, namespace.requireService(serviceId));
    return true;
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
