import type { ServiceCombError } from '../errors.js';
import { type RegistryFact, RegistryEvents } from '../events/events.js';
import type { InstanceRef, InstanceStatus } from '../protocol/wire.js';
import { depart, departureFact } from './departure.js';
import { LabelWatch } from './label-watch.js';
import type { Listing } from './listing.js';
import type { Outcome } from './outcome.js';
import { OwnRecord } from './own-record.js';
import { Registrar } from './registrar.js';
import { RequestUnderWay } from './request-under-way.js';
import type { RegistrationParts, RegistrationSettings } from './registration-parts.js';
import { leaseFacts, type RegistrationSnapshot } from './snapshot.js';
import { dueAt, joining, labelOf, serviceIdOf } from './state.js';
import type { Holding, Joining, RegistrationPhase, RegistrationState } from './state.js';
import { transition } from './transition.js';
import { left, Waiters } from './waiters.js';

/** Requests that may follow one another in one tick: service, POST, read-back, and one to spare. */
const stepsPerTick = 4;

/**
 * A registration: its state, and the one request that is due. It has no timer: who calls `tick()` is
 * told when to call again.
 */
export class RegistrationCore {
  #state: RegistrationPhase;
  #registrations = 0;
  /** The last id of the service that was known, also while it is being resolved anew. */
  #serviceId: string | undefined;
  /** What a POST may have listed; `answered` once the registry has said so. */
  #listed: { readonly ref: InstanceRef; readonly answered: boolean } | undefined;
  #underWay: RequestUnderWay | undefined;
  #leaving: Promise<void> | undefined;
  #closed = false;
  readonly #record: OwnRecord;
  readonly #registrar: Registrar;
  readonly #labels: LabelWatch;
  readonly #waiters = new Waiters();

  constructor(
    listing: Listing,
    private readonly settings: RegistrationSettings,
    private readonly parts: RegistrationParts,
  ) {
    const { client, clock, pace } = parts;
    this.#state = { phase: settings.enabled ? 'idle' : 'disabled' };
    this.#record = new OwnRecord(listing);
    this.#registrar = new Registrar(client, clock, pace.beatTimeoutMs);
    this.#labels = new LabelWatch(settings.enabled ? 'idle' : 'disabled', clock.wallNow());
  }

  /** The state now: it follows the time, also between two ticks. */
  get state(): RegistrationState {
    return labelOf(this.#state, this.parts.clock.now());
  }

  /** All that is known, frozen. */
  snapshot(): RegistrationSnapshot {
    const { clock, client } = this.parts;
    this.#noteLabel();
    return Object.freeze({
      state: this.#labels.label,
      since: new Date(this.#labels.since).toISOString(),
      serviceId: this.#serviceId ?? null,
      instanceId: this.#record.instance.instanceId,
      address: client.address,
      registrations: this.#registrations,
      ...leaseFacts(this.#state, clock.now()),
    });
  }

  /** Calls back with each new state; returns the function that ends it. */
  onChange(listener: (state: RegistrationState) => void): () => void {
    return this.#labels.onChange(listener);
  }

  /** Sets what consumers connect to. One who is listed already is read back at once, and replaced. */
  publishAt(endpoints: readonly string[]): void {
    this.#record.change({ endpoints });
    if (this.#state.phase === 'holding') this.#enter({ ...this.#state, beatsUntilVerify: 0 });
  }

  /**
   * Resolves the service, once, before anything is registered.
   *
   * @throws ServiceCombError whatever kept it from being resolved.
   */
  async prepare(): Promise<void> {
    if (this.#state.phase !== 'idle') return;
    const { serviceId, created } = await this.#registrar.resolveService(this.#record.listing);
    this.#serviceId = serviceId;
    this.#tell({ name: RegistryEvents.ServiceRegistered, payload: { serviceId, created } });
  }

  /** Notes why nothing can be registered at all; nothing is tried until the process is restarted. */
  refuse(error: ServiceCombError): void {
    this.#enter({ ...joining(Infinity, undefined), refused: true, failures: 1, error });
    this.#tell({ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs: null } });
  }

  /** Starts to register, or ends the pause after a failed attempt. Resolves with the lease. */
  async register(): Promise<void> {
    const state = this.#state;
    const now = this.parts.clock.now();
    if (state.phase === 'disabled' || state.phase === 'holding') return;
    if (this.#closed || state.phase === 'leaving') throw left();
    if (state.phase !== 'joining') {
      this.#leaving = undefined;
      this.#enter(joining(now, this.#serviceId));
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
    this.#closed = true;
    return this.leave();
  }

  /**
   * Changes the status, at the registry too when registered.
   *
   * @throws ServiceCombError when the registry did not take it; the status is then the old one.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    const { status: from = 'UP' } = await this.#record.changeBy({ status }, () =>
      this.#atRegistry(ref => this.parts.client.setInstanceStatus(ref, status)),
    );
    if (from !== status && this.settings.enabled)
      this.#tell({ name: RegistryEvents.StatusChanged, payload: { from, to: status } });
  }

  /**
   * Replaces the instance's properties, at the registry too when registered.
   *
   * @throws ServiceCombError when the registry did not take them; they are then the old ones.
   */
  async setProperties(properties: Readonly<Record<string, string>>): Promise<void> {
    const copy = Object.freeze({ ...properties });
    await this.#record.changeBy({ properties: copy }, () =>
      this.#atRegistry(ref => this.parts.client.setInstanceProperties(ref, copy)),
    );
  }

  /**
   * Does what is due and resolves with the milliseconds until something is due again; undefined when
   * nothing ever is. Calls must not overlap. A heartbeat may be sent earlier by the tolerance.
   */
  async tick(toleranceMs: number): Promise<number | undefined> {
    this.#apply({ kind: 'elapsed' });
    for (let step = 0; step < stepsPerTick && this.#isDue(toleranceMs); step += 1)
      await this.#perform();
    const due = dueAt(this.#state);
    return due === undefined ? undefined : Math.max(0, due - this.parts.clock.now());
  }

  #isDue(toleranceMs: number): boolean {
    const due = dueAt(this.#state);
    const tolerance = this.#state.phase === 'holding' ? toleranceMs : 0;
    return due !== undefined && due <= this.parts.clock.now() + tolerance;
  }

  async #perform(): Promise<void> {
    const state = this.#state;
    if (state.phase !== 'joining' && state.phase !== 'holding') return;
    const isPost = state.phase === 'joining' && state.step.kind === 'post';
    if (isPost)
      this.#listed = { ref: this.#record.refUnder(state.step.serviceId), answered: false };
    this.#underWay = new RequestUnderWay(isPost, signal => this.#request(state, signal));
    try {
      await this.#underWay.done;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #request(state: Joining | Holding, signal: AbortSignal): Promise<void> {
    const { listing } = this.#record;
    const outcome =
      state.phase === 'joining'
        ? await this.#registrar.join(state, listing, signal)
        : await this.#registrar.keep(state, listing, signal);
    this.#apply(outcome);
  }

  #apply(outcome: Outcome): void {
    const { clock, pace } = this.parts;
    const { verifyEvery } = this.settings;
    const { state, facts } = transition(this.#state, outcome, {
      now: clock.now(),
      pace,
      verifyEvery: verifyEvery === 0 ? Infinity : verifyEvery,
      registrations: this.#registrations,
    });
    this.#noteListed(outcome);
    if (facts.some(({ name }) => name === RegistryEvents.InstanceRegistered))
      this.#registrations += 1;
    this.#enter(state);
    for (const fact of facts) this.#tell(fact);
    if (state.phase === 'holding') this.#waiters.resolve();
    else if (outcome.kind === 'refused' && this.settings.failFast)
      this.#waiters.reject(outcome.error);
  }

  /** Remembers whether a removal at the end has something to remove, and something to wait for. */
  #noteListed(outcome: Outcome): void {
    if (this.#listed === undefined) return;
    if (outcome.kind === 'posted') this.#listed = { ...this.#listed, answered: true };
    const refused = outcome.kind === 'refused' || outcome.kind === 'service-gone';
    const nothingListed = !this.#listed.answered && this.#registrations === 0;
    if (refused && nothingListed) this.#listed = undefined;
  }

  #enter(state: RegistrationPhase): void {
    this.#state = state;
    this.#serviceId = serviceIdOf(state) ?? this.#serviceId;
    this.#noteLabel();
  }

  #noteLabel(): void {
    this.#labels.note(this.state, this.parts.clock.wallNow());
  }

  #tell(fact: RegistryFact): void {
    const at = new Date(this.parts.clock.wallNow()).toISOString();
    const instance =
      this.#serviceId === undefined ? {} : { instance: this.#record.describe(this.#serviceId) };
    this.parts.publish(fact, { at, ...instance });
  }

  /** A registration under way carries the record as it was: what changes meanwhile follows it. */
  async #atRegistry(write: (ref: InstanceRef) => Promise<void>): Promise<void> {
    const state = this.#state;
    const isConfirming = state.phase === 'joining' && state.step.kind === 'confirm';
    if (isConfirming || this.#underWay?.isPost === true) await this.#waiters.wait();
    if (this.#state.phase === 'holding') await write(this.#state.lease.ref);
  }

  async #leave(): Promise<void> {
    if (this.#state.phase === 'disabled') return;
    const { client, clock } = this.parts;
    const deadline = clock.now() + this.settings.leaveTimeoutMs;
    this.#enter({ phase: 'leaving' });
    this.#waiters.reject(left());
    await this.#underWay?.end(clock, this.settings.leaveTimeoutMs / 2);
    if (this.#listed !== undefined) {
      const { ref, answered } = this.#listed;
      const departure = await depart(ref, { client, clock, deadline, mayStillLand: !answered });
      this.#listed = undefined;
      this.#tell(departureFact(departure));
    }
    this.#enter({ phase: 'left' });
  }
}
