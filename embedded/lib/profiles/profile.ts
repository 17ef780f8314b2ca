/** Which Service Center it passes for: Apache's own, or one of Huawei Cloud CSE. */
export type Profile = 'open-source' | 'cse-exclusive' | 'cse-professional' | 'cse-legacy';

/** In what a cloud's Service Center differs from Apache's. docs/embedded.md names the source of each. */
export interface ProfileSettings {
  /**
   * Refuses, with 400001, what comes without `x-domain-name`, but for versions and health.
   *
   * @default false; true for `cse-legacy`
   */
  readonly domainRequired: boolean;
  /**
   * Refuses a find without `version`, with 400001, and heeds the rule in it: `1.0.0`, `1.0.0+`,
   * `1.0.0-2.0.0` without its end, or `latest`. Elsewhere `version` is passed over.
   *
   * @default false; true for `cse-legacy`
   */
  readonly versionRequired: boolean;
  /**
   * The names in an error's body: `errorCode`, `errorMessage` and, unless empty, `detail`; or
   * `errCode`, `errMsg` and always `detail`.
   *
   * @default 'errorCode'; 'errCode' for `cse-legacy`
   */
  readonly errorFields: 'errorCode' | 'errCode';
  /**
   * Body of a PUT or DELETE that succeeds and has nothing to tell.
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
   * Code of what fails for want of its store: 500011, or 400011 with status 400.
   *
   * @default 500011; 400011 for each cloud
   */
  readonly unavailableCode: 400_011 | 500_011;
  /**
   * Stands behind an API gateway, which answers in JSON of its own what it does not know, and what it
   * throttles.
   *
   * @default false; true for `cse-professional` and `cse-legacy`
   */
  readonly gateway: boolean;
  /**
   * Milliseconds that the vendor wants between two heartbeats of an instance. Those that come
   * sooner are answered, and told by `warnings`; 0 tells none.
   *
   * @default 0; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly minHeartbeatMs: number;
  /**
   * Instances that may be registered within a second; what is more is refused with status 429, and
   * told by `warnings`.
   *
   * @default Infinity; 1000 for `cse-exclusive`, 10 for `cse-professional` and `cse-legacy`
   */
  readonly registrationsPerSecond: number;
}

/** Some of a form's parts; the profile says the others. */
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
  registrationsPerSecond: Infinity,
};

const exclusive: ProfileSettings = {
  ...openSource,
  readiness: true,
  unavailableCode: 400_011,
  minHeartbeatMs: 20_000,
  registrationsPerSecond: 1000,
};

const professional: ProfileSettings = {
  ...exclusive,
  gateway: true,
  minHeartbeatMs: 30_000,
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

/** The profiles by name. */
export const profiles: readonly Profile[] = Object.keys(settingsOf).filter(isProfile);

/** True for the name of a profile. */
export function isProfile(name: string): name is Profile {
  return Object.hasOwn(settingsOf, name);
}

/**
 * A profile's form, of which some parts may be said one by one.
 *
 * @throws RangeError for a profile that there is not, and for a number that cannot be one
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
    registrationsPerSecond: options.registrationsPerSecond ?? base.registrationsPerSecond,
  };
  requireCount('profileOverrides.minHeartbeatMs', settings.minHeartbeatMs);
  requireCount('profileOverrides.registrationsPerSecond', settings.registrationsPerSecond);
  return settings;
}

function requireCount(name: string, value: number): void {
  if (!(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
}
