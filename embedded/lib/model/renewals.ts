import { ErrorCode, RegistryError } from './registry-error.js';
import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';
import type { Lease } from './leases.js';
import { Listeners } from '../listeners.js';
import type { Store } from './store.js';

/** The result of an executed heartbeat. */
type Renewal = 'renewed' | 'refused';

/** The state of the heartbeats of one id, registered or not. */
interface HeartbeatState {
  readonly latest: Renewal;
  /** The lease that the next step renews. */
  readonly queued?: Lease | undefined;
  readonly at: number;
}

/**
 * Milliseconds for which the server remembers the heartbeats of an id (initExecutorTTL in
 * pkg/task).
 */
const memoryMs = 120_000;

/**
 * Renews leases on heartbeats: at once or, with an oddity, in steps and answered with the result of
 * the previous heartbeat (pkg/task/service_async.go, datasource/etcd/client/client.go).
 */
export class Renewals {
  /** Emits each lease that a heartbeat has renewed. */
  readonly renewed = new Listeners<Lease>();
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  readonly #store: Store;
  /** The id whose last heartbeat is oldest comes first. */
  readonly #states = new Map<string, HeartbeatState>();
  readonly #queue = new Set<string>();
  readonly #timer: Timer;
  #isSuspended = false;
  /** Time of the next step, or of the last one if nothing is queued. */
  #stepAt: number;
  /** Time at which the server began to count steps and turns of the housekeeping. */
  #beganAt: number;

  constructor(clock: Clock, knobs: OddityKnobs, store: Store) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#store = store;
    this.#beganAt = this.#stepAt = clock.now();
    this.#timer = new Timer(clock, () => this.catchUp());
    knobs.onChange({
      before: () => this.catchUp(),
      after: (now, was) => {
        if (now.renewalStepMs !== was.renewalStepMs || now.housekeepingMs !== was.housekeepingMs)
          this.#beginAnew(clock.now());
        if (!this.#hasOddity) this.#states.clear();
      },
    });
  }

  /**
   * Answers a heartbeat, which renews the lease now, later or not at all.
   *
   * @param key returns the id, the same in every registration
   * @throws RegistryError 400017 if this heartbeat or the previous one came too late
   */
  heartbeat(lease: Lease, key: () => string): void {
    if (this.#isSuspended) return;
    if (!this.#hasOddity) this.#renewNow(lease);
    else if (this.#answer(lease, key()) === 'refused')
      throw new RegistryError(ErrorCode.InstanceNotExists, 'etcdserver: requested lease not found');
  }

  /** Runs a function in which heartbeats are answered but renew nothing. */
  withoutRenewing<Result>(act: () => Result): Result {
    this.#isSuspended = true;
    try {
      return act();
    } finally {
      this.#isSuspended = false;
    }
  }

  /** Makes the next heartbeat of an id report that its lease was not found. */
  failNext(key: string): void {
    this.#remember(key, { latest: 'refused', at: this.#clock.now() });
  }

  /** Forgets all heartbeats, also those that wait for a step. */
  clear(): void {
    this.#timer.cancel();
    this.#states.clear();
    this.#queue.clear();
  }

  /** Executes the step that is due. */
  catchUp(): void {
    if (this.#queue.size > 0 && this.#stepAt <= this.#clock.now()) this.#step(this.#stepAt);
  }

  get #hasOddity(): boolean {
    const { renewalStepMs, dyingLeaseMs, spuriousLossChance, storeDown } = this.#knobs.values;
    return renewalStepMs > 0 || dyingLeaseMs > 0 || spuriousLossChance > 0 || storeDown;
  }

  #answer(lease: Lease, key: string): Renewal {
    const at = this.#clock.now();
    const previous =
      this.#states.get(key) ?? (lease.wasRenewed ? { latest: 'renewed' } : undefined);
    if (previous === undefined) {
      const latest = this.#renew(lease, at);
      this.#remember(key, { latest, at });
      return latest;
    }
    if (this.#knobs.values.renewalStepMs === 0) {
      this.#renew(lease, at);
      this.#remember(key, { latest: 'renewed', at });
    } else {
      this.#remember(key, { latest: previous.latest, queued: lease, at });
      this.#queueUp(key, at);
    }
    return previous.latest;
  }

  #queueUp(key: string, now: number): void {
    this.#queue.add(key);
    if (this.#stepAt > now) return;
    this.#stepAt = this.#stepAfter(now);
    this.#timer.start(this.#stepAt - now);
  }

  /**
   * Returns the time of the next step. Each turn of the housekeeping starts the server's timer
   * again, and comes just before the step that is due at the same time.
   */
  #stepAfter(now: number): number {
    const { renewalStepMs, housekeepingMs } = this.#knobs.values;
    const next = (from: number, everyMs: number) =>
      from + (Math.floor((now - from) / everyMs) + 1) * everyMs;
    if (housekeepingMs === 0) return next(this.#beganAt, renewalStepMs);
    const turnAt = next(this.#beganAt, housekeepingMs);
    const stepAt = next(turnAt - housekeepingMs, renewalStepMs);
    return stepAt < turnAt ? stepAt : turnAt + renewalStepMs;
  }

  #beginAnew(now: number): void {
    this.#beganAt = now;
    this.#step(now);
  }

  #step(at: number): void {
    this.#timer.cancel();
    this.#stepAt = at;
    for (const key of this.#queue) {
      const state = this.#states.get(key);
      if (state?.queued === undefined) continue;
      this.#states.set(key, { latest: this.#renew(state.queued, at), at: state.at });
    }
    this.#queue.clear();
  }

  /** The server ignores a renewal that fails because the store is down. */
  #renew(lease: Lease, at: number): Renewal {
    if (this.#store.isDown) return 'renewed';
    if (!lease.isAliveAt(at)) return 'refused';
    this.#renewNow(lease, at);
    return 'renewed';
  }

  #renewNow(lease: Lease, at?: number): void {
    lease.renew(at);
    if (this.renewed.hasAny) this.renewed.emit(lease);
  }

  #remember(key: string, state: HeartbeatState): void {
    this.#states.delete(key);
    this.#states.set(key, state);
    for (const [old, { at }] of this.#states) {
      if (state.at - at < memoryMs) break;
      this.#states.delete(old);
    }
  }
}
