import type { CallFailure, ProviderName, ServiceCombError } from './errors.js';
import type { InstanceStatus, MicroserviceInstance } from './protocol/wire.js';

/** The instance that an event is about, once the registry has given its service an id. */
export interface EventInstance {
  readonly serviceId: string;
  readonly instanceId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly endpoints: readonly string[];
}

/** The time and the instance, which every event has. */
export interface EventContext {
  /** When it happened: ISO 8601, by the local wall clock. */
  readonly at: string;
  /** Absent until the id of the service is known. */
  readonly instance?: EventInstance;
}

/** The fields that every event has. Payloads are plain, read-only and safe to log. */
export interface RegistryEventBase<
  Name extends RegistryEventName = RegistryEventName,
> extends EventContext {
  /** The event's own name, for a listener of several events (`servicecomb.**`). */
  readonly name: Name;
}

/**
 * The id of the service was found out. Sent at the first registration, and again after the registry
 * has lost the service.
 */
export interface ServiceRegisteredEvent extends RegistryEventBase<'servicecomb.service.registered'> {
  readonly serviceId: string;
  /** false when the service existed before. */
  readonly created: boolean;
  /** Parts of an existing service that were updated, such as `properties`; absent for none. */
  readonly updated?: readonly string[];
  /** Parts of an existing service that differ and cannot be updated; absent for none. */
  readonly outdated?: readonly string[];
}

/** The instance holds a lease, for the first time or again. Not sent for a renewal. */
export interface InstanceRegisteredEvent extends RegistryEventBase<'servicecomb.instance.registered'> {
  /** How often this process has been registered, this time included. */
  readonly registrations: number;
  /** Length of the lease in milliseconds, from the record that the registry stored. */
  readonly leaseMs: number;
}

/**
 * A stale record under the same id, left behind by an earlier process, was replaced. Sent before
 * instance.registered.
 */
export interface InstanceReplacedEvent extends RegistryEventBase<'servicecomb.instance.replaced'> {
  readonly previous: MicroserviceInstance;
}

/**
 * Another process has registered under the same id, later than this one, and holds it from now on. This
 * process registers again once that record is gone. Sent once until then.
 */
export interface InstanceTakenOverEvent extends RegistryEventBase<'servicecomb.instance.taken-over'> {
  readonly error: ServiceCombError;
  /** The record of the other process. */
  readonly holder: MicroserviceInstance;
}

/**
 * The registry stores other endpoints or another host name than were posted, also after the record was
 * replaced once, so what it stores is accepted. Sent before instance.registered.
 */
export interface RecordRewrittenEvent extends RegistryEventBase<'servicecomb.record.rewritten'> {
  readonly stored: MicroserviceInstance;
}

/** The lease is gone and the instance will be registered again. Not sent while the lease may live. */
export interface InstanceLostEvent extends RegistryEventBase<'servicecomb.instance.lost'> {
  /** `forgotten`: the registry said so. `expired`: by our own clock, while no heartbeat succeeded. */
  readonly reason: 'forgotten' | 'expired';
  /** The request that the registry answered so; `clock` when no request did, and the time is over. */
  readonly foundBy: 'heartbeat' | 'read-back' | 'clock';
  readonly error: ServiceCombError | undefined;
  /** Until the instance is registered again, in milliseconds. */
  readonly retryInMs: number;
}

/** The instance has left the registry. Not sent when it had never been registered. */
export interface InstanceUnregisteredEvent extends RegistryEventBase<'servicecomb.instance.unregistered'> {
  /** false when a registration was aborted and may still arrive after the removal. */
  readonly confirmed: boolean;
}

/** The removal failed within its budget. The registry drops the instance when its lease ends. */
export interface InstanceUnregisterFailedEvent extends RegistryEventBase<'servicecomb.instance.unregister-failed'> {
  readonly error: ServiceCombError;
}

/** An attempt to register failed and will be repeated soon. Not sent for a refusal. */
export interface RegistrationFailedEvent extends RegistryEventBase<'servicecomb.registration.failed'> {
  readonly error: ServiceCombError;
  /** Failed attempts in a row, this one included. */
  readonly failures: number;
  /** Until the next attempt, in milliseconds; less when the registry answers a probe before. */
  readonly retryInMs: number;
}

/** The registry refuses the registration. It is repeated about once a minute until it succeeds. */
export interface RegistrationBlockedEvent extends RegistryEventBase<'servicecomb.registration.blocked'> {
  readonly error: ServiceCombError;
  /** null when no retry can help: the server listens on a Unix socket and `endpoints` is not set. */
  readonly retryInMs: number | null;
}

/** A heartbeat succeeded. Sent for each one. */
export interface HeartbeatSucceededEvent extends RegistryEventBase<'servicecomb.heartbeat.succeeded'> {
  readonly tookMs: number;
}

/** A heartbeat failed while the lease lives. Not sent when the registry says that the lease is gone. */
export interface HeartbeatFailedEvent extends RegistryEventBase<'servicecomb.heartbeat.failed'> {
  readonly error: ServiceCombError;
  /** Failed heartbeats in a row, this one included. */
  readonly failures: number;
  /** The rest of the lease, counted from when the last good heartbeat was sent; 0 at its end. */
  readonly leaseRemainingMs: number;
  /** Until the next heartbeat, in milliseconds. If the lease ends before, there is none. */
  readonly retryInMs: number;
  /**
   * The registry's answer "no such instance" to this heartbeat, when the record could not be read to
   * confirm it: `error` is then the failure of that read.
   */
  readonly unconfirmed?: ServiceCombError;
}

/** A heartbeat succeeded after failed ones. Sent after its heartbeat.succeeded. */
export interface HeartbeatRecoveredEvent extends RegistryEventBase<'servicecomb.heartbeat.recovered'> {
  readonly missed: number;
}

/** Two thirds of the lease have passed without a good heartbeat. Sent once until the next good one. */
export interface LeaseAtRiskEvent extends RegistryEventBase<'servicecomb.lease.at-risk'> {
  readonly leaseRemainingMs: number;
  readonly failures: number;
}

/**
 * The registry had undone a write of ours, and these fields have been written again. Not sent for what
 * somebody else has changed: that is taken over (status.changed, properties.changed).
 */
export interface DriftRepairedEvent extends RegistryEventBase<'servicecomb.drift.repaired'> {
  readonly fields: readonly ('status' | 'properties')[];
}

/** The status has changed. Not sent when the status was that one already. */
export interface StatusChangedEvent extends RegistryEventBase<'servicecomb.status.changed'> {
  readonly from: InstanceStatus;
  readonly to: InstanceStatus;
  /** `application`: this process. `registry`: an operator or a hook, found when the record was read. */
  readonly by: 'application' | 'registry';
}

/** The properties of the instance have changed. Not sent when they were these already. */
export interface PropertiesChangedEvent extends RegistryEventBase<'servicecomb.properties.changed'> {
  /** All properties before. */
  readonly from: Readonly<Record<string, string>>;
  /** All properties now. */
  readonly to: Readonly<Record<string, string>>;
  /** `application`: this process. `registry`: an operator or a hook, found when the record was read. */
  readonly by: 'application' | 'registry';
}

/**
 * An address failed three times in a row. It is not used until it answers a probe, unless no other
 * address is left.
 */
export interface AddressIsolatedEvent extends RegistryEventBase<'servicecomb.address.isolated'> {
  readonly address: string;
  readonly error: ServiceCombError;
  /** Whether no other address serves, as when there is only one: requests then still go to this one. */
  readonly isLast: boolean;
}

/** An isolated address serves again. */
export interface AddressRestoredEvent extends RegistryEventBase<'servicecomb.address.restored'> {
  readonly address: string;
}

/** A login returned a token. Not sent for tokens that the application provides. */
export interface TokenRenewedEvent extends RegistryEventBase<'servicecomb.token.renewed'> {
  readonly address: string;
  /** ISO 8601, by the local wall clock; the registry decides by its own clock. */
  readonly expiresAt: string;
}

/**
 * The registry refused the login. The next login follows after `retryInMs`, or when the password changes,
 * since the third failure would ban the account. Not sent when the registry does not answer.
 */
export interface TokenRefusedEvent extends RegistryEventBase<'servicecomb.token.refused'> {
  readonly address: string;
  readonly error: ServiceCombError;
  readonly retryInMs: number;
}

/**
 * A login that was to renew the token failed, though the account is not to blame: no answer, or no password
 * was provided. The current token serves until it ends, and the next request tries again. Sent each time.
 */
export interface TokenRenewalFailedEvent extends RegistryEventBase<'servicecomb.token.renewal-failed'> {
  readonly address: string;
  readonly error: ServiceCombError;
  /** Failures in a row, this one included. */
  readonly failures: number;
}

/**
 * Schemas of the service were uploaded, or left as the registry has them by `schemas.onMismatch`. Not sent when
 * the registry stored them all, unless an upload had failed before.
 */
export interface SchemasUploadedEvent extends RegistryEventBase<'servicecomb.schemas.uploaded'> {
  /** Ids of those that were sent. */
  readonly uploaded: readonly string[];
  /** Ids of those that the registry stores with another content, and that were left with it. */
  readonly kept: readonly string[];
  /** How many schemas there are in all. */
  readonly count: number;
}

/**
 * Schemas of the service could not be uploaded. The instance is registered all the same, and heartbeats go on.
 * Not sent for a mismatch that keeps the instance from being registered: that is `registration.blocked`.
 */
export interface SchemasFailedEvent extends RegistryEventBase<'servicecomb.schemas.failed'> {
  readonly error: ServiceCombError;
  /** Failures in a row. */
  readonly failures: number;
  /** Milliseconds until the next attempt; null when there is none before the next registration. */
  readonly retryInMs: number | null;
}

/**
 * The process stood still: a turn of the heartbeat's timer came two seconds late or later, because the
 * event loop was blocked, or the machine slept. Not sent for a standstill during which nothing was due.
 * A heartbeat follows at once; with a `cse-…` profile, which keeps a minimum between heartbeats, when it is
 * due. Also sent when the wall clock was set forward by as much.
 */
export interface EventLoopStalledEvent extends RegistryEventBase<'servicecomb.event-loop.stalled'> {
  readonly lateMs: number;
}

/** An instance of a provider, and where it is listed. */
export interface ListedInstance {
  readonly instanceId: string;
  readonly endpoints: readonly string[];
}

/**
 * The instances of a provider that may be called have changed. Not sent when one is set aside, and not
 * for what this process measures of them.
 */
export interface DiscoveryChangedEvent extends RegistryEventBase<'servicecomb.discovery.changed'> {
  readonly provider: ProviderName;
  readonly added: readonly ListedInstance[];
  readonly removed: readonly ListedInstance[];
  /** Same id, another record. */
  readonly updated: readonly ListedInstance[];
}

/**
 * An answer of the registry lacked instances that were known, and is not believed yet: they may be called
 * until their first failed call, for `keptForMs` at most. Sent once until nothing is kept any more.
 */
export interface DiscoveryEmptiedEvent extends RegistryEventBase<'servicecomb.discovery.emptied'> {
  readonly provider: ProviderName;
  readonly kept: readonly ListedInstance[];
  readonly keptForMs: number;
  /**
   * `empty`: the answer had no instance. `absent`: the registry does not know the service any more.
   * `shrunk`: most are missing at once. `after-outage`: it was the first answer after an outage.
   */
  readonly reason: 'empty' | 'absent' | 'shrunk' | 'after-outage';
}

/** The instances of a provider could not be asked for. The known ones serve on. Sent once for failures in a row. */
export interface DiscoveryFailedEvent extends RegistryEventBase<'servicecomb.discovery.failed'> {
  /** Absent when the registry does not answer or cannot serve: no provider can be asked for then. */
  readonly provider?: ProviderName;
  readonly error: ServiceCombError;
  /** Failures in a row, this one included. */
  readonly failures: number;
}

/** The registry answered again after failures. */
export interface DiscoveryRecoveredEvent extends RegistryEventBase<'servicecomb.discovery.recovered'> {
  readonly provider?: ProviderName;
  readonly failures: number;
}

/** The registry pushes changes from now on, over one connection. */
export interface WatchOpenedEvent extends RegistryEventBase<'servicecomb.watch.opened'> {
  readonly address: string;
}

/** The connection that changes are pushed over has ended. Sent once a connection, not for attempts to open it. */
export interface WatchLostEvent extends RegistryEventBase<'servicecomb.watch.lost'> {
  readonly address: string;
  readonly error: ServiceCombError;
  /** Until the next attempt to open it, in milliseconds. */
  readonly retryInMs: number;
}

/** An endpoint of a provider is set aside after failed calls. Calls go to others meanwhile, if there are any. */
export interface EndpointEjectedEvent extends RegistryEventBase<'servicecomb.endpoint.ejected'> {
  readonly provider: ProviderName;
  readonly instanceId: string;
  readonly endpoint: string;
  /** Of the last failed call. */
  readonly error: CallFailure;
  /** Failed calls in a row, this one included. */
  readonly failures: number;
  /** Until a call is tried there, in milliseconds. */
  readonly forMs: number;
}

/** A call that was tried at an endpoint that had been set aside succeeded. */
export interface EndpointRestoredEvent extends RegistryEventBase<'servicecomb.endpoint.restored'> {
  readonly provider: ProviderName;
  readonly instanceId: string;
  readonly endpoint: string;
  /** Since it was set aside, in milliseconds. */
  readonly afterMs: number;
}

/** The payload of each event by its name. */
export interface RegistryEventMap {
  'servicecomb.service.registered': ServiceRegisteredEvent;
  'servicecomb.instance.registered': InstanceRegisteredEvent;
  'servicecomb.instance.replaced': InstanceReplacedEvent;
  'servicecomb.instance.taken-over': InstanceTakenOverEvent;
  'servicecomb.record.rewritten': RecordRewrittenEvent;
  'servicecomb.instance.lost': InstanceLostEvent;
  'servicecomb.instance.unregistered': InstanceUnregisteredEvent;
  'servicecomb.instance.unregister-failed': InstanceUnregisterFailedEvent;
  'servicecomb.registration.failed': RegistrationFailedEvent;
  'servicecomb.registration.blocked': RegistrationBlockedEvent;
  'servicecomb.heartbeat.succeeded': HeartbeatSucceededEvent;
  'servicecomb.heartbeat.failed': HeartbeatFailedEvent;
  'servicecomb.heartbeat.recovered': HeartbeatRecoveredEvent;
  'servicecomb.lease.at-risk': LeaseAtRiskEvent;
  'servicecomb.drift.repaired': DriftRepairedEvent;
  'servicecomb.status.changed': StatusChangedEvent;
  'servicecomb.properties.changed': PropertiesChangedEvent;
  'servicecomb.address.isolated': AddressIsolatedEvent;
  'servicecomb.address.restored': AddressRestoredEvent;
  'servicecomb.token.renewed': TokenRenewedEvent;
  'servicecomb.token.refused': TokenRefusedEvent;
  'servicecomb.token.renewal-failed': TokenRenewalFailedEvent;
  'servicecomb.schemas.uploaded': SchemasUploadedEvent;
  'servicecomb.schemas.failed': SchemasFailedEvent;
  'servicecomb.event-loop.stalled': EventLoopStalledEvent;
  'servicecomb.discovery.changed': DiscoveryChangedEvent;
  'servicecomb.discovery.emptied': DiscoveryEmptiedEvent;
  'servicecomb.discovery.failed': DiscoveryFailedEvent;
  'servicecomb.discovery.recovered': DiscoveryRecoveredEvent;
  'servicecomb.watch.opened': WatchOpenedEvent;
  'servicecomb.watch.lost': WatchLostEvent;
  'servicecomb.endpoint.ejected': EndpointEjectedEvent;
  'servicecomb.endpoint.restored': EndpointRestoredEvent;
}

/** The name of an event. */
export type RegistryEventName = keyof RegistryEventMap;

/** Any event; its `name` says which. */
export type RegistryEvent = RegistryEventMap[RegistryEventName];
