import type { Clock } from '../background/clock.js';
import type { Balancer } from './balancer.js';
import { differenceOf, type Instances } from './instance-list.js';
import type { ProviderChange, ProviderName } from './provider.js';
import {
  believed,
  type Fact,
  keptUntil,
  type Outcome,
  type ProviderState,
  transition,
  unasked,
} from './provider-state.js';
import type { Pullable } from './puller.js';

export interface KnownProviderParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly keepMs: number;
  /** Called with each fact, after everything else knows of it. */
  readonly announce: (provider: KnownProvider, fact: Fact) => void;
}

const none: Instances = Object.freeze([]);

/** A listener, and the part of the instances that it follows. */
interface Follower {
  readonly select: (instances: Instances) => Instances;
  readonly listener: (change: ProviderChange) => void;
  /** The list that it was called with last; undefined before the first time. */
  last: Instances | undefined;
}

/** A provider that was asked for: its state, and the balancers and listeners that follow it. */
export class KnownProvider implements Pullable {
  #usedAt: number;
  #isUsed = false;
  /** Whether its instances are options, and the registry is not asked. */
  readonly isFixed: boolean;
  #state: ProviderState = unasked;
  #instances: Instances;
  readonly #balancers = new Map<string, Balancer>();
  readonly #followers = new Set<Follower>();

  constructor(
    readonly name: ProviderName,
    private readonly parts: KnownProviderParts,
    fixed: Instances | undefined,
  ) {
    this.isFixed = fixed !== undefined;
    this.#instances = fixed ?? none;
    this.#usedAt = parts.clock.now();
  }

  get state(): ProviderState {
    return this.#state;
  }

  /** All that are believed to be there, whatever their status. */
  get instances(): Instances {
    return this.#instances;
  }

  /** When it was last asked for: since the last read, counts as now. Reading the clock for each pick would be most of its cost. */
  get usedAt(): number {
    if (this.#isUsed) this.#usedAt = this.parts.clock.now();
    this.#isUsed = false;
    return this.#usedAt;
  }

  /** Notes that it is asked for. */
  use(): void {
    this.#isUsed = true;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** By the name that the provider is called by, as far as that has settings of its own. */
  get balancers(): ReadonlyMap<string, Balancer> {
    return this.#balancers;
  }

  addBalancer(key: string, balancer: Balancer): void {
    this.#balancers.set(key, balancer);
    balancer.update(this.#instances);
  }

  /** Takes an outcome in: balancers, followers and events know of it when this returns. */
  apply(outcome: Outcome): void {
    const { clock, keepMs, announce } = this.parts;
    const before = this.#state;
    const { state, facts } = transition(before, outcome, { now: clock.now(), keepMs });
    this.#state = state;
    const instances = believed(state);
    const isChanged = differenceOf(this.#instances, instances) !== undefined;
    if (isChanged) {
      this.#instances = instances;
      for (const balancer of this.#balancers.values()) balancer.update(instances);
    }
    for (const follower of this.#followers)
      if (this.#isKnown && (isChanged || follower.last === undefined)) this.#show(follower);
    for (const fact of facts) announce(this, fact);
  }

  /** Drops what has been kept for long enough. Returns when that is to be looked at again; Infinity for never. */
  tick(): number {
    if (keptUntil(this.#state) <= this.parts.clock.now()) this.apply({ kind: 'elapsed' });
    return keptUntil(this.#state);
  }

  /** Calls back with what is selected of the list, as soon as that is known, and with each change of it. */
  follow(select: Follower['select'], listener: Follower['listener']): () => void {
    const follower = { select, listener, last: undefined };
    this.#followers.add(follower);
    if (this.#isKnown) this.#show(follower);
    return () => void this.#followers.delete(follower);
  }

  /** Whether its instances are known, even if there are none. */
  get #isKnown(): boolean {
    return this.isFixed || this.#state.kind !== 'asked';
  }

  #show(follower: Follower): void {
    const { last = [], select, listener } = follower;
    const instances = Object.freeze(select(this.#instances));
    const change = differenceOf(last, instances);
    if (change === undefined && follower.last !== undefined) return;
    follower.last = instances;
    const none = { added: [], removed: [], updated: [] };
    listener(Object.freeze({ provider: this.name, instances, ...(change ?? none) }));
  }
}
