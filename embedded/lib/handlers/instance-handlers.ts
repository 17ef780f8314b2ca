import type { InstanceRef, HeartbeatResult } from '../model/wire.js';
import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import {
  readInstanceProperties,
  readManyStatus,
  readRegisterInstance,
  readHeartbeats,
} from '../api/request-bodies.js';
import type { RefBody } from '../api/request-bodies.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { throttledAnswer } from '../profiles/profile-answers.js';
import {
  registerInstance as register,
  unregisterInstance as unregister,
  updateInstance,
  updateManyStatuses,
  heartbeat as renew,
} from '../model/instance-operations.js';
import { checkedInstance, instanceStatusOf } from './registration-requests.js';
import { invalid, registryErrorMessage } from '../model/registry-error.js';

/** Error detail for a body of the instance API that is not the right JSON. */
export const unmarshalError = 'Unmarshal error';

/** Returns both ids in the path. */
export function refOf(call: Call): InstanceRef {
  return { serviceId: call.parameter('serviceId'), instanceId: call.parameter('instanceId') };
}

/** POST instances; the service in the path overrides the one in the body. */
export function registerInstance(call: Call): Answer {
  const { namespace, profile } = call;
  const serviceId = call.parameter('serviceId');
  if (!profile.limits.admitsRegistration(namespace, serviceId))
    return throttledAnswer(profile.settings);
  const body = call.json(readRegisterInstance, unmarshalError);
  const requested = checkedInstance(body.instance, serviceId);
  return json({ instanceId: register(namespace, serviceId, requested) });
}

/** DELETE one instance. */
export function unregisterInstance(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.unregisterInstance, ref);
  unregister(call.namespace, ref);
  return done;
}

/** PUT status. */
export function setInstanceStatus(call: Call): Answer {
  const ref = refOf(call);
  const status = call.value('value');
  validate(requestRules.instanceStatus, { ...ref, status });
  updateInstance(call.namespace, ref, { status: instanceStatusOf(status) });
  return done;
}

/** PUT status of many instances; neither status nor properties are validated. */
export function setManyInstanceStatuses(call: Call): Answer {
  const { properties = {}, status } = call.json(readManyStatus, unmarshalError);
  updateManyStatuses(call.namespace, properties, status);
  return done;
}

/** PUT properties; ids in the body override those in the path. */
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

/** PUT heartbeat; the body is ignored. */
export function heartbeat(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.heartbeat, ref);
  renewAndCheck(call, ref);
  return done;
}

/**
 * PUT heartbeats: always answered 200, with an error for each instance that failed. Ids are not
 * validated.
 */
export function heartbeats(call: Call): Answer {
  const { instances = [] } = call.json(readHeartbeats, unmarshalError);
  if (instances.length === 0) throw invalid('Request format invalid.');
  return json({ instances: distinct(instances).map(item => heartbeatResult(call, item)) });
}

function heartbeatResult(
  call: Call,
  item: RefBody | null,
): RefBody & Pick<HeartbeatResult, 'errMessage'> {
  const { serviceId, instanceId } = item ?? {};
  const ref = { serviceId: serviceId ?? '', instanceId: instanceId ?? '' };
  return {
    serviceId,
    instanceId,
    errMessage: registryErrorMessage(() => renewAndCheck(call, ref)),
  };
}

function renewAndCheck({ namespace, profile }: Call, ref: InstanceRef): void {
  renew(namespace, ref);
  profile.limits.checkHeartbeat(namespace, ref);
}

/** Removes duplicates; the server compares both ids in one text (datasource/etcd/ms.go). */
function distinct(items: readonly (RefBody | null)[]): (RefBody | null)[] {
  const byIds = new Map(
    items.map(item => [`${item?.serviceId ?? ''}${item?.instanceId ?? ''}`, item]),
  );
  return [...byIds.values()];
}
