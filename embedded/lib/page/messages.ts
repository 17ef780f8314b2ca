/** A service, as the page shows it. */
export interface ServiceView {
  /** Differs from that of every other service, whatever its namespace. */
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

/** How long the registry keeps an instance without another heartbeat. */
export interface LeaseView {
  readonly lengthMs: number;
  /** When this was told; less than 0 for a lease that has run out and was not looked at since. */
  readonly remainingMs: number;
  /** When it was granted or last renewed: milliseconds since 1970 by the clock of the registry. */
  readonly renewedAt: number;
}

/** An instance, as the page shows it. */
export interface InstanceView {
  /** Differs from that of every other instance, whatever its service. */
  readonly key: string;
  readonly instanceId: string;
  readonly hostName: string;
  readonly status: string;
  readonly endpoints: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** Null once the instance is gone. */
  readonly lease: LeaseView | null;
}

/** A service with its instances. */
export interface ServiceWithInstances extends ServiceView {
  readonly instances: readonly InstanceView[];
}

/** All that is registered, the Service Center itself excepted. */
export interface RegistryView {
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly now: number;
  readonly services: readonly ServiceWithInstances[];
}

/** Something that happened. */
export interface ChangeView {
  readonly kind: 'registered' | 'updated' | 'removed' | 'expired';
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  readonly service: ServiceView;
  /** Absent when it happened to the service itself. */
  readonly instance?: InstanceView;
}

/** An instance whose lease was renewed. */
export interface RenewalView {
  readonly serviceKey: string;
  readonly instanceKey: string;
  readonly lease: LeaseView;
}

/** A fault that is on. */
export interface FaultView {
  readonly id: string;
  readonly kind: string;
  readonly match: Readonly<Record<string, string | number>>;
  readonly hits: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What `/-/events` tells, by the name of the event. */
export interface PageEvents {
  /** First of all, and again when a listener was too slow for the changes in between. */
  readonly registry: RegistryView;
  readonly changes: readonly ChangeView[];
  readonly renewals: readonly RenewalView[];
  /** All that are on. */
  readonly faults: readonly FaultView[];
}
