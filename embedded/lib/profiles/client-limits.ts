import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { Listeners } from '../listeners.js';
import type { InstanceRef } from '../model/wire.js';
import type { Namespace } from '../model/namespace.js';
import { resolveProfile } from './profile.js';
import type { ProfileSettings } from './profile.js';

interface Warning {
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  readonly domain: string;
  readonly project: string;
  readonly serviceId: string;
}

/**
 * A heartbeat that followed the previous one sooner than the vendor allows. It was answered
 * normally.
 */
export interface HeartbeatTooSoon extends Warning {
  readonly kind: 'heartbeat-too-soon';
  readonly instanceId: string;
  /** Milliseconds since the previous heartbeat of this instance. */
  readonly distanceMs: number;
  readonly minDistanceMs: number;
}

/**
 * A service discovery, a find or a batch of them, that followed sooner than the vendor allows. It was
 * answered normally.
 */
export interface FindTooSoon extends Warning {
  readonly kind: 'find-too-soon';
  /** Instances of the consumer, at least one: each may find once in `minDistanceMs`. */
  readonly instances: number;
  /** Milliseconds since the find of this consumer that is so many before. */
  readonly distanceMs: number;
  readonly minDistanceMs: number;
}

/** A registration that exceeded the vendor's limit per second. It was refused. */
export interface RegistrationThrottled extends Warning {
  readonly kind: 'registration-throttled';
  readonly limitPerSecond: number;
}

/** A limit of the vendor that a client exceeded. */
export type LimitWarning = HeartbeatTooSoon | FindTooSoon | RegistrationThrottled;

/** Called for each warning. */
export type WarningListener = (warning: LimitWarning) => void;

const capacity = 1000;

/**
 * Share of the required distance that is accepted, because requests do not all take equally long.
 */
const tolerance = 0.98;

/** Checks clients against the limits of a profile. */
class ClientLimits {
  readonly #settings: ProfileSettings;
  readonly #clock: Clock;
  readonly #listeners = new Listeners<LimitWarning>();
  /** By lease, which exists as long as its instance does. */
  readonly #lastHeartbeatAt = new WeakMap<object, number>();
  /** Times of the last finds of a consumer, as many as it has instances. */
  readonly #foundAt = new WeakMap<object, readonly number[]>();
  #warnings: LimitWarning[] = [];
  #registeredAt: number[] = [];

  constructor(settings: ProfileSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Returns the last 1,000 warnings, oldest first. */
  get warnings(): readonly LimitWarning[] {
    return this.#warnings.slice(-capacity);
  }

  /** Adds a listener; the returned function removes it. */
  onWarning(listener: WarningListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Records a successful heartbeat and warns if it came too soon. */
  checkHeartbeat(namespace: Namespace, { serviceId, instanceId }: InstanceRef): void {
    const { minHeartbeatMs: minDistanceMs } = this.#settings;
    if (minDistanceMs === 0) return;
    const lease = namespace.services.get(serviceId)?.instances.get(instanceId)?.lease;
    if (lease === undefined) return;
    const now = this.#clock.now();
    const lastAt = this.#lastHeartbeatAt.get(lease);
    this.#lastHeartbeatAt.set(lease, now);
    const distanceMs = lastAt === undefined ? Infinity : now - lastAt;
    if (distanceMs >= minDistanceMs * tolerance) return;
    const what = { kind: 'heartbeat-too-soon', instanceId, distanceMs, minDistanceMs } as const;
    this.#warn({ ...what, ...this.#whereOf(namespace, serviceId) });
  }

  /**
   * Records a find, or a batch of them, and warns if it came too soon. A request does not say which
   * instance of the consumer it is from, so they share what all of them may do; without a consumer
   * nothing is checked.
   */
  checkFind(namespace: Namespace, consumerId: string): void {
    const { minFindMs: minDistanceMs } = this.#settings;
    const consumer = minDistanceMs === 0 ? undefined : namespace.services.get(consumerId);
    if (consumer === undefined) return;
    const now = this.#clock.now();
    const instances = Math.max(consumer.instances.size, 1);
    const foundAt = [...(this.#foundAt.get(consumer) ?? []), now].slice(-instances - 1);
    this.#foundAt.set(consumer, foundAt);
    const [lastAt = now] = foundAt;
    const distanceMs = foundAt.length > instances ? now - lastAt : Infinity;
    if (distanceMs >= minDistanceMs * tolerance) return;
    const what = { kind: 'find-too-soon', instances, distanceMs, minDistanceMs } as const;
    this.#warn({ ...what, ...this.#whereOf(namespace, consumerId) });
  }

  /** Counts a registration. Returns false if it exceeds the limit; it is then not counted. */
  admitsRegistration(namespace: Namespace, serviceId: string): boolean {
    const { registrationsPerSecond: limitPerSecond } = this.#settings;
    if (limitPerSecond === Infinity) return true;
    const now = this.#clock.now();
    this.#registeredAt = this.#registeredAt.filter(at => at > now - 1000);
    if (this.#registeredAt.length < limitPerSecond) {
      this.#registeredAt.push(now);
      return true;
    }
    const what = { kind: 'registration-throttled', limitPerSecond } as const;
    this.#warn({ ...what, ...this.#whereOf(namespace, serviceId) });
    return false;
  }

  #whereOf({ domain, project }: Namespace, serviceId: string): Warning {
    return { at: this.#clock.now(), domain, project, serviceId };
  }

  #warn(warning: LimitWarning): void {
    this.#warnings.push(warning);
    // Trimmed only now and then, because it copies the whole list.
    if (this.#warnings.length >= 2 * capacity) this.#warnings = this.#warnings.slice(-capacity);
    this.#listeners.emit(warning);
  }
}

/** The profile in use: its settings, and the limits that it checks. */
export interface ActiveProfile {
  readonly settings: ProfileSettings;
  readonly limits: ClientLimits;
}

/** Returns the profile in use for some settings, with its limits measured by a clock. */
export function activate(settings: ProfileSettings, clock: Clock): ActiveProfile {
  return { settings, limits: new ClientLimits(settings, clock) };
}

/** Returns Apache's own profile, which has no limits. */
export function openSource(): ActiveProfile {
  return activate(resolveProfile(), systemClock);
}
