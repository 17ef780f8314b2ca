import type { EventInstance } from '../events/events.js';
import type { InstanceRef } from '../protocol/wire.js';
import type { DesiredInstance, Listing } from './listing.js';
import type { RecordWrites } from './record-writes.js';

/** The record that this process wants the registry to list, as it stands now. */
export class OwnRecord {
  constructor(
    private current: Listing,
    private readonly writes: RecordWrites,
  ) {}

  get listing(): Listing {
    return this.current;
  }

  get instance(): DesiredInstance {
    return this.current.instance;
  }

  /** Names the record under a service. */
  refUnder(serviceId: string): InstanceRef {
    return { serviceId, instanceId: this.instance.instanceId };
  }

  /** Describes the record for an event. */
  describe(serviceId: string): EventInstance {
    const { serviceName, version } = this.current.microservice;
    const endpoints = this.instance.endpoints ?? [];
    return { ...this.refUnder(serviceId), serviceName, version, endpoints };
  }

  /** Changes the record from the next registration on. */
  change(change: Partial<DesiredInstance>): void {
    this.current = { ...this.current, instance: { ...this.instance, ...change } };
  }

  /**
   * Changes the record when the write succeeds; takes the change back and rejects when it fails. Writes
   * are made in turn (record-writes.ts). Resolves with the record before.
   */
  changeBy(
    change: Pick<DesiredInstance, 'status'> | Pick<DesiredInstance, 'properties'>,
    write: () => Promise<void>,
  ): Promise<DesiredInstance> {
    return this.writes.inTurn(() => this.#changeNow(change, write));
  }

  async #changeNow(
    change: Pick<DesiredInstance, 'status'> | Pick<DesiredInstance, 'properties'>,
    write: () => Promise<void>,
  ): Promise<DesiredInstance> {
    const before = this.instance;
    this.change(change);
    try {
      await write();
      return before;
    } catch (error) {
      const { status, properties } = before;
      this.change('status' in change ? { status } : { properties });
      throw error;
    }
  }
}
