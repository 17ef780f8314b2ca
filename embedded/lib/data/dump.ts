import type { Namespace } from '../model/namespace.js';
import type { ServiceRecord } from '../model/service-directory.js';
import type { RegistryModel } from '../model/registry-model.js';
import { serviceCenterId } from '../model/own-service.js';
import { dataFormat } from './registry-data.js';
import type { InstanceData, RegistryData, ServiceData } from './registry-data.js';

/** Returns all services and instances of a registry, except the Service Center's own. */
export function dataOf(model: RegistryModel): RegistryData {
  const namespaces = model.namespaces();
  return {
    format: dataFormat,
    revision: model.revision,
    services: namespaces.flatMap(namespace =>
      [...namespace.services.all()]
        .filter(({ service }) => service.serviceId !== serviceCenterId)
        .map(record => serviceDataOf(namespace, record)),
    ),
  };
}

function serviceDataOf(
  { domain, project, dependencies }: Namespace,
  { service, tags, schemas, instances }: ServiceRecord,
): ServiceData {
  return {
    domain,
    project,
    service,
    tags: Object.fromEntries(tags),
    schemas: Object.fromEntries(
      Array.from(schemas, ([id, { content: schema, summary }]) => [id, { schema, summary }]),
    ),
    instances: Array.from(instances.values(), ({ instance }) => {
      const { serviceId: _, version: __, status = '', ...rest } = instance;
      return { ...rest, status } satisfies InstanceData;
    }),
    dependsOn: dependencies.declaredProvidersOf(service.serviceId),
  };
}
