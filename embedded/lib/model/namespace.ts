import { ErrorCode, RegistryError } from './registry-error.js';
import { DependencyRules, ServiceDirectory } from './service-directory.js';
import type { SharedState } from './shared-state.js';
import type { ServiceRecord } from './records.js';

/** A domain and project. Its services are not visible from any other. */
export class Namespace {
  readonly services = new ServiceDirectory();
  readonly dependencies = new DependencyRules();

  constructor(
    readonly domain: string,
    readonly project: string,
    readonly shared: SharedState,
  ) {}

  /** `domain/project`, as in the registry's keys. */
  get name(): string {
    return `${this.domain}/${this.project}`;
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
