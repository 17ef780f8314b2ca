import { json, listed } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { readBatchFind } from '../api/instance-bodies.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { invalid } from '../model/registry-error.js';
import { attempt } from '../model/attempt.js';
import { findInstances, getInstance } from '../model/find-instances.js';
import type { FoundInstances } from '../model/find-instances.js';
import { RegistryError, messageOf } from '../model/registry-error.js';
import type { ErrorBody } from '../model/registry-error.js';
import { current } from './current.js';
import { unmarshalError } from './instance-handlers.js';

/** POST instances/action: many finds in one request, each with the revision the client has. */
export function queryInstances(call: Call): Answer {
  call.refuseLongBody();
  const action = call.value('type');
  if (action !== 'query') throw invalid(`Invalid action: ${action}`);
  const { services = [], instances = [] } = call.json(readBatchFind, unmarshalError);
  if (services.length === 0 && instances.length === 0)
    throw invalid('Required services or instances');
  const { consumerId, namespace } = call;
  const { versionRequired } = call.deployment.form;
  const rules = versionRequired ? requestRules.batchFindByVersion : requestRules.batchFind;
  validate(rules, { consumerServiceId: consumerId, services, instances });
  return json({
    services: collect(services, item => {
      const { environment, appId = '', serviceName = '', version } = item?.service ?? {};
      const versionRule = versionRequired ? version : undefined;
      const query = { consumerId, environment, appId, serviceName, tags: [], versionRule };
      return current(call, item?.rev ?? '', view => findInstances(namespace, { ...query, view }));
    }),
    instances: collect(instances, item => {
      const { serviceId = '', instanceId = '' } = item?.instance ?? {};
      const query = { consumerId, serviceId, instanceId, tags: [] };
      const found = current(call, item?.rev ?? '', view =>
        getInstance(namespace, { ...query, view }),
      );
      return { ...found, instances: [found.instance] };
    }),
  });
}

interface Failure {
  readonly indexes: number[];
  readonly error: ErrorBody;
}

/** Sorts outcomes into failed (by code, with the first one's detail), not modified, and updated. */
function collect<Item extends { readonly rev?: string | undefined } | null>(
  items: readonly Item[],
  find: (item: Item) => FoundInstances,
) {
  if (items.length === 0) return undefined;
  const failed = new Map<number, Failure>();
  const notModified: number[] = [];
  const updated: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const found = attempt(() => find(item));
    if (found instanceof RegistryError) addFailure(failed, index, found);
    else if (found.revision === item?.rev) notModified.push(index);
    else {
      const instances = listed(found.instances.map(({ instance }) => instance));
      updated.push({ index, rev: found.revision, instances });
    }
  }
  return {
    failed: listed([...failed.values()]),
    notModified: listed(notModified),
    updated: listed(updated),
  };
}

function addFailure(failed: Map<number, Failure>, index: number, refusal: RegistryError): void {
  const { errorCode, message } = refusal;
  const error = {
    errorCode: String(errorCode),
    errorMessage: messageOf(errorCode),
    // The server wraps the error's own text once more (server/service/disco/instance.go).
    detail: message,
  };
  const failure = failed.get(errorCode) ?? { indexes: [], error };
  failure.indexes.push(index);
  failed.set(errorCode, failure);
}
