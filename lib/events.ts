import { inspect } from 'node:util';
import { type ServiceCombError, ServiceCenterResponseError } from './errors.js';
import { printable } from './protocol/printable.js';
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
  /** false when the service existed before; it is then left as it is. */
  readonly created: boolean;
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

/** The lease is gone and the instance will be registered again. Not sent while the lease may live. */
export interface InstanceLostEvent extends RegistryEventBase<'servicecomb.instance.lost'> {
  /** `forgotten`: the registry said so. `expired`: by our own clock, while no heartbeat succeeded. */
  readonly reason: 'forgotten' | 'expired';
  readonly error: ServiceCombError | undefined;
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
 * The registry's record differed in these fields and has been repaired. Not sent for endpoints and host
 * name: a record with other ones is replaced (instance.replaced).
 */
export interface DriftRepairedEvent extends RegistryEventBase<'servicecomb.drift.repaired'> {
  readonly fields: readonly ('status' | 'properties')[];
}

/** The status was changed by this process. Not sent when the status was that one already. */
export interface StatusChangedEvent extends RegistryEventBase<'servicecomb.status.changed'> {
  readonly from: InstanceStatus;
  readonly to: InstanceStatus;
}

/**
 * An address failed three times in a row. It is not used until it answers a probe, unless no other
 * address is left.
 */
export interface AddressIsolatedEvent extends RegistryEventBase<'servicecomb.address.isolated'> {
  readonly address: string;
  readonly error: ServiceCombError;
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
 * The process stood still for two seconds or more: its event loop was blocked, or the machine slept. A
 * heartbeat follows at once; with a `cse-…` profile, which keeps a minimum between heartbeats, when it is
 * due. Also sent when the wall clock was set forward by as much.
 */
export interface EventLoopStalledEvent extends RegistryEventBase<'servicecomb.event-loop.stalled'> {
  readonly lateMs: number;
}

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
export type RegistryEventName = keyof RegistryEventMap;

/** Any event; its `name` says which. */
export type RegistryEvent = RegistryEventMap[RegistryEventName];

/** The fields of an event that it does not share with all others. */
type PayloadOf<Name extends RegistryEventName> = {
  [Each in Name]: Omit<RegistryEventMap[Each], keyof RegistryEventBase>;
}[Name];

/** An event before the time and the instance are added. */
export type PendingEvent = {
  [Name in RegistryEventName]: { readonly name: Name; readonly payload: PayloadOf<Name> };
}[RegistryEventName];

/** A line for the log. `log`: joined or left; `warn`: something to know; `error`: something to do. */
type LogLine = readonly [level: 'log' | 'warn' | 'error' | 'debug', message: string];

interface EventDefinition<Name extends RegistryEventName = RegistryEventName> {
  readonly name: Name;
  /** Returns the line for the log; undefined for an event that only repeats the one before. */
  logLine(payload: PayloadOf<Name>, who: string, instance?: EventInstance): LogLine | undefined;
}

function event<Name extends RegistryEventName>(
  name: Name,
  logLine: EventDefinition<Name>['logLine'],
): EventDefinition<Name> {
  return { name, logLine };
}

/** All events: key, name and log line. */
const definitions = {
  ServiceRegistered: event('servicecomb.service.registered', ({ created }, who) => [
    'log',
    `${created ? 'Created' : 'Found'} the service of ${who} in Service Center`,
  ]),
  InstanceRegistered: event('servicecomb.instance.registered', ({ leaseMs }, who, instance) => [
    'log',
    `Registered ${who} at ${listOf(instance?.endpoints)} with a lease of ${duration(leaseMs)}`,
  ]),
  InstanceReplaced: event('servicecomb.instance.replaced', ({ previous }, who) => [
    'log',
    `Replaced a stale record of ${who} that listed ${listOf(previous.endpoints)}`,
  ]),
  InstanceLost: event('servicecomb.instance.lost', ({ reason, error }, who) => [
    'warn',
    reason === 'forgotten'
      ? `Service Center has forgotten ${who}; registering it again${because(error)}`
      : `The lease of ${who} has ended; registering it again${because(error)}`,
  ]),
  InstanceUnregistered: event('servicecomb.instance.unregistered', ({ confirmed }, who) => [
    'log',
    confirmed
      ? `Unregistered ${who}`
      : `Unregistered ${who}; if its aborted registration still arrives, it stays listed until the lease ends`,
  ]),
  InstanceUnregisterFailed: event('servicecomb.instance.unregister-failed', ({ error }, who) => [
    'error',
    `Could not unregister ${who}; it stays listed until its lease ends${because(error)}`,
  ]),
  RegistrationFailed: event('servicecomb.registration.failed', ({ error, failures }, who) =>
    failures === 1
      ? ['warn', `Could not register ${who}; trying again until it succeeds${because(error)}`]
      : undefined,
  ),
  RegistrationBlocked: event('servicecomb.registration.blocked', ({ error, retryInMs }, who) => {
    const next =
      retryInMs === null
        ? 'not tried again before a restart'
        : `${nextAttempt(error)} in ${duration(retryInMs)}`;
    return ['error', `Cannot register ${who}; ${next}${because(error)}`];
  }),
  HeartbeatSucceeded: event('servicecomb.heartbeat.succeeded', ({ tookMs }, who) => [
    'debug',
    `A heartbeat of ${who} succeeded in ${duration(tookMs)}`,
  ]),
  HeartbeatFailed: event(
    'servicecomb.heartbeat.failed',
    ({ error, failures, leaseRemainingMs }, who) => {
      if (failures > 1) return undefined;
      const left = `${duration(leaseRemainingMs)} of the lease left`;
      return ['warn', `A heartbeat of ${who} failed; trying again, ${left}${because(error)}`];
    },
  ),
  HeartbeatRecovered: event('servicecomb.heartbeat.recovered', ({ missed }, who) => [
    'log',
    `Heartbeats of ${who} succeed again after ${missed} failed`,
  ]),
  LeaseAtRisk: event('servicecomb.lease.at-risk', ({ leaseRemainingMs }, who) => [
    'error',
    `The lease of ${who} ends in ${duration(leaseRemainingMs)} unless a heartbeat succeeds`,
  ]),
  DriftRepaired: event('servicecomb.drift.repaired', ({ fields }, who) => [
    'warn',
    `Repaired the record of ${who}, which something else had changed: ${fields.join(', ')}`,
  ]),
  AddressIsolated: event('servicecomb.address.isolated', ({ address, error }) => [
    'warn',
    `Service Center at ${address} failed 3 times; not used until a probe succeeds, ` +
      `unless no other address is left${because(error)}`,
  ]),
  AddressRestored: event('servicecomb.address.restored', ({ address }) => [
    'log',
    `Service Center at ${address} serves again`,
  ]),
  TokenRenewed: event('servicecomb.token.renewed', ({ address, expiresAt }) => [
    'log',
    `Obtained a token from ${address}, valid until ${expiresAt}`,
  ]),
  TokenRefused: event('servicecomb.token.refused', ({ error, retryInMs }) => [
    'error',
    `Login refused; this password is not tried again for ${duration(retryInMs)}, so as not to be banned; ` +
      `another one is tried as soon as it is provided${because(error)}`,
  ]),
  TokenRenewalFailed: event('servicecomb.token.renewal-failed', ({ address, error, failures }) =>
    failures === 1
      ? [
          'warn',
          `Could not renew the token of ${address}; the current one is used until it ends, ` +
            `and the next request tries again${because(error)}`,
        ]
      : undefined,
  ),
  EventLoopStalled: event('servicecomb.event-loop.stalled', ({ lateMs }) => [
    'warn',
    `The process stood still for ${duration(lateMs)}: its event loop was blocked, or the machine slept`,
  ]),
  StatusChanged: event('servicecomb.status.changed', ({ from, to }, who) => [
    'log',
    `The status of ${who} changed from ${from} to ${to}`,
  ]),
};

/** A password that was refused is barred for longer than a registration is. */
function nextAttempt(error: ServiceCombError): string {
  const isResponse = error instanceof ServiceCenterResponseError;
  const isBarred = isResponse && error.operation === 'login' && [401, 403].includes(error.status);
  return isBarred ? 'next look for another password' : 'next attempt';
}

function because(error: ServiceCombError | undefined): string {
  return error === undefined ? '' : `: ${error.message}`;
}

function listOf(endpoints: readonly string[] = []): string {
  return endpoints.length === 0 ? 'no endpoint' : printable(endpoints.join(', '));
}

function duration(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

/** Every event's name. They work with EventEmitter2's wildcards, such as `servicecomb.**`. */
export const RegistryEvents = namesOf(definitions);

function namesOf<Events extends Record<string, EventDefinition>>(
  events: Events,
): { readonly [Key in keyof Events]: Events[Key]['name'] };
function namesOf(events: Record<string, EventDefinition>): Record<string, string> {
  return Object.fromEntries(Object.entries(events).map(([key, { name }]) => [key, name]));
}

const definitionByName: ReadonlyMap<RegistryEventName, EventDefinition> = new Map(
  Object.values(definitions).map(definition => [definition.name, definition]),
);

/** The part of EventEmitter2 that events are emitted to. */
export interface EventEmitter {
  emitAsync(name: string, event: unknown): Promise<unknown>;
}

/** The part of Nest's logger that events are written to. */
export type EventLogger = Record<LogLine[0], (message: string) => void>;

/** Emits events to the application's EventEmitter2, and logs them, once per change. */
export class EventPublisher {
  #emitter: EventEmitter | undefined;
  #last: RegistryEventName | undefined;
  /** Events whose last emission ended in an error of a listener. */
  readonly #faulty = new Set<RegistryEventName>();

  constructor(private readonly logger: EventLogger) {}

  /** Sets the emitter; without one, events are only logged. */
  connect(emitter: EventEmitter): void {
    this.#emitter = emitter;
  }

  /** Logs and emits an event. Never throws: an error of a listener is logged, once until it succeeds. */
  publish(event: PendingEvent, context: EventContext): void {
    this.#log(event, context);
    this.#emit(event, context).then(
      () => this.#faulty.delete(event.name),
      (error: unknown) => this.#blame(event.name, error),
    );
  }

  /** Listeners are called before this returns; nothing waits for an asynchronous one. */
  async #emit({ name, payload }: PendingEvent, context: EventContext): Promise<void> {
    await this.#emitter?.emitAsync(name, Object.freeze({ name, ...context, ...payload }));
  }

  #blame(name: RegistryEventName, error: unknown): void {
    if (!this.#faulty.has(name))
      this.logger.error(`A listener of ${name} threw: ${inspect(error)}`);
    this.#faulty.add(name);
  }

  #log({ name, payload }: PendingEvent, { instance }: EventContext): void {
    const isRepeated = name === RegistryEvents.RegistrationBlocked && name === this.#last;
    this.#last = name;
    const who =
      instance === undefined
        ? 'this instance'
        : `${instance.serviceName} ${instance.version} (${instance.instanceId})`;
    const line = definitionByName.get(name)?.logLine(payload, who, instance);
    if (isRepeated || line === undefined) return;
    const [level, message] = line;
    this.logger[level](message);
  }
}
