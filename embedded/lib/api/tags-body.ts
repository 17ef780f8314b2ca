import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';
import { isObject, kindOf } from './struct-reader.js';

/** Body of POST tags: a map of maps, so here, unlike elsewhere, the case of `tags` counts. */
export function readTags(document: unknown): Readonly<Record<string, string>> | undefined {
  if (document === null) return undefined;
  if (!isObject(document)) throw mismatch(document, 'map[string]map[string]string');
  const maps = Object.entries(document).map(
    ([key, value]: [string, unknown]) => [key, readTextMap(value)] as const,
  );
  return maps.find(([key]) => key === 'tags')?.[1];
}

function readTextMap(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value) && value !== null) throw mismatch(value, 'map[string]string');
  const entries = Object.entries(value ?? {}).map(([key, item]: [string, unknown]) => {
    if (typeof item !== 'string' && item !== null) throw mismatch(item, 'string');
    return [key, item ?? ''] as const;
  });
  return Object.fromEntries(entries);
}

function mismatch(value: unknown, type: string): RegistryError {
  return invalid(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
}
