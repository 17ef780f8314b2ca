import type {
  ChangeView,
  InstanceView,
  RegistryView,
  RenewalView,
  ServiceView,
  LeaseView,
} from '../messages.js';

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

/** A lease on the page: it ends by the browser's clock, which runs while no message comes. */
export interface RunningLease {
  readonly lengthMs: number;
  /** By `performance.now()`. */
  readonly endsAt: number;
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly renewedAt: number;
}

/** @param now when the lease was told, by `performance.now()` */
export function runningLease(
  { lengthMs, remainingMs, renewedAt }: LeaseView,
  now: number,
): RunningLease {
  return { lengthMs, renewedAt, endsAt: now + remainingMs };
}

/** What is left of a lease, as its bar and the text beside it say. */
export interface LeaseLeft {
  /** From 0 to 1. */
  readonly share: number;
  /** `low` from a third on, `last` from a tenth on. */
  readonly level: 'high' | 'low' | 'last';
  readonly text: string;
}

/** What is left of a lease at a moment of `performance.now()`. */
export function leaseLeft({ lengthMs, endsAt }: RunningLease, now: number): LeaseLeft {
  const leftMs = Math.min(Math.max(endsAt - now, 0), lengthMs);
  const share = lengthMs === 0 ? 0 : leftMs / lengthMs;
  const level = share > 1 / 3 ? 'high' : share > 1 / 10 ? 'low' : 'last';
  return { share, level, text: `${inWords(leftMs)} of ${inWords(lengthMs)} left` };
}

/** A duration in whole seconds, or in hours and minutes from ten minutes on. */
export function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 600) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
