import type { Namespace } from './namespace.js';
import type { StoredInstance, StoredMicroservice } from './records.js';
import { serviceIdFor } from './service-directory.js';
import type { ServiceName } from './service-directory.js';

const rootNamespace = 'default/default';

/** The version that the embedded Service Center tells of itself, in its records and its header. */
export const serviceCenterVersion = '0.0.1';

const key = {
  environment: 'development',
  appId: 'default',
  serviceName: 'SERVICECENTER',
  version: serviceCenterVersion,
};

/** The id of the Service Center's own service; it cannot be deleted. */
export const serviceCenterId = serviceIdFor(rootNamespace, key);

/** What the Service Center's own service is called, in any version. */
export const serviceCenterName: ServiceName = {
  environment: key.environment,
  appId: key.appId,
  serviceName: key.serviceName,
};

/** The environment of every shared service, whatever a consumer asks for (datasource/etcd/ms.go). */
export const serviceCenterEnvironment = key.environment;

/**
 * True for a service that all applications and environments may see. Only the Service Center's
 * own is one, and only in default/default (datasource/ms_util.go, IsGlobal).
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

/** The record of the Service Center's own service (server/core/microservice.go). */
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

/** The record of a running Service Center that listens on `host` and `port`. */
export function ownInstance(
  instanceId: string,
  { host, port }: { readonly host: string; readonly port: number },
  timestamp: string,
): StoredInstance {
  // An address of IPv6 stands in brackets, or its colons and the port's are one.
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
