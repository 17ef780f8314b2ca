import { ErrorCode, RegistryError } from './registry-error.js';
import type { Schema } from './wire.js';
import type { Namespace } from './namespace.js';
import { refuseSchema } from './quota-checks.js';
import type { SchemaRecord } from './records.js';

/** Identifies a schema: its service's id and its own. */
export interface SchemaRef {
  readonly serviceId: string;
  readonly schemaId: string;
}

/**
 * @throws RegistryError 400012 for an unknown service, 400016 for a schema that was not uploaded
 */
export function getSchema(
  namespace: Namespace,
  { serviceId, schemaId }: SchemaRef,
  unknownService?: string,
): SchemaRecord {
  const { schemas } = namespace.requireService(serviceId, unknownService);
  namespace.shared.store.require();
  const schema = schemas.get(schemaId);
  if (schema === undefined) throw notFound();
  return schema;
}

/** Returns all schemas of a service, declared or uploaded. */
export function listSchemas(
  namespace: Namespace,
  serviceId: string,
  { withContent }: { readonly withContent: boolean },
): Schema[] {
  const { service, schemas } = namespace.requireService(serviceId);
  namespace.shared.store.require();
  const ids = new Set([...(service.schemas ?? []), ...schemas.keys()]);
  return [...ids].map(schemaId => {
    const uploaded = schemas.get(schemaId);
    const summary = uploaded?.summary === '' ? undefined : uploaded?.summary;
    return { schemaId, summary, schema: withContent ? uploaded?.content : undefined };
  });
}

/**
 * Uploads or replaces a schema, and declares it if necessary.
 *
 * @throws RegistryError 400012 for an unknown service, 400100 if the quota is used up
 */
export function putSchema(
  namespace: Namespace,
  { serviceId, schemaId }: SchemaRef,
  schema: SchemaRecord,
): void {
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  const declared = record.service.schemas ?? [];
  if (!declared.includes(schemaId)) {
    refuseSchema(namespace, record);
    record.service = { ...record.service, schemas: [...declared, schemaId] };
  }
  record.schemas.set(schemaId, schema);
}

/** Replaces all schemas of a service, declared and uploaded. */
export function replaceSchemas(
  namespace: Namespace,
  serviceId: string,
  schemas: ReadonlyMap<string, SchemaRecord>,
): void {
  namespace.shared.store.require();
  const record = namespace.requireService(serviceId);
  record.service = { ...record.service, schemas: [...schemas.keys()] };
  record.schemas = new Map(schemas);
}

/** Removes an uploaded schema; the service still declares it (server/service/disco/schema.go). */
export function removeSchema(namespace: Namespace, { serviceId, schemaId }: SchemaRef): void {
  namespace.shared.store.require();
  if (!namespace.requireService(serviceId).schemas.delete(schemaId)) throw notFound();
}

function notFound(): RegistryError {
  return new RegistryError(ErrorCode.SchemaNotExists, 'schema ref not found.');
}
