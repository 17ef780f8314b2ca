/**
 * What users write. What the rest of the library reads is in `resolved-options.ts`, and the way from one
 * to the other in `resolve-options.ts`; every default stands in `defaults.ts`.
 */

import type { AxiosRequestConfig } from 'axios';

/** Status that an instance may have in the registry. Consumers call only `UP` ones. */
export type InstanceStatusOption = 'UP' | 'DOWN' | 'STARTING' | 'TESTING' | 'OUTOFSERVICE';

/**
 * How to speak TLS to `https://` addresses. Everything is PEM. Each of the `…File` options is the path of
 * a file that holds what the option without `File` would, and stands in its place; the files are read
 * again every five seconds, or every `intervalMs` when that is less, and what has changed is used for
 * new connections. Files that do not fit together, as when one is half-written, change nothing.
 */
export interface ServiceCenterTlsOptions {
  /** Certificates of who may vouch for the registry, in place of those that Node knows. @default Node's */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  readonly caFile?: string | undefined;
  /** Certificate of this client, with those of its issuers behind it (mTLS). @default none */
  readonly cert?: string | Buffer | undefined;
  readonly certFile?: string | undefined;
  /** Private key of `cert`. @default none */
  readonly key?: string | Buffer | undefined;
  readonly keyFile?: string | undefined;
  /** Passphrase of an encrypted `key`. A line break at the end of its file is cut. @default none */
  readonly passphrase?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** Host name that the registry's certificate must be for. @default the host of the address */
  readonly servername?: string | undefined;
  /**
   * false trusts whoever answers, with a warning at each start; `NODE_TLS_REJECT_UNAUTHORIZED` has no
   * say.
   *
   * @default true
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Oldest version of TLS that is spoken. @default Node's, which is never below TLSv1.2 here */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/**
 * Which registry it is: a named set of defaults, and of warnings about what the vendor asks for.
 *
 * - `open-source`: Apache Service Center
 * - `cse-exclusive`: an exclusive microservice engine of Huawei Cloud CSE
 * - `cse-professional`: the professional microservice engine
 * - `cse-legacy`: the older API, which demands `serviceCenter.domain` and `serviceCenter.project`
 */
export type RegistryProfile = 'open-source' | 'cse-exclusive' | 'cse-professional' | 'cse-legacy';

/** Which registry to talk to. */
export interface ServiceCenterOptions {
  /**
   * Addresses of Service Center, absolute http or https URLs without credentials and query; a path
   * prefix (gateway) is kept.
   *
   * @default the comma list in `SERVICE_CENTER_ADDRESS`, then `PAAS_CSE_SC_ENDPOINT`, then
   * `['http://127.0.0.1:30100']`
   */
  readonly addresses?: readonly string[] | undefined;
  /**
   * The `{project_id}` of every path, 1 to 64 characters other than `.` and `..`. On Huawei Cloud
   * CSE: the tenant project or `default` for a professional engine, `default` for an exclusive one.
   *
   * @default 'default'; none for `cse-legacy`, where it must be set
   */
  readonly project?: string | undefined;
  /**
   * Sent as `x-domain-name`: visible ASCII, other characters in their encoded form. Must be set
   * for `cse-legacy`.
   *
   * @default none; the server then uses its domain `default`
   */
  readonly domain?: string | undefined;
  /**
   * Total deadline of one attempt, 100 to 60,000 milliseconds: connection, headers and body. A
   * heartbeat has `intervalMs / 3`, at least 500 and at most 5,000; a login, which may come before it,
   * 10,000 at most.
   *
   * @default 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the addresses of the registry's other nodes are asked of the registry, at the start and
   * every ten minutes, and used once they answer. Only where its nodes list themselves by addresses
   * that can be reached from here.
   *
   * @default false
   */
  readonly learnAddresses?: boolean | undefined;
  /**
   * Who asks. Sent to the registry's own addresses only, and never along a redirect.
   *
   * @default none
   */
  readonly auth?: AuthOptions | undefined;
  /** How to speak TLS; certificate and private key of this client. */
  readonly tls?: ServiceCenterTlsOptions | undefined;
  /**
   * Longest answer that is read, in bytes after decompression: 1,024 to 268,435,456. Only lists and schemas
   * are read beyond a mebibyte. A longer answer is a ServiceCenterProtocolError.
   *
   * @default 1048576
   */
  readonly maxAnswerBytes?: number | undefined;
  /**
   * More settings of axios: `headers` to add, an `httpAgent` or `httpsAgent` that replaces ours, such as an
   * agent of a proxy. An `httpsAgent` has TLS settings of its own; `tls` then has no effect. Settings that
   * deadlines, errors and credentials depend on are ignored: `timeout`, `signal`, `validateStatus`,
   * `maxRedirects`, `baseURL`, `auth`, `httpVersion` and the like. A `proxy` is an error: use an agent.
   *
   * @default none
   */
  readonly axios?: AxiosRequestConfig | undefined;
}

/**
 * A text, or what gives one each time it is asked; cached by whoever writes it. What it does not give
 * within `serviceCenter.timeoutMs`, 10 s at most, is a CredentialsError, and it is asked again.
 */
export type SecretSource = string | (() => string | Promise<string>);

/** Who asks. One of them; none is ever logged, shown in an error, an event or a snapshot. */
export type AuthOptions =
  /**
   * An account of the registry (RBAC): a token is had by one login, kept, and renewed at 80 to 90 % of
   * its life. After a refused login there is no other one for 15 minutes, at any address: the third
   * failure would ban the account. A password that has changed is tried at once; when it is refused as
   * well, none is for 15 minutes. Each application of a process logs in by itself.
   */
  | {
      /** 1 to 64 characters. */
      readonly username: string;
      readonly password?: SecretSource | undefined;
      /**
       * Read before each login, and with each request while it is refused; a line break at its end is
       * cut. Instead of `password`.
       */
      readonly passwordFile?: string | undefined;
    }
  /** Keys of Huawei Cloud; the secret key signs and is not sent. `project` is the cloud's name of it. */
  | {
      readonly accessKey: string;
      readonly secretKey: string;
      readonly project?: string | undefined;
    }
  /** Sent as `Authorization: Bearer …`. A function is asked before each request. */
  | { readonly token: SecretSource }
  /** Any headers, such as `X-Auth-Token` of IAM; asked for before each request. */
  | {
      readonly headers: () =>
        Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
    };

/** The service whose instance this process is. */
export interface MicroserviceOptions {
  /**
   * Application, 1 to 160 letters, digits, `_`, `-`, `.`, starting and ending with a letter or digit.
   *
   * @default 'default'
   */
  readonly appId?: string | undefined;
  /**
   * Name, 1 to 128 letters, digits, `_`, `-`, `.`, starting and ending with a letter or digit.
   *
   * @default the name in package.json without its scope: `orders` of `@acme/orders`
   */
  readonly serviceName?: string | undefined;
  /**
   * One to four numbers up to 32,767, separated by dots. The pre-release and build of a semantic
   * version are cut: the registry knows neither.
   *
   * @default the version in package.json, else `0.0.1`
   */
  readonly version?: string | undefined;
  /** Part of the identity of the service. @default '' */
  readonly environment?: '' | 'development' | 'testing' | 'acceptance' | 'production' | undefined;
  /** At most 256 characters. @default none */
  readonly description?: string | undefined;
  /** @default 'BACK' */
  readonly level?: 'FRONT' | 'MIDDLE' | 'BACK' | undefined;
  /**
   * A second name to find the service by; at most 128 letters, digits, `_`, `-`, `.`, `:`.
   *
   * @default none
   */
  readonly alias?: string | undefined;
  /** @default `nestjs` and the version of @nestjs/core */
  readonly framework?: { readonly name: string; readonly version: string } | undefined;
  /**
   * Sent when the service is created; an existing service keeps its own.
   *
   * @default what `SERVICECOMB_SERVICE_PROPS` (`key:value,key:value`) holds; both are merged, and the
   * option wins
   */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * Sent when the service is created, at most 100. Keys and values are 1 to 64 letters, digits, `_`,
   * `-`, `.`, a letter first.
   *
   * @default {}
   */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Ids of the contracts that the service declares, at most 100. @default [] */
  readonly schemas?: readonly string[] | undefined;
}

/** A provider that tells whether the application can serve. */
export interface HealthSource {
  /** A rejection says no, and so does an answer that takes longer than five seconds. */
  isHealthy(): boolean | Promise<boolean>;
}

/** What finds a provider: its class, or the token it is provided under. */
export type HealthSourceToken =
  (abstract new (...parts: never[]) => HealthSource) | string | symbol;

/** This process, as it appears in the registry. */
export interface InstanceOptions {
  /**
   * 1 to 64 letters, digits, `_`, `.`, `-`, and neither `.` nor `..`. A stable one, such as the pod's
   * name, lets a restarted process replace the record of its predecessor.
   *
   * @default a random UUID, drawn once per application
   */
  readonly instanceId?: string | undefined;
  /** 1 to 64 characters without white space. @default os.hostname(), cut to 64 */
  readonly hostName?: string | undefined;
  /**
   * Where consumers reach the instance, `scheme://host:port` each, with a query if need be. None is
   * allowed.
   *
   * @default `rest://address:port` of the server that listens, with `?sslEnabled=true` under https;
   * none for a process without an HTTP server
   */
  readonly endpoints?: readonly string[] | undefined;
  /**
   * Host name or IP address to publish when the server is bound to all interfaces.
   *
   * @default the first address in `preferredNetwork`, else the first non-internal IPv4, docker
   * bridges last
   */
  readonly address?: string | undefined;
  /** A CIDR (`10.0.0.0/8`) or the name of an interface (`eth0`). @default none */
  readonly preferredNetwork?: string | undefined;
  /** Status to register with. @default 'UP' */
  readonly status?: InstanceStatusOption | undefined;
  /**
   * @default what ServiceStage injects: `SERVICECOMB_INSTANCE_PROPS` (`key:value,key:value`) and the
   * `CAS_*` variables that are set; both are merged, and the option wins
   */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * A provider whose health drives the status: three checks in a row that fail make it OUTOFSERVICE,
   * two that succeed make it what it was. Checked every 5,000 milliseconds, or every `intervalMs` when
   * that is less.
   *
   * @default none: the status is what `status` and `Registration.setStatus()` say
   */
  readonly statusFromHealth?: HealthSourceToken | undefined;
  /** Where the process runs: 1 to 128 letters, digits, `_`, `.`, `-` each. @default none */
  readonly dataCenter?:
    { readonly name: string; readonly region: string; readonly availableZone: string } | undefined;
}

/** How the lease is kept. */
export interface HeartbeatOptions {
  /**
   * Milliseconds between two heartbeats: whole seconds from 1,000 to 600,000. The server counts an
   * interval under 5,000 as 5,000 when it computes the lease; Huawei Cloud wants 20,000 at least for
   * an exclusive engine and 30,000 for the others. Less is a warning at the start.
   *
   * @default 15000; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly intervalMs?: number | undefined;
  /**
   * Heartbeats that may be missed: the lease is `intervalMs × (times + 1)`. 1 to 1,000; the server
   * raises it to 3.
   *
   * @default 3
   */
  readonly times?: number | undefined;
  /**
   * Random part of the interval, 0 to 0.5: to either side, or only on top of it where the vendor wants
   * a least distance (the `cse-…` profiles).
   *
   * @default 0.1
   */
  readonly jitter?: number | undefined;
  /**
   * Heartbeats between two read-backs of the registry's record, 0 (never) to 10,000. A 200 is no
   * proof of a renewal; a read-back is.
   *
   * @default 10
   */
  readonly verifyEvery?: number | undefined;
}

/** When to register, and how to go on after a failure. */
export interface RegistrationOptions {
  /**
   * `listen`: when the HTTP server listens. `bootstrap`: in onApplicationBootstrap. `manual`: when
   * `Registration.register()` is called.
   *
   * @default 'listen' where there is an HTTP server, else 'bootstrap'
   */
  readonly when?: 'listen' | 'bootstrap' | 'manual' | undefined;
  /**
   * Whether start-up fails when the service cannot be registered at the first attempt, an unreachable
   * registry included.
   *
   * @default false
   */
  readonly failFast?: boolean | undefined;
  /** Pauses between failed attempts, in milliseconds, each drawn at random up to the backoff. */
  readonly retry?:
    | {
        /** First pause, 10 to 600,000. @default 1000 */
        readonly initialMs?: number | undefined;
        /**
         * Longest pause, `initialMs` to 600,000.
         *
         * @default 30000, or two intervals if that is less; `initialMs` if that is more
         */
        readonly maxMs?: number | undefined;
        /** Growth per failure, 1 to 10. @default 2 */
        readonly factor?: number | undefined;
      }
    | undefined;
}

/** How the process leaves. */
export interface ShutdownOptions {
  /** Bounds the removal, 100 to 60,000 milliseconds. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How long to keep serving after the removal, 0 to 600,000 milliseconds, so that consumers that
   * still know the instance are answered. Comes on top of `timeoutMs`.
   *
   * @default 0
   */
  readonly drainMs?: number | undefined;
  /**
   * Whether the status becomes OUTOFSERVICE first, and the instance is removed after `drainMs`: then
   * consumers can tell one that leaves from one that has crashed. The lease is kept meanwhile.
   *
   * @default false: the instance is removed first
   */
  readonly statusFirst?: boolean | undefined;
}

/** Options of `RegistryModule.forRoot()`, all optional. */
export interface RegistryModuleOptions {
  /** false makes the module inert: no request, no timer, no event. @default true */
  readonly enabled?: boolean | undefined;
  /** @default 'open-source' */
  readonly profile?: RegistryProfile | undefined;
  readonly serviceCenter?: ServiceCenterOptions | undefined;
  readonly microservice?: MicroserviceOptions | undefined;
  readonly instance?: InstanceOptions | undefined;
  readonly heartbeat?: HeartbeatOptions | undefined;
  readonly registration?: RegistrationOptions | undefined;
  readonly shutdown?: ShutdownOptions | undefined;
}
