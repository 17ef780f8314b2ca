import { type PendingEvent, RegistryEvents } from '../events.js';
import type { CallOptions } from '../protocol/channel.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type {
  HealthCheck,
  InstanceRef,
  InstanceStatus,
  Microservice,
  MicroserviceInstance,
} from '../protocol/wire.js';
import type { Clock } from './clock.js';

/** The instance that this process wants the registry to store. */
export type DesiredInstance = MicroserviceInstance & {
  readonly instanceId: string;
  readonly healthCheck: HealthCheck;
};

/** The record that this process wants the registry to store: a service, and one instance of it. */
export interface RegistryRecord {
  readonly microservice: Microservice;
  readonly tags: Readonly<Record<string, string>>;
  readonly instance: DesiredInstance;
}

/** An instance as it was sent in a POST. The desired one may have changed since. */
export interface PostedInstance {
  readonly serviceId: string;
  /** Milliseconds of the monotonic clock. */
  readonly sentAt: number;
  readonly instance: DesiredInstance;
}

/** Whether consumers of a stored record would connect to something else than the desired instance. */
export function isElsewhere(stored: MicroserviceInstance, desired: MicroserviceInstance): boolean {
  const [left, right] = [stored.endpoints ?? [], desired.endpoints ?? []];
  const hasSameEndpoints = left.length === right.length && left.every(item => right.includes(item));
  return !hasSameEndpoints || stored.hostName !== desired.hostName;
}

/** A field of the record that the API can write. */
export type RepairableField = 'status' | 'properties';

/**
 * Returns the fields in which a stored record differs and that can be repaired. Properties that the
 * server added (registry.instance.properties) are no difference.
 */
export function driftOf(
  stored: MicroserviceInstance,
  desired: MicroserviceInstance,
): readonly RepairableField[] {
  const fields: RepairableField[] = [];
  if ((stored.status ?? 'UP') !== (desired.status ?? 'UP')) fields.push('status');
  const properties = Object.entries(desired.properties ?? {});
  if (properties.some(([name, value]) => stored.properties?.[name] !== value))
    fields.push('properties');
  return fields;
}

/**
 * Writes to the stored record: one at a time, and half a second apart, since the server writes the
 * whole record from a cache that lags by 300 ms (measured M18).
 */
export class WriteQueue {
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #lastAt = -Infinity;
  #abort = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly gapMs: number,
  ) {}

  /** Whether a change is being written, or waits for its turn. */
  get areUnderWay(): boolean {
    return this.#waiting > 0;
  }

  /** Aborted by the next {@link cutOff}. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborts all writes, also those that wait; resolves once none of them can be sent any more. */
  async cutOff(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    await this.#queue;
  }

  /** Makes a change in its turn, in the order of the calls, and settles as it does. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const changed = this.#queue.then(change).finally(() => {
      this.#waiting -= 1;
    });
    this.#queue = changed.catch(() => undefined);
    return changed;
  }

  /** Makes one write within a turn, once the gap after the last write has passed. */
  async apart(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const waitMs = this.#lastAt + this.gapMs - this.clock.now();
    if (waitMs > 0) await this.clock.delay(waitMs, signal);
    signal.throwIfAborted();
    try {
      await write();
    } finally {
      this.#lastAt = this.clock.now();
    }
  }
}

/** The collaborators of a {@link DesiredRecord}. */
export interface DesiredRecordParts {
  readonly client: ServiceCenterClient;
  readonly writes: WriteQueue;
  /** Resolves with the instance once no POST is under way; undefined when none is registered. */
  readonly registered: () => Promise<InstanceRef | undefined>;
  /** Has the record of a registered instance read back now. */
  readonly readBackSoon: () => void;
  readonly emit: (event: PendingEvent) => void;
}

/** The record that this process wants the registry to store, and the changes of it at the registry. */
export class DesiredRecord {
  constructor(
    /** Replaced as a whole by each change. */
    public current: RegistryRecord,
    private readonly parts: DesiredRecordParts,
  ) {}

  /** The status that this process wants. */
  get status(): InstanceStatus {
    return this.current.instance.status ?? 'UP';
  }

  /** Changes the record from the next registration on. */
  change(change: Partial<DesiredInstance>): void {
    this.current = { ...this.current, instance: { ...this.current.instance, ...change } };
  }

  /**
   * Changes the status, at the registry too when registered.
   * @throws ServiceCombError when the registry did not accept it; the status is then the old one.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    const { client, emit } = this.parts;
    const { status: from = 'UP' } = await this.#changeInTurn({ status }, (ref, options) =>
      client.setInstanceStatus(ref, status, options),
    );
    if (from !== status)
      emit({ name: RegistryEvents.StatusChanged, payload: { from, to: status } });
  }

  /**
   * Replaces the properties, at the registry too when registered.
   * @throws ServiceCombError when the registry did not accept them; they are then the old ones.
   */
  async setProperties(properties: Readonly<Record<string, string>>): Promise<void> {
    const copy = Object.freeze({ ...properties });
    await this.#changeInTurn({ properties: copy }, (ref, options) =>
      this.parts.client.setInstanceProperties(ref, copy, options),
    );
  }

  /** Aborts the changes that are being written; the next registration carries them. */
  cutOff(): Promise<void> {
    return this.parts.writes.cutOff();
  }

  /** Changes the record and takes the change back when the write fails. Resolves with the old record. */
  #changeInTurn(
    change: Pick<DesiredInstance, 'status'> | Pick<DesiredInstance, 'properties'>,
    write: RecordWrite,
  ): Promise<DesiredInstance> {
    return this.parts.writes.inTurn(async () => {
      const before = this.current.instance;
      const { status, properties } = before;
      this.change(change);
      try {
        await this.#write(write);
        return before;
      } catch (error) {
        this.change('status' in change ? { status } : { properties });
        throw error;
      }
    });
  }

  /**
   * Without a registered instance the next registration carries the change, and so it does when the
   * instance leaves meanwhile. The record is read back afterwards, also when the write failed, since it
   * may have arrived, and a write can undo the one before it (measured M18).
   */
  async #write(write: RecordWrite): Promise<void> {
    const { registered, writes, readBackSoon } = this.parts;
    const { signal } = writes;
    try {
      const ref = await registered();
      if (ref !== undefined) await writes.apart(() => write(ref, { signal }), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      readBackSoon();
    }
  }
}

type RecordWrite = (ref: InstanceRef, options: CallOptions) => Promise<void>;
