import type { InstanceRecord, ServiceRecord } from './records.js';

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
