import { providersOf } from './dependency-operations.js';
import type { Namespace } from './namespace.js';
import type { StoredMicroservice } from './records.js';
import { isShared } from './service-center-itself.js';
import { listServices } from './service-operations.js';

/** A service in the picture of who depends on whom; the server leaves the last three empty. */
export interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly appId: string;
  readonly version: string;
  readonly type: string;
  readonly color: string;
  readonly position: string;
}

/** An arrow from a consumer to one version of a provider. */
export interface GraphLine {
  readonly from: GraphNode;
  readonly to: GraphNode;
  readonly type: string;
  readonly color: string;
  readonly descriptor: string;
}

/** The whole picture; an empty list is null, and circles are never looked for. */
export interface ServiceGraph {
  readonly nodes: readonly GraphNode[] | null;
  readonly lines: readonly GraphLine[] | null;
  readonly circles: null;
}

const blank = { type: '', color: '', position: '' };

/** Draws the services of a namespace and their dependencies (server/service/govern/graph.go). */
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
