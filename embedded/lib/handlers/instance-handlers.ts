import type { InstanceRef } from '../model/wire.js';
import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import {
  readInstanceProperties,
  readManyStatus,
  readRegisterInstance,
} from '../api/instance-bodies.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { throttled } from '../forms/dress.js';
import {
  registerInstance as register,
  unregisterInstance as unregister,
  updateInstance,
  updateManyStatuses,
} from '../model/instance-operations.js';
import { checkedInstance, instanceStatusOf } from './requested.js';

/** What a body of the instance API is told when it is not the right JSON. */
export const unmarshalError = 'Unmarshal error';

/** Both ids in the path. */
export function refOf(call: Call): InstanceRef {
  return { serviceId: call.parameter('serviceId'), instanceId: call.parameter('instanceId') };
}

/** POST instances; the path's service goes before the body's. */
export function registerInstance(call: Call): Answer {
  const { namespace, deployment } = call;
  const serviceId = call.parameter('serviceId');
  if (!deployment.limits.admitsRegistration(namespace, serviceId))
    return throttled(deployment.form);
  const body = call.json(readRegisterInstance, unmarshalError);
  const requested = checkedInstance(body.instance, serviceId);
  return json({ instanceId: register(namespace, serviceId, requested) });
}

/** DELETE one instance */
export function unregisterInstance(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.unregisterInstance, ref);
  unregister(call.namespace, ref);
  return done;
}

/** PUT status */
export function setInstanceStatus(call: Call): Answer {
  const ref = refOf(call);
  const status = call.value('value');
  validate(requestRules.instanceStatus, { ...ref, status });
  updateInstance(call.namespace, ref, { status: instanceStatusOf(status) });
  return done;
}

/** PUT status of many instances; neither the status nor the properties are checked. */
export function setManyInstanceStatuses(call: Call): Answer {
  const { properties = {}, status } = call.json(readManyStatus, unmarshalError);
  updateManyStatuses(call.namespace, properties, status);
  return done;
}

/** PUT properties; ids in the body go before the path's. */
export function setInstanceProperties(call: Call): Answer {
  const body = call.json(readInstanceProperties, unmarshalError);
  const path = refOf(call);
  const serviceId = body.serviceId ?? path.serviceId;
  const instanceId = body.instanceId ?? path.instanceId;
  validate(requestRules.instanceProperties, { serviceId, instanceId });
  const { properties } = body;
  updateInstance(call.namespace, { serviceId, instanceId }, { properties });
  return done;
}
