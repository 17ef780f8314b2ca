import { done, json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import {
  readCreateService,
  readDeleteServices,
  readServiceProperties,
  readTags,
} from '../api/request-bodies.js';
import type { CreateServiceBody } from '../api/request-bodies.js';
import { quotaRules, requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { invalid, registryErrorMessage } from '../model/registry-error.js';
import { registerInstance } from '../model/instance-operations.js';
import { getSchema } from '../model/schema-operations.js';
import {
  findServiceId,
  listServices,
  registerService,
  setServiceProperties,
  unregisterService,
  replaceTags,
  removeTags,
  setTag,
} from '../model/service-operations.js';
import { namespaceForRead } from './find-handlers.js';
import { asRequestedService, checkedInstance, withDefaults } from './registration-requests.js';

/** GET existence of a service or a schema. */
export function getExistence(call: Call): Answer {
  switch (call.value('type')) {
    case 'microservice':
      return serviceExistence(call);
    case 'schema':
      return schemaExistence(call);
    default:
      throw invalid('Only micro-service and schema can be used as type.');
  }
}

function serviceExistence(call: Call): Answer {
  const wanted = {
    appId: call.value('appId'),
    serviceName: call.value('serviceName'),
    version: call.value('version'),
    environment: call.value('env'),
  };
  validate(requestRules.getExistence, wanted);
  return json({ serviceId: findServiceId(namespaceForRead(call), wanted) });
}

function schemaExistence(call: Call): Answer {
  const wanted = { serviceId: call.value('serviceId'), schemaId: call.value('schemaId') };
  validate(requestRules.getSchema, wanted);
  const { summary } = getSchema(call.namespace, wanted, 'service does not exist.');
  return json(wanted, { 'X-Schema-Summary': summary });
}

/** POST microservices: a service, optionally with tags and instances. */
export function registerMicroservice(call: Call): Answer {
  const body = call.json(readCreateService);
  if (body.service === undefined) throw invalid('Request body is empty');
  const service = withDefaults(body.service);
  validate(quotaRules.createService(call.model.quotas), { service });
  const serviceId = registerService(call.namespace, asRequestedService(service));
  registerDetails(call, serviceId, body);
  return json({ serviceId });
}

/** The service stays registered if its tags or instances are refused (registerServiceDetails). */
function registerDetails(
  { model, namespace }: Call,
  serviceId: string,
  { tags, instances = [] }: CreateServiceBody,
): void {
  const failures = [
    registryErrorMessage(() => {
      if (tags === undefined) return;
      validate(quotaRules.setTags(model.quotas), { serviceId, tags });
      replaceTags(namespace, serviceId, new Map(Object.entries(tags)));
    }),
    ...instances.map(item =>
      registryErrorMessage(() => {
        registerInstance(namespace, serviceId, checkedInstance(item, serviceId));
      }),
    ),
  ].filter(failure => failure !== undefined);
  if (failures.length > 0) throw invalid(`errMessages: [${failures.join(' ')}]`);
}

/** GET microservices. */
export function listMicroservices(call: Call): Answer {
  return json({
    services: omitEmpty(listServices(namespaceForRead(call), call.isSet('withShared'))),
  });
}

/** GET one microservice. */
export function getMicroservice(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  validate(requestRules.getService, { serviceId });
  return json({ service: namespaceForRead(call).requireService(serviceId).service });
}

/** PUT properties. */
export function setMicroserviceProperties(call: Call): Answer {
  const { serviceId = call.parameter('serviceId'), properties } = call.json(readServiceProperties);
  validate(requestRules.serviceProperties, { serviceId });
  setServiceProperties(call.namespace, serviceId, properties);
  return done;
}

/** DELETE one microservice. */
export function unregisterMicroservice(call: Call): Answer {
  const given = call.value('force');
  if (!['', 'true', 'false', '1', '0'].includes(given))
    throw invalid('parameter force must be false or true');
  unregister(call, call.parameter('serviceId'), ['true', '1'].includes(given));
  return done;
}

/**
 * DELETE microservices: always answered 200, with an error for each service that was not removed.
 */
export function unregisterMicroservices(call: Call): Answer {
  const { serviceIds = [], force } = call.json(readDeleteServices);
  validate(requestRules.deleteServices, { serviceIds });
  const services = [...new Set(serviceIds)].map(serviceId => ({
    errMessage: registryErrorMessage(() => unregister(call, serviceId, force)),
    serviceId,
  }));
  return json({ services });
}

function unregister({ namespace }: Call, serviceId: string, force: boolean): void {
  validate(requestRules.deleteService, { serviceId });
  unregisterService(namespace, serviceId, { force });
}

/** POST tags. */
export function setTags(call: Call): Answer {
  const tags = call.json(readTags);
  const serviceId = call.parameter('serviceId');
  validate(quotaRules.setTags(call.model.quotas), { serviceId, tags });
  replaceTags(call.namespace, serviceId, new Map(Object.entries(tags ?? {})));
  return done;
}

/** GET tags. */
export function getTags(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  validate(requestRules.getTags, { serviceId });
  const { tags } = call.namespace.requireService(serviceId);
  return json({ tags: tags.size === 0 ? undefined : Object.fromEntries(tags) });
}

/** PUT tags/:key. */
export function setOneTag(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  const key = call.parameter('key');
  const value = call.value('value');
  validate(requestRules.setTag, { serviceId, key, value });
  setTag(call.namespace, serviceId, { key, value });
  return done;
}

/** DELETE tags/:key, where the key may be several, separated by commas. */
export function removeSomeTags(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  const keys = call.parameter('key').split(',');
  validate(quotaRules.removeTags(call.model.quotas), { serviceId, keys });
  removeTags(call.namespace, serviceId, keys);
  return done;
}
