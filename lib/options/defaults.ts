import type { RegistryModuleOptions, RegistryProfile } from './options.js';

/** Every option of a group, whatever stands behind it. */
type Every<Group> = { readonly [Option in keyof Required<Group>]: unknown };

type EveryOption = {
  readonly [Group in keyof Required<RegistryModuleOptions>]: NonNullable<
    RegistryModuleOptions[Group]
  > extends boolean | string
    ? NonNullable<RegistryModuleOptions[Group]>
    : Every<NonNullable<RegistryModuleOptions[Group]>>;
};

/** What a profile says instead of a default, and what it asks for. */
interface ProfileDefaults {
  /** Default of `heartbeat.intervalMs`. */
  readonly intervalMs: number;
  /** An interval under this is a warning, in milliseconds. */
  readonly leastIntervalMs: number;
  /** Whether a heartbeat may never come sooner than the interval after the one before. */
  readonly neverEarly: boolean;
  /** Options of `serviceCenter` that have no default. */
  readonly required: readonly ('project' | 'domain')[];
}

const professional = {
  intervalMs: 30_000,
  leastIntervalMs: 30_000,
  neverEarly: true,
  required: [],
} as const;

/**
 * The profiles. The floor of the open-source server is in its datasource/etcd/ms.go, the limits of the
 * engines in the vendor's restrictions (servicestage_01_0015), as least distances of heartbeats; for the
 * older API, of which no page tells one, the professional engine's stands in.
 */
export const profiles = {
  'open-source': {
    intervalMs: 15_000,
    leastIntervalMs: 5_000,
    neverEarly: false,
    required: [],
  },
  'cse-exclusive': {
    intervalMs: 20_000,
    leastIntervalMs: 20_000,
    neverEarly: true,
    required: [],
  },
  'cse-professional': professional,
  'cse-legacy': { ...professional, required: ['project', 'domain'] },
} as const satisfies Record<RegistryProfile, ProfileDefaults>;

/** The names of the profiles. */
export const profileNames = [
  'open-source',
  'cse-exclusive',
  'cse-professional',
  'cse-legacy',
] as const satisfies readonly RegistryProfile[];

/**
 * What an option is when nobody says otherwise; also the list of the options that exist.
 *
 * `undefined` stands where there is no default or where the host decides (`host-facts.ts`).
 * Milliseconds end in `Ms`.
 */
export const defaults = {
  enabled: true,
  // Read by the module before the options are resolved.
  isGlobal: true,
  profile: 'open-source',
  serviceCenter: {
    addresses: ['http://127.0.0.1:30100'],
    project: 'default',
    domain: undefined,
    timeoutMs: 5_000,
    learnAddresses: false,
    auth: undefined,
    tls: {
      ca: undefined,
      caFile: undefined,
      cert: undefined,
      certFile: undefined,
      key: undefined,
      keyFile: undefined,
      passphrase: undefined,
      passphraseFile: undefined,
      servername: undefined,
      rejectUnauthorized: true,
      minVersion: undefined,
    },
    maxAnswerBytes: 1_048_576,
    axios: undefined,
  },
  microservice: {
    appId: 'default',
    serviceName: undefined,
    version: '0.0.1',
    environment: '',
    description: undefined,
    level: 'BACK',
    alias: undefined,
    framework: { name: 'nestjs', version: undefined },
    properties: {},
    tags: {},
    schemas: [],
  },
  instance: {
    instanceId: undefined,
    hostName: undefined,
    endpoints: undefined,
    address: undefined,
    preferredNetwork: undefined,
    status: 'UP',
    properties: {},
    statusFromHealth: undefined,
    dataCenter: undefined,
  },
  heartbeat: {
    // Of the default profile; the others have their own.
    intervalMs: profiles['open-source'].intervalMs,
    times: 3,
    jitter: 0.1,
    verifyEvery: 10,
  },
  registration: {
    when: undefined,
    failFast: false,
    retry: { initialMs: 1_000, maxMs: 30_000, factor: 2 },
  },
  shutdown: { timeoutMs: 3_000, drainMs: 0, statusFirst: false },
} as const satisfies EveryOption & { readonly isGlobal: boolean };

/** One option and its default. */
export interface OptionDefault {
  /** Such as `registration.retry.maxMs`. */
  readonly path: string;
  /** Undefined where there is none or where the host decides. */
  readonly value: unknown;
}

/**
 * Lists every option in the order of `defaults`, a group by its options.
 *
 * An empty object or list is a default and no group.
 */
export function optionDefaults(): readonly OptionDefault[] {
  return flatten('', defaults);
}

function flatten(prefix: string, group: object): OptionDefault[] {
  return Object.entries(group).flatMap(([name, value]: [string, unknown]) =>
    isGroup(value) ? flatten(`${prefix}${name}.`, value) : [{ path: `${prefix}${name}`, value }],
  );
}

function isGroup(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0
  );
}
