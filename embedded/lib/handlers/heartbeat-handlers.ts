import type { HeartbeatResult, InstanceRef } from '../model/wire.js';
import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { readHeartbeats } from '../api/instance-bodies.js';
import type { RefBody } from '../api/instance-bodies.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { invalid } from '../model/registry-error.js';
import { heartbeat as renew } from '../model/instance-operations.js';
import { failureOf } from '../model/attempt.js';
import { refOf, unmarshalError } from './instance-handlers.js';

/** PUT heartbeat; a body is not looked at. */
export function heartbeat(call: Call): Answer {
  const ref = refOf(call);
  validate(requestRules.heartbeat, ref);
  renewNoted(call, ref);
  return done;
}

/** PUT heartbeats: always an answer, with an error beside each that failed; ids are not checked. */
export function heartbeats(call: Call): Answer {
  const { instances = [] } = call.json(readHeartbeats, unmarshalError);
  if (instances.length === 0) throw invalid('Request format invalid.');
  return json({ instances: distinct(instances).map(item => beat(call, item)) });
}

function beat(call: Call, item: RefBody | null): RefBody & Pick<HeartbeatResult, 'errMessage'> {
  const { serviceId, instanceId } = item ?? {};
  const ref = { serviceId: serviceId ?? '', instanceId: instanceId ?? '' };
  return { serviceId, instanceId, errMessage: failureOf(() => renewNoted(call, ref)) };
}

function renewNoted({ namespace, deployment }: Call, ref: InstanceRef): void {
  renew(namespace, ref);
  deployment.limits.noteHeartbeat(namespace, ref);
}

/** Each beat once; the server tells two apart by their ids in one text (datasource/etcd/ms.go). */
function distinct(items: readonly (RefBody | null)[]): (RefBody | null)[] {
  const byIds = new Map(
    items.map(item => [`${item?.serviceId ?? ''}${item?.instanceId ?? ''}`, item]),
  );
  return [...byIds.values()];
}
