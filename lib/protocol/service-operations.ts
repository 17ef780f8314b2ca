import type { Operation } from './operation.js';
import * as decode from './decode.js';
import { serviceParameters } from './ids.js';
import type { OperationName } from './routes.js';
import type { Microservice, MicroserviceKey, Schema, ServiceCenterVersion } from './wire.js';

type Texts = Readonly<Record<string, string>>;

/** Operations on services, their tags and their schemas, and on the registry itself. */
export const serviceOperations = {
  existence: ({
    appId,
    serviceName,
    version,
    environment,
  }: MicroserviceKey): Operation<string> => ({
    name: 'getExistence',
    query: { type: 'microservice', appId, serviceName, version, env: environment },
    expected: 'a serviceId',
    decode: decode.serviceId,
  }),

  register: (service: Microservice, tags: Texts): Operation<string> => ({
    name: 'registerMicroservice',
    body: Object.keys(tags).length === 0 ? { service } : { service, tags },
    expected: 'a serviceId',
    decode: decode.serviceId,
  }),

  list: (): Operation<readonly Microservice[]> => ({
    name: 'listMicroservices',
    mayBeLong: true,
    expected: 'a list of services',
    decode: decode.list('services', decode.isMicroservice),
  }),

  get: (serviceId: string): Operation<Microservice> => ({
    name: 'getMicroservice',
    parameters: serviceParameters(serviceId),
    expected: 'a service',
    decode: decode.field('service', decode.isMicroservice),
  }),

  unregister: (serviceId: string, force: boolean): Operation<undefined> =>
    command('unregisterMicroservice', serviceParameters(serviceId), undefined, {
      force: force ? 'true' : undefined,
    }),

  setProperties: (serviceId: string, properties: Texts): Operation<undefined> =>
    command('setMicroserviceProperties', serviceParameters(serviceId), { properties }),

  getTags: (serviceId: string): Operation<Texts> => ({
    name: 'getTags',
    parameters: serviceParameters(serviceId),
    expected: 'a map of tags',
    decode: decode.texts('tags'),
  }),

  setTags: (serviceId: string, tags: Texts): Operation<undefined> =>
    command('setTags', serviceParameters(serviceId), { tags }),

  listSchemas: (serviceId: string, withSchema: boolean): Operation<readonly Schema[]> => ({
    name: 'listSchemas',
    parameters: serviceParameters(serviceId),
    query: { withSchema: withSchema ? '1' : '0' },
    mayBeLong: true,
    expected: 'a list of schemas',
    decode: decode.list('schemas', decode.isSchema),
  }),

  getSchema: (serviceId: string, schemaId: string): Operation<string> => ({
    name: 'getSchema',
    parameters: { ...serviceParameters(serviceId), schemaId },
    mayBeLong: true,
    expected: 'a schema',
    decode: decode.field('schema', decode.isText),
  }),

  setSchema: (serviceId: string, { schemaId, schema, summary }: Schema): Operation<undefined> =>
    command('setSchema', { ...serviceParameters(serviceId), schemaId }, { schema, summary }),

  removeSchema: (serviceId: string, schemaId: string): Operation<undefined> =>
    command('removeSchema', { ...serviceParameters(serviceId), schemaId }),

  version: (): Operation<ServiceCenterVersion> => ({
    name: 'getVersion',
    expected: 'a version',
    decode: decode.version,
  }),
};

/** An operation that answers nothing but success. */
export function command(
  name: OperationName,
  parameters: Texts,
  body?: unknown,
  query?: Operation<undefined>['query'],
): Operation<undefined> {
  return { name, parameters, body, query, expected: 'an empty body', decode: decode.nothing };
}
