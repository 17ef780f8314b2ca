import type { RequestedHealthCheck } from '../model/health-check.js';
import { StructReader } from './struct-reader.js';

/**
 * The bodies of the instance API, field by field in the order of the server's structs (cari
 * discovery/instance.go, types.go, batch_find.go). What is absent or empty is undefined.
 */

/** Both ids of an instance, perhaps missing. */
export interface RefBody {
  readonly serviceId: string | undefined;
  readonly instanceId: string | undefined;
}

/** An instance in a body. */
export interface InstanceBody extends RefBody {
  readonly endpoints: readonly string[] | undefined;
  readonly hostName: string | undefined;
  readonly status: string | undefined;
  readonly properties: Readonly<Record<string, string>> | undefined;
  readonly healthCheck: RequestedHealthCheck | undefined;
  readonly dataCenterInfo: DataCenterBody | undefined;
}

/** Where an instance runs, perhaps in part. */
export interface DataCenterBody {
  readonly name: string | undefined;
  readonly region: string | undefined;
  readonly availableZone: string | undefined;
}

/** The key of a service in a body. */
export interface KeyBody {
  readonly tenant: string | undefined;
  readonly environment: string | undefined;
  readonly appId: string | undefined;
  readonly serviceName: string | undefined;
  readonly alias: string | undefined;
  readonly version: string | undefined;
}

/** Body of a batch find. */
export interface BatchFindBody {
  readonly services: readonly (RevisedBody<'service', KeyBody> | null)[] | undefined;
  readonly instances: readonly (RevisedBody<'instance', RefBody> | null)[] | undefined;
}

/** What is wanted, and the revision the client has of it. */
export type RevisedBody<Name extends string, Wanted> = {
  readonly [Key in Name]: Wanted | undefined;
} & { readonly rev: string | undefined };

/** Body of POST instances. */
export function readRegisterInstance(document: unknown): {
  readonly instance: InstanceBody | undefined;
} {
  return StructReader.read(document, 'RegisterInstanceRequest', body => ({
    instance: body.struct('instance', 'MicroServiceInstance', readInstance),
  }));
}

/** An instance, wherever it stands. */
export function readInstance(body: StructReader): InstanceBody {
  return {
    ...readRef(body),
    endpoints: body.texts('endpoints'),
    hostName: body.text('hostName'),
    status: body.text('status'),
    properties: body.textMap('properties'),
    healthCheck: body.struct('healthCheck', 'HealthCheck', readHealthCheck),
    dataCenterInfo: body.struct('dataCenterInfo', 'DataCenterInfo', readDataCenter),
  };
}

function readHealthCheck(body: StructReader): RequestedHealthCheck {
  return {
    mode: body.text('mode'),
    port: body.int32('port'),
    interval: body.int32('interval'),
    times: body.int32('times'),
    url: body.text('url'),
  };
}

function readDataCenter(body: StructReader): DataCenterBody {
  return {
    name: body.text('name'),
    region: body.text('region'),
    availableZone: body.text('availableZone'),
  };
}

/** Body of PUT properties of an instance; its ids go before the path's. */
export function readInstanceProperties(
  document: unknown,
): RefBody & Pick<InstanceBody, 'properties'> {
  return StructReader.read(document, 'UpdateInstancePropsRequest', body => ({
    ...readRef(body),
    properties: body.textMap('properties'),
  }));
}

/** Body of PUT status of many instances: those that have all of these properties. */
export function readManyStatus(document: unknown): {
  readonly properties: InstanceBody['properties'];
  readonly status: string | undefined;
} {
  return StructReader.read(document, 'UpdateManyInstanceStatusRequest', body => ({
    properties: body.struct('matches', 'MatchPolicy', matches => matches.textMap('properties')),
    status: body.text('status'),
  }));
}

/** Body of PUT heartbeats. */
export function readHeartbeats(document: unknown): {
  readonly instances: readonly (RefBody | null)[] | undefined;
} {
  return StructReader.read(document, 'HeartbeatSetRequest', body => ({
    instances: body.structs('instances', 'HeartbeatSetElement', readRef),
  }));
}

/** Body of POST instances/action. */
export function readBatchFind(document: unknown): BatchFindBody {
  return StructReader.read(document, 'BatchFindInstancesRequest', body => ({
    services: body.structs('services', 'FindService', item => ({
      service: item.struct('service', 'MicroServiceKey', readKey),
      rev: item.text('rev'),
    })),
    instances: body.structs('instances', 'FindInstance', item => ({
      instance: item.struct('instance', 'HeartbeatSetElement', readRef),
      rev: item.text('rev'),
    })),
  }));
}

/** The key of a service, wherever it stands. */
export function readKey(body: StructReader): KeyBody {
  return {
    tenant: body.text('tenant'),
    environment: body.text('environment'),
    appId: body.text('appId'),
    serviceName: body.text('serviceName'),
    alias: body.text('alias'),
    version: body.text('version'),
  };
}

function readRef(body: StructReader): RefBody {
  return { serviceId: body.text('serviceId'), instanceId: body.text('instanceId') };
}
