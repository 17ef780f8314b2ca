import { inspect } from 'node:util';
import {
  type CallFailure,
  propertyOf,
  type ProviderName,
  quoted,
  type ServiceCombError,
  ServiceCenterResponseError,
} from './errors.js';
import type {
  DiscoveryEmptiedEvent,
  EventContext,
  EventInstance,
  ListedInstance,
  RegistryEventBase,
  RegistryEventMap,
  RegistryEventName,
} from './event-payloads.js';
import { because, duration, listOf, type LogLine, numberOf } from './log-line.js';
import { noteLine, type PendingNote } from './notes.js';
import { printable } from './protocol/printable.js';

export type { EventContext, EventInstance };

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
  SchemasUploaded: event('servicecomb.schemas.uploaded', ({ uploaded, kept, count }, { who }) => {
    const done = uploaded.length === 0 ? 'no schema' : `the schemas ${uploaded.join(', ')}`;
    const left =
      kept.length === 0
        ? ''
        : `; left ${kept.join(', ')} as they are, since schemas.onMismatch is "ignore"`;
    return ['log', `Uploaded ${done} of ${who}, of ${count} in all${left}`];
  }),
  SchemasFailed: event('servicecomb.schemas.failed', ({ error, retryInMs }, { who }) => [
    'warn',
    retryInMs === null
      ? `Could not upload the schemas of ${who}, which stays registered; not tried again before its next ` +
        `registration: ${error.message}`
      : `Could not upload the schemas of ${who}, which is registered without them; next attempt in ` +
        `${duration(retryInMs)}: ${error.message}`,
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
  DiscoveryChanged: event(
    'servicecomb.discovery.changed',
    ({ provider, added, removed, updated }) => {
      const parts = [
        ...partOf('added', added),
        ...partOf('removed', removed),
        ...partOf('updated', updated),
      ];
      return ['log', `Instances of ${quoted(provider)} changed: ${parts.join('; ')}`];
    },
  ),
  DiscoveryEmptied: event(
    'servicecomb.discovery.emptied',
    ({ provider, kept, keptForMs, reason }) => [
      'warn',
      `Service Center ${reasonsToDoubt[reason]} of ${quoted(provider)}; ${numberOf(kept, 'instance')} that it ` +
        `does not list may be called until a call fails, for ${duration(keptForMs)} at most`,
    ],
  ),
  DiscoveryFailed: event('servicecomb.discovery.failed', ({ provider, error }) => [
    'warn',
    `Could not ask for the instances of ${nameOf(provider)}; the known ones are called meanwhile, and each ` +
      `poll asks again: ${error.message}`,
  ]),
  DiscoveryRecovered: event('servicecomb.discovery.recovered', ({ provider, failures }) => [
    'log',
    `The instances of ${nameOf(provider)} can be asked for again after ` +
      numberOf({ length: failures }, 'failed request'),
  ]),
  WatchOpened: event('servicecomb.watch.opened', ({ address }) => [
    'log',
    `Service Center at ${address} pushes changes of providers`,
  ]),
  WatchLost: event('servicecomb.watch.lost', ({ address, error, retryInMs }) => [
    'warn',
    `Service Center at ${address} does not push changes any more; polls find them, and the connection is ` +
      `opened again within ${duration(retryInMs)}: ${error.message}`,
  ]),
  EndpointEjected: event(
    'servicecomb.endpoint.ejected',
    ({ provider, instanceId, endpoint, error, failures, forMs }) => [
      'warn',
      `Set ${printable(endpoint)} of ${quoted(provider)} (${printable(instanceId)}) aside after ` +
        `${numberOf({ length: failures }, 'failed call')}; one is tried there in ${duration(forMs)}: ` +
        printable(error.message),
    ],
  ),
  EndpointRestored: event(
    'servicecomb.endpoint.restored',
    ({ provider, instanceId, endpoint, afterMs }) => [
      'log',
      `Calls go to ${printable(endpoint)} of ${quoted(provider)} (${printable(instanceId)}) again ` +
        `after ${duration(afterMs)}`,
    ],
  ),
};

const reasonsToDoubt = {
  empty: 'suddenly lists no instance',
  absent: 'suddenly does not know the service',
  shrunk: 'suddenly lacks most instances',
  'after-outage': 'lacks instances after an outage',
} as const satisfies Record<DiscoveryEmptiedEvent['reason'], string>;

function partOf(done: string, instances: readonly ListedInstance[]): readonly string[] {
  if (instances.length === 0) return [];
  const listed = instances.map(
    ({ instanceId, endpoints }) => `${instanceId} at ${listOf(endpoints)}`,
  );
  return [printable(`${done} ${listed.join(', ')}`)];
}

function nameOf(provider: ProviderName | undefined): string {
  return provider === undefined ? 'any provider' : quoted(provider);
}

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
function reasonOf(error: ServiceCombError | CallFailure): string {
  const fields = ['code', 'errorCode', 'status', 'reason'].map(name => propertyOf(error, name));
  return fields.join(' ');
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
  RegistryEvents.SchemasFailed,
]);

/** Events after which heartbeats and failures that were logged before are news again. */
const beginnings: ReadonlySet<RegistryEventName> = new Set([
  RegistryEvents.InstanceRegistered,
  RegistryEvents.InstanceLost,
]);

type Follower = (event: PendingEvent, context: EventContext) => void;

/** Emits events to the application's EventEmitter2, and logs them. */
export class EventPublisher {
  #emitter: EventEmitter | undefined;
  /** Events that were logged and would repeat themselves, with the reasons of those that are failures. */
  readonly #told = new Map<RegistryEventName, Set<string>>();
  readonly #followers = new Map<RegistryEventName, readonly Follower[]>();
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

  /** Calls a part of this library with each event of these names, once it was published. It must not throw. */
  follow(names: readonly RegistryEventName[], follower: Follower): void {
    for (const name of names)
      this.#followers.set(name, [...(this.#followers.get(name) ?? []), follower]);
  }

  /** Logs and emits an event. Never throws: an error of a listener is logged, once until it succeeds. */
  publish(event: PendingEvent, context: EventContext): void {
    this.#log(event, context);
    void this.#emit(event, context);
    for (const follower of this.#followers.get(event.name) ?? []) follower(event, context);
  }

  /** Logs a note. */
  note(note: PendingNote, { instance }: EventContext): void {
    this.#write(noteLine(note, this.#subject(instance).who));
  }

  /** Listeners are called before this returns; nothing waits for an asynchronous one. */
  async #emit({ name, payload }: PendingEvent, context: EventContext): Promise<void> {
    try {
      await this.#emitter?.emitAsync(name, Object.freeze({ name, ...context, ...payload }));
      this.#faulty.delete(name);
    } catch (error) {
      this.#blame(name, error);
    }
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
