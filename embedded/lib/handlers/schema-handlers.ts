import { done, json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { readModifySchema, readModifySchemas } from '../api/request-bodies.js';
import { quotaRules, requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { invalid, registryErrorMessage } from '../model/registry-error.js';
import {
  getSchema as getSchemaOf,
  listSchemas as listSchemasOf,
  putSchema,
  removeSchema as removeSchemaOf,
  replaceSchemas as replaceSchemasOf,
} from '../model/schema-operations.js';
import type { SchemaRef } from '../model/schema-operations.js';

function refOf(call: Call): SchemaRef {
  return { serviceId: call.parameter('serviceId'), schemaId: call.parameter('schemaId') };
}

/** GET one schema. */
export function getSchema(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.getSchema, { ...ref });
  const { content, summary } = getSchemaOf(call.namespace, ref);
  return json({ schema: content }, { 'X-Schema-Summary': summary });
}

/** GET schemas, with their content only if asked for. */
export function listSchemas(call: Call): Answer {
  const withSchema = call.value('withSchema');
  if (!['', '0', '1'].includes(withSchema.trim()))
    throw invalid('parameter withSchema must be 1 or 0');
  const serviceId = call.parameter('serviceId');
  validate(requestRules.listSchemas, { serviceId });
  const withContent = withSchema === '1';
  return json({ schemas: omitEmpty(listSchemasOf(call.namespace, serviceId, { withContent })) });
}

/** PUT one schema. */
export function setSchema(call: Call): Answer {
  const { schema = '', summary = '' } = call.json(readModifySchema);
  const ref = refOf(call);
  validate(requestRules.modifySchema, { ...ref, schema, summary });
  putSchema(call.namespace, ref, { content: schema, summary });
  return done;
}

/** POST schemas. */
export function replaceSchemas(call: Call): Answer {
  const { schemas = [] } = call.json(readModifySchemas);
  const serviceId = call.parameter('serviceId');
  // Only here does the server hide which field is wrong (server/service/disco/schema.go).
  const rules = quotaRules.modifySchemas(call.model.quotas);
  const failure = registryErrorMessage(() => validate(rules, { serviceId, schemas }));
  if (failure !== undefined) throw invalid('Invalid request.');
  const records = schemas.map(
    item =>
      [
        item?.schemaId ?? '',
        { content: item?.schema ?? '', summary: item?.summary ?? '' },
      ] as const,
  );
  replaceSchemasOf(call.namespace, serviceId, new Map(records));
  return done;
}

/** DELETE one schema. */
export function removeSchema(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.deleteSchema, { ...ref });
  removeSchemaOf(call.namespace, ref);
  return done;
}
