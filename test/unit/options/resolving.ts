import { RegistryOptionsError } from '../../../lib/errors.js';
import type { HostFacts } from '../../../lib/options/host-facts.js';
import type { RegistryModuleOptions } from '../../../lib/options/options.js';
import type { ResolvedOptions } from '../../../lib/options/resolved-options.js';
import { type OptionRules, resolveOptions } from '../../../lib/options/resolve-options.js';

/** A host on which no options are needed. */
const plainHost: HostFacts = {
  env: {},
  packageName: 'orders',
  packageVersion: '1.2.3',
  workspace: undefined,
  frameworkVersion: '12.5.1',
  hostName: 'node-7',
  randomId: '0d5cba62-1f1b-4a56-a0cd-3dd4a9b8f27e',
  readFile: path => {
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  },
};

/** Rules that accept what begins as it should. */
export const plainRules: OptionRules = {
  picker: ([first]) => first,
  isVersionRule: rule => /^(latest|\d)/.test(rule),
  isEndpoint: endpoint => /^\w+:\/\/[\w.]+:\d+/.test(endpoint),
  schemaProblem: (_, document) => (typeof document === 'string' ? undefined : 'must be a text'),
};

/** Resolves options of any type, as JavaScript may pass them. */
export function resolve(options: unknown, facts: Partial<HostFacts> = {}): ResolvedOptions {
  // An untrue type on purpose: the resolver must not trust it.
  return resolveOptions(options as RegistryModuleOptions, { ...plainHost, ...facts }, plainRules);
}

/** Returns the issues of the options as users read them; none when the options are valid. */
export function issuesOf(options: unknown, facts: Partial<HostFacts> = {}): readonly string[] {
  try {
    resolve(options, facts);
    return [];
  } catch (error) {
    if (!(error instanceof RegistryOptionsError)) throw error;
    return error.issues.map(issue => `${issue.path} ${issue.message}`);
  }
}
