import type { AxiosRequestConfig } from 'axios';
import type {
  HeartbeatOptions,
  InstanceOptions,
  MicroserviceOptions,
  RegistrationOptions,
  RegistryProfile,
  ServiceCenterOptions,
  ShutdownOptions,
} from './options.js';
import type { ProxyRoutes } from './proxy-routes.js';
import type { ResolvedTls } from './tls-material.js';

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
    Omit<ServiceCenterOptions, 'addresses' | 'auth' | 'tls' | 'proxy' | 'axios'>,
    'domain'
  > & {
    /** Without a trailing slash and without duplicates, in the order in which they were written. */
    readonly addresses: readonly [string, ...string[]];
    /** @internal */
    readonly auth: ResolvedAuth | undefined;
    /** @internal */
    readonly tls: ResolvedTls;
    /**
     * Undefined: none.
     *
     * @internal
     */
    readonly proxy: ProxyRoutes | undefined;
    /** Behind a function, so that nothing prints or freezes what is in it. Undefined: nothing. */
    readonly axios: (() => AxiosRequestConfig) | undefined;
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
  readonly shutdown: Resolved<ShutdownOptions>;
}
