import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { readTags } from '../api/tags-body.js';
import { quotaRules } from '../api/quota-rules.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { removeTags, replaceTags, setTag } from '../model/tag-operations.js';

/** POST tags */
export function setTags(call: Call): Answer {
  const tags = call.json(readTags);
  const serviceId = call.parameter('serviceId');
  validate(quotaRules.setTags(call.model.quotas), { serviceId, tags });
  replaceTags(call.namespace, serviceId, new Map(Object.entries(tags ?? {})));
  return done;
}

/** GET tags */
export function getTags(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  validate(requestRules.getTags, { serviceId });
  const { tags } = call.namespace.requireService(serviceId);
  return json({ tags: tags.size === 0 ? undefined : Object.fromEntries(tags) });
}

/** PUT tags/:key */
export function setOneTag(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  const key = call.parameter('key');
  const value = call.value('value');
  validate(requestRules.setTag, { serviceId, key, value });
  setTag(call.namespace, serviceId, { key, value });
  return done;
}

/** DELETE tags/:key, where the key may be several with commas between */
export function removeSomeTags(call: Call): Answer {
  const serviceId = call.parameter('serviceId');
  const keys = call.parameter('key').split(',');
  validate(quotaRules.removeTags(call.model.quotas), { serviceId, keys });
  removeTags(call.namespace, serviceId, keys);
  return done;
}
