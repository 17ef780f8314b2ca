import type { StoredInstance, StoredMicroservice } from './records.js';
import { serviceIdFor } from './service-directory.js';
import type { ServiceName } from './service-directory.js';

/** The parts of a namespace that decide which of its services are shared. */
interface Sharing {
  /** `domain/project` */
  readonly name: string;
  readonly shared: { readonly sharedServices: ReadonlySet<string> };
}

const rootNamespace = 'default/default';

/** The version that the embedded Service Center reports in its records and its header. */
export const serviceCenterVersion = '0.0.1';

const key = {
  environment: 'development',
  appId: 'default',
  serviceName: 'SERVICECENTER',
  version: serviceCenterVersion,
};

/** The id of the Service Center's own service, which cannot be removed. */
export const serviceCenterId = serviceIdFor(rootNamespace, key);

/** The name of the Service Center's own service, which is always shared. */
export const serviceCenterName = key.serviceName;

/** The environment of all shared services, whatever the consumer's is (datasource/etcd/ms.go). */
export const serviceCenterEnvironment = key.environment;

/**
 * Returns whether a service is visible to all applications and environments: the Service Center's
 * own and those of the option `sharedServices`, by name or alias, in the application `default` of
 * default/default (datasource/ms_util.go, IsGlobal).
 */
export function isShared(
  { name, shared }: Sharing,
  { appId, serviceName, alias }: ServiceName & { readonly alias?: string | undefined },
): boolean {
  if (name !== rootNamespace || appId !== key.appId) return false;
  const { sharedServices } = shared;
  return sharedServices.has(serviceName) || (alias !== undefined && sharedServices.has(alias));
}

/**
 * Returns whether the quotas ignore a service and its instances: it is shared by its name, and in the
 * environment of the Service Center (datasource/etcd/ops.go, GetGlobalServiceCount).
 */
export function isExempt(namespace: Sharing, service: ServiceName): boolean {
  const { environment, appId, serviceName } = service;
  return environment === serviceCenterEnvironment && isShared(namespace, { appId, serviceName });
}

/** Returns the record of the Service Center's own service (server/core/microservice.go). */
export function ownService(timestamp: string): StoredMicroservice {
  return {
    serviceId: serviceCenterId,
    ...key,
    level: 'BACK',
    status: 'UP',
    alias: key.serviceName,
    properties: { allowCrossApp: 'true' },
    timestamp,
    modTimestamp: timestamp,
  };
}

/** Returns the record of a Service Center that listens on `host` and `port`. */
export function ownInstance(
  instanceId: string,
  { host, port }: { readonly host: string; readonly port: number },
  timestamp: string,
): StoredInstance {
  // Without brackets, the colons of an IPv6 address could not be told from the one before the port.
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return {
    instanceId,
    serviceId: serviceCenterId,
    endpoints: [`rest://${authority}/`],
    hostName: host,
    status: 'UP',
    healthCheck: { mode: 'push', interval: 30, times: 3 },
    timestamp,
    modTimestamp: timestamp,
    version: serviceCenterVersion,
  };
}
