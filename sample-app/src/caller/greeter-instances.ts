import { Inject, Injectable } from '@nestjs/common';
import {
  ErrorCode,
  Registration,
  ServiceCenterClient,
  ServiceCenterResponseError,
  type StoredInstance,
} from 'nestjs-servicecomb';

/** The instances of the greeter, as the registry last told them. */
@Injectable()
export class GreeterInstances {
  #revision: string | undefined;
  #instances: readonly StoredInstance[] = [];

  constructor(
    @Inject(ServiceCenterClient) private readonly registry: ServiceCenterClient,
    @Inject(Registration) private readonly registration: Registration,
  ) {}

  /**
   * Asks the registry, and resolves with the instances that want to be called. A registry that is
   * away is no reason to stop calling: those known from before are as good as they were.
   *
   * @throws ServiceCombError when the registry does not answer and none are known
   */
  async findUp(): Promise<readonly StoredInstance[]> {
    try {
      await this.#refresh();
    } catch (error) {
      if (isUnknownService(error)) this.#instances = [];
      else if (this.#instances.length === 0) throw error;
    }
    return this.#instances.filter(({ status }) => status === 'UP');
  }

  async #refresh(): Promise<void> {
    const found = await this.registry.findInstances({
      appId: 'default',
      serviceName: 'greeter',
      // Who asks: the registry keeps track of who depends on whom.
      consumerId: this.registration.snapshot().serviceId ?? undefined,
      // With the revision of the last answer, an unchanged registry answers without a list.
      revision: this.#revision,
    });
    if (!found.modified) return;
    this.#revision = found.revision;
    this.#instances = found.instances;
  }
}

/** No greeter has ever been registered, which the registry says with an error of its own. */
function isUnknownService(error: unknown): boolean {
  return (
    error instanceof ServiceCenterResponseError && error.errorCode === ErrorCode.ServiceNotExists
  );
}
