import { consumersOf, providersOf } from '../model/dependency-operations.js';
import type { Namespace } from '../model/namespace.js';
import type { StoredMicroservice } from '../model/records.js';
import type { ServiceRecord } from '../model/service-directory.js';
import type { SchemaView, ServiceDetails } from './messages.js';

/** Returns what the page shows of a service once it is asked for. */
export function serviceDetails(
  namespace: Namespace,
  { service, tags, schemas }: ServiceRecord,
): ServiceDetails {
  const { serviceId, description = '', framework, level = '' } = service;
  const declared = (service.schemas ?? []).filter(schemaId => !schemas.has(schemaId));
  const uploaded = Array.from(schemas, ([schemaId, { content, summary }]): SchemaView => {
    return { schemaId, length: content.length, summary: summary ?? '' };
  });
  return {
    serviceId,
    description,
    level,
    framework: [framework?.name, framework?.version].filter(Boolean).join(' '),
    tags: Object.fromEntries(tags),
    schemas: [...uploaded, ...declared.map(schemaId => ({ schemaId, length: null, summary: '' }))],
    providers: namesOf(providersOf(namespace, serviceId)),
    consumers: namesOf(consumersOf(namespace, service)),
  };
}

function namesOf(services: readonly StoredMicroservice[]): readonly string[] {
  const names = services.map(({ serviceName, version }) => `${serviceName} ${version}`);
  return [...new Set(names)].toSorted();
}
