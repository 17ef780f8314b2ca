import type { AxiosRequestConfig } from 'axios';
import type { InstanceStatusOption, RegistryProfile, HealthSourceToken } from './options.js';
import type { ResolvedTls } from './resolve-tls.js';

/** Credentials as the library reads them. Secrets are behind functions: a copy or a log shows none. */
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

/** The options as the library reads them: checked, complete and deeply frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly profile: RegistryProfile;
  readonly serviceCenter: {
    /** Without a trailing slash, in the order given, each once. */
    readonly addresses: readonly [string, ...string[]];
    readonly project: string;
    readonly domain: string | undefined;
    readonly timeoutMs: number;
    readonly learnAddresses: boolean;
    readonly auth: ResolvedAuth | undefined;
    readonly tls: ResolvedTls;
    readonly maxAnswerBytes: number;
    /** Behind a function, so that nothing prints or freezes what is in it. Undefined: nothing. */
    readonly axios: (() => AxiosRequestConfig) | undefined;
  };
  readonly microservice: {
    readonly appId: string;
    readonly serviceName: string;
    readonly version: string;
    readonly environment: string;
    readonly description: string | undefined;
    readonly level: 'FRONT' | 'MIDDLE' | 'BACK';
    readonly alias: string | undefined;
    readonly framework: { readonly name: string; readonly version: string };
    readonly properties: Readonly<Record<string, string>>;
    readonly tags: Readonly<Record<string, string>>;
    readonly schemas: readonly string[];
  };
  readonly instance: {
    readonly instanceId: string;
    readonly hostName: string;
    /** Undefined: to be taken from the server that listens. */
    readonly endpoints: readonly string[] | undefined;
    readonly address: string | undefined;
    readonly preferredNetwork: string | undefined;
    readonly status: InstanceStatusOption;
    readonly properties: Readonly<Record<string, string>>;
    readonly statusFromHealth: HealthSourceToken | undefined;
    readonly dataCenter:
      | { readonly name: string; readonly region: string; readonly availableZone: string }
      | undefined;
  };
  readonly heartbeat: {
    readonly intervalMs: number;
    readonly times: number;
    readonly jitter: number;
    /** Whether the interval is a least distance: the random part then only adds to it. */
    readonly neverEarly: boolean;
    readonly verifyEvery: number;
  };
  readonly registration: {
    /** Undefined: `listen` where there is an HTTP server, else `bootstrap`. */
    readonly when: 'listen' | 'bootstrap' | 'manual' | undefined;
    readonly failFast: boolean;
    readonly retry: {
      readonly initialMs: number;
      readonly maxMs: number;
      readonly factor: number;
    };
  };
  readonly shutdown: {
    readonly timeoutMs: number;
    readonly drainMs: number;
    readonly statusFirst: boolean;
  };
}
