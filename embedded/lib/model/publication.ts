import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from '../oddities/oddity-knobs.js';
import { HeldRemovals } from './held-removals.js';
import { InstanceCache } from './instance-cache.js';
import type { InstanceWrite } from './instance-write.js';
import type { InstanceRecord, ServiceRecord } from './records.js';
import type { Store } from './store.js';

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
  readonly #removals: HeldRemovals;
  readonly #lost = new Map<string, InstanceWrite>();
  readonly #relist: Alarm;
  readonly #quiet: Alarm;
  #waiting: InstanceWrite[] = [];
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
    const countShown = () => {
      let count = 0;
      for (const owner of owners()) count += this.shown(owner).length;
      return count;
    };
    const release = (write: InstanceWrite) => this.#await(write);
    this.#removals = new HeldRemovals(clock, knobs, { countShown, release });
    this.#quiet = new Alarm(clock, () => this.#publish());
    this.#relist = new Alarm(clock, () => this.#list());
    knobs.follow({ after: () => this.#followKnobs() });
  }

  /** True while anything may keep a change from being seen. */
  get isLate(): boolean {
    const { publicationMs, deletionWindowMs, selfPreservation, lostDeletions } = this.#knobs.values;
    return publicationMs > 0 || deletionWindowMs > 0 || selfPreservation || lostDeletions;
  }

  /** Takes a change that has just been made. */
  take(write: InstanceWrite): void {
    if (!this.isLate) {
      write.tell(write.kind);
      return;
    }
    const { key, owner, before, after, instance } = write;
    this.#cache.hold(owner, instance.instanceId, before);
    if (after !== undefined) {
      this.#removals.drop(key);
      this.#await(write);
    } else if (this.#knobs.values.lostDeletions) this.#lose(write);
    else this.#removals.add(write);
  }

  /** The instance as the cache shows it. */
  shownOf(owner: ServiceRecord, instanceId: string): InstanceRecord | undefined {
    return this.#cache.recordOf(owner, instanceId);
  }

  /** All instances of a service as the cache shows them. */
  shown(owner: ServiceRecord): InstanceRecord[] {
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
      const shown = wanted(this.shown(owner));
      const now = this.#clock.now();
      if (shown.length > 0 || view === 'cache-only') return shown;
      if (this.isLate && this.#cache.hasMissed(owner, prefix, now)) return shown;
      if (this.isLate) this.#cache.miss(owner, prefix, now);
    }
    this.#store.requireForFind(view === 'store' ? 1 : 2);
    return wanted([...owner.instances.values()]);
  }

  #await(write: InstanceWrite): void {
    this.#waiting.push(write);
    const { publicationMs } = this.#knobs.values;
    if (publicationMs === 0 || this.#waiting.length >= blockSize) this.#publish();
    else this.#quiet.set(publicationMs);
  }

  #publish(): void {
    this.#quiet.cancel();
    const writes = this.#waiting;
    this.#waiting = [];
    for (const { kind, owner, after, instance, isFiled, tell } of writes) {
      if (!isFiled()) continue;
      const before = this.#cache.show(owner, instance.instanceId, after);
      if (after === undefined) tell(kind);
      else tell(before === undefined ? 'registered' : 'updated');
    }
  }

  #lose(write: InstanceWrite): void {
    this.#lost.set(write.key, write);
    if (this.#isRelistSet) return;
    this.#isRelistSet = true;
    const { relistMinMs, relistMaxMs } = this.#knobs.values;
    this.#relist.set(relistMinMs + this.#knobs.draw() * (relistMaxMs - relistMinMs));
  }

  /** Compares the cache with the store, as the server does from time to time. */
  #list(): void {
    this.#relist.cancel();
    this.#isRelistSet = false;
    const lost = [...this.#lost.values()];
    this.#lost.clear();
    for (const write of lost)
      if (!write.owner.instances.has(write.instance.instanceId)) this.#removals.add(write);
  }

  #followKnobs(): void {
    if (!this.#knobs.values.lostDeletions) this.#list();
    this.#removals.followKnobs();
    if (this.#knobs.values.publicationMs === 0) this.#publish();
  }
}
