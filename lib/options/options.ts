/**
 * The options as users write them. `resolved-options.ts` has the form that the rest of the library reads,
 * `resolve-options.ts` turns one into the other, and every default is in `defaults.ts`.
 */

import type { AxiosRequestConfig } from 'axios';
import type { Picker } from '../discovery/candidate.js';
import type { ZoneUse } from '../discovery/settings.js';

/**
 * TLS settings for `https://` addresses. Certificates and keys are PEM.
 *
 * Each `…File` option is the path of a file whose content replaces the option of the same name without
 * `File`. The files are read again every 5 seconds, or every `heartbeat.intervalMs` if that is shorter,
 * and new connections use what has changed. Files that do not fit together, such as one that is only
 * half written, are ignored until they do.
 *
 * @example
 * tls: { caFile: '/etc/tls/ca.crt', certFile: '/etc/tls/tls.crt', keyFile: '/etc/tls/tls.key' }
 */
export interface ServiceCenterTlsOptions {
  /** CA certificates to trust instead of Node's. @default Node's */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  readonly caFile?: string | undefined;
  /** Certificate of this client for mTLS, followed by those of its issuers. @default none */
  readonly cert?: string | Buffer | undefined;
  readonly certFile?: string | undefined;
  /** Private key of `cert`. @default none */
  readonly key?: string | Buffer | undefined;
  readonly keyFile?: string | undefined;
  /** Passphrase of an encrypted `key`. A line break at the end of the file is removed. @default none */
  readonly passphrase?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** Host name in the registry's certificate, not an IP address. @default the host of the address */
  readonly servername?: string | undefined;
  /**
   * `false` accepts any certificate and warns at each start. NODE_TLS_REJECT_UNAUTHORIZED is ignored.
   * @default true
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Oldest version of TLS to accept. @default Node's, but at least TLSv1.2 */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/**
 * Kind of registry. It selects defaults, and warnings about the vendor's requirements.
 *
 * - `open-source`: Apache Service Center
 * - `cse-exclusive`: an exclusive microservice engine of Huawei Cloud CSE
 * - `cse-professional`: the professional microservice engine
 * - `cse-legacy`: the older API, which requires `serviceCenter.domain` and `serviceCenter.project`
 */
export type RegistryProfile = 'open-source' | 'cse-exclusive' | 'cse-professional' | 'cse-legacy';

/** The settings of axios that have an effect. */
export type AxiosSettings = Pick<AxiosRequestConfig, 'headers' | 'httpAgent' | 'httpsAgent'>;

/** The registry and how to connect to it. */
export interface ServiceCenterOptions {
  /**
   * Addresses of Service Center: absolute http or https URLs without credentials and query. A path
   * prefix, such as that of a gateway, is kept. An item may be a list with commas; one that is undefined or
   * empty does not count, so that `[process.env.REGISTRY]` without that variable is the default.
   * @default the comma-separated list in `SERVICE_CENTER_ADDRESS`, then in `PAAS_CSE_SC_ENDPOINT`, then
   * `['http://127.0.0.1:30100']`
   *
   * @example
   * addresses: ['http://10.0.0.11:30100', 'http://10.0.0.12:30100']
   */
  readonly addresses?: readonly (string | undefined)[] | undefined;
  /**
   * The `{project_id}` in every path, 1 to 64 characters other than `.` and `..`. On Huawei Cloud CSE
   * it is the tenant's project or `default` for a professional engine, `default` for an exclusive one.
   * @default 'default'; none for `cse-legacy`, where it must be set
   */
  readonly project?: string | undefined;
  /**
   * The header `x-domain-name`: visible ASCII, all else encoded. Must be set for `cse-legacy`.
   * @default none; the server then uses its domain `default`
   */
  readonly domain?: string | undefined;
  /**
   * Deadline of one operation in milliseconds, 100 to 60,000; it includes connection, headers, body, a login
   * that has to come first, and a second address: while another one is left, the first has half of it.
   * A heartbeat has `heartbeat.intervalMs / 3` instead, at least 500 and at most 5,000.
   * @default 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether to ask the registry for the addresses of its other nodes, at the start and every ten
   * minutes, and to use each one once it responds. Set it only where those nodes register themselves
   * under addresses that this process can reach.
   * @default false
   */
  readonly learnAddresses?: boolean | undefined;
  /** Credentials, sent only to the registry's own addresses, never to a redirect. @default none */
  readonly auth?: AuthOptions | undefined;
  /** TLS settings, and the certificate of this client. */
  readonly tls?: ServiceCenterTlsOptions | undefined;
  /**
   * Size of the longest response body to read, 1,024 to 268,435,456 bytes after decompression. Only
   * lists and schemas may exceed 1,048,576. A longer body causes a ServiceCenterProtocolError.
   * @default 1048576
   */
  readonly maxAnswerBytes?: number | undefined;
  /**
   * Settings of axios: `headers` to add, and an `httpAgent` or `httpsAgent` that replaces ours, such as an
   * agent of a proxy. An `httpsAgent` has TLS settings of its own; `tls` then has no effect. Any other
   * setting is an error, since it would have no effect.
   * @default none
   */
  readonly axios?: AxiosSettings | undefined;
}

/**
 * A secret, or a function that returns it each time it is needed; a function does its own caching. If it
 * takes longer than `serviceCenter.timeoutMs`, or 10 seconds if that is shorter, the request fails with a
 * CredentialsError, and the function is called again for the next one.
 */
export type SecretSource = string | (() => string | Promise<string>);

/**
 * Credentials, of one of four kinds. No log, error, event or snapshot shows a secret.
 *
 * - `username` with `password` or `passwordFile`: an account of the registry (RBAC). The client logs in
 *   once, keeps the token and renews it at 80 to 90 % of its lifetime. After a refused login it waits 15
 *   minutes before the next one, at any address, because the third failure would ban the account. A
 *   changed password is tried at once; if it is refused too, the 15 minutes start again.
 * - `accessKey` and `secretKey`: keys of Huawei Cloud. The secret key signs requests and is not sent.
 * - `token`: sent as `Authorization: Bearer …`.
 * - `headers`: any headers, such as `X-Auth-Token` of IAM.
 *
 * @example
 * auth: { username: 'orders', passwordFile: '/run/secrets/registry-password' }
 *
 * @example
 * auth: { token: () => vault.read('registry-token') }
 */
export type AuthOptions =
  | {
      /** 1 to 64 characters without control characters. */
      readonly username: string;
      /** A text with a line break or another control character is refused at boot. */
      readonly password?: SecretSource | undefined;
      /**
       * Path of a file to use instead of `password`. It is read before each login, and with each request
       * while logins are refused. Line breaks at its end and a byte order mark at its beginning are removed.
       */
      readonly passwordFile?: string | undefined;
    }
  | {
      readonly accessKey: string;
      readonly secretKey: string;
      /** Name of the project on Huawei Cloud, 1 to 64 characters. @default none */
      readonly project?: string | undefined;
    }
  | {
      /** A function is called before each request. */
      readonly token: SecretSource;
    }
  | {
      /** Called before each request. */
      readonly headers: () =>
        Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
    };

/** The service that this process is an instance of. */
export interface MicroserviceOptions {
  /**
   * Application of the service: 1 to 160 letters, digits, `_-.`, a letter or digit first and last.
   * @default the variable `SERVICECOMB_APP_ID`, else 'default'
   */
  readonly appId?: string | undefined;
  /**
   * Name of the service: 1 to 128 letters, digits, `_-.`, a letter or digit first and last.
   * @default the variable `SERVICECOMB_SERVICE_NAME`, else the name in package.json without its scope: `orders`
   * for `@acme/orders`. At the root of a workspace, whose applications share it, that causes a warning
   */
  readonly serviceName?: string | undefined;
  /**
   * One to four numbers up to 32,767, separated by dots. The pre-release and build parts of a semantic
   * version are removed, because the registry does not support them.
   * @default the variable `SERVICECOMB_VERSION`, else the version in package.json, else `0.0.1`
   */
  readonly version?: string | undefined;
  /** Part of the identity of the service, like its name and version. @default '' */
  readonly environment?: '' | 'development' | 'testing' | 'acceptance' | 'production' | undefined;
  /** At most 256 characters. @default none */
  readonly description?: string | undefined;
  /** Layer of the service. @default 'BACK' */
  readonly level?: 'FRONT' | 'MIDDLE' | 'BACK' | undefined;
  /** A second name to find the service by: at most 128 letters, digits, `_-.:`. @default none */
  readonly alias?: string | undefined;
  /** Framework of the service, as the registry shows it. @default `nestjs`, version of @nestjs/core */
  readonly framework?: { readonly name: string; readonly version: string } | undefined;
  /**
   * Those of an existing service become these, unless these are empty.
   * @default the entries of `SERVICECOMB_SERVICE_PROPS` (`key:value,key:value`). If both are set they are
   * merged, and the option wins
   */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * At most 100. Keys and values have 1 to 64 letters, digits, `_`, `-`, `.`, starting with a letter. Those of an
   * existing service become these, unless these are empty.
   * @default {}
   */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Ids of the API contracts that the service declares, at most 100. @default [] */
  readonly schemas?: readonly string[] | undefined;
}

/**
 * Whether the application can serve: a boolean, or a result of an indicator or of the HealthCheckService of
 * @nestjs/terminus, which is good if nothing in it is down.
 */
export type HealthAnswer =
  boolean | Readonly<Record<string, { readonly status: string }>> | { readonly status: string };

/** A provider that reports whether the application can serve, such as an indicator of @nestjs/terminus. */
export interface HealthSource {
  /**
   * A rejection counts as false, and so does a promise still pending when the next check is due.
   * @param key `'application'`, for indicators of terminus
   */
  isHealthy(key: string): HealthAnswer | Promise<HealthAnswer>;
}

/** The class of a provider, or the token under which it is provided. */
export type HealthSourceToken =
  (abstract new (...parts: never[]) => HealthSource) | string | symbol;

/** The record of this process in the registry. */
export interface InstanceOptions {
  /**
   * 1 to 64 letters, digits, `_`, `.`, `-`, other than `.` and `..`. With a stable id, such as the name of
   * the pod, a restarted process replaces the record of its predecessor.
   * @default a random UUID for each application
   */
  readonly instanceId?: string | undefined;
  /** 1 to 64 characters without white space. @default os.hostname(), cut to 64 */
  readonly hostName?: string | undefined;
  /**
   * Addresses for consumers, each `scheme://host:port` with an optional query. The list may be empty. One that
   * leaves the host open, `scheme://:port`, gets that of `address`, or an address of this machine as a server on
   * all interfaces does. If all leave it open they add to the endpoint of the HTTP server; else they replace it.
   * @default `rest://address:port` of the HTTP server, if any, with `?sslEnabled=true` for https
   *
   * @example
   * endpoints: ['rest://orders.example.com:443?sslEnabled=true']
   *
   * @example
   * endpoints: ['grpc://:50051'] // beside that of the HTTP server
   */
  readonly endpoints?: readonly string[] | undefined;
  /**
   * Host name or IP address to publish, whatever the server is bound to.
   * @default the address that the server is bound to. If that is all: an address in `preferredNetwork`, else
   * the one from which this machine reaches the registry, else the first non-internal IPv4 address, bridges of
   * containers last
   */
  readonly address?: string | undefined;
  /**
   * A CIDR (`10.0.0.0/8`) or the name of an interface (`eth0`), to choose among the addresses of this machine.
   * One that fits none of them causes a warning.
   * @default none
   */
  readonly preferredNetwork?: string | undefined;
  /** Status to register with. Consumers call only instances that are `UP`. @default 'UP' */
  readonly status?: 'UP' | 'DOWN' | 'STARTING' | 'TESTING' | 'OUTOFSERVICE' | undefined;
  /**
   * Properties that consumers can read.
   * @default what ServiceStage sets: the entries of `SERVICECOMB_INSTANCE_PROPS` (`key:value,key:value`)
   * and the `CAS_*` variables. If both are set they are merged, and the option wins
   */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * A provider whose health determines the status. After three failed checks in a row the status becomes
   * OUTOFSERVICE; after two that succeed it becomes what it was before. A status that `setStatus()` or an operator
   * has set wins. Checked every 5,000 milliseconds, or every `heartbeat.intervalMs` if that is shorter.
   * @default none: the status is set by `status` and `Registration.setStatus()`
   *
   * @example
   * // A provider of the application with a method isHealthy(), such as an indicator of terminus
   * statusFromHealth: DatabaseHealth
   */
  readonly statusFromHealth?: HealthSourceToken | undefined;
  /** Where the process runs: 1 to 128 letters, digits, `_`, `.`, `-` each. @default none */
  readonly dataCenter?:
    { readonly name: string; readonly region: string; readonly availableZone: string } | undefined;
}

/** How the lease is kept alive. */
export interface HeartbeatOptions {
  /**
   * Milliseconds between two heartbeats: whole seconds from 1,000 to 600,000. The server computes the lease
   * with at least 5,000. Huawei Cloud requires at least 20,000 for an exclusive engine and 30,000 for the
   * others. A shorter interval causes a warning at the start.
   * @default 15000; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly intervalMs?: number | undefined;
  /**
   * Number of heartbeats that may be missed, 1 to 1,000; the server uses at least 3. The lease lasts
   * `intervalMs × (times + 1)`.
   * @default 3
   */
  readonly times?: number | undefined;
  /**
   * Random part of the interval, 0 to 0.5. It shortens or lengthens the interval; with the `cse-…`
   * profiles, whose vendor requires a minimum, it only lengthens it.
   * @default 0.1
   */
  readonly jitter?: number | undefined;
  /**
   * Number of heartbeats after which the record is read back from the registry, up to 10,000; 0 is never.
   * A heartbeat that succeeds does not prove that the lease was renewed; the record does.
   * @default 10
   */
  readonly verifyEvery?: number | undefined;
}

/** When to register, and how to retry. */
export interface RegistrationOptions {
  /**
   * `listen` registers when the HTTP server listens, `bootstrap` in onApplicationBootstrap, and `manual`
   * when `Registration.register()` is called.
   * @default 'listen' where there is an HTTP server, though `instance.endpoints` needs none; else 'bootstrap'. An
   * application context without `instance.endpoints` does not register by itself
   */
  readonly when?: 'listen' | 'bootstrap' | 'manual' | undefined;
  /**
   * Whether the application fails to start when the first attempt to register the service fails, also
   * when the registry is unreachable.
   * @default false
   */
  readonly failFast?: boolean | undefined;
  /** Delays after failed attempts, in milliseconds; each is random, up to an exponential limit. */
  readonly retry?:
    | {
        /** Limit of the first delay, 10 to 600,000. @default 1000 */
        readonly initialMs?: number | undefined;
        /**
         * Limit of all delays, `initialMs` to 600,000.
         * @default 30000 or two intervals, whichever is less, but at least `initialMs`
         */
        readonly maxMs?: number | undefined;
        /** Growth of the limit with each failure, 1 to 10. @default 2 */
        readonly factor?: number | undefined;
      }
    | undefined;
}

/**
 * Contracts of the service that are uploaded before its instance is registered, for consumers in other languages
 * and for the registry's console. `Registration.setSchemas()` sets others.
 *
 * @example
 * schemas: { documents: { 'orders.rest': readFileSync('openapi.yaml', 'utf8') } }
 */
export interface SchemasOptions {
  /**
   * Contents by the id of the schema: 1 to 160 letters, digits, `_-.`, a letter or digit first and last; at most
   * 100. A text is uploaded as it is, an object as JSON with its keys in order.
   * @default {}
   */
  readonly documents?: Readonly<Record<string, string | object>> | undefined;
  /**
   * What is done about a schema that the registry stores with another content: `overwrite` replaces it, `ignore`
   * leaves it as it is, `fail` does not register the instance and looks again each minute.
   * @default 'overwrite'
   */
  readonly onMismatch?: 'overwrite' | 'ignore' | 'fail' | undefined;
}

/** How the process leaves the registry. */
export interface ShutdownOptions {
  /** Deadline for the removal in milliseconds, 100 to 60,000. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How long to keep serving after the removal, 0 to 600,000 milliseconds, for consumers that still know
   * the instance. It adds to `timeoutMs`.
   * @default 0
   */
  readonly drainMs?: number | undefined;
  /**
   * Whether to set the status to OUTOFSERVICE first and to remove the instance after `drainMs`, so that
   * consumers can tell a shutdown from a crash. Heartbeats continue until the removal.
   * @default false: the instance is removed first
   */
  readonly statusFirst?: boolean | undefined;
}

/** When an endpoint of a provider is set aside: its calls then go to the other instances. */
export interface EjectionOptions {
  /**
   * Failed calls in a row after which it is, 1 to 100. Only calls that may have arrived are counted: a connection
   * that was refused sets the endpoint aside at once.
   * @default 5
   */
  readonly failures?: number | undefined;
  /** For how long at first, 100 to 600,000 milliseconds; each failed trial doubles it. @default 5000 */
  readonly firstMs?: number | undefined;
  /** For how long at most, `firstMs` to 3,600,000 milliseconds. @default 60000, or `firstMs` if that is more */
  readonly longestMs?: number | undefined;
  /** The largest part of the instances that is set aside at a time, 0 to 0.9. @default 0.5 */
  readonly share?: number | undefined;
}

/** What differs for one provider. */
export interface ProviderOptions {
  /** Name of the service, or an alias that is registered for it. @default the key: the name that is called */
  readonly serviceName?: string | undefined;
  /** Another application must allow cross-app access. @default `microservice.appId` */
  readonly appId?: string | undefined;
  /** Another environment is polled, never watched. @default `microservice.environment` */
  readonly environment?: '' | 'development' | 'testing' | 'acceptance' | 'production' | undefined;
  /** `1.0.0`, `1.0.0+`, `1.0.0-2.0.0` (without the last) or `latest`. @default all versions */
  readonly versionRule?: string | undefined;
  /**
   * Fixed endpoints such as `rest://127.0.0.1:4001`. The registry is never asked for this provider: for tests,
   * for development, and for what is not registered.
   * @default none
   */
  readonly endpoints?: readonly string[] | undefined;
  /** @default `discovery.picker` */
  readonly picker?: Picker | undefined;
  /** @default `discovery.zone` */
  readonly zone?: ZoneUse | undefined;
}

/** How other services are found and called. Nothing is asked for before `Discovery` is used. */
export interface DiscoveryOptions {
  /**
   * Milliseconds between two polls of a provider, give or take a fifth: whole seconds from 1,000 to 600,000. With the
   * `cse-…` profiles it is a minimum.
   * @default 15000; 20000 for `cse-exclusive`, 30000 for `cse-professional` and `cse-legacy`
   */
  readonly pollIntervalMs?: number | undefined;
  /**
   * Whether to follow changes over a WebSocket, besides polling.
   * @default true; false for the `cse-…` profiles, since not every engine answers the handshake
   */
  readonly watch?: boolean | undefined;
  /**
   * How long instances may be called that a doubtful answer lacks, such as the empty one of a registry that has lost its
   * data: 0 to 3,600,000 milliseconds. The first failed call drops each. 0 believes every answer.
   * @default 120000
   */
  readonly keepMs?: number | undefined;
  /**
   * Names of providers to ask for before the server listens, for `serviceCenter.timeoutMs` at most. A provider that
   * cannot be found does not fail the start.
   * @default []
   */
  readonly warmUp?: readonly string[] | undefined;
  /** Chooses the instance of each call. @default pickers.balanced */
  readonly picker?: Picker | undefined;
  /**
   * `prefer` calls instances in the zone of this one, and others when those are loaded; `only` never calls others;
   * `ignore` makes no difference. Without `instance.dataCenter` there is no zone.
   * @default 'prefer'
   */
  readonly zone?: ZoneUse | undefined;
  /** `false` never sets an endpoint aside. */
  readonly ejection?: EjectionOptions | false | undefined;
  /**
   * What differs per provider, by the name that it is called by.
   * @default {}
   *
   * @example
   * providers: {
   *   greeter: { versionRule: '1.0.0+' },
   *   billing: { appId: 'finance', picker: pickers.sticky },
   * }
   */
  readonly providers?: Readonly<Record<string, ProviderOptions>> | undefined;
}

/**
 * Options of `RegistryModule.forRoot()`. All are optional.
 *
 * @example
 * RegistryModule.forRoot({
 *   serviceCenter: { addresses: ['http://registry.internal:30100'] },
 *   microservice: { serviceName: 'orders', version: '1.4.0' },
 *   heartbeat: { intervalMs: 10_000 },
 * })
 */
export interface RegistryModuleOptions {
  /**
   * `false` makes the module inert: no requests, no timers, no events. Only the fixed endpoints of
   * `discovery.providers` can then be called.
   * @default the variable `SERVICECOMB_ENABLED`, which is `true` or `false`, else true
   */
  readonly enabled?: boolean | undefined;
  /**
   * Kind of registry; other defaults depend on it.
   * @default 'open-source'
   *
   * @example
   * profile: 'cse-exclusive' // an engine of Huawei Cloud: a heartbeat every 20 seconds, never sooner
   */
  readonly profile?: RegistryProfile | undefined;
  readonly serviceCenter?: ServiceCenterOptions | undefined;
  readonly microservice?: MicroserviceOptions | undefined;
  readonly instance?: InstanceOptions | undefined;
  readonly heartbeat?: HeartbeatOptions | undefined;
  readonly registration?: RegistrationOptions | undefined;
  readonly schemas?: SchemasOptions | undefined;
  readonly shutdown?: ShutdownOptions | undefined;
  readonly discovery?: DiscoveryOptions | undefined;
}
