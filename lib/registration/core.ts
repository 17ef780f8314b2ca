import type { ServiceCombError } from '../errors.js';
import {
  type EventContext,
  type EventInstance,
  type PendingEvent,
  type PendingNote,
  RegistryEvents,
} from '../events.js';
import type { AddressChange } from '../protocol/address-book.js';
import type { Channel, TokenChange } from '../protocol/channel.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef } from '../protocol/wire.js';
import { AddressProber } from './address-prober.js';
import type { BackgroundWork } from './background.js';
import { type Clock, within } from './clock.js';
import { afterPost, type PostedRecord, removeInstance } from './leave.js';
import type { Pace } from './pace.js';
import { DesiredRecord, type RegistryRecord, WriteQueue } from './record.js';
import { Requests } from './requests.js';
import {
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
import { type Outcome, type Standstill, transition } from './transition.js';

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
  /** `timeoutMs` bounds `leave()`. */
  readonly shutdown: { readonly timeoutMs: number };
}

/** Requests that may follow one another in one tick: service, POST, read-back, and one to spare. */
const requestsPerTick = 4;

interface RequestUnderWay {
  readonly kind: NextRequest['kind'];
  readonly abort: AbortController;
  /** Resolves when the request has ended or was aborted; rejects with a bug. */
  readonly done: Promise<void>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A registration: its state, and the one request that is due. It has no timer: `tick()` resolves with
 * the time after which it is to be called again.
 */
export class RegistrationCore {
  /** The record that this process wants the registry to store. */
  readonly record: DesiredRecord;
  #state: InnerState;
  /** The last id of the service that was known, also while the service is being looked up again. */
  #serviceId: string | undefined;
  #registrations = 0;
  #underWay: RequestUnderWay | undefined;
  /** The record that leave() has to remove. */
  #posted: PostedRecord | undefined;
  #leaving: Promise<void> | undefined;
  /** The callers of register() that wait for a lease. */
  #waiting: readonly Waiter[] = [];
  /** The public state that was noticed last, and when it began by the wall clock. */
  #noticed: { readonly state: RegistrationState; readonly since: number };
  readonly #listeners = new Set<(state: RegistrationState) => void>();
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
    this.#requests = new Requests({ client, addresses, clock, pace, writes });
    this.record = new DesiredRecord(record, {
      client,
      writes,
      registered: () => this.#registered(),
      readBackSoon: () => this.#readBackSoon(),
      emit: event => this.#emit(event),
    });
    const onAnswer = (wasSilent: boolean) => this.#apply({ kind: 'probe-answered', wasSilent });
    const onSilence = (address: string, retryInMs: number) =>
      this.#note({ kind: 'silent', address, retryInMs });
    this.addBackgroundWork(new AddressProber({ channel, clock, pace, onAnswer, onSilence }));
    addresses.onChange(change => this.#emit(addressEvent(change)));
    credentials.onChange(change => this.#emit(tokenEvent(change, clock)));
  }

  /** The state now. It follows the time, also between two ticks. */
  get state(): RegistrationState {
    return publicState(this.#state, this.parts.clock.now(), this.#loginError);
  }

  /** All that is known, frozen. */
  snapshot(): RegistrationSnapshot {
    this.#notice();
    const { state, since } = this.#noticed;
    return Object.freeze({
      state,
      since: new Date(since).toISOString(),
      serviceId: this.#serviceId ?? null,
      instanceId: this.record.current.instance.instanceId,
      address: this.parts.client.address,
      registrations: this.#registrations,
      ...leaseFacts(this.#state, this.parts.clock.now(), this.#loginError),
    });
  }

  /** Calls back with each new state; returns the function that ends it. */
  onChange(listener: (state: RegistrationState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds work that is done with each tick while there is a registration or one is on its way. */
  addBackgroundWork(work: BackgroundWork): void {
    this.#background.push(work);
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
    const { serviceId, created } = await this.#requests.findService(this.record.current, signal);
    this.#serviceId = serviceId;
    this.#emit({ name: RegistryEvents.ServiceRegistered, payload: { serviceId, created } });
  }

  /** Notes why nothing can be registered at all. Nothing is tried until the process is restarted. */
  refuse(error: ServiceCombError): void {
    this.#enter({ ...registering(Infinity, undefined), isBlocked: true, failures: 1, error });
    this.#emit({ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs: null } });
  }

  /** Starts to register, or ends the pause after a failed attempt. Resolves with the lease. */
  async register(): Promise<void> {
    const state = this.#state;
    const now = this.parts.clock.now();
    if (state.kind === 'disabled' || state.kind === 'registered') return;
    if (this.#closing.signal.aborted || state.kind === 'leaving') throw leftError();
    if (state.kind !== 'registering') {
      this.#leaving = undefined;
      this.#enter(registering(now, this.#serviceId));
    } else if (state.error !== undefined && state.dueAt === Infinity) throw state.error;
    else if (state.failures > 0) this.#enter({ ...state, dueAt: now });
    await this.#lease();
  }

  /**
   * Takes the instance off the registry within `shutdown.timeoutMs`, and never rejects. A POST under way
   * may land for half of that time before it is aborted; any other request is aborted at once.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /** Leaves for good: `register()` rejects from here on. */
  close(): Promise<void> {
    this.#closing.abort();
    return this.leave();
  }

  /** Notes that the process stood still. May be called while a tick runs. */
  noteStandstill(standstill: Standstill): void {
    this.#apply({ kind: 'stalled', ...standstill });
  }

  /**
   * Does what is due, and resolves with the milliseconds until something is due again; undefined when
   * nothing ever is. Calls must not overlap. A heartbeat may be sent earlier by the tolerance, unless
   * its interval is a minimum.
   */
  async tick(toleranceMs: number): Promise<number | undefined> {
    this.#apply({ kind: 'elapsed' });
    let request = nextRequest(this.#state);
    for (let count = 0; count < requestsPerTick; count += 1) {
      if (request === undefined || request.dueAt > this.#latest(toleranceMs)) break;
      await this.#perform(request);
      request = nextRequest(this.#state);
    }
    const works = this.#background.filter(work => request !== undefined || work.isUnconditional);
    const dueAt = Math.min(request?.dueAt ?? Infinity, ...works.map(work => work.tick()));
    return request === undefined ? undefined : Math.max(0, dueAt - this.parts.clock.now());
  }

  #latest(toleranceMs: number): number {
    const { clock, pace } = this.parts;
    const isRegistered = this.#state.kind === 'registered';
    return clock.now() + (isRegistered ? pace.heartbeatTolerance(toleranceMs) : 0);
  }

  async #perform(request: NextRequest): Promise<void> {
    const abort = new AbortController();
    const done = this.#make(request, abort.signal);
    this.#underWay = { kind: request.kind, abort, done };
    try {
      await done;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #make(request: NextRequest, signal: AbortSignal): Promise<void> {
    const record = this.record.current;
    if (request.kind === 'post') {
      const { instanceId } = record.instance;
      const ref = { serviceId: request.serviceId, instanceId };
      this.#posted = { ref, isConfirmed: false };
    }
    try {
      const outcome = await this.#requests.make(request, record, signal);
      if (request.kind === 'post' && this.#posted !== undefined)
        this.#posted = afterPost(this.#posted, outcome, this.#registrations);
      this.#apply(outcome);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #apply(outcome: Outcome): void {
    const { clock, pace } = this.parts;
    const context = { now: clock.now(), pace, registrations: this.#registrations };
    const { state, events, notes = [] } = transition(this.#state, outcome, context);
    if (events.some(({ name }) => name === RegistryEvents.InstanceRegistered))
      this.#registrations += 1;
    this.#enter(state);
    for (const event of events) this.#emit(event);
    for (const note of notes) this.#note(note);
    const isRefused = outcome.kind === 'failed' && state.kind === 'registering' && state.isBlocked;
    if (state.kind === 'registered') this.#settle(waiter => waiter.resolve());
    else if (isRefused && this.settings.registration.failFast)
      this.#settle(waiter => waiter.reject(outcome.error));
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
    for (const listener of this.#listeners) listener(state);
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

  /** Resolves with the next lease; rejects when there will be none. */
  #lease(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { resolve, reject }];
    });
  }

  #settle(settle: (waiter: Waiter) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) settle(waiter);
  }

  #readBackSoon(): void {
    if (this.#state.kind !== 'registered') return;
    this.#enter({ ...this.#state, readBackAt: this.parts.clock.now() });
  }

  /** A POST under way carries the record as it was, so a change has to follow it. */
  async #registered(): Promise<InstanceRef | undefined> {
    const state = this.#state;
    const step = state.kind === 'registering' ? state.step.kind : undefined;
    const isPosting = step === 'post' && this.#underWay?.kind === 'post';
    if (isPosting || step === 'read-posted') await this.#lease();
    return this.#state.kind === 'registered' ? this.#state.lease.ref : undefined;
  }

  async #leave(): Promise<void> {
    if (this.#state.kind === 'disabled') return;
    const { client, clock, pace } = this.parts;
    const { timeoutMs } = this.settings.shutdown;
    const deadline = clock.now() + timeoutMs;
    this.#enter({ kind: 'leaving' });
    const writesEnded = this.record.cutOff();
    this.#settle(waiter => waiter.reject(leftError()));
    for (const work of this.#background) work.stop();
    try {
      // A repair is both a write and the request under way.
      await Promise.all([writesEnded, this.#endRequest(pace.postGraceMs(timeoutMs))]);
      const posted = this.#posted;
      if (posted === undefined) return;
      const event = await removeInstance(posted, { client, clock, pace, deadline });
      this.#posted = undefined;
      this.#emit(event);
    } finally {
      // Also after a bug: otherwise the instance could never register again.
      this.#enter({ kind: 'left' });
    }
  }

  /** Ends the request under way: a POST after that many milliseconds at the latest, any other at once. */
  async #endRequest(graceMs: number): Promise<void> {
    if (this.#underWay === undefined) return;
    const { kind, abort, done } = this.#underWay;
    const ended = done.catch(() => undefined);
    if (kind === 'post') await within(graceMs, ended, this.parts.clock);
    abort.abort();
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
