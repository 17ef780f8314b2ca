import { textByKey } from './check.js';
import { reject, type Field } from './field.js';
import type { EnvironmentVariable, HostFacts } from './host-facts.js';

type Entry = readonly [key: string, value: string];

const anyText = { must: 'must be a string', accepts: () => true };

/**
 * Resolves a `properties` option. Entries of `listVariable` (`key:value,key:value`) come first, then the
 * `variables` that are set, each under its own name, then the option; later entries win.
 */
export function resolveProperties(
  field: Field,
  env: HostFacts['env'],
  listVariable: EnvironmentVariable,
  variables: readonly EnvironmentVariable[] = [],
): Readonly<Record<string, string>> {
  const single = variables.map(name => [name, env[name] ?? ''] as const);
  // From entries, as in textByKey.
  return Object.fromEntries([
    ...listed(field, env[listVariable], listVariable),
    ...single.filter(([, value]) => value !== ''),
    ...Object.entries(textByKey(field, { value: anyText })),
  ]);
}

/** Reads `key:value,key:value`; a value may contain colons, but no comma. */
function listed(field: Field, list = '', origin: string): readonly Entry[] {
  const pairs = list.split(',').map(pair => pair.trim());
  return pairs.flatMap(pair => {
    if (pair === '') return [];
    const [, key, value] = /^([^:]*[^:\s])\s*:\s*(.*)$/s.exec(pair) ?? [];
    if (key !== undefined && value !== undefined) return [[key, value] as const];
    reject({ ...field, value: pair, origin }, 'must be key:value pairs');
    return [];
  });
}
