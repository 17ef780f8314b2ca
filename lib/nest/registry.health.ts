import { Inject, Injectable } from '@nestjs/common';
import {
  healthOf,
  isReady,
  type ReadyWhen,
  type RegistrationSnapshot,
} from '../registration/state.js';
import { Registration } from './registration.js';

/** Health of a registration in the form that @nestjs/terminus expects, with the snapshot as details. */
export interface RegistryHealth extends RegistrationSnapshot {
  readonly status: 'up' | 'down';
  /** Present while heartbeats fail and the lease lives: still up, but worth knowing. */
  readonly degraded?: true;
}

/** When the application is ready. */
export interface ReadinessOptions {
  /**
   * `started`: from the start until the instance leaves the registry. `registered`: not before the first
   * registration; choose it where consumers find the application through the registry only.
   * @default 'started'
   */
  readonly readyWhen?: ReadyWhen | undefined;
}

/**
 * Health and readiness of the registration for @nestjs/terminus 11 and 12. Both are derived from the
 * state, without a request to the registry. Health is for monitoring, readiness for the readiness probe;
 * neither is for liveness, since a restart does not bring the registry back.
 *
 * @example
 * ```ts
 * @Get('ready')
 * @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.registry.isReady('registry')]);
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

  /**
   * Resolves with the readiness under that key; terminus answers 503 for `down`. It is `down` while the
   * instance leaves and once it has left, and before the first registration if `readyWhen` says so. A
   * registry that is away does not make it `down`. Never rejects.
   */
  async isReady(
    key: string,
    { readyWhen = 'started' }: ReadinessOptions = {},
  ): Promise<Record<string, RegistryHealth>> {
    const snapshot = this.#registration.snapshot();
    return { [key]: { status: isReady(snapshot, readyWhen) ? 'up' : 'down', ...snapshot } };
  }
}
