import { isServiceCombError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import type { CallOptions } from '../protocol/channel.js';
import { isGone } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import {
  type HealthCheck,
  type InstanceRef,
  type InstanceStatus,
  instanceStatuses,
  isTexts,
  type Microservice,
  type MicroserviceInstance,
  type Texts,
} from '../protocol/wire.js';
import type { Clock } from '../background/clock.js';
import { isTakenOver, type OwnRegistration } from './ownership.js';
import {
  type ChangedBy,
  isSame,
  type RecordField,
  recordFields,
  type RecordValues,
  ReplacedValues,
  valueIn,
  valuesOf,
  type WriteQueue,
} from './writes.js';

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

/** The collaborators of a {@link DesiredRecord}. */
export interface DesiredRecordParts {
  readonly client: ServiceCenterClient;
  readonly clock: Clock;
  readonly writes: WriteQueue;
  /** Returns the registered instance; undefined when none is registered. */
  readonly registered: () => InstanceRef | undefined;
  /** Has the record of a registered instance read back now. */
  readonly readBackSoon: () => void;
  readonly emit: (event: PendingEvent) => void;
}

/** How a stored record differs from the desired one. */
export interface Difference {
  /** Values that somebody else has set: they become the desired ones. */
  readonly taken: Partial<RecordValues>;
  /** Fields whose writes the server has undone. */
  readonly undone: readonly RecordField[];
  /** Fields that have to be written: these, and those that have not been yet. */
  readonly unwritten: readonly RecordField[];
}

/** A change that was made. */
interface Made {
  readonly from: RecordValues;
  readonly to: RecordValues;
}

/** Changes of one field that wait: they become one write of the last. */
interface Waiting {
  /** The values before the first of them. */
  from: RecordValues;
  readonly written: Promise<void>;
}

/**
 * The record that this process wants the registry to store, and the changes of it: those of the
 * application are written to the registry, those that somebody else made there become the desired ones.
 */
export class DesiredRecord {
  /** Our registration as it was last read; undefined before the first one, and after leaving. */
  own: OwnRegistration | undefined;
  /** The instance of our last POST, until its record is read. */
  unread: MicroserviceInstance | undefined;
  readonly #replaced: ReplacedValues;
  /** Changes that wait for their turn. */
  readonly #waiting = new Map<RecordField, Waiting>();
  /** The last change of each field, until it has ended. */
  readonly #underWay = new Map<RecordField, Promise<void>>();
  #choices = 0;

  constructor(
    /** Replaced as a whole by each change. */
    public current: RegistryRecord,
    private readonly parts: DesiredRecordParts,
  ) {
    this.#replaced = new ReplacedValues(parts.clock);
  }

  /** The status that this process wants. */
  get status(): InstanceStatus {
    return this.#values.status;
  }

  /** How often the application or an operator has chosen a status. */
  get statusChoices(): number {
    return this.#choices;
  }

  get #values(): RecordValues {
    return valuesOf(this.current.instance);
  }

  /** Changes the record from the next registration on. */
  change(change: Partial<DesiredInstance>): void {
    this.current = { ...this.current, instance: { ...this.current.instance, ...change } };
  }

  /**
   * Changes the status, at the registry too when registered.
   * @throws RangeError when it is none
   * @throws ServiceCombError when the registry did not accept it; the status is then the old one.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    if (!instanceStatuses.includes(status))
      throw invalid('status', `must be one of ${instanceStatuses.join(', ')}`, status);
    this.#choices += 1;
    await this.followHealth(status);
  }

  /** Changes the status like {@link setStatus}, without a choice of the application. */
  async followHealth(status: InstanceStatus): Promise<void> {
    await this.#set('status', { ...this.#values, status });
  }

  /**
   * Replaces the properties, at the registry too when registered.
   * @throws RangeError when they are no map of strings
   * @throws ServiceCombError when the registry did not accept them; they are then the old ones.
   */
  async setProperties(properties: Texts): Promise<void> {
    if (!isTexts(properties)) throw invalid('properties', 'must be a map of strings', properties);
    await this.#set('properties', {
      ...this.#values,
      properties: Object.freeze({ ...properties }),
    });
  }

  /**
   * Returns whether another process has registered under our id since we did. The times of nodes that have a
   * store each cannot be compared: the place decides then.
   */
  isTakenOver(stored: MicroserviceInstance, isSplit = false): boolean {
    return isTakenOver(stored, this.own, isSplit ? this.current.instance : this.unread);
  }

  /** Notes how the registry stores our registration. */
  noteOwn(own: OwnRegistration | undefined): void {
    this.own = own;
    this.unread = undefined;
  }

  /** Compares a stored record, which was read while no change was under way, with the desired one. */
  compare(stored: MicroserviceInstance): Difference {
    const values = valuesOf(stored);
    const differing = recordFields.filter(field => !isSame(values, this.#values, field));
    const unwritten = differing.filter(field => this.#replaced.isUndone(field, values));
    const isTaken = (field: RecordField) => differing.includes(field) && !unwritten.includes(field);
    const taken = {
      ...(isTaken('properties') && { properties: values.properties }),
      ...(isTaken('status') && { status: values.status }),
    };
    this.#replaced.noteRead(unwritten);
    return { taken, unwritten, undone: unwritten.filter(field => this.#replaced.isSent(field)) };
  }

  /** Takes values over that somebody else has set at the registry. Later ones of the application win. */
  takeOver(taken: Partial<RecordValues>): void {
    for (const field of recordFields) {
      if (!(field in taken) || this.#waiting.has(field)) continue;
      const from = this.#values;
      const to = { ...from, ...taken };
      if (isSame(from, to, field)) continue;
      this.#replaced.note(field, from, 'registry');
      this.change(valueIn(to, field));
      if (field === 'status') this.#choices += 1;
      this.#emitChange(field, { from, to }, 'registry');
    }
  }

  /**
   * Writes these fields. The server may take the other field from a cache that is old, so a field that was
   * written lately is written as well, and the status last.
   */
  async write(
    unwritten: readonly RecordField[],
    ref: InstanceRef,
    options: CallOptions & { readonly signal: AbortSignal },
  ): Promise<void> {
    const { writes } = this.parts;
    const fields = recordFields.filter(
      field => unwritten.includes(field) || this.#replaced.isRecent(field),
    );
    await writes.inTurn(async () => {
      for (const field of fields)
        await writes.apart(() => this.#send(field, ref, options), options.signal);
    });
  }

  /** Aborts the changes that are being written; the next registration carries them. */
  cutOff(): Promise<void> {
    return this.parts.writes.cutOff();
  }

  /** Changes a field at once, and writes it in its turn, together with later changes that wait as well. */
  #set(field: RecordField, values: RecordValues): Promise<void> {
    const waiting = this.#waiting.get(field);
    const from = this.#values;
    if (waiting === undefined && isSame(from, values, field))
      return this.#underWay.get(field) ?? Promise.resolve();
    this.change(valueIn(values, field));
    if (waiting !== undefined) return waiting.written;
    const written = this.parts.writes
      .inTurn(() => this.#write(field))
      .finally(() => {
        if (this.#underWay.get(field) === written) this.#underWay.delete(field);
      });
    this.#waiting.set(field, { from, written });
    this.#underWay.set(field, written);
    return written;
  }

  /**
   * Writes the change of a field that waits. Without a registered instance the next registration carries
   * it, and so it does when the instance leaves meanwhile. The record is read back afterwards, also when
   * the write failed: it may have arrived, and a write can undo the one before it (measured M18).
   */
  async #write(field: RecordField): Promise<void> {
    const { registered, writes, readBackSoon } = this.parts;
    const { signal } = writes;
    const ref = registered();
    try {
      if (ref === undefined) this.#keep(field);
      else await writes.apart(() => this.#writeNow(field, ref, signal), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      this.#keep(field);
    } finally {
      readBackSoon();
    }
  }

  async #writeNow(field: RecordField, ref: InstanceRef, signal: AbortSignal): Promise<void> {
    const made = this.#begin(field);
    if (made === undefined) return;
    try {
      await this.#send(field, ref, { signal });
    } catch (error) {
      const isForgotten = isServiceCombError(error) && isGone(error);
      if (!signal.aborted && !isForgotten) {
        this.#takeBack(field, made);
        throw error;
      }
    }
    this.#emitChange(field, made, 'application');
  }

  #keep(field: RecordField): void {
    const made = this.#begin(field);
    if (made !== undefined) this.#emitChange(field, made, 'application');
  }

  /** Ends the wait of a field's change. Later changes are written by themselves. */
  #begin(field: RecordField): Made | undefined {
    const from = this.#waiting.get(field)?.from;
    this.#waiting.delete(field);
    const to = this.#values;
    if (from === undefined || isSame(from, to, field)) return undefined;
    this.#replaced.note(field, from, 'application');
    return { from, to };
  }

  /** Takes a change back that the registry did not accept. If it has arrived all the same, that is undone. */
  #takeBack(field: RecordField, { from, to }: Made): void {
    this.#replaced.note(field, to, 'application');
    const later = this.#waiting.get(field);
    if (later !== undefined) later.from = from;
    else if (isSame(this.#values, to, field)) this.change(valueIn(from, field));
  }

  #send(field: RecordField, ref: InstanceRef, options: CallOptions): Promise<void> {
    const { client } = this.parts;
    const { status, properties } = this.#values;
    this.#replaced.noteWrite(field);
    return field === 'status'
      ? client.setInstanceStatus(ref, status, options)
      : client.setInstanceProperties(ref, properties, options);
  }

  #emitChange(field: RecordField, { from, to }: Made, by: ChangedBy): void {
    const { emit } = this.parts;
    if (field === 'status') {
      const payload = { from: from.status, to: to.status, by };
      emit({ name: RegistryEvents.StatusChanged, payload });
    } else {
      const payload = { from: from.properties, to: to.properties, by };
      emit({ name: RegistryEvents.PropertiesChanged, payload });
    }
  }
}

function invalid(name: string, must: string, value: unknown): RangeError {
  return new RangeError(`${name} ${must}, got ${JSON.stringify(value)}`);
}
