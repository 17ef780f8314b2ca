import { RegistryOptionsError } from '../../../lib/errors.js';
import type { HostFacts } from '../../../lib/options/host-facts.js';
import type { RegistryModuleOptions } from '../../../lib/options/options.js';
import type { ResolvedOptions } from '../../../lib/options/resolved-options.js';
import { resolveOptions } from '../../../lib/options/resolve-options.js';

const plainHost: HostFacts = {
  env: {},
  packageName: 'orders',
  packageVersion: '1.2.3',
  frameworkVersion: '12.5.1',
  hostName: 'node-7',
  randomId: '0d5cba62-1f1b-4a56-a0cd-3dd4a9b8f27e',
  readFile: path => {
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  },
};

/** A host on which no options are needed, with the given facts instead of its own. */
export function hostWith(facts: Partial<HostFacts>): HostFacts {
  return { ...plainHost, ...facts };
}

/** Resolves what JavaScript may hand in, whatever its type. */
export function resolve(options: unknown, facts: Partial<HostFacts> = {}): ResolvedOptions {
  // The one place that says what is not known: that is what the resolver is for.
  return resolveOptions(options as RegistryModuleOptions, hostWith(facts));
}

/** The issues of wrong options, each as the sentence that users read; none when they are right. */
export function issuesOf(options: unknown, facts: Partial<HostFacts> = {}): readonly string[] {
  try {
    resolve(options, facts);
    return [];
  } catch (error) {
    if (!(error instanceof RegistryOptionsError)) throw error;
    return error.issues.map(issue => `${issue.path} ${issue.message}`);
  }
}
