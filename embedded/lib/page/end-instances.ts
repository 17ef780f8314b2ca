import { expireInstance, unregisterInstance } from '../model/instance-operations.js';
import type { RegistryModel } from '../model/registry-model.js';

/** Which instances are meant; an id alone may stand for several, of several services. */
export interface Wanted {
  readonly instanceId: string;
  readonly serviceId?: string | undefined;
  /** Name of the namespace: `domain/project`. */
  readonly tenant?: string | undefined;
}

/** How instances end: taken out on demand, or as if their time were over. */
export type EndedBy = 'removal' | 'lease';

/** Ends the instances that are meant, and tells how many these were; watchers are told of each. */
export function endInstances(model: RegistryModel, wanted: Wanted, endedBy: EndedBy): number {
  const end = endedBy === 'lease' ? expireInstance : unregisterInstance;
  let ended = 0;
  for (const namespace of model.namespaces()) {
    if (wanted.tenant !== undefined && wanted.tenant !== namespace.name) continue;
    for (const { service, instances } of namespace.services.all()) {
      const { serviceId } = service;
      if (wanted.serviceId !== undefined && wanted.serviceId !== serviceId) continue;
      // The Service Center's own instance has no lease, and stays while it runs.
      if (instances.get(wanted.instanceId)?.lease === undefined) continue;
      end(namespace, { serviceId, instanceId: wanted.instanceId });
      ended += 1;
    }
  }
  return ended;
}
