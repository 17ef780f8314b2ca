import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';
import { InstanceList } from './instance-list.js';
import type { ListTexts } from './instance-list.js';
import type { InstanceRecord, StoredInstance } from './records.js';
import type { ServiceRecord } from './service-directory.js';
import type { Store } from './store.js';
import type { ChangeKind } from './changes.js';

/**
 * Source of a read: the cache and, if it has nothing, the store; only the cache; or only the store.
 */
export type View = 'cache' | 'cache-only' | 'store';

/** The number of changes that the server publishes at once, at most (sdcommon.EventBlockSize). */
const blockSize = 1000;

/**
 * Publishes changes to the cache and to watchers. Without oddities a change is published as soon as
 * it is made (datasource/etcd/state/etcd/cacher_kv.go).
 */
export class Publication {
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  readonly #store: Store;
  readonly #cache: InstanceCache;
  readonly #removals: PendingRemovals;
  readonly #lost = new Map<string, InstanceWrite>();
  readonly #relist: Timer;
  readonly #quiet: Timer;
  #queue: InstanceWrite[] = [];
  #isRelistSet = false;

  constructor(clock: Clock, knobs: OddityKnobs, { store, texts, owners }: PublicationParts) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#store = store;
    this.#cache = new InstanceCache(texts);
    const countCached = () => {
      let count = 0;
      for (const owner of owners()) count += this.#cache.countOf(owner);
      return count;
    };
    const release = (write: InstanceWrite) => this.#enqueue(write);
    this.#removals = new PendingRemovals(clock, knobs, { countCached, release });
    this.#quiet = new Timer(clock, () => this.#publishQueue());
    this.#relist = new Timer(clock, () => this.#relistInstances());
    knobs.onChange({ after: () => this.#applyKnobs() });
  }

  /** Whether an oddity may delay the publication of a change. */
  get isDelayed(): boolean {
    const { publicationMs, deletionWindowMs, selfPreservation, lostDeletions } = this.#knobs.values;
    return publicationMs > 0 || deletionWindowMs > 0 || selfPreservation || lostDeletions;
  }

  /** Publishes a change, now or later. */
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

  /** Forgets the lists of a service that was removed. */
  dropLists(owner: ServiceRecord): void {
    owner.instances.dropList();
    this.#cache.dropList(owner);
  }

  /** Forgets the changes that are not published yet. */
  clear(): void {
    this.#quiet.cancel();
    this.#relist.cancel();
    this.#isRelistSet = false;
    this.#queue = [];
    this.#lost.clear();
    this.#removals.clear();
  }

  /** Returns an instance as the cache shows it. */
  cachedInstance(owner: ServiceRecord, instanceId: string): InstanceRecord | undefined {
    return this.#cache.recordOf(owner, instanceId);
  }

  /** Returns all instances of a service as the cache shows them. */
  cachedInstances(owner: ServiceRecord): readonly InstanceRecord[] {
    return this.#cache.listOf(owner).records;
  }

  /**
   * Returns the instances of a service whose ids start with `prefix`.
   *
   * @throws RegistryError 500003 if the store is read and is down
   */
  read(owner: ServiceRecord, view: View, prefix = ''): InstanceList {
    if (view !== 'store') {
      const shown = startingWith(prefix, this.#cache.listOf(owner));
      const now = this.#clock.now();
      if (shown.size > 0 || view === 'cache-only') return shown;
      if (this.isDelayed && this.#cache.hasMissed(owner, prefix, now)) return shown;
      if (this.isDelayed) this.#cache.miss(owner, prefix, now);
    }
    this.#store.requireForFind(view === 'store' ? 1 : 2);
    return startingWith(prefix, owner.instances.list);
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

/** What a publication needs besides clock and knobs. */
export interface PublicationParts {
  readonly store: Store;
  readonly texts: ListTexts;
  /** Returns all services of all namespaces. */
  readonly owners: () => Iterable<ServiceRecord>;
}

function startingWith(prefix: string, list: InstanceList): InstanceList {
  if (prefix === '') return list;
  return new InstanceList(
    list.records.filter(({ instance }) => instance.instanceId.startsWith(prefix)),
  );
}

/** Limits of the server's self-preservation (datasource/etcd/sd/types.go). */
const preservation = { aboveInstances: 5, share: 0.8, longestMs: 600_000, windowMs: 2000 };

interface PendingRemoval {
  readonly write: InstanceWrite;
  /** Milliseconds for which it is still held back during self-preservation. */
  leftMs: number;
}

/** What pending removals need to know, and where they are published. */
export interface RemovalSink {
  /** Returns the number of cached instances in all namespaces. */
  readonly countCached: () => number;
  readonly release: (write: InstanceWrite) => void;
}

/**
 * Removals that are not published yet: collected in windows, and held back if they are most of all
 * instances (datasource/etcd/sd/instance_event_handler.go).
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

  /** Forgets a removal because the instance is registered again. */
  drop(key: string): void {
    this.#held.delete(key);
  }

  /** Forgets all removals. */
  clear(): void {
    this.#window.cancel();
    this.#held.clear();
    this.#isOpen = false;
    this.#isPreserving = false;
  }

  /** Publishes the removals that the current knobs do not hold back. */
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

/** Returns the length of the instance's lease, up to the limit. */
function preservedMs({ instance }: InstanceWrite): number {
  const { interval = 0, times = 0 } = instance.healthCheck ?? {};
  const leaseMs = interval * (times + 1) * 1000;
  return leaseMs > 0 ? Math.min(leaseMs, preservation.longestMs) : preservation.longestMs;
}

/**
 * Milliseconds for which the server remembers an empty result (find cache of
 * datasource/etcd/cache).
 */
const missMs = 120_000;

/**
 * The instances that the server returns without reading its store: the current ones, except for
 * records whose last change is not published yet. Costs nothing if there are none.
 */
class InstanceCache {
  readonly #shown = new WeakMap<ServiceRecord, Map<string, InstanceRecord | undefined>>();
  readonly #missedAt = new WeakMap<ServiceRecord, Map<string, number>>();
  readonly #lists = new WeakMap<ServiceRecord, CachedList>();
  readonly #texts: ListTexts;

  constructor(texts: ListTexts) {
    this.#texts = texts;
  }

  /** Keeps showing an instance as it was before a change. */
  hold(owner: ServiceRecord, instanceId: string, before: InstanceRecord | undefined): void {
    const shown = this.#shown.get(owner) ?? new Map<string, InstanceRecord | undefined>();
    if (!shown.has(instanceId)) shown.set(instanceId, before);
    this.#shown.set(owner, shown);
    this.dropList(owner);
  }

  /** Shows an instance as it is after a change, and returns how it was shown before. */
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
    this.dropList(owner);
    return before;
  }

  recordOf(owner: ServiceRecord, instanceId: string): InstanceRecord | undefined {
    const shown = this.#shown.get(owner);
    return shown?.has(instanceId) ? shown.get(instanceId) : owner.instances.get(instanceId);
  }

  countOf(owner: ServiceRecord): number {
    return this.#shown.has(owner) ? this.listOf(owner).size : owner.instances.size;
  }

  /** Returns all instances of a service; the same object until one is shown differently. */
  listOf(owner: ServiceRecord): InstanceList {
    const shown = this.#shown.get(owner);
    const stored = owner.instances.list;
    if (shown === undefined) return stored;
    const known = this.#lists.get(owner);
    if (known?.stored === stored) return known.list;
    this.dropList(owner);
    const records = new Map<string, InstanceRecord | undefined>([...owner.instances, ...shown]);
    const list = new InstanceList([...records.values()].filter(record => record !== undefined));
    this.#lists.set(owner, { stored, list });
    return list;
  }

  dropList(owner: ServiceRecord): void {
    const known = this.#lists.get(owner);
    if (known !== undefined) this.#texts.drop(known.list);
    this.#lists.delete(owner);
  }

  /** Remembers an empty result, until a change of the service is published. */
  miss(owner: ServiceRecord, key: string, now: number): void {
    const missedAt = this.#missedAt.get(owner) ?? new Map<string, number>();
    this.#missedAt.set(owner, missedAt.set(key, now));
  }

  hasMissed(owner: ServiceRecord, key: string, now: number): boolean {
    const missedAt = this.#missedAt.get(owner)?.get(key);
    return missedAt !== undefined && now - missedAt < missMs;
  }
}

/** The list of a service as the cache shows it, while that differs from what is stored. */
interface CachedList {
  readonly stored: InstanceList;
  readonly list: InstanceList;
}

/** A change of an instance that was made and must be published. */
export interface InstanceWrite {
  readonly kind: ChangeKind;
  /** The same for all changes of one instance. */
  readonly key: string;
  readonly owner: ServiceRecord;
  readonly before: InstanceRecord | undefined;
  /** Absent if the instance was removed. */
  readonly after: InstanceRecord | undefined;
  /** The instance after the change, or its last state. */
  readonly instance: StoredInstance;
  /** Returns false once the service is removed; nothing is published then. */
  readonly isRegistered: () => boolean;
  /** Notifies those that follow published changes. */
  readonly notify: (kind: ChangeKind) => void;
}
