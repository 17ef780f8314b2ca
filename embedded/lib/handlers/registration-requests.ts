import type { DataCenterInfo, InstanceStatus } from '../model/wire.js';
import type { DataCenterBody, InstanceBody, ServiceBody } from '../api/request-bodies.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import type { RequestedInstance } from '../model/instance-operations.js';
import type { RequestedMicroservice } from '../model/service-operations.js';

const instanceStatuses = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const;
const serviceStatuses = ['UP', 'DOWN'] as const;
const levels = ['BACK', 'MIDDLE', 'FRONT'] as const;

/** Returns a checked text as one of its allowed values; the first one if it is absent. */
function oneOf<Value extends string>(
  values: readonly [Value, ...Value[]],
  text: string | undefined,
): Value {
  return values.find(value => value === text) ?? values[0];
}

/** Returns a checked text as a status; `UP` if it is absent. */
export function instanceStatusOf(text: string | undefined): InstanceStatus {
  return oneOf(instanceStatuses, text);
}

/** A service whose defaults are filled in. */
export type DefaultedService = ServiceBody & { readonly appId: string; readonly version: string };

/** Fills in the defaults that the server sets before it validates (datasource/ms_util.go). */
export function withDefaults(service: ServiceBody): DefaultedService {
  return {
    ...service,
    appId: service.appId ?? 'default',
    version: service.version ?? '0.0.1',
    level: service.level ?? 'BACK',
    status: service.status ?? 'UP',
  };
}

/** Converts a checked service. */
export function asRequestedService(service: DefaultedService): RequestedMicroservice {
  return {
    ...service,
    serviceName: service.serviceName ?? '',
    level: oneOf(levels, service.level),
    status: oneOf(serviceStatuses, service.status),
  };
}

/**
 * Checks an instance for registration under a service, whatever service the instance names.
 *
 * @throws RegistryError 400001
 */
export function checkedInstance(
  body: InstanceBody | null | undefined,
  serviceId: string,
): RequestedInstance {
  const instance = body ? { ...body, serviceId } : undefined;
  validate(requestRules.registerInstance, { instance });
  const { instanceId, endpoints, hostName = '', properties, healthCheck } = body ?? {};
  const status = instanceStatusOf(body?.status);
  const dataCenterInfo = asDataCenter(body?.dataCenterInfo);
  return { instanceId, endpoints, hostName, status, properties, healthCheck, dataCenterInfo };
}

function asDataCenter(body: DataCenterBody | undefined): DataCenterInfo | undefined {
  if (body === undefined) return undefined;
  const { name = '', region = '', availableZone = '' } = body;
  return { name, region, availableZone };
}
