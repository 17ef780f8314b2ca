import type { HealthCheck, InstanceRef } from '../protocol/wire.js';

/** What the registry grants: this instance stays listed until the lease ends, unless renewed. */
export interface Lease {
  readonly ref: InstanceRef;
  /**
   * When the last good heartbeat or registration was *sent*, in milliseconds of the monotonic clock:
   * the registry counts from a later moment, so our end of the lease is never too late.
   */
  readonly renewedAt: number;
  readonly lengthMs: number;
}

/** Milliseconds that a lease lives: `interval × (times + 1)` (datasource/etcd/ms.go, calcInstanceTTL). */
export function leaseLengthMs({ interval, times = 0 }: HealthCheck): number {
  return interval * (times + 1) * 1_000;
}

/** Milliseconds until the lease ends; 0 from then on. */
export function remainingMs({ renewedAt, lengthMs }: Lease, now: number): number {
  return Math.max(0, renewedAt + lengthMs - now);
}

/** Whether the lease has ended by our own clock. The registry may see it otherwise: believe it. */
export function isExpired(lease: Lease, now: number): boolean {
  return remainingMs(lease, now) === 0;
}

/** Whether two thirds of the lease have passed without a renewal. */
export function isAtRisk(lease: Lease, now: number): boolean {
  return remainingMs(lease, now) <= lease.lengthMs / 3;
}
