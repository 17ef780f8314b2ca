import type { Clock } from '../clock.js';
import type { InstanceChanged, ServiceChanged } from './changes.js';
import { serviceCenterId } from './own-service.js';

/** A change and when it was made. */
export type PastChange = Omit<InstanceChanged | ServiceChanged, 'consumerIds'> & {
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  /** Absent if the service itself changed. */
  readonly instance?: InstanceChanged['instance'];
};

/** More changes than a page shows at once. */
const mostChanges = 500;

/**
 * The last changes of services and instances, except of the Service Center itself: what a page that is opened later
 * has missed.
 */
export class History {
  readonly #clock: Clock;
  readonly #changes: PastChange[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Oldest first; at most 500. */
  get changes(): readonly PastChange[] {
    return this.#changes;
  }

  add({ kind, tenant, service, instance }: Omit<PastChange, 'at'>): void {
    if (service.serviceId === serviceCenterId) return;
    const at = this.#clock.now();
    this.#changes.push({ kind, tenant, service, at, ...(instance !== undefined && { instance }) });
    if (this.#changes.length > mostChanges) this.#changes.shift();
  }
}
