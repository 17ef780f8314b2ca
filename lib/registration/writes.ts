import { isDeepStrictEqual } from 'node:util';
import type { InstanceStatus, MicroserviceInstance, Texts } from '../protocol/wire.js';
import type { Clock } from '../background/clock.js';

/** The values of an instance that can be written without a registration. */
export interface RecordValues {
  readonly status: InstanceStatus;
  readonly properties: Texts;
}

/** A field of the record that can be written without a registration. */
export type RecordField = keyof RecordValues;

/** These fields, in the order in which they are written together: the status last, which matters most. */
export const recordFields = ['properties', 'status'] as const satisfies readonly RecordField[];

/** Who changed a field. */
export type ChangedBy = 'application' | 'registry';

/** Returns the values of a record; the server omits an empty map, and some clients the status UP. */
export function valuesOf({
  status = 'UP',
  properties = {},
}: Pick<MicroserviceInstance, 'status' | 'properties'>): RecordValues {
  return { status, properties };
}

/** Returns one of the values as a change of an instance. */
export function valueIn(values: RecordValues, field: RecordField): Partial<RecordValues> {
  const { status, properties } = values;
  return field === 'status' ? { status } : { properties };
}

/** Returns whether a field has the same value in both. */
export function isSame(left: RecordValues, right: RecordValues, field: RecordField): boolean {
  if (field === 'status') return left.status === right.status;
  // A map of the application may have another prototype than one of an answer.
  return isDeepStrictEqual({ ...left.properties }, { ...right.properties });
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

/** A value that may come back because a write was undone. */
interface Replaced {
  readonly field: RecordField;
  readonly values: RecordValues;
  readonly by: ChangedBy;
  readonly at: number;
  /** Number of our writes when it was replaced. */
  readonly writes: number;
  /** Whether the field was written since; otherwise the next registration carries it. */
  readonly isSent: boolean;
  /** Whether a read has shown that it is gone. */
  readonly isGone: boolean;
}

/** A value that a read has shown to be gone comes back by a write of ours within this time, or not at all. */
const undoneWithinMs = 10_000;

/**
 * Remembers the values that were replaced, by which an undone write (measured M18) is told from a change
 * that somebody else made.
 */
export class ReplacedValues {
  #replaced: readonly Replaced[] = [];
  #writes = 0;

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** Notes that a value is replaced: by a write of ours, or by the registry. */
  note(field: RecordField, values: RecordValues, by: ChangedBy): void {
    const others = this.#replaced.filter(
      each => each.field !== field || !isSame(each.values, values, field),
    );
    const [at, writes, isGone] = [this.clock.now(), this.#writes, by === 'registry'];
    this.#replaced = [...others, { field, values, by, at, writes, isGone, isSent: false }];
  }

  /** Notes that a field is written now: the write can be undone from now on. */
  noteWrite(field: RecordField): void {
    this.#writes += 1;
    const at = this.clock.now();
    this.#replaced = this.#replaced.map(each =>
      each.field === field ? changed(each, { at, isSent: true }) : each,
    );
  }

  /** Notes which fields a read has found to be written still: until none is, any value may come back. */
  noteRead(unwritten: readonly RecordField[]): void {
    const isGone = unwritten.length === 0;
    this.#replaced = this.#replaced
      .filter(each => this.#isRecent(each))
      .map(each => changed(each, { isGone }));
  }

  /** Returns whether a field was written lately, so that a write of another field may undo that. */
  isRecent(field: RecordField): boolean {
    return this.#replaced.some(each => each.field === field && this.#isRecent(each));
  }

  /** Returns whether a recent change of a field was sent to the registry. */
  isSent(field: RecordField): boolean {
    return this.#replaced.some(each => each.field === field && each.isSent);
  }

  /** Returns whether a read has found a value because a write was undone, or has not been made yet. */
  isUndone(field: RecordField, values: RecordValues): boolean {
    const found = this.#replaced.find(
      each => each.field === field && isSame(each.values, values, field),
    );
    if (found === undefined || !this.#isRecent(found)) return false;
    // A change that the registry made is undone only by a later write of ours.
    return found.by === 'application' || found.writes < this.#writes;
  }

  #isRecent({ at, isGone }: Replaced): boolean {
    return !isGone || this.clock.now() - at <= undoneWithinMs;
  }
}

function changed(replaced: Replaced, change: Partial<Replaced>): Replaced {
  return { ...replaced, ...change };
}
