import { inspect } from 'node:util';
import { propertyOf, type ServiceCombError, ServiceCenterResponseError } from './errors.js';
import { because, duration, listOf, type LogLine } from './log-line.js';
import { noteLine, type PendingNote } from './notes.js';
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
 * The process stood still: a turn of the heartbeat's timer came two seconds late or later, because the
 * event loop was blocked, or the machine slept. Not sent for a standstill during which nothing was due.
 * A heartbeat follows at once; with a `cse-…` profile, which keeps a minimum between heartbeats, when it is
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

/** What a line names besides the payload: the instance, and where its registry's address comes from. */
interface Subject {
  readonly who: string;
  readonly instance: EventInstance | undefined;
  readonly addressOrigin: string;
}

interface EventDefinition<Name extends RegistryEventName = RegistryEventName> {
  readonly name: Name;
  /** Returns the line for the log. A failure that repeats the one before is logged at `debug` instead. */
  logLine(payload: PayloadOf<Name>, subject: Subject): LogLine;
}

function event<Name extends RegistryEventName>(
  name: Name,
  logLine: EventDefinition<Name>['logLine'],
): EventDefinition<Name> {
  return { name, logLine };
}

/**
 * All events: key, name and log line. The table in docs/troubleshooting.md has a row for each line at
 * `warn` and `error`: test/unit/log-lines.spec.ts reads them here.
 */
const definitions = {
  ServiceRegistered: event(
    'servicecomb.service.registered',
    ({ created, updated = [], outdated = [] }, { who }) => {
      const done = updated.length === 0 ? '' : `; updated its ${updated.join(', ')}`;
      const kept =
        outdated.length === 0
          ? ''
          : `; its ${outdated.join(', ')} cannot be updated: raise the version to change that`;
      return [
        'log',
        `${created ? 'Created' : 'Found'} the service of ${who} in Service Center${done}${kept}`,
      ];
    },
  ),
  InstanceRegistered: event('servicecomb.instance.registered', ({ leaseMs }, { who, instance }) => {
    const lease = `with a lease of ${duration(leaseMs)}`;
    return instance?.endpoints.length === 0
      ? [
          'warn',
          `Registered ${who} at no endpoint, ${lease}: set instance.endpoints for consumers to call it`,
        ]
      : ['log', `Registered ${who} at ${listOf(instance?.endpoints)} ${lease}`];
  }),
  InstanceReplaced: event('servicecomb.instance.replaced', ({ previous }, { who }) => [
    'log',
    `Replaced a stale record of ${who} that listed ${listOf(previous.endpoints)}`,
  ]),
  InstanceTakenOver: event('servicecomb.instance.taken-over', ({ error }, { who }) => [
    'error',
    `${who} is not registered any more, and registers again once that record is gone${because(error)}`,
  ]),
  RecordRewritten: event('servicecomb.record.rewritten', ({ stored }, { who }) => [
    'warn',
    `Service Center lists ${who} in its own way, at ${listOf(stored.endpoints)} on ` +
      `${printable(stored.hostName)}; accepted: check that consumers can connect there`,
  ]),
  InstanceLost: event(
    'servicecomb.instance.lost',
    ({ reason, foundBy, retryInMs, error }, { who }) => {
      const lost =
        reason === 'forgotten'
          ? `Service Center has forgotten ${who}, as a ${foundBy} found out`
          : `The lease of ${who} has ended without a good heartbeat`;
      return ['warn', `${lost}; registering it again in ${duration(retryInMs)}${because(error)}`];
    },
  ),
  InstanceUnregistered: event('servicecomb.instance.unregistered', ({ confirmed }, { who }) => [
    'log',
    confirmed
      ? `Unregistered ${who}`
      : `Unregistered ${who}; if its aborted registration still arrives, it stays listed until the lease ends`,
  ]),
  InstanceUnregisterFailed: event(
    'servicecomb.instance.unregister-failed',
    ({ error }, { who }) => [
      'error',
      `Could not unregister ${who}; it stays listed until its lease ends: ${error.message}`,
    ],
  ),
  RegistrationFailed: event(
    'servicecomb.registration.failed',
    ({ error, failures, retryInMs }, { who, addressOrigin }) => [
      'warn',
      `Could not register ${who} (failure ${failures}); next attempt in ${duration(retryInMs)}, ` +
        `and so on until it succeeds: ${error.message}${addressAdvice(error, addressOrigin)}`,
    ],
  ),
  RegistrationBlocked: event(
    'servicecomb.registration.blocked',
    ({ error, retryInMs }, { who }) => {
      const next =
        retryInMs === null
          ? 'not tried again before a restart'
          : `${nextAttempt(error)} in ${duration(retryInMs)}`;
      return ['error', `Cannot register ${who}; ${next}: ${error.message}`];
    },
  ),
  HeartbeatSucceeded: event('servicecomb.heartbeat.succeeded', ({ tookMs }, { who }) => [
    'verbose',
    `A heartbeat of ${who} succeeded in ${Math.round(tookMs)} ms; the next ones are not logged`,
  ]),
  HeartbeatFailed: event(
    'servicecomb.heartbeat.failed',
    ({ error, failures, leaseRemainingMs, retryInMs, unconfirmed }, { who }) => {
      const left = duration(leaseRemainingMs);
      const next =
        retryInMs < leaseRemainingMs
          ? `next one in ${duration(retryInMs)}, ${left} of the lease left`
          : `its lease ends in ${left}, and it is registered again then`;
      const reason = `${error.message}${afterAnswer(unconfirmed)}`;
      return ['warn', `A heartbeat of ${who} failed (failure ${failures}); ${next}: ${reason}`];
    },
  ),
  HeartbeatRecovered: event('servicecomb.heartbeat.recovered', ({ missed }, { who }) => [
    'log',
    `Heartbeats of ${who} succeed again after ${missed} failed`,
  ]),
  LeaseAtRisk: event('servicecomb.lease.at-risk', ({ leaseRemainingMs }, { who }) => [
    'error',
    `The lease of ${who} ends in ${duration(leaseRemainingMs)} unless a heartbeat succeeds; they go on: ` +
      'check Service Center, and the network from here to it',
  ]),
  DriftRepaired: event('servicecomb.drift.repaired', ({ fields }, { who }) => [
    'warn',
    `Wrote the ${fields.join(' and the ')} of ${who} again, since Service Center had undone the change`,
  ]),
  AddressIsolated: event('servicecomb.address.isolated', ({ address, error, isLast }) => {
    const next = isLast
      ? 'no other address serves, so requests still go to it'
      : 'requests go to another address until it answers a probe';
    return ['warn', `Service Center at ${address} failed 3 times; ${next}: ${error.message}`];
  }),
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
    `Login refused; this password is not sent again for ${duration(retryInMs)}, so that the account is ` +
      `not banned, and a changed one is used with the next attempt: ${error.message}`,
  ]),
  TokenRenewalFailed: event('servicecomb.token.renewal-failed', ({ address, error }) => [
    'warn',
    `Could not renew the token of ${address}; the current one is used until it ends, ` +
      `and the next request tries again: ${error.message}`,
  ]),
  EventLoopStalled: event('servicecomb.event-loop.stalled', ({ lateMs }) => [
    'warn',
    `The process stood still for ${duration(lateMs)}: its event loop was blocked, or the machine slept; ` +
      'what is due is sent now',
  ]),
  StatusChanged: event('servicecomb.status.changed', ({ from, to, by }, { who }) => [
    'log',
    `The status of ${who} changed from ${from} to ${to}${atTheRegistry(by)}`,
  ]),
  PropertiesChanged: event('servicecomb.properties.changed', ({ from, to, by }, { who }) => {
    const changed = Object.keys({ ...from, ...to }).filter(name => from[name] !== to[name]);
    const names = printable(changed.join(', '));
    return ['log', `Properties of ${who} changed${atTheRegistry(by)}: ${names}`];
  }),
};

function atTheRegistry(by: 'application' | 'registry'): string {
  return by === 'registry' ? ' in Service Center, which is kept' : '';
}

/** A password that was refused is barred for longer than a registration is. */
function nextAttempt(error: ServiceCombError): string {
  const isResponse = error instanceof ServiceCenterResponseError;
  const isLogin = isResponse && error.operation === 'login';
  // A page without an errorCode is a gateway's.
  const isBarred = isLogin && [401, 403].includes(error.status) && error.errorCode !== undefined;
  return isBarred ? 'next look for another password' : 'next attempt';
}

function afterAnswer(answer: ServiceCombError | undefined): string {
  return answer === undefined
    ? ''
    : `. It was to confirm the heartbeat's answer: ${answer.message}`;
}

/** A registry that does not answer may be another host than the one that was meant. */
function addressAdvice({ code }: ServiceCombError, origin: string): string {
  const isAnswer = code === 'ERR_SERVICECOMB_RESPONSE' || code === 'ERR_SERVICECOMB_CREDENTIALS';
  return isAnswer ? '' : `. Its address comes from ${origin}`;
}

/** Returns what distinguishes the failures of a row: not their texts, which differ each time. */
function reasonOf(error: ServiceCombError): string {
  const fields = ['errorCode', 'status', 'reason'].map(name => propertyOf(error, name));
  return [error.code, ...fields].join(' ');
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

/** Events that come again and again while nothing changes. */
const repeating: ReadonlySet<RegistryEventName> = new Set([
  RegistryEvents.HeartbeatSucceeded,
  RegistryEvents.HeartbeatFailed,
  RegistryEvents.RegistrationFailed,
  RegistryEvents.RegistrationBlocked,
  RegistryEvents.TokenRenewalFailed,
]);

/** Events after which heartbeats and failures that were logged before are news again. */
const beginnings: ReadonlySet<RegistryEventName> = new Set([
  RegistryEvents.InstanceRegistered,
  RegistryEvents.InstanceLost,
]);

/** Emits events to the application's EventEmitter2, and logs them. */
export class EventPublisher {
  #emitter: EventEmitter | undefined;
  /** Events that were logged and would repeat themselves, with the reasons of those that are failures. */
  readonly #told = new Map<RegistryEventName, Set<string>>();
  /** Events whose last emission ended in an error of a listener. */
  readonly #faulty = new Set<RegistryEventName>();

  /** @param addressOrigin option or variable that the addresses of the registry come from, in words */
  constructor(
    private readonly logger: EventLogger,
    private readonly addressOrigin = 'serviceCenter.addresses or SERVICE_CENTER_ADDRESS',
  ) {}

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

  /** Logs a note. */
  note(note: PendingNote, { instance }: EventContext): void {
    this.#write(noteLine(note, this.#subject(instance).who));
  }

  /** Listeners are called before this returns; nothing waits for an asynchronous one. */
  async #emit({ name, payload }: PendingEvent, context: EventContext): Promise<void> {
    await this.#emitter?.emitAsync(name, Object.freeze({ name, ...context, ...payload }));
  }

  #blame(name: RegistryEventName, error: unknown): void {
    if (!this.#faulty.has(name))
      this.logger.error(
        `A listener of ${name} threw, which does not affect the registration; correct what threw: ${inspect(error)}`,
      );
    this.#faulty.add(name);
  }

  #log(event: PendingEvent, { instance }: EventContext): void {
    const { name, payload } = event;
    const isRepeated = this.#isRepeated(event);
    if (isRepeated && name === RegistryEvents.HeartbeatSucceeded) return;
    const line = definitionByName.get(name)?.logLine(payload, this.#subject(instance));
    if (line !== undefined) this.#write(isRepeated ? ['debug', line[1]] : line);
  }

  #write([level, message]: LogLine): void {
    this.logger[level](message);
  }

  #subject(instance: EventInstance | undefined): Subject {
    const who =
      instance === undefined
        ? 'this instance'
        : `${instance.serviceName} ${instance.version} (${instance.instanceId})`;
    return { who, instance, addressOrigin: this.addressOrigin };
  }

  /** Whether an event is a heartbeat or a failure like one that was logged. Notes that it was. */
  #isRepeated({ name, payload }: PendingEvent): boolean {
    if (beginnings.has(name)) this.#told.clear();
    if (!repeating.has(name)) return false;
    const isFirst = 'failures' in payload && payload.failures === 1;
    const told = (isFirst ? undefined : this.#told.get(name)) ?? new Set();
    const reason = 'error' in payload && payload.error ? reasonOf(payload.error) : '';
    const isRepeated = told.has(reason);
    this.#told.set(name, told.add(reason));
    return isRepeated;
  }
}
