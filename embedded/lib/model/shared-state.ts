import type { Clock } from '../clock.js';
import { OddityKnobs } from './oddities.js';
import type { InstanceChanged, ServiceChanged } from './changes.js';
import { RemovedInstances } from './removed-instances.js';
import { Leases } from './leases.js';
import { Listeners } from '../listeners.js';
import { Publication } from './publication.js';
import type { Quotas } from './quotas.js';
import type { ServiceRecord } from './records.js';
import { Renewals } from './renewals.js';
import { Store } from './store.js';

/** The least a lease is made of; the server raises what an instance asks for to these. */
export interface LeaseFloors {
  readonly minIntervalMs: number;
  readonly minTimes: number;
}

/** What a shared is set up with. */
export interface SharedStateOptions {
  readonly floors: LeaseFloors;
  readonly quotas: Quotas;
  readonly oddities?: OddityKnobs | undefined;
  /** All services of all namespaces. */
  readonly owners: () => Iterable<ServiceRecord>;
}

/** What all namespaces of a registry share: its time, its leases, its writes and who hears of them. */
export class SharedState {
  readonly floors: LeaseFloors;
  readonly quotas: Quotas;
  readonly oddities: OddityKnobs;
  readonly store: Store;
  readonly leases: Leases;
  readonly renewals: Renewals;
  readonly removedInstances: RemovedInstances;
  /** Changes as they are made. */
  readonly changes = new Listeners<InstanceChanged>();
  readonly serviceChanges = new Listeners<ServiceChanged>();
  readonly publication: Publication;
  /** Changes as they reach those who watch. */
  readonly published = new Listeners<InstanceChanged>();
  /** Milliseconds by which the time that is told is ahead of the time that is. */
  skewMs = 0;
  #revision = 0;

  constructor(
    private readonly clock: Clock,
    { floors, quotas, oddities = new OddityKnobs(), owners }: SharedStateOptions,
  ) {
    this.floors = floors;
    this.quotas = quotas;
    this.oddities = oddities;
    this.store = new Store(clock, oddities);
    this.renewals = new Renewals(clock, oddities, this.store);
    this.leases = new Leases(clock, () => oddities.values.dyingLeaseMs);
    this.removedInstances = new RemovedInstances(clock, oddities);
    this.publication = new Publication(clock, oddities, { store: this.store, owners });
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

  /** Brings leases up to now: renews those that were to be renewed, then ends those that are over. */
  catchUp(): void {
    this.renewals.catchUp();
    this.leases.endOverdue();
  }

  /** Has leases end on time as long as anybody goes by that. */
  scheduleExpiry(): void {
    const { changes, published, publication } = this;
    if (changes.hasAny || published.hasAny || publication.isDelayed) this.leases.endOnTime();
    else this.leases.endOnRequest();
  }

  /** The number of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** Numbers later changes from at least here on. */
  raiseRevision(least: number): void {
    this.#revision = Math.max(this.#revision, least);
  }

  /** Numbers a written instance: greater than all before, whatever namespace it is in (etcd's revision). */
  nextRevision(): number {
    this.#revision += 1;
    return this.#revision;
  }

  /** Milliseconds since 1970, as leases go. */
  now(): number {
    return this.clock.now();
  }

  /** Now, as it is told to clients: milliseconds since 1970. */
  reportedNow(): number {
    return this.clock.now() + this.skewMs;
  }

  /** Now, as records carry it: whole seconds since 1970 in decimal. */
  timestamp(): string {
    return String(Math.floor(this.reportedNow() / 1000));
  }

  #stopOrRestart(): void {
    if (this.store.isDown) this.leases.stop();
    else this.leases.restart();
  }
}
