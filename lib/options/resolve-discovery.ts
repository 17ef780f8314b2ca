import type { Picker } from '../discovery/candidate.js';
import type { DiscoverySettings, ProviderSettings, ZoneUse } from '../discovery/settings.js';
import {
  check,
  flag,
  matching,
  number,
  oneOf,
  text,
  texts,
  wholeMilliseconds,
  wholeNumber,
  wholeSeconds,
} from './check.js';
import { defaults } from './defaults.js';
import { entries, members, open, reject, type Field } from './field.js';
import type { ProviderOptions, RegistryProfile } from './options.js';
import { profiles } from './profiles.js';
import { appId, environments, serviceName } from './resolve-microservice.js';

/** What the group `discovery` is checked with, and the default that is no plain value. */
export interface DiscoveryRules {
  readonly picker: Picker;
  readonly isVersionRule: (text: string) => boolean;
  readonly isEndpoint: (text: string) => boolean;
}

/** What other groups say that discovery needs, too. */
type OfModule = Pick<DiscoverySettings, 'enabled' | 'own'> & { readonly profile: RegistryProfile };

/** The rules, and what a provider has unless it says something else. */
type Shared = Pick<DiscoverySettings, 'own' | 'picker' | 'zone'> & {
  readonly rules: DiscoveryRules;
};

/** An alias may have colons, besides. */
const serviceOrAlias = matching(
  /^[a-zA-Z0-9_\-.:]{1,128}$/,
  'must be 1 to 128 letters, digits, "_", "-", "." and ":"',
);
const zones: readonly ZoneUse[] = ['prefer', 'only', 'ignore'];
const hourMs = 3_600_000;

/** Resolves the group `discovery`. */
export function resolveDiscovery(
  group: Field,
  { enabled, own, profile }: OfModule,
  rules: DiscoveryRules,
): DiscoverySettings {
  const { discovery } = defaults;
  const { intervalMs, neverEarly, watch } = profiles[profile];
  const option = members(group, discovery);
  const picker = pickerOf(option('picker')) ?? rules.picker;
  const zone = oneOf(option('zone'), zones) ?? discovery.zone;
  return {
    enabled,
    pollIntervalMs: wholeSeconds(option('pollIntervalMs'), 1_000, 600_000) ?? intervalMs,
    neverEarly,
    watch: flag(option('watch')) ?? watch,
    keepMs: wholeMilliseconds(option('keepMs'), 0, hourMs) ?? discovery.keepMs,
    warmUp: texts(option('warmUp'), serviceOrAlias) ?? [...discovery.warmUp],
    picker,
    zone,
    ejection: resolveEjection(option('ejection')),
    providers: resolveProviders(option('providers'), { own, picker, zone, rules }),
    own,
  };
}

function pickerOf(field: Field): Picker | undefined {
  const must = 'must be a function, such as pickers.balanced';
  return check(field, must, (value): value is Picker => typeof value === 'function');
}

function resolveEjection(group: Field): DiscoverySettings['ejection'] {
  if (group.value === false) return undefined;
  const { ejection } = defaults.discovery;
  const option = members(group, ejection);
  const firstMs = wholeMilliseconds(option('firstMs'), 100, 600_000) ?? ejection.firstMs;
  return {
    failures: wholeNumber(option('failures'), 1, 100) ?? ejection.failures,
    firstMs,
    longestMs:
      wholeMilliseconds(option('longestMs'), firstMs, hourMs) ??
      Math.max(firstMs, ejection.longestMs),
    share: number(option('share'), 0, 0.9) ?? ejection.share,
  };
}

function resolveProviders(field: Field, shared: Shared): DiscoverySettings['providers'] {
  return new Map(
    (entries(field) ?? []).map(([name, group]) => {
      if (!serviceName.accepts(name))
        reject({ ...group, value: name }, `must have a valid key: it ${serviceName.must}`);
      return [name, resolveProvider(name, group, shared)];
    }),
  );
}

const providerOptions = [
  'serviceName',
  'appId',
  'environment',
  'versionRule',
  'endpoints',
  'picker',
  'zone',
] as const satisfies readonly (keyof ProviderOptions)[];

function resolveProvider(name: string, group: Field, shared: Shared): ProviderSettings {
  const { own, picker, zone, rules } = shared;
  const absent = (): Field => ({ ...group, value: undefined });
  const option = open(group, providerOptions) ?? absent;
  return {
    serviceName: text(option('serviceName'), serviceOrAlias) ?? name,
    appId: text(option('appId'), appId) ?? own.appId,
    environment: oneOf(option('environment'), environments) ?? own.environment,
    versionRule: text(option('versionRule'), versionRule(rules)),
    endpoints: texts(option('endpoints'), endpoint(rules)),
    picker: pickerOf(option('picker')) ?? picker,
    zone: oneOf(option('zone'), zones) ?? zone,
  };
}

function versionRule({ isVersionRule: accepts }: DiscoveryRules) {
  return { must: 'must be such as "1.0.0", "1.0.0+", "1.0.0-2.0.0" or "latest"', accepts };
}

function endpoint({ isEndpoint: accepts }: DiscoveryRules) {
  return { must: 'must be scheme://host:port, such as "rest://127.0.0.1:3000"', accepts };
}
