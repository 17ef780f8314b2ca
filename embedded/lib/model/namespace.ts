import { ErrorCode, RegistryError } from './registry-error.js';
import { isExempt } from './own-service.js';
import { DependencyRules, ServiceDirectory } from './service-directory.js';
import type { ServiceName, ServiceRecord } from './service-directory.js';
import type { SharedState } from './shared-state.js';

/** A domain and project. Its services are not visible from any other. */
export class Namespace {
  readonly services = new ServiceDirectory();
  readonly dependencies: DependencyRules;
  /** What counts for the quotas; kept up to date, because each registration looks at it. */
  readonly counted = { services: 0, instances: 0 };

  constructor(
    readonly domain: string,
    readonly project: string,
    readonly shared: SharedState,
  ) {
    this.dependencies = new DependencyRules(
      () => shared.now() - shared.oddities.values.dependencyMs,
    );
  }

  /** `domain/project`, as in the registry's keys. */
  get name(): string {
    return `${this.domain}/${this.project}`;
  }

  /** Counts services and instances that were added, or removed if negative. */
  count(service: ServiceName, added: Readonly<Record<'services' | 'instances', number>>): void {
    if (isExempt(this, service)) return;
    this.counted.services += added.services;
    this.counted.instances += added.instances;
  }

  /**
   * @throws RegistryError 400012 with this detail if the service is unknown; 500003 if the store is
   * down
   */
  requireService(serviceId: string, detail = 'Service does not exist.'): ServiceRecord {
    const record = this.services.get(serviceId);
    if (record !== undefined) return record;
    this.shared.store.requireForFind();
    throw new RegistryError(ErrorCode.ServiceNotExists, detail);
  }
}
