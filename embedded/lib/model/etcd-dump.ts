import type { Namespace } from './namespace.js';
import { nameKeyOf } from './service-directory.js';
import type { ServiceName, ServiceRecord } from './service-directory.js';

/** A record of the server's cache, with its key in etcd. */
interface DumpedRecord {
  readonly key: string;
  /** Number of the last change; recorded for instances only, otherwise 0. */
  readonly rev: number;
  readonly cluster: string;
  readonly value: unknown;
}

/** All records by the server's name for their kind; an empty kind is undefined. */
export type RegistryDump = Readonly<Record<string, readonly DumpedRecord[] | undefined>>;

/** The name of the only cluster, as in the server's default configuration. */
export const clusterName = 'default';

/** Returns all records of some namespaces (datasource/etcd/system.go, path/key_generator.go). */
export function dumpOf(namespaces: readonly Namespace[]): RegistryDump {
  const kinds = namespaces.map(namespace => {
    const services = [...namespace.services.all()];
    return {
      services: services.map(({ service }) =>
        dumped(namespace, `ms/files//${service.serviceId}`, service),
      ),
      serviceIndexes: services.map(({ service }) =>
        dumped(namespace, `ms/indexes//${versionKey(service)}`, service.serviceId),
      ),
      serviceAliases: services.flatMap(record => aliasOf(namespace, record)),
      serviceTags: services.flatMap(record => tagsOf(namespace, record)),
      dependencyRules: dependencyRulesOf(namespace, services),
      summaries: services.flatMap(record => summariesOf(namespace, record)),
      instances: services.flatMap(record => instancesOf(namespace, record)),
    };
  });
  const names = [
    'services',
    'serviceIndexes',
    'serviceAliases',
    'serviceTags',
    'dependencyRules',
    'summaries',
    'instances',
  ] as const;
  const all = names.map(name => [name, kinds.flatMap(kind => kind[name])] as const);
  return Object.fromEntries(all.filter(([, records]) => records.length > 0));
}

/** @param path path below the root; the namespace is inserted between its two slashes */
function dumped({ name }: Namespace, path: string, value: unknown, rev = 0): DumpedRecord {
  return { key: `/cse-sr/${path.replace('//', `/${name}/`)}`, rev, cluster: clusterName, value };
}

function versionKey(service: ServiceName & { readonly version: string }): string {
  return `${nameKeyOf(service)}/${service.version}`;
}

function aliasOf(namespace: Namespace, { service }: ServiceRecord): DumpedRecord[] {
  const { alias, serviceId } = service;
  if (alias === undefined) return [];
  const key = versionKey({ ...service, serviceName: alias });
  return [dumped(namespace, `ms/alias//${key}`, serviceId)];
}

function tagsOf(namespace: Namespace, { service, tags }: ServiceRecord): DumpedRecord[] {
  if (tags.size === 0) return [];
  return [dumped(namespace, `ms/tags//${service.serviceId}`, Object.fromEntries(tags))];
}

function summariesOf(namespace: Namespace, { service, schemas }: ServiceRecord): DumpedRecord[] {
  return Array.from(schemas, ([schemaId, { summary }]) =>
    dumped(namespace, `ms/schema-sum//${service.serviceId}/${schemaId}`, summary || undefined),
  );
}

function instancesOf(namespace: Namespace, owner: ServiceRecord): DumpedRecord[] {
  const { serviceId } = owner.service;
  return namespace.shared.publication
    .cachedInstances(owner)
    .map(({ instance, modRevision }) =>
      dumped(namespace, `inst/files//${serviceId}/${instance.instanceId}`, instance, modRevision),
    );
}

/** Each dependency is recorded twice: for its consumer, and for all versions of its provider. */
function dependencyRulesOf(
  namespace: Namespace,
  services: readonly ServiceRecord[],
): DumpedRecord[] {
  const { dependencies } = namespace;
  const tenant = namespace.name;
  const consumers = new Map<string, object[]>();
  const rules = services.flatMap(({ service }) => {
    const { environment, appId, serviceName, alias, version } = service;
    const consumer = { tenant, environment, appId, serviceName, alias, version };
    const providers = dependencies
      .providersOf(service.serviceId)
      .map(({ environment, appId, serviceName }) => {
        return { tenant, environment, appId, serviceName, version: '0.0.0+' };
      });
    for (const provider of providers) {
      const key = versionKey(provider);
      consumers.set(key, [...(consumers.get(key) ?? []), consumer]);
    }
    if (providers.length === 0) return [];
    return [dumped(namespace, `ms/dep-rules//c/${versionKey(service)}`, { Dependency: providers })];
  });
  const reverse = Array.from(consumers, ([key, Dependency]) =>
    dumped(namespace, `ms/dep-rules//p/${key}`, { Dependency }),
  );
  return [...rules, ...reverse];
}
