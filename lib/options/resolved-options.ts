import type { DiscoverySettings } from '../discovery/settings.js';
import type {
  HeartbeatOptions,
  InstanceOptions,
  MicroserviceOptions,
  RegistrationOptions,
  RegistryProfile,
  SchemasOptions,
  AxiosSettings,
  ServiceCenterOptions,
  ShutdownOptions,
} from './options.js';

/** The credentials. Secrets are behind functions, so that no copy and no log shows them. */
export type ResolvedAuth =
  | {
      readonly kind: 'account';
      readonly username: string;
      readonly password: (() => Promise<unknown>) | undefined;
      readonly passwordFile: string | undefined;
    }
  | {
      readonly kind: 'keyPair';
      readonly accessKey: () => string;
      readonly secretKey: () => string;
      readonly project: string | undefined;
    }
  | { readonly kind: 'token'; readonly token: () => Promise<unknown> }
  | { readonly kind: 'headers'; readonly headers: () => Promise<unknown> };

/** The options of TLS as the library reads them. */
export interface ResolvedTls {
  /** Undefined: the host of the address. */
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Certificates and key at the start, behind a function so that nothing prints them; undefined for none. */
  readonly material: (() => TlsMaterial) | undefined;
  /** How to read the files again; undefined if no option names a file. */
  readonly files: TlsMaterialFiles | undefined;
}

/** The files of the `…File` options. */
export interface TlsMaterialFiles {
  readonly paths: readonly string[];
  /** Gathers certificates and key again, with the text of each file, and checks them as at the start. */
  readonly read: (readFile: (path: string) => string) => TlsReading;
}

/** Certificates, key and passphrase as text. */
export type TlsMaterial = Partial<Record<TlsPart, string>>;

/** A part of the TLS material that an option or a file holds. */
export type TlsPart = 'ca' | 'cert' | 'key' | 'passphrase';

/** The result of a reading: material whose parts fit together, or the first problem. */
export type TlsReading =
  | { readonly kind: 'good'; readonly material: TlsMaterial }
  /** `problem` follows the name of the option; it shows nothing of the value. */
  | { readonly kind: 'bad'; readonly option: string; readonly problem: string };

/** A group in which every option is set, except that those in `Optional` may be undefined. */
type Resolved<Group, Optional extends keyof Group = never> = {
  readonly [Option in keyof Required<Group>]: Option extends Optional
    ? Group[Option] | undefined
    : Exclude<Group[Option], undefined>;
};

/** The options as the library reads them: checked, complete and deeply frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly profile: RegistryProfile;
  readonly serviceCenter: Resolved<
    Omit<ServiceCenterOptions, 'addresses' | 'auth' | 'tls' | 'axios'>,
    'domain'
  > & {
    /** Without a trailing slash and without duplicates, in the order in which they were written. */
    readonly addresses: readonly [string, ...string[]];
    /** @internal Where the addresses come from: an option, a variable, or the default of the option. */
    readonly addressesFrom: string;
    /** @internal */
    readonly auth: ResolvedAuth | undefined;
    /** @internal */
    readonly tls: ResolvedTls;
    /** Behind a function, so that nothing prints or freezes what is in it. Undefined: nothing. */
    readonly axios: (() => AxiosSettings) | undefined;
  };
  readonly microservice: Resolved<MicroserviceOptions, 'description' | 'alias'>;
  /** `endpoints` is undefined when they come from the server that listens. */
  readonly instance: Resolved<
    InstanceOptions,
    'endpoints' | 'address' | 'preferredNetwork' | 'statusFromHealth' | 'dataCenter'
  >;
  readonly heartbeat: Resolved<HeartbeatOptions> & {
    /** Whether the interval is a minimum: `jitter` then only adds to it. */
    readonly neverEarly: boolean;
  };
  /** `when` is undefined for `listen` where there is an HTTP server, else `bootstrap`. */
  readonly registration: Resolved<Omit<RegistrationOptions, 'retry'>, 'when'> & {
    readonly retry: Resolved<NonNullable<RegistrationOptions['retry']>>;
  };
  readonly schemas: {
    /** Behind a function, so that nothing prints or freezes what is in it. Undefined: none. */
    readonly documents: (() => NonNullable<SchemasOptions['documents']>) | undefined;
    readonly onMismatch: NonNullable<SchemasOptions['onMismatch']>;
  };
  readonly shutdown: Resolved<ShutdownOptions>;
  readonly discovery: DiscoverySettings;
  /** @internal Sentences to log at the start. */
  readonly warnings: readonly string[];
}
