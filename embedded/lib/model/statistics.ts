import type { Namespace } from './namespace.js';
import type { ServiceRecord } from './records.js';
import { isShared } from './service-center-itself.js';
import { nameKeyOf } from './service-directory.js';

/** Counts of a namespace; what is zero is undefined, as the server leaves it out. */
export interface Statistics {
  /** Versions of a service count once; online is one that has an instance. */
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

/** The counts of a namespace (datasource/ms_util.go), shared services only on demand. */
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
