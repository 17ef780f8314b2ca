import type { ServiceCombError } from '../errors.js';
import {
  type EventContext,
  type EventInstance,
  type PendingEvent,
  RegistryEvents,
} from '../events.js';
import type { PendingNote } from '../notes.js';
import type { AddressChange } from '../protocol/address-book.js';
import type { Channel, TokenChange } from '../protocol/channel.js';
import type { SchemaDocuments } from '../protocol/schema-documents.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef } from '../protocol/wire.js';
import { AddressProber } from './address-prober.js';
import type { BackgroundWork } from '../background/background.js';
import { type Clock, Deferred, within } from '../background/clock.js';
import { afterPost, type PostedRecord, removeInstance } from './leave.js';
import type { Outcome, Standstill } from './outcome.js';
import type { Pace } from './pace.js';
import { DesiredRecord, type RegistryRecord } from './record.js';
import { Requests } from './requests.js';
import { type SchemaMismatch, Schemas } from './schemas.js';
import {
  changesAt,
  type InnerState,
  leaseFacts,
  type NextRequest,
  nextRequest,
  publicState,
  registering,
  type RegistrationSnapshot,
  type RegistrationState,
  serviceIdOf,
} from './state.js';
import { transition } from './transition.js';
import { WriteQueue } from './writes.js';

/** The collaborators of a registration. */
export interface RegistrationParts {
  readonly client: ServiceCenterClient;
  /** The channel that the client sends through: it knows the addresses and the credentials. */
  readonly channel: Pick<Channel, 'addresses' | 'probe' | 'credentials'>;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Emits and logs events, and logs notes; called after the state has changed. Must not throw. */
  readonly publisher: {
    publish(event: PendingEvent, context: EventContext): void;
    note(note: PendingNote, context: EventContext): void;
  };
}

/** The options that a registration reads; the resolved options are passed as they are. */
export interface RegistrationSettings {
  readonly enabled: boolean;
  /** `failFast`: whether a refusal ends the wait of `register()`. */
  readonly registration: { readonly failFast: boolean };
  readonly schemas: {
    readonly documents: (() => SchemaDocuments) | undefined;
    readonly onMismatch: SchemaMismatch;
  };
  /** `timeoutMs` bounds `leave()`. */
  readonly shutdown: { readonly timeoutMs: number };
}

/** Requests that may follow one another in one tick: service, schemas, POST, read-back, and one to spare. */
const requestsPerTick = 5;

interface RequestUnderWay {
  readonly kind: NextRequest['kind'];
  /** Resolves when the request has ended or was aborted; rejects with a bug. */
  readonly done: Promise<void>;
}

/** Requests that are given up after a standstill, since their answers may never come; none is harmed by a repetition. */
const repeatedAfterStandstill: ReadonlySet<NextRequest['kind']> = new Set([
  'find-service',
  'upload-schemas',
  'post',
  'read-posted',
  'heartbeat',
  'read-back',
]);

/**
 * A registration: its state, and the one request that is due. It has no timer: `tick()` resolves with
 * the time after which it is to be called again.
 */
export class RegistrationCore {
  /** The record that this process wants the registry to store. */
  readonly record: DesiredRecord;
  readonly #schemas: Schemas;
  #state: InnerState;
  /** The last id of the service that was known, also while the service is being looked up again. */
  #serviceId: string | undefined;
  #registrations = 0;
  #problem: string | undefined;
  #underWay: RequestUnderWay | undefined;
  /** Ends the request under way. It serves until it has ended one. */
  #abort = new AbortController();
  /** The record that leave() has to remove. */
  #posted: PostedRecord | undefined;
  #leaving: Promise<void> | undefined;
  /** The next lease, while somebody waits for it. */
  #awaited: Deferred | undefined;
  /** When the last attempt to register failed. */
  #failedAt = -Infinity;
  /** The public state that was noticed last, and when it began by the wall clock. */
  #noticed: { readonly state: RegistrationState; readonly since: number };
  readonly #listeners = new Set<(state: RegistrationState) => void>();
  /** States that the listeners have not been called with. */
  readonly #untold: RegistrationState[] = [];
  #isTelling = false;
  #wake: () => void = () => undefined;
  readonly #closing = new AbortController();
  readonly #requests: Requests;
  readonly #background: BackgroundWork[] = [];

  constructor(
    record: RegistryRecord,
    private readonly settings: RegistrationSettings,
    private readonly parts: RegistrationParts,
  ) {
    const { client, channel, clock, pace } = parts;
    const { addresses, credentials } = channel;
    const writes = new WriteQueue(clock, pace.writeGapMs);
    this.#state = { kind: settings.enabled ? 'idle' : 'disabled' };
    this.#noticed = { state: this.#state.kind, since: clock.wallNow() };
    const schemas = this.#createSchemas();
    this.#schemas = schemas;
    this.addBackgroundWork(schemas);
    this.#requests = new Requests({ client, addresses, clock, pace, writes, schemas });
    this.record = new DesiredRecord(record, {
      client,
      clock,
      writes,
      registered: () => this.#registered,
      readBackSoon: () => this.#readBackSoon(),
      emit: event => this.#emit(event),
    });
    const onAnswer = (wasSilent: boolean) => {
      this.#apply({ kind: 'probe-answered', wasSilent });
      this.#wake();
    };
    const onSilence = (address: string, retryInMs: number) =>
      this.#note({ kind: 'silent', address, retryInMs });
    this.addBackgroundWork(new AddressProber({ channel, clock, pace, onAnswer, onSilence }));
    addresses.onChange(change => {
      this.#emit(addressEvent(change));
      if (change.kind === 'restored' && this.#requests.isComparisonDue) this.#readBackSoon();
    });
    credentials.onChange(change => {
      this.#notice();
      this.#emit(tokenEvent(change, clock));
    });
  }

  #createSchemas(): Schemas {
    const { client, clock, pace } = this.parts;
    const { documents, onMismatch } = this.settings.schemas;
    const registered = () => this.#registered;
    const emit = (event: PendingEvent) => this.#emit(event);
    const schemas = new Schemas({ client, clock, pace, onMismatch, registered, emit });
    if (documents !== undefined) schemas.set(documents());
    return schemas;
  }

  /** The state now. It follows the time, also between two ticks. */
  get state(): RegistrationState {
    return publicState(this.#state, this.parts.clock.now(), this.#loginError);
  }

  /** All that is known but for the event loop, frozen. */
  snapshot(): Omit<RegistrationSnapshot, 'eventLoopLagMs'> {
    this.#notice();
    const { state, since } = this.#noticed;
    return Object.freeze({
      state,
      since: new Date(since).toISOString(),
      serviceId: this.#serviceId ?? null,
      instanceId: this.record.current.instance.instanceId,
      address: this.parts.client.address,
      addresses: Object.freeze(this.parts.channel.addresses.all.map(each => Object.freeze(each))),
      registrations: this.#registrations,
      ...leaseFacts(this.#state, this.parts.clock.now(), this.#loginError),
      problem: state === 'idle' ? (this.#problem ?? null) : null,
      schemas: this.#schemas.snapshot,
    });
  }

  /** Sets what is called when something may be due sooner than the last tick said. */
  onDue(wake: () => void): void {
    this.#wake = wake;
  }

  /** Notes what keeps the registration from beginning. It is part of the snapshot until that begins. */
  noteProblem(problem: string): void {
    this.#problem = problem;
  }

  /**
   * Calls back with each new state; returns the function that ends it. All listeners are called with one
   * state before the next, also when one of them calls `register()` or `leave()`.
   */
  onChange(listener: (state: RegistrationState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds work that is done with each tick while there is a registration or one is on its way. */
  addBackgroundWork(work: BackgroundWork): void {
    this.#background.push(work);
  }

  /**
   * Sets the schemas of the service, instead of those before.
   * @throws RangeError when one cannot be sent
   */
  setSchemas(documents: SchemaDocuments): void {
    this.#schemas.set(documents);
    this.#wake();
  }

  /** Sets the endpoints that consumers connect to. A registered instance is read back and replaced. */
  publishAt(endpoints: readonly string[]): void {
    this.record.change({ endpoints });
    this.#readBackSoon();
  }

  /**
   * Looks up the service once, before anything is registered.
   * @throws ServiceCombError when the service could not be found or created
   * @throws DOMException `AbortError` when closed meanwhile
   */
  async prepare(): Promise<void> {
    if (this.#state.kind !== 'idle') return;
    const { signal } = this.#closing;
    const found = await this.#requests.findService(this.record.current, signal);
    const { kind: _, ...payload } = found;
    this.#serviceId = found.serviceId;
    this.#emit({ name: RegistryEvents.ServiceRegistered, payload });
  }

  /** Notes why nothing can be registered at all. Nothing is tried until the process is restarted. */
  refuse(error: ServiceCombError): void {
    this.#enter({ ...registering(Infinity, undefined), isBlocked: true, failures: 1, error });
    this.#emit({ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs: null } });
  }

  /**
   * Starts to register, or ends the pause after a failed attempt, a second after it at the earliest.
   * Resolves with the lease; all callers share one promise.
   */
  register(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'disabled' || state.kind === 'registered') return Promise.resolve();
    if (this.#closing.signal.aborted || state.kind === 'leaving')
      return Promise.reject(leftError());
    const isRefused = state.kind === 'registering' && state.dueAt === Infinity;
    if (isRefused && state.error !== undefined) return Promise.reject(state.error);
    const lease = this.#lease();
    const dueAt = Math.max(this.parts.clock.now(), this.#failedAt + this.parts.pace.attemptGapMs);
    if (state.kind !== 'registering') {
      this.#leaving = undefined;
      this.#enter(registering(dueAt, this.#serviceId));
    } else if (state.failures > 0) this.#enter({ ...state, dueAt });
    this.#wake();
    return lease;
  }

  /**
   * Takes the instance off the registry within `shutdown.timeoutMs`, and never rejects. A POST under way
   * may land for half of that time before it is aborted; any other request is aborted at once.
   */
  leave(): Promise<void> {
    if (this.#leaving !== undefined) return this.#leaving;
    // Set before the state changes: a listener may call leave() as well.
    const left = new Deferred();
    this.#leaving = left.promise;
    this.#leave().then(left.resolve, left.reject);
    return left.promise;
  }

  /**
   * Keeps consumers away while the application goes on serving: nothing is registered from here on, and
   * heartbeats keep the lease. The record of a successor is left as it is.
   * @throws ServiceCombError when the registry did not accept the status
   */
  async drain(): Promise<void> {
    this.#closing.abort();
    const ref = this.#registered;
    if (ref === undefined || (await this.#requests.isTakenOver(ref, this.record))) return;
    await this.record.setStatus('OUTOFSERVICE');
  }

  /** Leaves for good: `register()` rejects from here on. */
  close(): Promise<void> {
    this.#closing.abort();
    return this.leave();
  }

  /**
   * Notes that the process stood still. A request under way is given up for a new one: its connection
   * may be gone, and its deadline began before. May be called while a tick runs.
   */
  noteStandstill(standstill: Standstill): void {
    this.#apply({ kind: 'stalled', ...standstill });
    const kind = this.#underWay?.kind;
    if (kind !== undefined && repeatedAfterStandstill.has(kind)) this.#abort.abort();
    this.#wake();
  }

  /**
   * Does what is due, and resolves with the milliseconds until something is due again; undefined when
   * nothing ever is. Calls must not overlap. A heartbeat may be sent earlier by the tolerance, unless
   * its interval is a minimum or the one before has failed.
   */
  async tick(toleranceMs: number): Promise<number | undefined> {
    this.#apply({ kind: 'elapsed' });
    let request = this.#nextRequest;
    for (let count = 0; count < requestsPerTick; count += 1) {
      if (request === undefined || request.dueAt > this.#latest(toleranceMs)) break;
      await this.#perform(request);
      request = this.#nextRequest;
    }
    const now = this.parts.clock.now();
    let dueAt = Math.min(request?.dueAt ?? Infinity, changesAt(this.#state, now));
    for (const work of this.#background)
      if (request !== undefined || work.isUnconditional) dueAt = Math.min(dueAt, work.tick());
    return dueAt === Infinity ? undefined : Math.max(0, dueAt - now);
  }

  /**
   * A process that drains never registers again: its successor may hold the id. The schemas of a service come
   * before its instance.
   */
  get #nextRequest(): NextRequest | undefined {
    const state = this.#state;
    if (this.#closing.signal.aborted && state.kind === 'registering') return undefined;
    const request = nextRequest(state);
    if (request?.kind !== 'post' || state.kind !== 'registering') return request;
    const { serviceId, dueAt } = request;
    const attempt = state.failures;
    return this.#schemas.areDueFor(serviceId, attempt)
      ? { kind: 'upload-schemas', serviceId, attempt, dueAt }
      : request;
  }

  /** The latest moment that counts as now. An attempt after a failure is not made early: it may be the last. */
  #latest(toleranceMs: number): number {
    const { clock, pace } = this.parts;
    const isWell = this.#state.kind === 'registered' && this.#state.failures === 0;
    return clock.now() + (isWell ? pace.heartbeatTolerance(toleranceMs) : 0);
  }

  async #perform(request: NextRequest): Promise<void> {
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    const done = this.#make(request, this.#abort.signal);
    this.#underWay = { kind: request.kind, done };
    try {
      await done;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #make(request: NextRequest, signal: AbortSignal): Promise<void> {
    if (request.kind === 'post') {
      const { instance } = this.record.current;
      const ref = { serviceId: request.serviceId, instanceId: instance.instanceId };
      this.#posted = { ref, isConfirmed: false };
      this.record.unread = instance;
    }
    try {
      const outcome = await this.#requests.make(request, this.record, signal);
      if (request.kind === 'post' && this.#posted !== undefined)
        this.#posted = afterPost(this.#posted, outcome, this.#registrations);
      if (outcome.kind === 'posted')
        this.record.change({ instanceId: outcome.instance.instanceId });
      this.#apply(outcome);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #apply(outcome: Outcome): void {
    const { clock, pace } = this.parts;
    const isDraining = this.#closing.signal.aborted;
    const context = { now: clock.now(), pace, registrations: this.#registrations, isDraining };
    if (outcome.kind === 'failed' && this.#state.kind === 'registering')
      this.#failedAt = context.now;
    const { state, events, notes = [] } = transition(this.#state, outcome, context);
    if (events.some(({ name }) => name === RegistryEvents.InstanceRegistered))
      this.#registrations += 1;
    this.#enter(state);
    for (const event of events) this.#emit(event);
    if ('taken' in outcome) this.record.takeOver(outcome.taken);
    for (const note of notes) this.#note(note);
    const isRefused = outcome.kind === 'failed' && state.kind === 'registering' && state.isBlocked;
    if (state.kind === 'registered') this.#takeAwaited()?.resolve();
    else if (isRefused && this.settings.registration.failFast)
      this.#takeAwaited()?.reject(outcome.error);
  }

  #enter(state: InnerState): void {
    this.#state = state;
    this.#serviceId = serviceIdOf(state) ?? this.#serviceId;
    this.#notice();
  }

  /** Notices a change of the public state, which the time alone can bring about. */
  #notice(): void {
    const { state } = this;
    if (state === this.#noticed.state) return;
    this.#noticed = { state, since: this.parts.clock.wallNow() };
    this.#untold.push(state);
    if (!this.#isTelling) this.#tell();
  }

  #tell(): void {
    this.#isTelling = true;
    try {
      for (let state = this.#untold.shift(); state !== undefined; state = this.#untold.shift())
        for (const listener of this.#listeners) listener(state);
    } finally {
      this.#isTelling = false;
    }
  }

  /** A disabled registration emits nothing. */
  #emit(event: PendingEvent): void {
    if (this.settings.enabled) this.parts.publisher.publish(event, this.#context());
  }

  #note(note: PendingNote): void {
    this.parts.publisher.note(note, this.#context());
  }

  #context(): EventContext {
    const at = new Date(this.parts.clock.wallNow()).toISOString();
    const id = this.#serviceId;
    return id === undefined ? { at } : { at, instance: this.#describe(id) };
  }

  #describe(serviceId: string): EventInstance {
    const { microservice, instance } = this.record.current;
    const { serviceName, version } = microservice;
    const { instanceId, endpoints = [] } = instance;
    return { serviceId, instanceId, serviceName, version, endpoints };
  }

  get #loginError(): ServiceCombError | undefined {
    return this.parts.channel.credentials.loginError;
  }

  get #registered(): InstanceRef | undefined {
    return this.#state.kind === 'registered' ? this.#state.lease.ref : undefined;
  }

  /** Resolves with the next lease; rejects when there will be none. */
  #lease(): Promise<void> {
    this.#awaited ??= new Deferred();
    return this.#awaited.promise;
  }

  #takeAwaited(): Deferred | undefined {
    const awaited = this.#awaited;
    this.#awaited = undefined;
    return awaited;
  }

  #readBackSoon(): void {
    if (this.#state.kind !== 'registered') return;
    this.#enter({ ...this.#state, readBackAt: this.parts.clock.now() });
    this.#wake();
  }

  async #leave(): Promise<void> {
    if (this.#state.kind === 'disabled') return;
    const { client, clock, pace } = this.parts;
    const { timeoutMs } = this.settings.shutdown;
    const deadline = clock.now() + timeoutMs;
    this.#enter({ kind: 'leaving' });
    const writesEnded = this.record.cutOff();
    this.#takeAwaited()?.reject(leftError());
    for (const work of this.#background) work.stop();
    try {
      // A repair is both a write and the request under way.
      await Promise.all([writesEnded, this.#endRequest(pace.postGraceMs(timeoutMs))]);
      const posted = this.#posted;
      if (posted === undefined) return;
      const { record } = this;
      const { isSplit } = this.parts.channel.addresses;
      const context = { client, isSplit, clock, pace, deadline, record };
      const event = await removeInstance(posted, context);
      this.#posted = undefined;
      record.noteOwn(undefined);
      this.#emit(event);
    } finally {
      // Also after a bug: otherwise the instance could never register again.
      this.#enter({ kind: 'left' });
    }
  }

  /** Ends the request under way: a POST after that many milliseconds at the latest, any other at once. */
  async #endRequest(graceMs: number): Promise<void> {
    if (this.#underWay === undefined) return;
    const { kind, done } = this.#underWay;
    const ended = done.catch(() => undefined);
    if (kind === 'post') await within(graceMs, ended, this.parts.clock);
    this.#abort.abort();
    await ended;
  }
}

function leftError(): DOMException {
  return new DOMException('The registration has left the registry', 'AbortError');
}

function addressEvent(change: AddressChange): PendingEvent {
  const { address } = change;
  if (change.kind === 'restored')
    return { name: RegistryEvents.AddressRestored, payload: { address } };
  const { error, isLast } = change;
  return { name: RegistryEvents.AddressIsolated, payload: { address, error, isLast } };
}

function tokenEvent(change: TokenChange, clock: Clock): PendingEvent {
  switch (change.kind) {
    case 'renewed': {
      const { address, lifeMs } = change;
      const expiresAt = new Date(clock.wallNow() + lifeMs).toISOString();
      return { name: RegistryEvents.TokenRenewed, payload: { address, expiresAt } };
    }
    case 'failed': {
      const { kind: _, ...payload } = change;
      return { name: RegistryEvents.TokenRenewalFailed, payload };
    }
    case 'refused': {
      const { kind: _, ...payload } = change;
      return { name: RegistryEvents.TokenRefused, payload };
    }
  }
}
