import type { Call } from '../api/call.js';
import { attempt } from '../model/attempt.js';
import type { FoundInstances } from '../model/find-instances.js';
import type { Namespace } from '../model/namespace.js';
import type { View } from '../model/publication.js';
import { RegistryError } from '../model/registry-error.js';

/**
 * The namespace of a read of services, which the cache always has right.
 *
 * @throws RegistryError 500003 when the read is to go past the cache to a store that is down
 */
export function readable(call: Call): Namespace {
  const { namespace } = call;
  if (call.isSet('noCache')) namespace.ledger.store.requireForFind();
  return namespace;
}

/**
 * Reads as a request wants it: `noCache` past the cache, `cacheOnly` there alone. A revision that is
 * not the cache's has the server look into its store, too (datasource/etcd/cache/filter_consistency.go).
 */
export function current<Found extends FoundInstances>(
  call: Call,
  revision: string,
  read: (view: View) => Found,
): Found {
  if (call.isSet('noCache')) return read('store');
  if (call.isSet('cacheOnly')) return read('cache-only');
  if (revision === '' || !call.model.hasStaleReads) return read('cache');
  const cached = attempt(() => read('cache'));
  return cached instanceof RegistryError || cached.revision !== revision ? read('store') : cached;
}
