import type { ServiceCombError } from '../errors.js';
import type { InstanceStatus, MicroserviceInstance } from '../protocol/wire.js';

/** The instance that an event is about, once the registry has given its service an id. */
export interface EventInstance {
  readonly serviceId: string;
  readonly instanceId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly endpoints: readonly string[];
}

/** Who and when: the same in every event. */
export interface EventContext {
  /** When it happened: ISO 8601, the local wall clock. */
  readonly at: string;
  /** Absent until the id of the service is known. */
  readonly instance?: EventInstance;
}

/** What every event carries. Payloads are plain, read-only and safe to log. */
export interface RegistryEventBase<
  Name extends RegistryEventName = RegistryEventName,
> extends EventContext {
  /** The event's own name, which tells a listener of several (`servicecomb.**`) what came. */
  readonly name: Name;
}

/** The service has an id now: at the first registration, and when the registry lost the service. */
export interface ServiceRegisteredEvent extends RegistryEventBase<'servicecomb.service.registered'> {
  readonly serviceId: string;
  /** false when the service existed; it is left as it is then. */
  readonly created: boolean;
}

/** The instance holds a lease, for the first time or again. Not sent for a renewal. */
export interface InstanceRegisteredEvent extends RegistryEventBase<'servicecomb.instance.registered'> {
  /** How often this process has been registered, this time included. */
  readonly registrations: number;
  /** Length of the lease in milliseconds, from the record that the registry stored. */
  readonly leaseMs: number;
}

/** A stale record under our id, of a predecessor, gave way to ours. Sent before instance.registered. */
export interface InstanceReplacedEvent extends RegistryEventBase<'servicecomb.instance.replaced'> {
  readonly previous: MicroserviceInstance;
}

/** The lease is gone and the instance will be registered again. Not sent while a lease may live. */
export interface InstanceLostEvent extends RegistryEventBase<'servicecomb.instance.lost'> {
  /** `forgotten`: the registry said so. `expired`: our own clock says so, nothing was heard. */
  readonly reason: 'forgotten' | 'expired';
  readonly error: ServiceCombError | undefined;
}

/** The instance has left the registry. Not sent when it had never been registered. */
export interface InstanceUnregisteredEvent extends RegistryEventBase<'servicecomb.instance.unregistered'> {
  /** false when a registration was cut off and may still land after the removal. */
  readonly confirmed: boolean;
}

/** The removal failed within its budget; the registry drops the instance when its lease ends. */
export interface InstanceUnregisterFailedEvent extends RegistryEventBase<'servicecomb.instance.unregister-failed'> {
  readonly error: ServiceCombError;
}

/** An attempt to register failed and is repeated soon. Not sent for a refusal. */
export interface RegistrationFailedEvent extends RegistryEventBase<'servicecomb.registration.failed'> {
  readonly error: ServiceCombError;
  /** Failed attempts in a row, this one included. */
  readonly failures: number;
}

/** The registry refuses the registration. It is repeated on a slow clock, for as long as it takes. */
export interface RegistrationBlockedEvent extends RegistryEventBase<'servicecomb.registration.blocked'> {
  readonly error: ServiceCombError;
  /** null when no retry can help: the server listens on a Unix socket and `endpoints` is not set. */
  readonly retryInMs: number | null;
}

/** A heartbeat was answered. Sent for each one. */
export interface HeartbeatSucceededEvent extends RegistryEventBase<'servicecomb.heartbeat.succeeded'> {
  readonly tookMs: number;
}

/** A heartbeat failed while the lease lives. Not sent when the registry says that it is gone. */
export interface HeartbeatFailedEvent extends RegistryEventBase<'servicecomb.heartbeat.failed'> {
  readonly error: ServiceCombError;
  /** Failed heartbeats in a row, this one included. */
  readonly failures: number;
  /** What is left of the lease, counted from when the last good heartbeat was sent; 0 at its end. */
  readonly leaseRemainingMs: number;
}

/** The first good heartbeat after failed ones. Sent after its heartbeat.succeeded. */
export interface HeartbeatRecoveredEvent extends RegistryEventBase<'servicecomb.heartbeat.recovered'> {
  readonly missed: number;
}

/** Two thirds of the lease have passed without a good heartbeat. Sent once until the next good one. */
export interface LeaseAtRiskEvent extends RegistryEventBase<'servicecomb.lease.at-risk'> {
  readonly leaseRemainingMs: number;
  readonly failures: number;
}

/**
 * The registry's record differed in these fields and is now as it should be again. Not sent for
 * endpoints and host name: a record with other ones is replaced (instance.replaced).
 */
export interface DriftRepairedEvent extends RegistryEventBase<'servicecomb.drift.repaired'> {
  readonly fields: readonly ('endpoints' | 'hostName' | 'status' | 'properties')[];
}

/**
 * An address failed three times in a row: it is left alone until it answers a probe. With no other
 * one left it is asked all the same.
 */
export interface AddressIsolatedEvent extends RegistryEventBase<'servicecomb.address.isolated'> {
  readonly address: string;
  readonly error: ServiceCombError;
}

/** An isolated address serves again. */
export interface AddressRestoredEvent extends RegistryEventBase<'servicecomb.address.restored'> {
  readonly address: string;
}

/** A token was had from the registry's login, the first one or a new one. Not sent for given tokens. */
export interface TokenRenewedEvent extends RegistryEventBase<'servicecomb.token.renewed'> {
  readonly address: string;
  /** ISO 8601, of the local wall clock; the registry's own clock decides. */
  readonly expiresAt: string;
}

/**
 * The registry refused the login. No other one follows before the time is over, unless the password
 * changes: the third failure would ban the account. Not sent while nothing answers.
 */
export interface TokenRefusedEvent extends RegistryEventBase<'servicecomb.token.refused'> {
  readonly address: string;
  readonly error: ServiceCombError;
  readonly retryInMs: number;
}

/**
 * The login that was to renew a token gave none, by no fault of the account: no answer, or no password to be
 * had. The token at hand serves until it ends, and the next request tries again. Sent each time.
 */
export interface TokenRenewalFailedEvent extends RegistryEventBase<'servicecomb.token.renewal-failed'> {
  readonly address: string;
  readonly error: ServiceCombError;
  /** In a row; 1 the first time. */
  readonly failures: number;
}

/**
 * The process stood still for two seconds or more: its event loop was blocked, or the machine slept. A
 * heartbeat follows at once; with a `cse-…` profile, which keeps a least distance between heartbeats,
 * when it is due. Also sent when the wall clock was set forward by as much.
 */
export interface EventLoopStalledEvent extends RegistryEventBase<'servicecomb.event-loop.stalled'> {
  readonly lateMs: number;
}

/** The status was changed by this process. Not sent when the status was that one already. */
export interface StatusChangedEvent extends RegistryEventBase<'servicecomb.status.changed'> {
  readonly from: InstanceStatus;
  readonly to: InstanceStatus;
}

/** Every event's name. They work with EventEmitter2's wildcards, such as `servicecomb.**`. */
export const RegistryEvents = {
  ServiceRegistered: 'servicecomb.service.registered',
  InstanceRegistered: 'servicecomb.instance.registered',
  InstanceReplaced: 'servicecomb.instance.replaced',
  InstanceLost: 'servicecomb.instance.lost',
  InstanceUnregistered: 'servicecomb.instance.unregistered',
  InstanceUnregisterFailed: 'servicecomb.instance.unregister-failed',
  RegistrationFailed: 'servicecomb.registration.failed',
  RegistrationBlocked: 'servicecomb.registration.blocked',
  HeartbeatSucceeded: 'servicecomb.heartbeat.succeeded',
  HeartbeatFailed: 'servicecomb.heartbeat.failed',
  HeartbeatRecovered: 'servicecomb.heartbeat.recovered',
  LeaseAtRisk: 'servicecomb.lease.at-risk',
  DriftRepaired: 'servicecomb.drift.repaired',
  AddressIsolated: 'servicecomb.address.isolated',
  AddressRestored: 'servicecomb.address.restored',
  TokenRenewed: 'servicecomb.token.renewed',
  TokenRefused: 'servicecomb.token.refused',
  TokenRenewalFailed: 'servicecomb.token.renewal-failed',
  EventLoopStalled: 'servicecomb.event-loop.stalled',
  StatusChanged: 'servicecomb.status.changed',
} as const;

/** The payload of each event by its name. */
export interface RegistryEventMap {
  'servicecomb.service.registered': ServiceRegisteredEvent;
  'servicecomb.instance.registered': InstanceRegisteredEvent;
  'servicecomb.instance.replaced': InstanceReplacedEvent;
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
  'servicecomb.address.isolated': AddressIsolatedEvent;
  'servicecomb.address.restored': AddressRestoredEvent;
  'servicecomb.token.renewed': TokenRenewedEvent;
  'servicecomb.token.refused': TokenRefusedEvent;
  'servicecomb.token.renewal-failed': TokenRenewalFailedEvent;
  'servicecomb.event-loop.stalled': EventLoopStalledEvent;
}

/** The name of an event. */
export type RegistryEventName = (typeof RegistryEvents)[keyof typeof RegistryEvents];

/** Any event: its `name` tells which. */
export type RegistryEvent = RegistryEventMap[RegistryEventName];

/** What happened, by name: the payload without who and when, which every event has alike. */
export type RegistryFact = {
  [Name in RegistryEventName]: {
    readonly name: Name;
    readonly payload: Omit<RegistryEventMap[Name], keyof RegistryEventBase>;
  };
}[RegistryEventName];
