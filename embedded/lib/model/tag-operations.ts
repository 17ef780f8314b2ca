import { ErrorCode } from './error-codes.js';
import type { Namespace } from './namespace.js';
import { RegistryError } from './registry-error.js';

/** @throws RegistryError 400012 when the service is unknown */
export function replaceTags(
  namespace: Namespace,
  serviceId: string,
  tags: ReadonlyMap<string, string>,
): void {
  namespace.ledger.store.require();
  namespace.requireService(serviceId).tags = tags;
}

/** @throws RegistryError 400012 when the service is unknown, 400018 when it has no such tag */
export function setTag(
  namespace: Namespace,
  serviceId: string,
  { key, value }: { readonly key: string; readonly value: string },
): void {
  namespace.ledger.store.require();
  const record = namespace.requireService(serviceId);
  if (!record.tags.has(key))
    throw new RegistryError(ErrorCode.TagNotExists, 'Tag does not exist, please add one first.');
  record.tags = new Map([...record.tags, [key, value]]);
}

/** Removes all of these tags or, when one is missing (400018), none. */
export function removeTags(namespace: Namespace, serviceId: string, keys: readonly string[]): void {
  namespace.ledger.store.require();
  const record = namespace.requireService(serviceId);
  const tags = new Map(record.tags);
  for (const key of keys)
    if (!tags.delete(key))
      throw new RegistryError(
        ErrorCode.TagNotExists,
        `Delete tags failed for this key ${key} does not exist.`,
      );
  record.tags = tags;
}
