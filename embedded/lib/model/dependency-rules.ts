import type { ServiceName } from './service-directory.js';
import { nameKeyOf } from './service-directory.js';

/**
 * Who depends on whom: a consumer on all versions of a name. A rule outlives the provider, so a
 * provider that comes back is depended upon again; it ends with its consumer.
 */
export class DependencyRules {
  readonly #providers = new Map<string, Map<string, ServiceName>>();
  readonly #consumers = new Map<string, Set<string>>();

  add(consumerId: string, { environment, appId, serviceName }: ServiceName): void {
    const provider = { environment, appId, serviceName };
    const key = nameKeyOf(provider);
    const providers = this.#providers.get(consumerId) ?? new Map<string, ServiceName>();
    this.#providers.set(consumerId, providers.set(key, provider));
    const consumers = this.#consumers.get(key) ?? new Set<string>();
    this.#consumers.set(key, consumers.add(consumerId));
  }

  providersOf(consumerId: string): ServiceName[] {
    return [...(this.#providers.get(consumerId)?.values() ?? [])];
  }

  /** Ids of the services that depend on a name. */
  consumersOf(provider: ServiceName): string[] {
    return [...(this.#consumers.get(nameKeyOf(provider)) ?? [])];
  }

  removeConsumer(consumerId: string): void {
    for (const key of this.#providers.get(consumerId)?.keys() ?? [])
      this.#consumers.get(key)?.delete(consumerId);
    this.#providers.delete(consumerId);
  }
}
