/**
 * The registry's own words: the JSON of Service Center's API v4, as it travels.
 *
 * Seconds appear here and nowhere else in this library. The server leaves out every field that is
 * empty, so almost all of them are optional.
 */

/** Life-cycle status of an instance. Only `UP` ones should be called. */
export type InstanceStatus = 'UP' | 'DOWN' | 'STARTING' | 'TESTING' | 'OUTOFSERVICE';

/** Deployment environment of a service; part of its identity. The empty string is one of them. */
export type Environment = '' | 'development' | 'testing' | 'acceptance' | 'production';

/** Layer of a service: facing users, in between, or at the back. */
export type MicroserviceLevel = 'FRONT' | 'MIDDLE' | 'BACK';

/** What a service is built with. */
export interface Framework {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
}

/** The four values that identify a service, besides domain and project. */
export interface MicroserviceKey {
  readonly environment?: string | undefined;
  readonly appId?: string | undefined;
  readonly serviceName: string;
  readonly version: string;
}

/** A logical service in one version; its instances are registered under its `serviceId`. */
export interface Microservice extends MicroserviceKey {
  /** Given by the server unless sent; any text of 1 to 64 characters, not always hexadecimal. */
  readonly serviceId?: string | undefined;
  readonly description?: string | undefined;
  readonly level?: MicroserviceLevel | undefined;
  readonly status?: 'UP' | 'DOWN' | undefined;
  readonly alias?: string | undefined;
  readonly schemas?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly framework?: Framework | undefined;
  readonly registerBy?: 'SDK' | 'SIDECAR' | 'PLATFORM' | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly timestamp?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly modTimestamp?: string | undefined;
}

/**
 * How the lease of an instance is kept. Its length is `interval × (times + 1)` seconds
 * (datasource/etcd/ms.go); the server raises `interval` to its floor of 5 and `times` to 3.
 */
export interface HealthCheck {
  readonly mode: 'push' | 'pull';
  /** Seconds between two heartbeats. */
  readonly interval: number;
  /** Heartbeats that may be missed; left out by the server when there are none. */
  readonly times?: number | undefined;
  readonly port?: number | undefined;
  readonly url?: string | undefined;
}

/** Where an instance runs. All three are required when any is sent. */
export interface DataCenterInfo {
  readonly name: string;
  readonly region: string;
  readonly availableZone: string;
}

/** One running copy of a service. */
export interface MicroserviceInstance {
  /** Given by the server unless sent. */
  readonly instanceId?: string | undefined;
  readonly serviceId?: string | undefined;
  readonly hostName: string;
  /** `scheme://host:port` each. */
  readonly endpoints?: readonly string[] | undefined;
  readonly status?: InstanceStatus | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  readonly dataCenterInfo?: DataCenterInfo | undefined;
  /** Version of the service, set by the server. */
  readonly version?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly timestamp?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly modTimestamp?: string | undefined;
}

/** Names one instance: the id of its service and its own. */
export interface InstanceRef {
  readonly serviceId: string;
  readonly instanceId: string;
}

/** A contract of a service, such as an OpenAPI document. */
export interface Schema {
  readonly schemaId: string;
  readonly schema?: string | undefined;
  /** SHA-256 of the content in hexadecimal, by custom of the official clients. */
  readonly summary?: string | undefined;
}

/** What the server tells of itself. */
export interface ServiceCenterVersion {
  readonly version?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly buildTag?: string | undefined;
  readonly goVersion?: string | undefined;
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
}

/** The outcome of one beat of a batch; `errMessage` is there when it failed. */
export interface HeartbeatResult extends InstanceRef {
  readonly errMessage?: string | undefined;
}
