import { type RegistryFact, RegistryEvents } from '../events/events.js';

const tellingTimes = 3;

/**
 * Notices a registry whose leases end before the first heartbeat: three registrations in a row that
 * were forgotten without one.
 */
export class ShortLeaseWatch {
  #times = 0;

  /** Notes a fact; answers the warning that it is time for, once until a heartbeat succeeds. */
  note({ name, payload }: RegistryFact): string | undefined {
    if (name === RegistryEvents.HeartbeatSucceeded) this.#times = 0;
    if (name !== RegistryEvents.InstanceLost || payload.reason !== 'forgotten') return undefined;
    this.#times += 1;
    return this.#times === tellingTimes
      ? "The registry forgot three registrations in a row before their first heartbeat: the registry's " +
          'lease is shorter than the heartbeat interval'
      : undefined;
  }
}
