import { RegistryEvents } from '../events/events.js';
import type { CallOptions } from '../protocol/channel.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef, InstanceStatus } from '../protocol/wire.js';
import type { Announcer } from './announcer.js';
import type { OwnRecord } from './own-record.js';
import type { RecordWrites } from './record-writes.js';

/** What changes of the record are made with. */
export interface RecordChangesParts {
  readonly client: ServiceCenterClient;
  readonly record: OwnRecord;
  readonly writes: RecordWrites;
  readonly announcer: Announcer;
  /** Resolves with the instance once no registration is under way; undefined when none is listed. */
  readonly listed: () => Promise<InstanceRef | undefined>;
  /** Has the record of one who is listed read back: a write can undo the one before it (measured M18). */
  readonly verify: () => void;
}

/** The changes of its record that a process makes while it runs, at the registry too. */
export class RecordChanges {
  constructor(private readonly parts: RecordChangesParts) {}

  /** The status that this process wants. */
  get status(): InstanceStatus {
    return this.parts.record.instance.status ?? 'UP';
  }

  /**
   * Changes the status, at the registry too when registered.
   *
   * @throws ServiceCombError when the registry did not take it; the status is then the old one.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    const { client, record, announcer } = this.parts;
    const { status: from = 'UP' } = await record.changeBy({ status }, () =>
      this.#atRegistry((ref, options) => client.setInstanceStatus(ref, status, options)),
    );
    if (from !== status)
      announcer.tell({ name: RegistryEvents.StatusChanged, payload: { from, to: status } });
  }

  /**
   * Replaces the properties, at the registry too when registered.
   *
   * @throws ServiceCombError when the registry did not take them; they are then the old ones.
   */
  async setProperties(properties: Readonly<Record<string, string>>): Promise<void> {
    const { client, record } = this.parts;
    const copy = Object.freeze({ ...properties });
    await record.changeBy({ properties: copy }, () =>
      this.#atRegistry((ref, options) => client.setInstanceProperties(ref, copy, options)),
    );
  }

  /** Ends what is on its way to the registry, for one who leaves; the next registration carries it. */
  cutOff(): Promise<void> {
    return this.parts.writes.cutOff();
  }

  /**
   * Without a listed instance the next registration carries the change, and so it does when the
   * instance leaves meanwhile. A write that failed may have landed: the record is read back as well.
   */
  async #atRegistry(write: RecordWrite): Promise<void> {
    const { listed, writes, verify } = this.parts;
    const { signal } = writes;
    try {
      const ref = await listed();
      if (ref === undefined) return;
      await writes.apart(() => write(ref, { signal }), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      verify();
    }
  }
}

type RecordWrite = (ref: InstanceRef, options: CallOptions) => Promise<void>;
