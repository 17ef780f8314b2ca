import { RegistryOptionsError, type OptionIssue } from '../errors.js';
import { flag, number, oneOf, wholeMilliseconds, wholeNumber, wholeSeconds } from './check.js';
import { defaults } from './defaults.js';
import { entries, members, orVariable, reject, rootField, type Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { RegistryModuleOptions, RegistryProfile } from './options.js';
import { profileNames, profiles } from './profiles.js';
import type { ResolvedOptions } from './resolved-options.js';
import { type DiscoveryRules, resolveDiscovery } from './resolve-discovery.js';
import { resolveInstance } from './resolve-instance.js';
import { resolveMicroservice, workspaceWarning } from './resolve-microservice.js';
import { resolveServiceCenter } from './resolve-service-center.js';

/** How a schema is checked, which the registration knows. */
interface SchemaRules {
  /** Returns what is wrong with a schema, in words that follow its path. */
  readonly schemaProblem: (schemaId: string, document: unknown) => string | undefined;
}

/** The checks of other folders, which `options/` does not import. */
export type OptionRules = DiscoveryRules & SchemaRules;

/**
 * Checks the options, fills in what the host and the defaults provide, and freezes the result.
 *
 * The types are not trusted: options may come from JavaScript or from the environment. The result
 * shares no object with them. `isGlobal` is checked but not part of the result, because Nest reads it.
 * Options of a disabled module are checked as well, so that a mistake does not surface only in the
 * environment where the module is enabled.
 * @throws RegistryOptionsError with every issue at once
 */
export function resolveOptions(
  options: RegistryModuleOptions,
  facts: HostFacts,
  rules: OptionRules,
): ResolvedOptions {
  const issues: OptionIssue[] = [];
  const group = members(rootField(options, issues), defaults);
  flag(group('isGlobal'));
  const profile = oneOf(group('profile'), profileNames) ?? defaults.profile;
  const enabled = resolveEnabled(group('enabled'), facts.env);
  // In the order of the options, so that the issues are too.
  const serviceCenter = resolveServiceCenter(group('serviceCenter'), facts, profile);
  const microservice = resolveMicroservice(group('microservice'), facts);
  const instance = resolveInstance(group('instance'), facts);
  const heartbeat = resolveHeartbeat(group('heartbeat'), profile);
  const registration = resolveRegistration(group('registration'), heartbeat.intervalMs);
  const schemas = resolveSchemas(group('schemas'), rules);
  const shutdown = resolveShutdown(group('shutdown'));
  const { dataCenter } = instance;
  const own = { appId: microservice.appId, environment: microservice.environment, dataCenter };
  const ofModule = { enabled, profile, own };
  const discovery = resolveDiscovery(group('discovery'), ofModule, rules);
  if (issues.length > 0) throw new RegistryOptionsError(issues);
  const warnings = [workspaceWarning(group('microservice'), facts)].filter(
    warning => warning !== undefined,
  );
  const atRegistry = { serviceCenter, microservice, instance, heartbeat, registration, shutdown };
  return deepFreeze({ enabled, profile, ...atRegistry, schemas, discovery, warnings });
}

function resolveEnabled(written: Field, env: HostFacts['env']): boolean {
  const field = orVariable(written, env, 'SERVICECOMB_ENABLED');
  const isVariable = field.origin !== undefined && typeof field.value === 'string';
  const word = isVariable ? field.value.toLowerCase() : '';
  return flag({ ...field, value: words.get(word) ?? field.value }) ?? defaults.enabled;
}

const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

const tenMinutesMs = 600_000;

function resolveHeartbeat(group: Field, profile: RegistryProfile): ResolvedOptions['heartbeat'] {
  const { times, jitter, verifyEvery } = defaults.heartbeat;
  const { intervalMs, neverEarly } = profiles[profile];
  const option = members(group, defaults.heartbeat);
  return {
    intervalMs: wholeSeconds(option('intervalMs'), 1_000, tenMinutesMs) ?? intervalMs,
    times: wholeNumber(option('times'), 1, 1_000) ?? times,
    jitter: number(option('jitter'), 0, 0.5) ?? jitter,
    verifyEvery: wholeNumber(option('verifyEvery'), 0, 10_000) ?? verifyEvery,
    neverEarly,
  };
}

function resolveRegistration(group: Field, intervalMs: number): ResolvedOptions['registration'] {
  const { when, failFast } = defaults.registration;
  const option = members(group, defaults.registration);
  return {
    when: oneOf(option('when'), ['listen', 'bootstrap', 'manual']) ?? when,
    failFast: flag(option('failFast')) ?? failFast,
    retry: resolveRetry(option('retry'), intervalMs),
  };
}

/** By default no pause is longer than two intervals, so that a registry that is back is noticed soon. */
function resolveRetry(group: Field, intervalMs: number): ResolvedOptions['registration']['retry'] {
  const { retry } = defaults.registration;
  const option = members(group, retry);
  const initialMs = wholeMilliseconds(option('initialMs'), 10, tenMinutesMs) ?? retry.initialMs;
  const defaultMaxMs = Math.max(initialMs, Math.min(retry.maxMs, 2 * intervalMs));
  return {
    initialMs,
    maxMs: wholeMilliseconds(option('maxMs'), initialMs, tenMinutesMs) ?? defaultMaxMs,
    factor: number(option('factor'), 1, 10) ?? retry.factor,
  };
}

function resolveSchemas(group: Field, rules: SchemaRules): ResolvedOptions['schemas'] {
  const { onMismatch } = defaults.schemas;
  const option = members(group, defaults.schemas);
  const documents: Record<string, string | object> = Object.fromEntries(
    (entries(option('documents')) ?? []).flatMap(([schemaId, document]) => {
      const { value } = document;
      const problem = rules.schemaProblem(schemaId, value);
      if (problem !== undefined) reject(document, problem);
      return typeof value === 'string' || (typeof value === 'object' && value !== null)
        ? [[schemaId, value]]
        : [];
    }),
  );
  const count = Object.keys(documents).length;
  if (count > 100)
    reject({ ...option('documents'), value: count }, 'must have at most 100 entries');
  return {
    documents: count === 0 ? undefined : () => documents,
    onMismatch: oneOf(option('onMismatch'), ['overwrite', 'ignore', 'fail']) ?? onMismatch,
  };
}

function resolveShutdown(group: Field): ResolvedOptions['shutdown'] {
  const { timeoutMs, drainMs, statusFirst } = defaults.shutdown;
  const option = members(group, defaults.shutdown);
  return {
    timeoutMs: wholeMilliseconds(option('timeoutMs'), 100, 60_000) ?? timeoutMs,
    drainMs: wholeMilliseconds(option('drainMs'), 0, tenMinutesMs) ?? drainMs,
    statusFirst: flag(option('statusFirst')) ?? statusFirst,
  };
}

function deepFreeze<T extends object>(target: T): T {
  for (const value of target instanceof Map ? target.values() : Object.values(target)) {
    if (typeof value === 'object' && value !== null) deepFreeze(value);
  }
  return Object.freeze(target);
}
