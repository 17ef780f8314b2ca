import { json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { consumersOf, providersOf } from '../model/dependency-operations.js';
import type { Namespace } from '../model/namespace.js';
import type { StoredMicroservice } from '../model/records.js';
import type { ServiceRecord } from '../model/service-directory.js';
import { invalid } from '../model/registry-error.js';
import { listSchemas } from '../model/schema-operations.js';
import { isShared } from '../model/own-service.js';
import { serviceGraph, statisticsOf } from '../model/governance.js';
import { listServices } from '../model/service-operations.js';

/** GET govern/relations. */
export function drawRelations(call: Call): Answer {
  return json(serviceGraph(call.namespace, { withShared: call.isSet('withShared') }));
}

/**
 * GET govern/apps: the applications with a service in an environment; without `env` the empty one.
 */
export function listApps(call: Call): Answer {
  const environment = call.value('env');
  validate(requestRules.getApps, { environment });
  const apps = listServices(call.namespace, call.isSet('withShared'))
    .filter(service => (service.environment ?? '') === environment)
    .map(({ appId }) => appId);
  return json({ appIds: omitEmpty([...new Set(apps)]) });
}

/** GET govern/statistics. */
export function getStatistics(call: Call): Answer {
  return json({ statistics: statistics(call, { withShared: false }) });
}

function statistics(call: Call, options: { readonly withShared: boolean }) {
  const { model, namespace } = call;
  return statisticsOf(namespace, model.projectsOf(namespace.domain), options);
}

/** GET govern/microservices/:serviceId: all details of one service. */
export function getServiceDetail(call: Call): Answer {
  const { namespace } = call;
  const serviceId = call.parameter('serviceId');
  validate(requestRules.getService, { serviceId });
  const record = namespace.requireService(serviceId);
  const { service, tags } = record;
  const versions = namespace.services.versionsOf(service);
  return json({
    service: {
      microService: service,
      instances: omitEmpty(
        namespace.shared.publication.cachedInstances(record).map(({ instance }) => instance),
      ),
      schemaInfos: omitEmpty(listSchemas(namespace, serviceId, { withContent: true })),
      providers: omitEmpty(providersOf(namespace, serviceId)),
      consumers: omitEmpty(consumersOf(namespace, service)),
      tags: tags.size === 0 ? undefined : Object.fromEntries(tags),
      microServiceVersions: versions.map(({ service: { version } }) => version),
    },
  });
}

/** The meaning of `all`, besides statistics (server/service/govern/view.go). */
const details = ['tags', 'instances', 'schemas', 'dependencies'];

/**
 * GET govern/microservices: the details that `options` names, of all services that match the query.
 */
export function listServiceDetails(call: Call): Answer {
  const countOnly = call.value('countOnly');
  if (!['', '0', '1'].includes(countOnly.trim()))
    throw invalid('parameter countOnly must be 1 or 0');
  const options = new Set(call.value('options').split(','));
  const withShared = call.isSet('withShared');
  const isAll = options.has('all');
  const counts = isAll || options.has('statistics') ? statistics(call, { withShared }) : undefined;
  if (counts !== undefined && !isAll && options.size === 1) return json({ statistics: counts });
  const wanted = { options: isAll ? new Set(details) : options, countOnly: countOnly === '1' };
  const { namespace } = call;
  const services = [...namespace.services.all()]
    .filter(({ service }) => withShared || !isShared(namespace, service))
    .filter(({ service }) => isWanted(call, service))
    .map(record => overviewOf(namespace, record, wanted));
  return json({ allServicesDetail: omitEmpty(services), statistics: counts });
}

function isWanted(call: Call, service: StoredMicroservice): boolean {
  const matches = (name: string, value: string | undefined) =>
    ['', value].includes(call.value(name));
  return (
    matches('env', service.environment) &&
    matches('appId', service.appId) &&
    matches('serviceName', service.serviceName) &&
    call.query.getAll('property').every(property => {
      const [key = '', ...value] = property.split(':');
      return service.properties?.[key] === value.join(':');
    })
  );
}

interface Wanted {
  readonly options: ReadonlySet<string>;
  readonly countOnly: boolean;
}

/** Returns an entry of the list, without schema ids and without properties of instances. */
function overviewOf(
  namespace: Namespace,
  record: ServiceRecord,
  { options, countOnly }: Wanted,
): object {
  const { service, tags } = record;
  const instances = namespace.shared.publication.cachedInstances(record);
  const { serviceId } = service;
  const others = (services: readonly StoredMicroservice[]) =>
    omitEmpty(services.filter(other => other.serviceId !== serviceId));
  const has = (option: string) => options.has(option);
  const withInstances = has('instances');
  return {
    microService: { ...service, schemas: undefined },
    instances:
      withInstances && !countOnly
        ? omitEmpty(instances.map(({ instance }) => withoutProperties(instance)))
        : undefined,
    schemaInfos: has('schemas')
      ? omitEmpty(listSchemas(namespace, serviceId, { withContent: true }))
      : undefined,
    providers: has('dependencies') ? others(providersOf(namespace, serviceId)) : undefined,
    consumers: has('dependencies') ? others(consumersOf(namespace, service)) : undefined,
    tags: has('tags') && tags.size > 0 ? Object.fromEntries(tags) : undefined,
    statics: countOnly
      ? { instances: withInstances ? { count: instances.length || undefined } : undefined }
      : undefined,
  };
}

function withoutProperties<Record extends object>(record: Record) {
  return { ...record, properties: undefined };
}
