import { providersOf } from './dependency-operations.js';
import type { Namespace } from './namespace.js';
import type { StoredMicroservice } from './records.js';
import type { ServiceRecord } from './service-directory.js';
import { isShared } from './own-service.js';
import { listServices } from './service-operations.js';
import { nameKeyOf } from './service-directory.js';

/** A service in the dependency graph; the server leaves the last three fields empty. */
interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly appId: string;
  readonly version: string;
  readonly type: string;
  readonly color: string;
  readonly position: string;
}

/** An edge from a consumer to one version of a provider. */
interface GraphLine {
  readonly from: GraphNode;
  readonly to: GraphNode;
  readonly type: string;
  readonly color: string;
  readonly descriptor: string;
}

/** The dependency graph. An empty list is null, and `circles` is never computed. */
export interface ServiceGraph {
  readonly nodes: readonly GraphNode[] | null;
  readonly lines: readonly GraphLine[] | null;
  readonly circles: null;
}

const blank = { type: '', color: '', position: '' };

/** Returns the services of a namespace and their dependencies (server/service/govern/graph.go). */
export function serviceGraph(
  namespace: Namespace,
  { withShared }: { readonly withShared: boolean },
): ServiceGraph {
  const services = listServices(namespace, withShared);
  const lines = services.flatMap(consumer =>
    providersOf(namespace, consumer.serviceId)
      .filter(({ serviceId }) => serviceId !== consumer.serviceId)
      .filter(provider => withShared || !isShared(namespace, provider))
      .map(provider => lineBetween(consumer, provider)),
  );
  return { nodes: orNull(services.map(nodeOf)), lines: orNull(lines), circles: null };
}

function nodeOf({ serviceId, serviceName, appId, version }: StoredMicroservice): GraphNode {
  return { id: serviceId, name: serviceName, appId, version, ...blank };
}

function lineBetween(consumer: StoredMicroservice, provider: StoredMicroservice): GraphLine {
  const { serviceId, serviceName } = provider;
  const to = { id: serviceId, name: serviceName, appId: '', version: '', ...blank };
  return { from: nodeOf(consumer), to, type: '', color: '', descriptor: '' };
}

function orNull<Item>(items: readonly Item[]): readonly Item[] | null {
  return items.length === 0 ? null : items;
}

/** Counts of a namespace; zero is undefined, because the server omits it. */
export interface Statistics {
  /** Different versions of a service count as one. A service with an instance is online. */
  readonly services: {
    readonly count: number | undefined;
    readonly onlineCount: number | undefined;
  };
  readonly instances: {
    readonly count: number | undefined;
    /** Instances of the same services in all projects of the domain. */
    readonly countByDomain: number | undefined;
  };
  readonly apps: { readonly count: number | undefined };
}

/**
 * Returns the counts of a namespace (datasource/ms_util.go), with shared services only if asked
 * for.
 */
export function statisticsOf(
  namespace: Namespace,
  domain: readonly Namespace[],
  { withShared }: { readonly withShared: boolean },
): Statistics {
  const records = [...namespace.services.all()].filter(
    ({ service }) => withShared || !isShared(namespace, service),
  );
  const ids = new Set(records.map(({ service }) => service.serviceId));
  const everywhere = domain
    .flatMap(({ services }) => [...services.all()])
    .filter(({ service }) => ids.has(service.serviceId));
  const online = records.filter(({ instances }) => instances.size > 0);
  return {
    services: { count: names(records) || undefined, onlineCount: names(online) || undefined },
    instances: {
      count: instancesOf(records) || undefined,
      countByDomain: instancesOf(everywhere) || undefined,
    },
    apps: { count: new Set(records.map(({ service }) => service.appId)).size || undefined },
  };
}

function names(records: readonly ServiceRecord[]): number {
  return new Set(records.map(({ service }) => nameKeyOf(service))).size;
}

function instancesOf(records: readonly ServiceRecord[]): number {
  return records.reduce((sum, { instances }) => sum + instances.size, 0);
}
