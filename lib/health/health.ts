import type { RegistrationSnapshot } from '../registration/snapshot.js';

/** How healthy a registration is. Degraded still serves: the lease lives, or nothing was asked yet. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/**
 * Derives health from a snapshot; nothing is asked of the registry.
 *
 * `registering`, `lost` and `blocked` are down: consumers do not find the instance, or soon will not.
 * `leaving` and `left` are down, so that readiness ends with the removal.
 */
export function healthOf({ state }: Pick<RegistrationSnapshot, 'state'>): HealthStatus {
  switch (state) {
    case 'idle':
    case 'disabled':
    case 'registered':
      return 'up';
    case 'degraded':
    case 'at-risk':
      return 'degraded';
    case 'registering':
    case 'lost':
    case 'blocked':
    case 'leaving':
    case 'left':
      return 'down';
  }
}
