import type { RegistryModuleOptions } from './options.js';
import { profiles } from './profiles.js';

/** Every option of a group, with a value of any type; a type that is not a group stays itself. */
type Every<Group> = { readonly [Option in keyof Group]-?: unknown };

type EveryOption = {
  readonly [Group in keyof RegistryModuleOptions]-?: Every<
    NonNullable<RegistryModuleOptions[Group]>
  >;
};

/**
 * The default of every option; its keys are also the list of the options that exist.
 *
 * `undefined` means that there is no default or that the host provides it (`host-facts.ts`).
 */
export const defaults = {
  enabled: true,
  // Nest reads it before the options are resolved.
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
    // Of the default profile; each profile has its own.
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
  schemas: { documents: {}, onMismatch: 'overwrite' },
  shutdown: { timeoutMs: 3_000, drainMs: 0, statusFirst: false },
  discovery: {
    // Both of the default profile; each profile has its own.
    pollIntervalMs: profiles['open-source'].intervalMs,
    watch: profiles['open-source'].watch,
    keepMs: 120_000,
    warmUp: [],
    picker: undefined,
    zone: 'prefer',
    ejection: { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 },
    providers: {},
  },
} as const satisfies EveryOption & { readonly isGlobal: boolean };
