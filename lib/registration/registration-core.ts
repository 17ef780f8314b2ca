import type { ServiceCombError } from '../errors.js';
import { RegistryEvents } from '../events/events.js';
import type { InstanceRef } from '../protocol/wire.js';
import { AddressProber } from './address-prober.js';
import type { BackgroundWork } from './background.js';
import { Announcer } from './announcer.js';
import { LabelWatch } from './label-watch.js';
import { Listed } from './listed.js';
import type { Listing } from './listing.js';
import type { Outcome } from './outcome.js';
import { OwnRecord } from './own-record.js';
import { RecordChanges } from './record-changes.js';
import { RecordWrites } from './record-writes.js';
import { Registrar } from './registrar.js';
import { RequestUnderWay } from './request-under-way.js';
import type { RegistrationParts, RegistrationSettings } from './registration-parts.js';
import { leaseFacts, type RegistrationSnapshot } from './snapshot.js';
import { dueAt, joining, labelOf, serviceIdOf } from './state.js';
import type { Holding, Joining, RegistrationPhase, RegistrationState } from './state.js';
import { TimeWatch } from './time-watch.js';
import { transition } from './transition.js';
import { left, Waiters } from './waiters.js';

/** Requests that may follow one another in one tick: service, POST, read-back, and one to spare. */
const stepsPerTick = 4;

/**
 * A registration: its state, and the one request that is due. It has no timer: who calls `tick()` is
 * told when to call again.
 */
export class RegistrationCore {
  /** The changes of status and properties while the process runs. */
  readonly changes: RecordChanges;
  #state: RegistrationPhase;
  #registrations = 0;
  #underWay: RequestUnderWay | undefined;
  #leaving: Promise<void> | undefined;
  readonly #closing = new AbortController();
  readonly #listed = new Listed();
  readonly #record: OwnRecord;
  readonly #announcer: Announcer;
  readonly #registrar: Registrar;
  readonly #background: BackgroundWork[] = [];
  readonly #time: TimeWatch;
  readonly #labels: LabelWatch;
  readonly #waiters = new Waiters();

  constructor(
    listing: Listing,
    private readonly settings: RegistrationSettings,
    private readonly parts: RegistrationParts,
  ) {
    const { client, caller, clock, pace } = parts;
    this.#state = { phase: settings.enabled ? 'idle' : 'disabled' };
    const writes = new RecordWrites(clock, pace.writeGap);
    const record = (this.#record = new OwnRecord(listing, writes));
    const announcer = (this.#announcer = new Announcer(parts, settings.enabled, record));
    const ways = { listed: () => this.#whenListed(), verify: () => this.#verifySoon() };
    this.changes = new RecordChanges({ client, record, writes, announcer, ...ways });
    this.#registrar = new Registrar(client, caller.addresses, clock, pace, writes);
    const onAnswer = (returned: boolean) => this.#apply({ kind: 'in-sight', returned });
    this.accompany(new AddressProber({ caller, clock, pace, onAnswer }));
    this.#time = new TimeWatch(clock);
    this.#labels = new LabelWatch(settings.enabled ? 'idle' : 'disabled', clock.wallNow());
  }

  /** The state now: it follows the time, also between two ticks. */
  get state(): RegistrationState {
    return labelOf(this.#state, this.parts.clock.now(), this.parts.caller.credentials.loginError);
  }

  /** All that is known, frozen. */
  snapshot(): RegistrationSnapshot {
    this.#noteLabel();
    return Object.freeze({
      state: this.#labels.label,
      since: new Date(this.#labels.since).toISOString(),
      serviceId: this.#announcer.serviceId ?? null,
      instanceId: this.#record.instance.instanceId,
      address: this.parts.client.address,
      registrations: this.#registrations,
      ...leaseFacts(this.#state, this.parts.clock.now(), this.parts.caller.credentials.loginError),
    });
  }

  /** Calls back with each new state; returns the function that ends it. */
  onChange(listener: (state: RegistrationState) => void): () => void {
    return this.#labels.onChange(listener);
  }

  /**
   * Adds work that is done with each tick while there is a registration, or one is on its way; with each
   * tick at all where it says so.
   */
  accompany(work: BackgroundWork): void {
    this.#background.push(work);
  }

  /** Sets what consumers connect to. One who is listed already is read back at once, and replaced. */
  publishAt(endpoints: readonly string[]): void {
    this.#record.change({ endpoints });
    this.#verifySoon();
  }

  /**
   * Resolves the service, once, before anything is registered.
   *
   * @throws ServiceCombError whatever kept it from being resolved.
   * @throws DOMException `AbortError` when closed meanwhile
   */
  async prepare(): Promise<void> {
    if (this.#state.phase !== 'idle') return;
    const { listing } = this.#record;
    const { signal } = this.#closing;
    const { serviceId, created } = await this.#registrar.resolveService(listing, signal);
    this.#announcer.serviceId = serviceId;
    const { ServiceRegistered: name } = RegistryEvents;
    this.#announcer.tell({ name, payload: { serviceId, created } });
  }

  /** Notes why nothing can be registered at all; nothing is tried until the process is restarted. */
  refuse(error: ServiceCombError): void {
    this.#enter({ ...joining(Infinity, undefined), refused: true, failures: 1, error });
    const { RegistrationBlocked: name } = RegistryEvents;
    this.#announcer.tell({ name, payload: { error, retryInMs: null } });
  }

  /** Starts to register, or ends the pause after a failed attempt. Resolves with the lease. */
  async register(): Promise<void> {
    const state = this.#state;
    const now = this.parts.clock.now();
    if (state.phase === 'disabled' || state.phase === 'holding') return;
    if (this.#closing.signal.aborted || state.phase === 'leaving') throw left();
    if (state.phase !== 'joining') {
      this.#leaving = undefined;
      this.#enter(joining(now, this.#announcer.serviceId));
    } else if (state.error !== undefined && state.dueAt === Infinity) throw state.error;
    else if (state.failures > 0) this.#enter({ ...state, dueAt: now });
    await this.#waiters.wait();
  }

  /**
   * Takes the instance off the registry, within the time of the settings, and never rejects. A POST
   * under way may land for half of that time, then it is cut off; anything else is cut off at once.
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

  /**
   * Notes that an interval's turn has come, also while a tick runs: one that comes late by two seconds
   * tells that the process stood still.
   */
  noteTurn(periodMs: number): void {
    const standstill = this.#time.note(periodMs);
    if (standstill !== undefined) this.#apply({ kind: 'stalled', ...standstill });
  }

  /**
   * Does what is due and resolves with the milliseconds until something is due again; undefined when
   * nothing ever is. Calls must not overlap. A heartbeat may be sent earlier by the tolerance, unless
   * its interval is a least distance.
   */
  async tick(toleranceMs: number): Promise<number | undefined> {
    this.#apply({ kind: 'elapsed' });
    for (let step = 0; step < stepsPerTick && this.#isDue(toleranceMs); step += 1)
      await this.#perform();
    const due = dueAt(this.#state);
    const works = this.#background.filter(work => due !== undefined || work.isUnconditional);
    const next = Math.min(due ?? Infinity, ...works.map(work => work.tick()));
    return due === undefined ? undefined : Math.max(0, next - this.parts.clock.now());
  }

  #isDue(toleranceMs: number): boolean {
    const due = dueAt(this.#state);
    const isHolding = this.#state.phase === 'holding';
    const tolerance = isHolding ? this.parts.pace.tolerance(toleranceMs) : 0;
    return due !== undefined && due <= this.parts.clock.now() + tolerance;
  }

  async #perform(): Promise<void> {
    const state = this.#state;
    if (state.phase !== 'joining' && state.phase !== 'holding') return;
    const isPost = state.phase === 'joining' && state.step.kind === 'post';
    if (isPost) this.#listed.post(this.#record.refUnder(state.step.serviceId));
    this.#underWay = new RequestUnderWay(isPost, signal => this.#request(state, signal));
    await this.#underWay.done.finally(() => {
      this.#underWay = undefined;
    });
  }

  async #request(state: Joining | Holding, signal: AbortSignal): Promise<void> {
    this.#apply(await this.#registrar.request(state, this.#record.listing, signal));
  }

  #apply(outcome: Outcome): void {
    const { clock, pace } = this.parts;
    const { state, facts } = transition(this.#state, outcome, {
      now: clock.now(),
      pace,
      verifyEvery: this.settings.verifyEvery || Infinity,
      registrations: this.#registrations,
    });
    this.#listed.note(outcome, this.#registrations);
    if (facts.some(({ name }) => name === RegistryEvents.InstanceRegistered))
      this.#registrations += 1;
    this.#enter(state);
    for (const fact of facts) this.#announcer.tell(fact);
    if (state.phase === 'holding') this.#waiters.resolve();
    else if (outcome.kind === 'refused' && this.settings.failFast)
      this.#waiters.reject(outcome.error);
  }

  /** Has the record read back at once. */
  #verifySoon(): void {
    if (this.#state.phase !== 'holding') return;
    this.#enter({ ...this.#state, verifyAt: this.parts.clock.now() });
  }

  #enter(state: RegistrationPhase): void {
    this.#state = state;
    this.#announcer.serviceId = serviceIdOf(state) ?? this.#announcer.serviceId;
    this.#noteLabel();
  }

  #noteLabel(): void {
    this.#labels.note(this.state, this.parts.clock.wallNow());
  }

  /** A registration under way carries the record as it was: what changes meanwhile follows it. */
  async #whenListed(): Promise<InstanceRef | undefined> {
    const state = this.#state;
    const step = state.phase === 'joining' ? state.step.kind : undefined;
    const isPosted = step === 'confirm' || (step === 'post' && this.#underWay?.isPost === true);
    if (isPosted) await this.#waiters.wait();
    return this.#state.phase === 'holding' ? this.#state.lease.ref : undefined;
  }

  async #leave(): Promise<void> {
    if (this.#state.phase === 'disabled') return;
    const { client, clock } = this.parts;
    const deadline = clock.now() + this.settings.leaveTimeoutMs;
    this.#enter({ phase: 'leaving' });
    const cutOff = this.changes.cutOff();
    this.#waiters.reject(left());
    for (const work of this.#background) work.stop();
    try {
      // A repair is both a write and the request under way.
      await Promise.all([cutOff, this.#underWay?.end(clock, this.settings.leaveTimeoutMs / 2)]);
      const departed = await this.#listed.depart({ client, clock, deadline });
      if (departed !== undefined) this.#announcer.tell(departed);
    } finally {
      // Also after a bug: one who is stuck could never come back.
      this.#enter({ phase: 'left' });
    }
  }
}
