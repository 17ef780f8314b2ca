/** Service Center to behave like: Apache's own, or one of Huawei Cloud CSE. */
export type Profile = 'open-source' | 'cse-exclusive' | 'cse-professional' | 'cse-legacy';

/**
 * Differences between a cloud's Service Center and Apache's. docs/reference.md names the source of
 * each.
 */
export interface ProfileSettings {
  /**
   * Answers 400001 to requests without `x-domain-name`, except for versions and health.
   *
   * @default false; true for `cse-legacy`
   */
  readonly domainRequired: boolean;
  /**
   * Answers 400001 to a find without `version`, and applies its rule: `1.0.0`, `1.0.0+`,
   * `1.0.0-2.0.0` without its end, or `latest`. Otherwise `version` is ignored.
   *
   * @default false; true for `cse-legacy`
   */
  readonly versionRequired: boolean;
  /**
   * Field names in the body of an error: `errorCode`, `errorMessage` and, unless empty, `detail`;
   * or `errCode`, `errMsg` and always `detail`.
   *
   * @default 'errorCode'; 'errCode' for `cse-legacy`
   */
  readonly errorFields: 'errorCode' | 'errCode';
  /**
   * Body of a successful PUT or DELETE without a result.
   *
   * @default ''; 'Success' for `cse-legacy`
   */
  readonly successText: string;
  /**
   * Serves `GET …/registry/health/readiness`.
   *
   * @default true for each cloud
   */
  readonly readiness: boolean;
  /**
   * Error code if the store is unavailable: 500011, or 400011 with status 400.
   *
   * @default 500011; 400011 for each cloud
   */
  readonly unavailableCode: 400_011 | 500_011;
  /**
   * Is behind an API gateway, which answers unknown paths and throttled requests with JSON of its
   * own.
   *
   * @default false; true for `cse-professional` and `cse-legacy`
   */
  readonly gateway: boolean;
  /**
   * Milliseconds that the vendor requires between two heartbeats of an instance. Earlier ones are
   * answered normally and reported by `warnings`; 0 turns this off.
   *
   * @default 0; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly minHeartbeatMs: number;
  /**
   * Milliseconds that the vendor requires between two service discoveries of an instance: finds, or
   * batches of them. Earlier ones are answered normally and reported by `warnings`; 0 turns this off.
   *
   * @default 0; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly minFindMs: number;
  /**
   * Registrations of instances allowed per second; others are answered 429 and reported by
   * `warnings`.
   *
   * @default Infinity; 1000 for `cse-exclusive`, 10 for `cse-professional` and `cse-legacy`
   */
  readonly registrationsPerSecond: number;
}

/** Settings that override those of the profile. */
export type ProfileOverrides = {
  readonly [Part in keyof ProfileSettings]?: ProfileSettings[Part] | undefined;
};

const openSource: ProfileSettings = {
  domainRequired: false,
  versionRequired: false,
  errorFields: 'errorCode',
  successText: '',
  readiness: false,
  unavailableCode: 500_011,
  gateway: false,
  minHeartbeatMs: 0,
  minFindMs: 0,
  registrationsPerSecond: Infinity,
};

const exclusive: ProfileSettings = {
  ...openSource,
  readiness: true,
  unavailableCode: 400_011,
  minHeartbeatMs: 20_000,
  minFindMs: 20_000,
  registrationsPerSecond: 1000,
};

const professional: ProfileSettings = {
  ...exclusive,
  gateway: true,
  minHeartbeatMs: 30_000,
  minFindMs: 30_000,
  registrationsPerSecond: 10,
};

const legacy: ProfileSettings = {
  ...professional,
  domainRequired: true,
  versionRequired: true,
  errorFields: 'errCode',
  successText: 'Success',
};

const settingsOf: Record<Profile, ProfileSettings> = {
  'open-source': openSource,
  'cse-exclusive': exclusive,
  'cse-professional': professional,
  'cse-legacy': legacy,
};

/** Names of all profiles. */
export const profiles: readonly Profile[] = Object.keys(settingsOf).filter(isProfile);

/** Returns whether a text is the name of a profile. */
export function isProfile(name: string): name is Profile {
  return Object.hasOwn(settingsOf, name);
}

/**
 * Returns the settings of a profile with some of them overridden.
 *
 * @throws RangeError for an unknown profile, and for a number that is negative or not a number
 */
export function resolveProfile(
  profile: Profile = 'open-source',
  options: ProfileOverrides = {},
): ProfileSettings {
  if (!isProfile(profile))
    throw new RangeError(`profile must be one of ${profiles.join(', ')}, got "${String(profile)}"`);
  const base = settingsOf[profile];
  const settings: ProfileSettings = {
    domainRequired: options.domainRequired ?? base.domainRequired,
    versionRequired: options.versionRequired ?? base.versionRequired,
    errorFields: options.errorFields ?? base.errorFields,
    successText: options.successText ?? base.successText,
    readiness: options.readiness ?? base.readiness,
    unavailableCode: options.unavailableCode ?? base.unavailableCode,
    gateway: options.gateway ?? base.gateway,
    minHeartbeatMs: options.minHeartbeatMs ?? base.minHeartbeatMs,
    minFindMs: options.minFindMs ?? base.minFindMs,
    registrationsPerSecond: options.registrationsPerSecond ?? base.registrationsPerSecond,
  };
  requireCount('profileOverrides.minHeartbeatMs', settings.minHeartbeatMs);
  requireCount('profileOverrides.minFindMs', settings.minFindMs);
  requireCount('profileOverrides.registrationsPerSecond', settings.registrationsPerSecond);
  return settings;
}

function requireCount(name: string, value: number): void {
  if (!(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
}
