import type {
  ChangeView,
  InstanceView,
  RegistryView,
  RenewalView,
  ServiceView,
} from '../messages.js';
import { runningLease } from './lease-left.js';
import type { RunningLease } from './lease-left.js';

/** An instance on the board. */
export interface BoardInstance extends Omit<InstanceView, 'lease'> {
  readonly lease: RunningLease | undefined;
}

/** A service on the board, with its instances by their keys. */
export interface BoardService {
  readonly service: ServiceView;
  readonly instances: ReadonlyMap<string, BoardInstance>;
}

interface Entry {
  service: ServiceView;
  readonly instances: Map<string, BoardInstance>;
}

/** What is registered, as far as the page has been told. */
export class Board {
  readonly #services = new Map<string, Entry>();
  /** Keys of the services that have changed since somebody asked. */
  #changed = new Set<string>();

  /** The services that a text is in the name, application, version or an instance of; by name. */
  services(filter = ''): BoardService[] {
    const wanted = filter.trim().toLowerCase();
    return [...this.#services.values()]
      .filter(entry => wanted === '' || textOf(entry).includes(wanted))
      .sort((one, other) => compare(one.service, other.service));
  }

  get instanceCount(): number {
    let count = 0;
    for (const { instances } of this.#services.values()) count += instances.size;
    return count;
  }

  get serviceCount(): number {
    return this.#services.size;
  }

  /** The keys of the services that have changed since this was last asked for. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** @param now by `performance.now()`, as for all that is told */
  replace({ services }: RegistryView, now: number): void {
    for (const key of this.#services.keys()) this.#changed.add(key);
    this.#services.clear();
    for (const { instances, ...service } of services) {
      const views = instances.map(view => [view.key, onBoard(view, now)] as const);
      this.#services.set(service.key, { service, instances: new Map(views) });
      this.#changed.add(service.key);
    }
  }

  change({ kind, service, instance }: ChangeView, now: number): void {
    this.#changed.add(service.key);
    const isGone = kind === 'removed' || kind === 'expired';
    if (instance === undefined && isGone) {
      this.#services.delete(service.key);
      return;
    }
    const entry = this.#services.get(service.key) ?? { service, instances: new Map() };
    entry.service = service;
    this.#services.set(service.key, entry);
    if (instance === undefined) return;
    if (isGone) entry.instances.delete(instance.key);
    else entry.instances.set(instance.key, onBoard(instance, now));
  }

  renew({ serviceKey, instanceKey, lease }: RenewalView, now: number): void {
    const instances = this.#services.get(serviceKey)?.instances;
    const instance = instances?.get(instanceKey);
    if (instance === undefined) return;
    instances?.set(instanceKey, { ...instance, lease: runningLease(lease, now) });
    this.#changed.add(serviceKey);
  }

  /** An instance and its service; undefined when they are not on the board. */
  find(
    serviceKey: string,
    instanceKey: string,
  ): { service: ServiceView; instance: BoardInstance } | undefined {
    const entry = this.#services.get(serviceKey);
    const instance = entry?.instances.get(instanceKey);
    return entry && instance && { service: entry.service, instance };
  }
}

function onBoard({ lease, ...view }: InstanceView, now: number): BoardInstance {
  return { ...view, lease: lease === null ? undefined : runningLease(lease, now) };
}

function textOf({ service, instances }: Entry): string {
  const { serviceName, appId, version, environment, tenant } = service;
  const texts = [serviceName, appId, version, environment, tenant];
  for (const { instanceId, hostName, endpoints: at } of instances.values())
    texts.push(instanceId, hostName, at.join('\n'));
  return texts.join('\n').toLowerCase();
}

function compare(one: ServiceView, other: ServiceView): number {
  return (
    one.serviceName.localeCompare(other.serviceName) ||
    one.version.localeCompare(other.version, undefined, { numeric: true }) ||
    one.key.localeCompare(other.key)
  );
}
