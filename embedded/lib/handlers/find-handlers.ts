import { json, listed } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import {
  findInstances as find,
  getInstance as getOne,
  listInstances as listOf,
} from '../model/find-instances.js';
import type { FoundInstances } from '../model/find-instances.js';
import { current } from './current.js';
import { refOf } from './instance-handlers.js';

/** GET instances by the name of their service */
export function findInstances(call: Call): Answer {
  const { versionRequired } = call.deployment.form;
  const name = call.value('serviceName');
  const versionRule = versionRequired ? call.value('version') : undefined;
  const query = {
    consumerId: call.consumerId,
    appId: call.value('appId'),
    serviceName: name,
    alias: name,
    environment: call.value('env'),
    tags: call.tags,
    versionRule,
  };
  const rules = versionRequired ? requestRules.findByVersion : requestRules.findInstances;
  validate(rules, { ...query, consumerServiceId: query.consumerId });
  const { namespace, revision } = call;
  return listAnswer(
    call,
    current(call, revision, view => find(namespace, { ...query, view })),
  );
}

/** GET instances of one service */
export function listInstances(call: Call): Answer {
  const { consumerId, tags } = call;
  const serviceId = call.parameter('serviceId');
  validate(requestRules.listInstances, {
    consumerServiceId: consumerId,
    providerServiceId: serviceId,
    tags,
  });
  const { namespace, revision } = call;
  const query = { consumerId, serviceId, tags };
  return listAnswer(
    call,
    current(call, revision, view => listOf(namespace, { ...query, view })),
  );
}

/** GET one instance */
export function getInstance(call: Call): Answer {
  const { consumerId, tags } = call;
  const ref = refOf(call);
  validate(requestRules.getInstance, {
    consumerServiceId: consumerId,
    providerServiceId: ref.serviceId,
    providerInstanceId: ref.instanceId,
    tags,
  });
  const { namespace, revision } = call;
  const query = { consumerId, tags, ...ref };
  const found = current(call, revision, view => getOne(namespace, { ...query, view }));
  return revised(call, found, { instance: found.instance.instance });
}

function listAnswer(call: Call, found: FoundInstances): Answer {
  return revised(call, found, {
    instances: listed(found.instances.map(({ instance }) => instance)),
  });
}

/** The answer with its revision, and without a body when the client has that revision. */
function revised(call: Call, { revision }: FoundInstances, body: unknown): Answer {
  const headers = { 'X-Resource-Revision': revision };
  return call.revision === revision ? { status: 304, headers, body: '' } : json(body, headers);
}
