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

/** A heartbeat that came sooner after the last one than the vendor allows. It was answered all the same. */
export interface HeartbeatTooSoon extends Warning {
  readonly kind: 'heartbeat-too-soon';
  readonly instanceId: string;
  /** Milliseconds since the last heartbeat of this instance. */
  readonly distanceMs: number;
  readonly minDistanceMs: number;
}

/** A registration beyond what the vendor allows in a second. It was refused. */
export interface RegistrationThrottled extends Warning {
  readonly kind: 'registration-throttled';
  readonly limitPerSecond: number;
}

/** A limit of the vendor that a client did not keep. */
export type LimitWarning = HeartbeatTooSoon | RegistrationThrottled;

/** Is told of each warning. */
export type WarningListener = (warning: LimitWarning) => void;

const capacity = 1000;

/** The share of a distance that is enough: requests of one client do not take equally long to arrive. */
const tolerance = 0.98;

/** Measures clients by the limits of a form. */
export class ClientLimits {
  readonly #settings: ProfileSettings;
  readonly #clock: Clock;
  readonly #listeners = new Listeners<LimitWarning>();
  /** By lease, which lives as long as its instance does. */
  readonly #lastHeartbeatAt = new WeakMap<object, number>();
  #warnings: LimitWarning[] = [];
  #registeredAt: number[] = [];

  constructor(settings: ProfileSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The last 1,000 warnings, oldest first. */
  get warnings(): readonly LimitWarning[] {
    return this.#warnings.slice(-capacity);
  }

  /** Adds a listener; the returned function removes it. */
  onWarning(listener: WarningListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Notes a heartbeat that was answered well. */
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

  /** Counts a registration; false for one that is too many, which does not count. */
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
    // Cut now and then rather than each time, which would move all of them.
    if (this.#warnings.length >= 2 * capacity) this.#warnings = this.#warnings.slice(-capacity);
    this.#listeners.emit(warning);
  }
}

/** Where a Service Center is at home: how it answers there, and what it lets its clients do. */
export interface ActiveProfile {
  readonly settings: ProfileSettings;
  readonly limits: ClientLimits;
}

/** A Service Center of this form, with limits by this clock. */
export function activate(settings: ProfileSettings, clock: Clock): ActiveProfile {
  return { settings, limits: new ClientLimits(settings, clock) };
}

/** Apache's own Service Center, which has no limits. */
export function openSource(): ActiveProfile {
  return activate(resolveProfile(), systemClock);
}
