/** A service in the messages to the page. */
export interface ServiceView {
  /** Unique among all services of all namespaces. */
  readonly key: string;
  /** Name of its namespace: `domain/project`. */
  readonly tenant: string;
  readonly serviceId: string;
  readonly appId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly environment: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** The lease of an instance. */
export interface LeaseView {
  readonly lengthMs: number;
  /**
   * Remaining milliseconds when the message was sent; negative if the lease is over but was not
   * ended yet.
   */
  readonly remainingMs: number;
  /** Time of the grant or the last renewal: milliseconds since 1970 by the registry's clock. */
  readonly renewedAt: number;
}

/** An instance in the messages to the page. */
export interface InstanceView {
  /** Unique among all instances of all services. */
  readonly key: string;
  readonly instanceId: string;
  readonly hostName: string;
  readonly status: string;
  readonly endpoints: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** Null once the instance is removed. */
  readonly lease: LeaseView | null;
}

/** A service with its instances. */
export interface ServiceWithInstances extends ServiceView {
  readonly instances: readonly InstanceView[];
}

/** All services and instances, except the Service Center itself. */
export interface RegistryView {
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly now: number;
  readonly services: readonly ServiceWithInstances[];
}

/** A change of a service or an instance. */
export interface ChangeView {
  readonly kind: 'registered' | 'updated' | 'removed' | 'expired';
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  readonly service: ServiceView;
  /** Absent if the service itself changed. */
  readonly instance?: InstanceView;
}

/** An instance whose lease was renewed. */
export interface RenewalView {
  readonly serviceKey: string;
  readonly instanceKey: string;
  readonly lease: LeaseView;
}

/** An active fault. */
export interface FaultView {
  readonly id: string;
  readonly kind: string;
  readonly match: Readonly<Record<string, string | number>>;
  readonly hits: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How the registry was set up. */
export interface SetupView {
  /** Name of the vendor's or Apache's profile. */
  readonly profile: string;
  /** The oddities that are on, with their values. */
  readonly oddities: Readonly<Record<string, number | boolean>>;
}

/** A schema of a service. */
export interface SchemaView {
  readonly schemaId: string;
  /** Characters of its content; null if it was declared and never uploaded. */
  readonly length: number | null;
  readonly summary: string;
}

/** What is known of a service besides its instances. */
export interface ServiceDetails {
  readonly serviceId: string;
  readonly description: string;
  readonly level: string;
  readonly framework: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly schemas: readonly SchemaView[];
  /** Services that it calls, as far as the registry was told: name and version. */
  readonly providers: readonly string[];
  /** Services that call it. */
  readonly consumers: readonly string[];
}

/** Events of `/-/events` by name, with their data. */
export interface PageEvents {
  /** Sent first, and again after a client was too slow for the changes in between. */
  readonly registry: RegistryView;
  /** Follows `registry`: the last changes before it, oldest first. */
  readonly history: readonly ChangeView[];
  readonly changes: readonly ChangeView[];
  readonly renewals: readonly RenewalView[];
  /** Follows `history`, and comes again when an oddity is switched on or off. */
  readonly setup: SetupView;
  /** All active faults. */
  readonly faults: readonly FaultView[];
}
