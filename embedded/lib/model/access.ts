import type { Namespace } from './namespace.js';
import type { StoredMicroservice } from './records.js';
import { isShared } from './service-center-itself.js';

/**
 * True when a consumer may see a provider: of its own environment, and of another application only
 * when the provider allows that by a property (datasource/etcd/util/rule_util.go).
 */
export function isAccessible(
  namespace: Namespace,
  consumer: StoredMicroservice,
  provider: StoredMicroservice,
): boolean {
  const allowsCrossApp = provider.properties?.['allowCrossApp']?.toLowerCase() === 'true';
  if (provider.appId !== consumer.appId && !allowsCrossApp) return false;
  return isShared(namespace, provider) || provider.environment === consumer.environment;
}
