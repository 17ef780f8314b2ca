import { textByKey } from './check.js';
import { reject, type Field } from './field.js';
import type { EnvironmentVariable, HostFacts } from './host-facts.js';

type Properties = Readonly<Record<string, string>>;
type Entry = readonly [key: string, value: string];

const anyText = { must: 'must be a string', accepts: () => true };

// What ServiceStage tells a process about itself; the Java client publishes the same.
const casVariables = [
  'CAS_APPLICATION_ID',
  'CAS_COMPONENT_NAME',
  'CAS_INSTANCE_VERSION',
  'CAS_INSTANCE_ID',
  'CAS_ENVIRONMENT_ID',
] as const satisfies readonly EnvironmentVariable[];

/** Properties of the service: the variable's, then the option's, which win. */
export function serviceProperties(field: Field, env: HostFacts['env']): Properties {
  return merged(field, listed(field, env, 'SERVICECOMB_SERVICE_PROPS'));
}

/** Properties of the instance: the variable's, then the `CAS_*` variables, then the option's. */
export function instanceProperties(field: Field, env: HostFacts['env']): Properties {
  return merged(field, [
    ...listed(field, env, 'SERVICECOMB_INSTANCE_PROPS'),
    ...casVariables.flatMap(name => casEntry(name, env[name])),
  ]);
}

/** A later entry wins. Built from entries, so that a key named `__proto__` is a key. */
function merged(field: Field, injected: readonly Entry[]): Properties {
  return Object.fromEntries([...injected, ...textByKey(field, { value: anyText })]);
}

function casEntry(name: string, value: string | undefined): readonly Entry[] {
  return value === undefined || value === '' ? [] : [[name, value]];
}

/** `key:value,key:value`; a value may hold further colons, but no comma. */
function listed(field: Field, env: HostFacts['env'], name: EnvironmentVariable): readonly Entry[] {
  const pairs = env[name]?.split(',').map(pair => pair.trim());
  const written = pairs?.filter(pair => pair !== '') ?? [];
  return written.flatMap(pair => {
    const [, key, value] = /^([^:]*[^:\s])\s*:\s*(.*)$/s.exec(pair) ?? [];
    if (key !== undefined && value !== undefined) return [[key, value] as const];
    reject({ ...field, value: pair, origin: name }, 'must be key:value pairs');
    return [];
  });
}
