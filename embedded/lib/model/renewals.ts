import { ErrorCode, RegistryError } from './registry-error.js';
import { Alarm } from '../clock.js';
import type { Clock } from '../clock.js';
import type { OddityKnobs } from './oddities.js';
import type { Lease } from './leases.js';
import { Listeners } from '../listeners.js';
import type { Store } from './store.js';

/** What came of a heartbeat when it was carried out. */
type Renewal = 'renewed' | 'refused';

/** The heartbeats of one id, registered or not. */
interface Beating {
  readonly latest: Renewal;
  /** What the next step renews. */
  readonly queued?: Lease | undefined;
  readonly at: number;
}

/** For how long the server remembers the beats of an id (initExecutorTTL in pkg/task). */
const memoryMs = 120_000;

/**
 * How heartbeats renew leases: at once or, with an oddity on, in steps, with answers that tell of
 * the beat before (pkg/task/service_async.go, datasource/etcd/client/client.go).
 */
export class Renewals {
  /** Told of each lease that a heartbeat has renewed, once it is. */
  readonly heard = new Listeners<Lease>();
  readonly #clock: Clock;
  readonly #knobs: OddityKnobs;
  readonly #store: Store;
  /** The id that has been silent longest comes first. */
  readonly #beatings = new Map<string, Beating>();
  readonly #queue = new Set<string>();
  readonly #alarm: Alarm;
  #areSwallowed = false;
  /** When a step was or will be; all others are whole steps away. */
  #stepAt: number;

  constructor(clock: Clock, knobs: OddityKnobs, store: Store) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#store = store;
    this.#stepAt = clock.now();
    this.#alarm = new Alarm(clock, () => this.catchUp());
    knobs.follow({
      before: () => this.catchUp(),
      after: (now, was) => {
        if (now.renewalStepMs !== was.renewalStepMs) this.#step(clock.now());
        if (!this.#isOdd) this.#beatings.clear();
      },
    });
  }

  /**
   * Answers a heartbeat, which renews the lease now, later or not at all.
   *
   * @param key names the id, in all its lives
   * @throws RegistryError 400017 when it, or the one before it, came too late
   */
  beat(lease: Lease, key: () => string): void {
    if (this.#areSwallowed) return;
    if (!this.#isOdd) this.#renewNow(lease);
    else if (this.#answer(lease, key()) === 'refused')
      throw new RegistryError(ErrorCode.InstanceNotExists, 'etcdserver: requested lease not found');
  }

  /** Runs something whose heartbeats are answered and renew nothing. */
  swallowedDuring<Result>(act: () => Result): Result {
    this.#areSwallowed = true;
    try {
      return act();
    } finally {
      this.#areSwallowed = false;
    }
  }

  /** Has the next heartbeat of an id tell that its lease was not found. */
  spoil(key: string): void {
    this.#note(key, { latest: 'refused', at: this.#clock.now() });
  }

  /** Carries out the step that is due by now. */
  catchUp(): void {
    if (this.#queue.size > 0 && this.#stepAt <= this.#clock.now()) this.#step(this.#stepAt);
  }

  get #isOdd(): boolean {
    const { renewalStepMs, dyingLeaseMs, spuriousLossChance, storeDown } = this.#knobs.values;
    return renewalStepMs > 0 || dyingLeaseMs > 0 || spuriousLossChance > 0 || storeDown;
  }

  #answer(lease: Lease, key: string): Renewal {
    const at = this.#clock.now();
    const known = this.#beatings.get(key) ?? (lease.wasRenewed ? { latest: 'renewed' } : undefined);
    if (known === undefined) {
      const latest = this.#renew(lease, at);
      this.#note(key, { latest, at });
      return latest;
    }
    if (this.#knobs.values.renewalStepMs === 0) {
      this.#renew(lease, at);
      this.#note(key, { latest: 'renewed', at });
    } else {
      this.#note(key, { latest: known.latest, queued: lease, at });
      this.#queueUp(key, at);
    }
    return known.latest;
  }

  #queueUp(key: string, now: number): void {
    const { renewalStepMs } = this.#knobs.values;
    this.#queue.add(key);
    if (this.#stepAt > now) return;
    this.#stepAt += (Math.floor((now - this.#stepAt) / renewalStepMs) + 1) * renewalStepMs;
    this.#alarm.set(this.#stepAt - now);
  }

  #step(at: number): void {
    this.#alarm.cancel();
    this.#stepAt = at;
    for (const key of this.#queue) {
      const beating = this.#beatings.get(key);
      if (beating?.queued === undefined) continue;
      this.#beatings.set(key, { latest: this.#renew(beating.queued, at), at: beating.at });
    }
    this.#queue.clear();
  }

  /** A store that does not answer is passed over. */
  #renew(lease: Lease, at: number): Renewal {
    if (this.#store.isDown) return 'renewed';
    if (!lease.isAliveAt(at)) return 'refused';
    this.#renewNow(lease, at);
    return 'renewed';
  }

  #renewNow(lease: Lease, at?: number): void {
    lease.renew(at);
    if (this.heard.areThere) this.heard.tell(lease);
  }

  #note(key: string, beating: Beating): void {
    this.#beatings.delete(key);
    this.#beatings.set(key, beating);
    for (const [old, { at }] of this.#beatings) {
      if (beating.at - at < memoryMs) break;
      this.#beatings.delete(old);
    }
  }
}
