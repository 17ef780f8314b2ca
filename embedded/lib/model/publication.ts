import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';
import type { InstanceRecord, ServiceRecord, StoredInstance } from './records.js';
import type { Store } from './store.js';
import type { ChangeKind } from './changes.js';

/**
 * Where a read looks: in the cache and, when that has nothing, in the store; in the cache alone; or
 * in the store alone.
 */
export type View = 'cache' | 'cache-only' | 'store';

/** How many changes the server publishes at once, at most (sdcommon.EventBlockSize). */
const blockSize = 1000;

/**
 * The way of a change from the store to those who read the cache and to those who watch. Without
 * oddities a change is there as soon as it is made (datasource/etcd/state/etcd/cacher_kv.go).
 */
export class Publication {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  readonly #store: Store;
  readonly #cache = new InstanceCache();
  readonly #removals: PendingRemovals;
  readonly #lost = new Map<string, InstanceWrite>();
  readonly #relist: Timer;
  readonly #quiet: Timer;
  #queue: InstanceWrite[] = [];
  #isRelistSet = false;

  /** @param owners all services of all namespaces */
  constructor(
    clock: Clock,
    knobs: OddityKnobs,
    { store, owners }: { readonly store: Store; readonly owners: () => Iterable<ServiceRecord> },
  ) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#store = store;
    const countCached = () => {
      let count = 0;
      for (const owner of owners()) count += this.cachedInstances(owner).length;
      return count;
    };
    const release = (write: InstanceWrite) => this.#enqueue(write);
    this.#removals = new PendingRemovals(clock, knobs, { countCached, release });
    this.#quiet = new Timer(clock, () => this.#publishQueue());
    this.#relist = new Timer(clock, () => this.#relistInstances());
    knobs.onChange({ after: () => this.#applyKnobs() });
  }

  /** True while anything may keep a change from being seen. */
  get isDelayed(): boolean {
    const { publicationMs, deletionWindowMs, selfPreservation, lostDeletions } = this.#knobs.values;
    return publicationMs > 0 || deletionWindowMs > 0 || selfPreservation || lostDeletions;
  }

  /** Takes a change that has just been made. */
  publish(write: InstanceWrite): void {
    if (!this.isDelayed) {
      write.notify(write.kind);
      return;
    }
    const { key, owner, before, after, instance } = write;
    this.#cache.hold(owner, instance.instanceId, before);
    if (after !== undefined) {
      this.#removals.drop(key);
      this.#enqueue(write);
    } else if (this.#knobs.values.lostDeletions) this.#loseRemoval(write);
    else this.#removals.add(write);
  }

  /** The instance as the cache shows it. */
  cachedInstance(owner: ServiceRecord, instanceId: string): InstanceRecord | undefined {
    return this.#cache.recordOf(owner, instanceId);
  }

  /** All instances of a service as the cache shows them. */
  cachedInstances(owner: ServiceRecord): InstanceRecord[] {
    return this.#cache.recordsOf(owner);
  }

  /**
   * The instances of a service whose ids begin so.
   *
   * @throws RegistryError 500003 when the store is asked and does not answer
   */
  read(owner: ServiceRecord, view: View, prefix = ''): InstanceRecord[] {
    const wanted = (records: InstanceRecord[]) =>
      prefix === ''
        ? records
        : records.filter(({ instance }) => instance.instanceId.startsWith(prefix));
    if (view !== 'store') {
      const shown = wanted(this.cachedInstances(owner));
      const now = this.#clock.now();
      if (shown.length > 0 || view === 'cache-only') return shown;
      if (this.isDelayed && this.#cache.hasMissed(owner, prefix, now)) return shown;
      if (this.isDelayed) this.#cache.miss(owner, prefix, now);
    }
    this.#store.requireForFind(view === 'store' ? 1 : 2);
    return wanted([...owner.instances.values()]);
  }

  #enqueue(write: InstanceWrite): void {
    this.#queue.push(write);
    const { publicationMs } = this.#knobs.values;
    if (publicationMs === 0 || this.#queue.length >= blockSize) this.#publishQueue();
    else this.#quiet.start(publicationMs);
  }

  #publishQueue(): void {
    this.#quiet.cancel();
    const writes = this.#queue;
    this.#queue = [];
    for (const { kind, owner, after, instance, isRegistered, notify } of writes) {
      if (!isRegistered()) continue;
      const before = this.#cache.show(owner, instance.instanceId, after);
      if (after === undefined) notify(kind);
      else notify(before === undefined ? 'registered' : 'updated');
    }
  }

  #loseRemoval(write: InstanceWrite): void {
    this.#lost.set(write.key, write);
    if (this.#isRelistSet) return;
    this.#isRelistSet = true;
    const { relistMinMs, relistMaxMs } = this.#knobs.values;
    this.#relist.start(relistMinMs + this.#knobs.random() * (relistMaxMs - relistMinMs));
  }

  /** Compares the cache with the store, as the server does from time to time. */
  #relistInstances(): void {
    this.#relist.cancel();
    this.#isRelistSet = false;
    const lost = [...this.#lost.values()];
    this.#lost.clear();
    for (const write of lost)
      if (!write.owner.instances.has(write.instance.instanceId)) this.#removals.add(write);
  }

  #applyKnobs(): void {
    if (!this.#knobs.values.lostDeletions) this.#relistInstances();
    this.#removals.applyKnobs();
    if (this.#knobs.values.publicationMs === 0) this.#publishQueue();
  }
}

/** What the server keeps itself from losing (datasource/etcd/sd/types.go). */
const preservation = { aboveInstances: 5, share: 0.8, longestMs: 600_000, windowMs: 2000 };

interface PendingRemoval {
  readonly write: InstanceWrite;
  /** How much longer it is held back while the server preserves itself. */
  leftMs: number;
}

/** What removals wait for, and where they go then. */
export interface RemovalSink {
  /** How many instances the cache shows, in all namespaces. */
  readonly countCached: () => number;
  readonly release: (write: InstanceWrite) => void;
}

/**
 * Removals on their way to the cache: gathered in windows, and held back for longer when they are
 * most of all instances (datasource/etcd/sd/instance_event_handler.go).
 */
export class PendingRemovals {
  readonly #knobs: OddityKnobs;
  readonly #sink: RemovalSink;
  readonly #held = new Map<string, PendingRemoval>();
  readonly #window: Timer;
  #isOpen = false;
  #isPreserving = false;

  constructor(clock: Clock, knobs: OddityKnobs, sink: RemovalSink) {
    this.#knobs = knobs;
    this.#sink = sink;
    this.#window = new Timer(clock, () => this.#close());
  }

  add(write: InstanceWrite): void {
    if (this.#windowMs === 0) {
      this.#sink.release(write);
      return;
    }
    this.#held.set(write.key, { write, leftMs: preservedMs(write) });
    if (this.#isPreserving) return;
    this.#isPreserving = this.#isTooMuch();
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#window.start(this.#windowMs);
  }

  /** Forgets a removal: the instance is back. */
  drop(key: string): void {
    this.#held.delete(key);
  }

  /** Releases what the knobs do not hold back any more. */
  applyKnobs(): void {
    if (!this.#knobs.values.selfPreservation) this.#isPreserving = false;
    if (this.#windowMs === 0) this.#close();
  }

  get #windowMs(): number {
    const { deletionWindowMs, selfPreservation } = this.#knobs.values;
    return deletionWindowMs === 0 && selfPreservation ? preservation.windowMs : deletionWindowMs;
  }

  #isTooMuch(): boolean {
    if (!this.#knobs.values.selfPreservation) return false;
    const total = this.#sink.countCached();
    return total > preservation.aboveInstances && this.#held.size >= total * preservation.share;
  }

  #close(): void {
    this.#window.cancel();
    this.#isOpen = false;
    for (const [key, removal] of this.#held) {
      removal.leftMs -= this.#windowMs;
      if (this.#isPreserving && removal.leftMs > 0) continue;
      this.#held.delete(key);
      this.#sink.release(removal.write);
    }
    if (this.#held.size === 0) this.#isPreserving = false;
    else this.#window.start(this.#windowMs);
  }
}

/** As long as the instance's lease is. */
function preservedMs({ instance }: InstanceWrite): number {
  const { interval = 0, times = 0 } = instance.healthCheck ?? {};
  const leaseMs = interval * (times + 1) * 1000;
  return leaseMs > 0 ? Math.min(leaseMs, preservation.longestMs) : preservation.longestMs;
}

/** For how long the server remembers that it found nothing (the find cache of datasource/etcd/cache). */
const missMs = 120_000;

/**
 * What the server shows of instances without asking its store: the truth, but for the records whose
 * last change is not published yet. It costs nothing where there are none.
 */
export class InstanceCache {
  readonly #shown = new WeakMap<ServiceRecord, Map<string, InstanceRecord | undefined>>();
  readonly #missedAt = new WeakMap<ServiceRecord, Map<string, number>>();

  /** Goes on showing an instance as it was before a change, if it was there. */
  hold(owner: ServiceRecord, instanceId: string, before: InstanceRecord | undefined): void {
    const shown = this.#shown.get(owner) ?? new Map<string, InstanceRecord | undefined>();
    if (!shown.has(instanceId)) shown.set(instanceId, before);
    this.#shown.set(owner, shown);
  }

  /** Shows an instance as a change has left it; tells how it was shown before. */
  show(
    owner: ServiceRecord,
    instanceId: string,
    after: InstanceRecord | undefined,
  ): InstanceRecord | undefined {
    const before = this.recordOf(owner, instanceId);
    const shown = this.#shown.get(owner);
    if (owner.instances.get(instanceId) === after) shown?.delete(instanceId);
    else shown?.set(instanceId, after);
    if (shown?.size === 0) this.#shown.delete(owner);
    this.#missedAt.delete(owner);
    return before;
  }

  recordOf(owner: ServiceRecord, instanceId: string): InstanceRecord | undefined {
    const shown = this.#shown.get(owner);
    return shown?.has(instanceId) ? shown.get(instanceId) : owner.instances.get(instanceId);
  }

  recordsOf(owner: ServiceRecord): InstanceRecord[] {
    const shown = this.#shown.get(owner);
    if (shown === undefined) return [...owner.instances.values()];
    const records = new Map<string, InstanceRecord | undefined>([...owner.instances, ...shown]);
    return [...records.values()].filter(record => record !== undefined);
  }

  /** Remembers that nothing was found under a key, until something of the service is published. */
  miss(owner: ServiceRecord, key: string, now: number): void {
    const missedAt = this.#missedAt.get(owner) ?? new Map<string, number>();
    this.#missedAt.set(owner, missedAt.set(key, now));
  }

  hasMissed(owner: ServiceRecord, key: string, now: number): boolean {
    const missedAt = this.#missedAt.get(owner)?.get(key);
    return missedAt !== undefined && now - missedAt < missMs;
  }
}

/** A change of an instance that was made, and is to be published. */
export interface InstanceWrite {
  readonly kind: ChangeKind;
  /** The same for all changes of one instance. */
  readonly key: string;
  readonly owner: ServiceRecord;
  readonly before: InstanceRecord | undefined;
  /** Absent when the instance was taken out. */
  readonly after: InstanceRecord | undefined;
  /** As it is now, or was last. */
  readonly instance: StoredInstance;
  /** False once the service is removed: then nobody is told any more. */
  readonly isRegistered: () => boolean;
  /** Tells those who go by what is published. */
  readonly notify: (kind: ChangeKind) => void;
}
