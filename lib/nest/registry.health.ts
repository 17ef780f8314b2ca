import { Inject, Injectable } from '@nestjs/common';
import { healthOf } from '../health/health.js';
import type { RegistrationSnapshot } from '../registration/snapshot.js';
import { Registration } from './registration.js';

/** Health of a registration as @nestjs/terminus collects it, with the snapshot as details. */
export interface RegistryHealth extends RegistrationSnapshot {
  readonly status: 'up' | 'down';
  /** There when heartbeats fail while the lease lives: still up, but somebody should know. */
  readonly degraded?: true;
}

/**
 * Health of the registration for @nestjs/terminus 11 and 12, from what is known; the registry is not
 * asked. Belongs to readiness: a liveness probe would restart pods whenever the registry is away.
 */
@Injectable()
export class RegistryHealthIndicator {
  readonly #registration: Registration;

  /** @internal Made by the module: inject it. */
  constructor(@Inject(Registration) registration: Registration) {
    this.#registration = registration;
  }

  /**
   * Resolves with the health under that key; terminus answers 503 for `down`. Degraded is `up` with
   * `degraded: true`, since terminus 11 drops any other status. Never rejects.
   */
  async isHealthy(key: string): Promise<Record<string, RegistryHealth>> {
    const snapshot = this.#registration.snapshot();
    const health = healthOf(snapshot);
    const degraded = health === 'degraded' ? { degraded: true as const } : {};
    return { [key]: { status: health === 'down' ? 'down' : 'up', ...degraded, ...snapshot } };
  }
}
