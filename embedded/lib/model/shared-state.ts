import type { Clock } from '../clock.js';
import { OddityKnobs } from './oddities.js';
import type { InstanceChanged, ServiceChanged } from './changes.js';
import { History } from './history.js';
import { RemovedInstances } from './removed-instances.js';
import { ListTexts } from './instance-list.js';
import { Leases } from './leases.js';
import { Listeners } from '../listeners.js';
import { Publication } from './publication.js';
import type { Quotas } from './quotas.js';
import type { ServiceRecord } from './service-directory.js';
import { Renewals } from './renewals.js';
import { Store } from './store.js';

/** Lower limits of a health check, to which the server raises lower values. */
export interface LeaseFloors {
  readonly minIntervalMs: number;
  readonly minTimes: number;
}

/** Options of a shared state. */
export interface SharedStateOptions {
  readonly floors: LeaseFloors;
  readonly quotas: Quotas;
  readonly oddities?: OddityKnobs | undefined;
  /** Names of the services that are visible to everyone. */
  readonly sharedServices: ReadonlySet<string>;
  /** Returns all services of all namespaces. */
  readonly owners: () => Iterable<ServiceRecord>;
}

/** State that all namespaces of a registry share: time, leases, change numbers and listeners. */
export class SharedState {
  readonly floors: LeaseFloors;
  readonly quotas: Quotas;
  readonly oddities: OddityKnobs;
  readonly sharedServices: ReadonlySet<string>;
  readonly store: Store;
  readonly leases: Leases;
  readonly renewals: Renewals;
  readonly removedInstances: RemovedInstances;
  /** Emits changes when they are made. */
  readonly changes = new Listeners<InstanceChanged>();
  readonly serviceChanges = new Listeners<ServiceChanged>();
  /** The last changes of both. */
  readonly history: History;
  /** Texts of lists of instances, of all namespaces. */
  readonly listTexts = new ListTexts();
  readonly publication: Publication;
  /** Emits changes when they are published to watchers. */
  readonly published = new Listeners<InstanceChanged>();
  /** Milliseconds by which the time reported to clients is ahead of the real one. */
  skewMs = 0;
  #revision = 0;

  constructor(
    private readonly clock: Clock,
    { floors, quotas, oddities = new OddityKnobs(), sharedServices, owners }: SharedStateOptions,
  ) {
    this.sharedServices = sharedServices;
    this.floors = floors;
    this.quotas = quotas;
    this.oddities = oddities;
    this.history = new History(clock);
    this.serviceChanges.add(change => this.history.add(change));
    this.store = new Store(clock, oddities);
    this.renewals = new Renewals(clock, oddities, this.store);
    this.leases = new Leases(clock, () => oddities.values.dyingLeaseMs);
    this.removedInstances = new RemovedInstances(clock, oddities);
    this.publication = new Publication(clock, oddities, {
      store: this.store,
      texts: this.listTexts,
      owners,
    });
    this.scheduleExpiry();
    oddities.onChange({
      before: () => this.leases.endOverdue(),
      after: (now, was) => {
        if (now.storeDown !== was.storeDown) this.#stopOrRestart();
        if (now.dyingLeaseMs !== was.dyingLeaseMs) this.leases.reschedule();
        this.scheduleExpiry();
      },
    });
  }

  /** Brings leases up to date: executes due renewals, then ends the leases that are over. */
  catchUp(): void {
    this.renewals.catchUp();
    this.leases.endOverdue();
  }

  /** Forgets all leases and what has happened to instances, and starts to count changes again. */
  clear(): void {
    this.leases.clear();
    this.renewals.clear();
    this.removedInstances.clear();
    this.publication.clear();
    this.#revision = 0;
  }

  /** Ends leases on time while something depends on it. */
  scheduleExpiry(): void {
    const { changes, published, publication } = this;
    if (changes.hasAny || published.hasAny || publication.isDelayed) this.leases.endOnTime();
    else this.leases.endOnRequest();
  }

  /** Number of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** Gives later changes numbers above this one. */
  raiseRevision(least: number): void {
    this.#revision = Math.max(this.#revision, least);
  }

  /**
   * Returns the number of a new change, higher than all before in any namespace (etcd's revision).
   */
  nextRevision(): number {
    this.#revision += 1;
    return this.#revision;
  }

  /** Returns milliseconds since 1970, as used for leases. */
  now(): number {
    return this.clock.now();
  }

  /** Returns milliseconds since 1970, as reported to clients. */
  reportedNow(): number {
    return this.clock.now() + this.skewMs;
  }

  /** Returns the current time as in records: whole seconds since 1970, in decimal digits. */
  timestamp(): string {
    return String(Math.floor(this.reportedNow() / 1000));
  }

  #stopOrRestart(): void {
    if (this.store.isDown) this.leases.stop();
    else this.leases.restart();
  }
}
