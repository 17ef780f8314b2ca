import { Inject, Injectable } from '@nestjs/common';
import { healthOf, type RegistrationSnapshot } from '../registration/state.js';
import { Registration } from './registration.js';

/** Health of a registration in the form that @nestjs/terminus expects, with the snapshot as details. */
export interface RegistryHealth extends RegistrationSnapshot {
  readonly status: 'up' | 'down';
  /** Present while heartbeats fail and the lease lives: still up, but worth knowing. */
  readonly degraded?: true;
}

/**
 * Health of the registration for @nestjs/terminus 11 and 12. It is derived from the state, without a
 * request to the registry. Use it for readiness: as a liveness probe it would restart the pod whenever
 * the registry is away.
 *
 * @example
 * ```ts
 * @Get('ready')
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.registry.isHealthy('registry')]);
 * }
 * ```
 */
@Injectable()
export class RegistryHealthIndicator {
  readonly #registration: Registration;

  /** @internal Made by the module: inject it. */
  constructor(@Inject(Registration) registration: Registration) {
    this.#registration = registration;
  }

  /**
   * Resolves with the health under that key; terminus answers 503 for `down`. Degraded is reported as
   * `up` with `degraded: true`, since terminus 11 drops any other status. Never rejects.
   */
  async isHealthy(key: string): Promise<Record<string, RegistryHealth>> {
    const snapshot = this.#registration.snapshot();
    const health = healthOf(snapshot);
    const degraded = health === 'degraded' ? { degraded: true as const } : {};
    return { [key]: { status: health === 'down' ? 'down' : 'up', ...degraded, ...snapshot } };
  }
}
