import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { clusterName, dumpOf } from '../model/registry-dump.js';
import { about } from './about-handlers.js';

/**
 * GET admin/dump: what the server has in its cache, of all domains and projects. From any but
 * default/default the server means to refuse it and panics instead, so nothing comes back.
 */
export function dump(call: Call): Answer {
  const { model, namespace } = call;
  if (namespace !== model.root) return { status: 200, headers: {}, body: '' };
  const given = call.value('options').trim();
  const options = new Set(given === '' ? ['cache'] : given.split(','));
  const has = (option: string) => options.has('all') || options.has(option);
  return json({
    info: has('info') ? about : undefined,
    cache: has('cache') ? dumpOf(model.namespaces()) : undefined,
  });
}

/** GET admin/clusters: the addresses of the one there is */
export function listClusters({ model }: Call): Answer {
  const addresses = model.ownAddresses().map(address => `http://${address}`);
  return json({ clusters: { [clusterName]: addresses } });
}

/** GET admin/alarms: none, since no backend can fail here */
export const listAlarms = (): Answer => json({});

/** DELETE admin/alarms */
export const clearAlarms = (): Answer => done;
