import type { Namespace } from './namespace.js';
import type { StoredInstance, StoredMicroservice } from './records.js';
import { serviceIdFor } from './service-directory.js';
import type { ServiceName } from './service-directory.js';

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

/** The name of the Service Center's own service, in any version. */
export const serviceCenterName: ServiceName = {
  environment: key.environment,
  appId: key.appId,
  serviceName: key.serviceName,
};

/** The environment of all shared services, whatever the consumer's is (datasource/etcd/ms.go). */
export const serviceCenterEnvironment = key.environment;

/**
 * Returns whether a service is visible to all applications and environments. Only the Service
 * Center's own is, and only in default/default (datasource/ms_util.go, IsGlobal).
 */
export function isShared(
  namespace: Namespace,
  { appId, serviceName, alias }: ServiceName & { readonly alias?: string | undefined },
): boolean {
  return (
    namespace.name === rootNamespace &&
    appId === key.appId &&
    (serviceName === key.serviceName || alias === key.serviceName)
  );
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
