import type { Framework } from '../model/wire.js';
import { StructReader, isObject, kindOf } from './struct-reader.js';
import type { RequestedHealthCheck } from '../model/instance-operations.js';
import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';

/**
 * Bodies of the service API, field by field in the order of the server's structs (cari
 * discovery/service.go, schema.go). A field that is absent or empty is undefined.
 */

type TextMap = Readonly<Record<string, string>>;

/** A service in a body. */
export interface ServiceBody {
  readonly serviceId: string | undefined;
  readonly appId: string | undefined;
  readonly serviceName: string | undefined;
  readonly version: string | undefined;
  readonly description: string | undefined;
  readonly level: string | undefined;
  readonly schemas: readonly string[] | undefined;
  readonly paths: readonly (PathBody | null)[] | undefined;
  readonly status: string | undefined;
  readonly properties: TextMap | undefined;
  readonly providers: readonly (KeyBody | null)[] | undefined;
  readonly alias: string | undefined;
  readonly LBStrategy: TextMap | undefined;
  readonly environment: string | undefined;
  readonly registerBy: string | undefined;
  readonly framework: Framework | undefined;
}

/** A path that a service serves. */
interface PathBody {
  readonly path: string | undefined;
  readonly property: TextMap | undefined;
}

/** Body of POST microservices. */
export interface CreateServiceBody {
  readonly service: ServiceBody | undefined;
  readonly tags: TextMap | undefined;
  readonly instances: readonly (InstanceBody | null)[] | undefined;
}

/** Body of DELETE microservices. */
export interface DeleteServicesBody {
  readonly serviceIds: readonly string[] | undefined;
  readonly force: boolean;
}

/** Body of PUT properties of a service; its `serviceId` overrides the one in the path. */
export interface ServicePropertiesBody {
  readonly serviceId: string | undefined;
  readonly properties: TextMap | undefined;
}

/** A schema in a body. */
export interface SchemaBody {
  readonly schemaId: string | undefined;
  readonly summary: string | undefined;
  readonly schema: string | undefined;
}

/** Body of POST microservices. */
export function readCreateService(document: unknown): CreateServiceBody {
  return StructReader.read(document, 'CreateServiceRequest', body => ({
    service: body.struct('service', 'MicroService', readService),
    tags: body.textMap('tags'),
    instances: body.structs('instances', 'MicroServiceInstance', readInstance),
  }));
}

function readService(body: StructReader): ServiceBody {
  return {
    serviceId: body.text('serviceId'),
    appId: body.text('appId'),
    serviceName: body.text('serviceName'),
    version: body.text('version'),
    description: body.text('description'),
    level: body.text('level'),
    schemas: body.texts('schemas'),
    paths: body.structs('paths', 'ServicePath', readPath),
    status: body.text('status'),
    properties: body.textMap('properties'),
    providers: body.structs('providers', 'MicroServiceKey', readKey),
    alias: body.text('alias'),
    LBStrategy: body.textMap('LBStrategy'),
    environment: body.text('environment'),
    registerBy: body.text('registerBy'),
    framework: body.struct('framework', 'FrameWork', readFramework),
  };
}

function readPath(body: StructReader): PathBody {
  return { path: body.text('path'), property: body.textMap('property') };
}

function readFramework(body: StructReader): Framework {
  return { name: body.text('name'), version: body.text('version') };
}

/** Body of DELETE microservices. */
export function readDeleteServices(document: unknown): DeleteServicesBody {
  return StructReader.read(document, 'DelServicesRequest', body => ({
    serviceIds: body.texts('serviceIds'),
    force: body.flag('force'),
  }));
}

/** Body of PUT properties of a service. */
export function readServiceProperties(document: unknown): ServicePropertiesBody {
  return StructReader.read(document, 'UpdateServicePropsRequest', body => ({
    serviceId: body.text('serviceId'),
    properties: body.textMap('properties'),
  }));
}

/** Body of PUT of one schema. */
export function readModifySchema(document: unknown): SchemaBody {
  return StructReader.read(document, 'ModifySchemaRequest', readSchema);
}

/** Body of POST schemas. */
export function readModifySchemas(document: unknown): {
  readonly schemas: readonly (SchemaBody | null)[] | undefined;
} {
  return StructReader.read(document, 'ModifySchemasRequest', body => ({
    schemas: body.structs('schemas', 'Schema', readSchema),
  }));
}

function readSchema(body: StructReader): SchemaBody {
  return {
    schemaId: body.text('schemaId'),
    summary: body.text('summary'),
    schema: body.text('schema'),
  };
}

/**
 * Bodies of the instance API, field by field in the order of the server's structs (cari
 * discovery/instance.go, types.go, batch_find.go). A field that is absent or empty is undefined.
 */

/** Both ids of an instance; either may be missing. */
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

/** The data center of an instance, possibly incomplete. */
export interface DataCenterBody {
  readonly name: string | undefined;
  readonly region: string | undefined;
  readonly availableZone: string | undefined;
}

/** The key of a service in a body. */
interface KeyBody {
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

/** A wanted service or instance with the revision that the client has of it. */
type RevisedBody<Name extends string, Wanted> = {
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

/** Reads an instance from any struct that contains one. */
function readInstance(body: StructReader): InstanceBody {
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

/** Body of PUT properties of an instance; its ids override those in the path. */
export function readInstanceProperties(
  document: unknown,
): RefBody & Pick<InstanceBody, 'properties'> {
  return StructReader.read(document, 'UpdateInstancePropsRequest', body => ({
    ...readRef(body),
    properties: body.textMap('properties'),
  }));
}

/** Body of PUT status of many instances: those that have all the given properties. */
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

/** Reads the key of a service from any struct that contains one. */
function readKey(body: StructReader): KeyBody {
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

/** The dependencies of one consumer in a body (cari discovery/types.go). */
export interface DependencyBody {
  readonly consumer: KeyBody | undefined;
  readonly providers: readonly (KeyBody | null)[] | undefined;
}

/** Body of POST and PUT dependencies. */
export interface DependenciesBody {
  readonly dependencies: readonly (DependencyBody | null)[] | undefined;
}

/** Body of POST dependencies. */
export function readAddDependencies(document: unknown): DependenciesBody {
  return StructReader.read(document, 'AddDependenciesRequest', readDependencies);
}

/** Body of PUT dependencies. */
export function readPutDependencies(document: unknown): DependenciesBody {
  return StructReader.read(document, 'CreateDependenciesRequest', readDependencies);
}

function readDependencies(body: StructReader): DependenciesBody {
  return { dependencies: body.structs('dependencies', 'ConsumerDependency', readDependency) };
}

function readDependency(body: StructReader): DependencyBody {
  const consumer = body.struct('consumer', 'MicroServiceKey', readKey);
  const providers = body.structs('providers', 'MicroServiceKey', readKey);
  // Read only to check its type: the request's method decides.
  body.flag('override');
  return { consumer, providers };
}

/** Body of POST tags. Go decodes it into a map of maps, so the case of `tags` matters here. */
export function readTags(document: unknown): Readonly<Record<string, string>> | undefined {
  if (document === null) return undefined;
  if (!isObject(document)) throw mismatch(document, 'map[string]map[string]string');
  const maps = Object.entries(document).map(
    ([key, value]: [string, unknown]) => [key, readTextMap(value)] as const,
  );
  return maps.find(([key]) => key === 'tags')?.[1];
}

function readTextMap(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value) && value !== null) throw mismatch(value, 'map[string]string');
  const entries = Object.entries(value ?? {}).map(([key, item]: [string, unknown]) => {
    if (typeof item !== 'string' && item !== null) throw mismatch(item, 'string');
    return [key, item ?? ''] as const;
  });
  return Object.fromEntries(entries);
}

function mismatch(value: unknown, type: string): RegistryError {
  return invalid(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
}
