import { RegistryOptionsError, type OptionIssue } from '../errors.js';
import { flag, oneOf } from './check.js';
import { defaults, profileNames } from './defaults.js';
import { members, rootField } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { RegistryModuleOptions } from './options.js';
import type { ResolvedOptions } from './resolved-options.js';
import { resolveInstance } from './resolve-instance.js';
import { resolveMicroservice } from './resolve-microservice.js';
import { resolveServiceCenter } from './resolve-service-center.js';
import { resolveShutdown, resolveTiming } from './resolve-timing.js';

/**
 * Checks the options, adds what the host and the defaults say, and freezes the result.
 *
 * Nothing is believed about the options but their name: they may come from JavaScript or from the
 * environment. The result shares no object with them. `isGlobal` is checked and left out, since it is
 * the module's. A disabled module has its options checked all the same, so that a mistake does not
 * wait for the environment in which it is enabled.
 *
 * @throws RegistryOptionsError with every issue at once
 */
export function resolveOptions(options: RegistryModuleOptions, facts: HostFacts): ResolvedOptions {
  const issues: OptionIssue[] = [];
  const group = members(rootField(options, issues), defaults);
  flag(group('isGlobal'));
  const profile = oneOf(group('profile'), profileNames) ?? defaults.profile;
  // In the order of the options: so are the issues.
  const resolved = {
    enabled: flag(group('enabled')) ?? defaults.enabled,
    profile,
    serviceCenter: resolveServiceCenter(group('serviceCenter'), facts, profile),
    microservice: resolveMicroservice(group('microservice'), facts),
    instance: resolveInstance(group('instance'), facts),
    ...resolveTiming(group('heartbeat'), group('registration'), profile),
    shutdown: resolveShutdown(group('shutdown')),
  };
  if (issues.length > 0) throw new RegistryOptionsError(issues);
  return deepFreeze(resolved);
}

function deepFreeze<T extends object>(target: T): T {
  for (const value of Object.values(target)) {
    if (typeof value === 'object' && value !== null) deepFreeze(value);
  }
  return Object.freeze(target);
}
