import type { Quotas } from '../model/quotas.js';
import { list, map, required, rules, struct, text } from './field-rules.js';
import type { StructRules } from './validation.js';

const service = (maxSchemas: number): StructRules => ({
  type: 'MicroService',
  fields: [
    text('ServiceId', rules.optionalServiceId),
    text('AppId', rules.optionalAppId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.optionalVersion),
    text('Description', rules.description),
    text('Level', rules.level),
    list('Schemas', { ...rules.schemas, max: maxSchemas }),
    list('Paths', undefined, { type: 'ServicePath', fields: [text('Path', rules.path)] }),
    text('Status', rules.serviceStatus),
    text('Alias', rules.alias),
    text('Environment', rules.environment),
    text('RegisterBy', rules.registerBy),
    struct('Framework', {
      type: 'FrameWork',
      fields: [text('Name', rules.frameworkName), text('Version', rules.frameworkVersion)],
    }),
  ],
});

const schema: StructRules = {
  type: 'Schema',
  fields: [
    text('SchemaId', rules.schemaId),
    text('Summary', rules.summary),
    text('Schema', required),
  ],
};

/** How the requests are checked whose rules hold a quota; a quota of 0 is no limit in a rule. */
export const quotaRules = {
  createService: ({ schemas }) => ({
    type: 'CreateServiceRequest',
    fields: [struct('Service', service(schemas), required)],
  }),
  setTags: ({ tags }) => ({
    type: 'AddServiceTagsRequest',
    fields: [text('ServiceId', rules.serviceId), map('Tags', { ...rules.tag, max: tags })],
  }),
  removeTags: ({ tags }) => ({
    type: 'DeleteServiceTagsRequest',
    fields: [text('ServiceId', rules.serviceId), list('Keys', { ...rules.tag, min: 1, max: tags })],
  }),
  modifySchemas: ({ schemas }) => ({
    type: 'ModifySchemasRequest',
    fields: [text('ServiceId', rules.serviceId), list('Schemas', { min: 1, max: schemas }, schema)],
  }),
} as const satisfies Record<string, (quotas: Quotas) => StructRules>;
