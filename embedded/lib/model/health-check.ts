import type { HealthCheck } from './wire.js';
import type { LeaseFloors } from './ledger.js';

/** A health check as it is asked for; `interval` and `times` may lie below what the server grants. */
export interface RequestedHealthCheck {
  readonly mode?: string | undefined;
  readonly port?: number | undefined;
  readonly interval?: number | undefined;
  readonly times?: number | undefined;
  readonly url?: string | undefined;
}

/** datasource.DefaultLeaseRenewalInterval and DefaultLeaseRetryTimes. */
const defaults = { interval: 30, times: 3 };

/**
 * The health check the server keeps: the defaults for none and for mode `pull`, which it never
 * acts on, and for mode `push` no less than the floors (populateInstanceDefaultValue).
 */
export function storedHealthCheck(
  requested: RequestedHealthCheck | undefined,
  { minIntervalMs, minTimes }: LeaseFloors,
): HealthCheck {
  if (requested === undefined) return { mode: 'push', ...defaults };
  const { mode, port, url, interval = 0, times = 0 } = requested;
  if (mode === 'pull') return { mode, port, ...defaults, url };
  return {
    mode: 'push',
    port,
    interval: Math.max(interval, Math.floor(minIntervalMs / 1000)),
    times: Math.max(times, minTimes),
    url,
  };
}

/**
 * Length of the lease that goes with a kept health check. The server multiplies in 32 bits; what
 * overflows there to nothing or less becomes the shortest lease, a second (calcInstanceTTL).
 */
export function leaseLengthMs({ interval, times = 0 }: HealthCheck): number {
  return Math.max(Math.imul(interval, times + 1), 1) * 1000;
}
