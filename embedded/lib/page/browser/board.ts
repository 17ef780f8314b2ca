import type {
  ChangeView,
  InstanceView,
  RegistryView,
  RenewalView,
  ServiceView,
  LeaseView,
} from '../messages.js';

/** An instance as the page shows it. */
export interface BoardInstance extends Omit<InstanceView, 'lease'> {
  readonly lease: RunningLease | undefined;
}

/** A service as the page shows it, with its instances by key. */
export interface BoardService {
  readonly service: ServiceView;
  readonly instances: ReadonlyMap<string, BoardInstance>;
}

interface Entry {
  service: ServiceView;
  readonly instances: Map<string, BoardInstance>;
}

/** The state of the registry, as far as the page has received it. */
export class Board {
  readonly #services = new Map<string, Entry>();
  /** Keys of the services that have changed since the last call of `takeChanged`. */
  #changed = new Set<string>();

  /**
   * Returns the services whose name, application, version or instances contain a text, sorted by
   * name.
   */
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

  /** Returns the keys of the services that have changed since the last call. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** @param now time of the message by `performance.now()`, as in all methods below */
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

  /** Returns an instance and its service; undefined if they are not on the board. */
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

/** A lease that runs by the browser's clock, also while no message arrives. */
export interface RunningLease {
  readonly lengthMs: number;
  /** Deadline by `performance.now()`. */
  readonly endsAt: number;
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly renewedAt: number;
}

/** @param now time of the message by `performance.now()` */
export function runningLease(
  { lengthMs, remainingMs, renewedAt }: LeaseView,
  now: number,
): RunningLease {
  return { lengthMs, renewedAt, endsAt: now + remainingMs };
}

/** The remaining time of a lease, for its bar and the text next to it. */
export interface LeaseLeft {
  /** Remaining share, from 0 to 1. */
  readonly share: number;
  /** `low` up to a third, `last` up to a tenth. */
  readonly level: 'high' | 'low' | 'last';
  readonly text: string;
}

/** Returns the remaining time of a lease at a moment of `performance.now()`. */
export function leaseLeft({ lengthMs, endsAt }: RunningLease, now: number): LeaseLeft {
  const leftMs = Math.min(Math.max(endsAt - now, 0), lengthMs);
  const share = lengthMs === 0 ? 0 : leftMs / lengthMs;
  const level = share > 1 / 3 ? 'high' : share > 1 / 10 ? 'low' : 'last';
  return { share, level, text: `${inWords(leftMs)} of ${inWords(lengthMs)} left` };
}

/** Returns a duration in seconds, or in hours and minutes from ten minutes on. */
export function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 600) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
