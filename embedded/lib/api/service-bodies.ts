import type { Framework } from '../model/wire.js';
import { readInstance, readKey } from './instance-bodies.js';
import type { InstanceBody, KeyBody } from './instance-bodies.js';
import { StructReader } from './struct-reader.js';

/**
 * The bodies of the service API, field by field in the order of the server's structs (cari
 * discovery/service.go, schema.go). What is absent or empty is undefined.
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
export interface PathBody {
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

/** Body of PUT properties of a service; its `serviceId` goes before the path's. */
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
