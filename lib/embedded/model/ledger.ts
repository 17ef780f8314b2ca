import type { Clock } from '../clock.js';
import { Changes } from './changes.js';
import { Leases } from './leases.js';
import type { Quotas } from './quotas.js';

/** The least a lease is made of; the server raises what an instance asks for to these. */
export interface LeaseFloors {
  readonly minIntervalMs: number;
  readonly minTimes: number;
}

/** What all namespaces of a registry share: its time, its leases, its writes and who hears of them. */
export class Ledger {
  readonly leases: Leases;
  readonly changes = new Changes();
  #revision = 0;

  constructor(
    private readonly clock: Clock,
    readonly floors: LeaseFloors,
    readonly quotas: Quotas,
  ) {
    this.leases = new Leases(clock);
  }

  /** Numbers a written instance: greater than all before, whatever namespace it is in (etcd's revision). */
  nextRevision(): number {
    this.#revision += 1;
    return this.#revision;
  }

  /** Now, as records carry it: whole seconds since 1970 in decimal. */
  timestamp(): string {
    return String(Math.floor(this.clock.now() / 1000));
  }
}
