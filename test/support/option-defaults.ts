import { defaults } from '../../lib/options/defaults.js';

/** One option and its default; undefined where there is none or where the host provides it. */
export interface OptionDefault {
  /** Such as `registration.retry.maxMs`. */
  readonly path: string;
  readonly value: unknown;
}

/** Lists every option in the order of `defaults`. An empty object or list is a default, not a group. */
export function optionDefaults(): readonly OptionDefault[] {
  return flatten('', defaults);
}

function flatten(prefix: string, group: object): OptionDefault[] {
  return Object.entries(group).flatMap(([name, value]: [string, unknown]) =>
    isGroup(value) ? flatten(`${prefix}${name}.`, value) : [{ path: `${prefix}${name}`, value }],
  );
}

function isGroup(value: unknown): value is object {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.keys(value).length > 0;
}
