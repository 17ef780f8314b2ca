import { type Clock, Deferred } from '../background/clock.js';
import { callFailureOf, NoInstanceError } from '../errors.js';
import { type EventContext, type PendingEvent, RegistryEvents } from '../events.js';
import type { RegistryEventName } from '../event-payloads.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { FrameProvider } from '../protocol/watch-frame.js';
import type { StoredInstance } from '../protocol/wire.js';
import { Announcer, type Publisher } from './announcer.js';
import { Balancer, type BalancerClock, type BalancerEvents, type CallOptions } from './balancer.js';
import type { Candidate } from './candidate.js';
import type { EndingAttempt } from './deadlines.js';
import { callable, type Instances } from './instance-list.js';
import { KnownProvider } from './known-provider.js';
import type {
  FindOptions,
  PickOptions,
  ProviderChange,
  ProviderName,
  ProviderQuery,
} from './provider.js';
import type { Fact } from './provider-state.js';
import { Puller } from './puller.js';
import type { DiscoverySettings, ProviderSettings } from './settings.js';
import { type DiscoverySnapshot, frozenCounts, snapshotOf } from './snapshot.js';
import { fitting, type VersionRule, versionRuleOf } from './version-rule.js';
import type { Watcher, WatcherEvents } from './watcher.js';

/** The collaborators of discovery. */
export interface DiscoveryParts {
  readonly client: Pick<ServiceCenterClient, 'findInstances' | 'findInstancesInBatch' | 'address'>;
  readonly clock: Clock;
  /** From 0 on, below 1. */
  readonly random: () => number;
  /** Emits and logs events, and logs notes; called after the state has changed. Must not throw. */
  readonly publisher: Publisher;
  /** Makes what follows changes. Called once, and it starts nothing; without it, polls alone find changes. */
  readonly watcher?: ((events: WatcherEvents) => WatcherOfCore) | undefined;
}

/** The part of a {@link Watcher} that the core uses. */
export type WatcherOfCore = Pick<
  Watcher,
  'want' | 'tick' | 'stop' | 'isOpen' | 'probe' | 'isolated'
>;

/** How long a provider is polled that no caller asks for and no listener follows. */
const forgottenMs = 1_800_000;

/** The same for a provider that the registry does not know: its name may come from a request. */
const absentForgottenMs = 60_000;

/** Queries that are remembered: version rules may come from requests, too. More are read each time. */
const mostCallees = 10_000;

/** Within this time the truth is pulled after the connection for changes was opened: a fleet opens them together. */
const openedSpreadMs = 500;

/** A provider as one query names it: which of its instances are called, and by which settings. */
interface Callee {
  readonly provider: KnownProvider;
  readonly balancer: Balancer;
  /** Of the query, besides the one of the settings. */
  readonly versionRule: string | undefined;
  readonly versionRules: readonly VersionRule[];
}

/**
 * Knows providers and their instances, and chooses among them. It is empty until the first question: nothing is
 * asked, timed or opened before. It has no timer: `tick()` resolves with the time until the next call of it is due.
 */
export class DiscoveryCore {
  /** By environment, application and name; those with fixed endpoints by the name that they are called by. */
  readonly #providers = new Map<string, KnownProvider>();
  /** By the query; all of it can be made again. */
  readonly #callees = new Map<string, Callee>();
  readonly #puller: Puller;
  readonly #watcher: WatcherOfCore | undefined;
  readonly #announcer: Announcer;
  /** One for all balancers, of which there may be thousands. */
  readonly #balancerClock: BalancerClock;
  #isStopped = false;
  #wake: () => void = () => (this.#isDueUnheard = true);
  /** Whether something became due before anybody wanted to hear of it. */
  #isDueUnheard = false;

  constructor(
    private readonly settings: DiscoverySettings,
    private readonly parts: DiscoveryParts,
  ) {
    const { client, clock, random } = parts;
    this.#announcer = new Announcer(clock, parts.publisher);
    this.#balancerClock = {
      now: () => clock.now(),
      delay: (ms, signal) => clock.delay(ms, signal),
      random,
    };
    const wake = () => this.#wake();
    this.#puller = new Puller(settings, { client, clock, random, wake });
    this.#watcher = settings.watch ? parts.watcher?.(this.#watcherEvents()) : undefined;
  }

  /** The id of our own service, by which the registry knows who asks; undefined before it is registered. */
  get consumerId(): string | undefined {
    return this.#puller.consumerId;
  }

  /**
   * Instances that may be called, in the order of their ids; or all of them, whatever their status. From memory
   * once they are known.
   * @throws NoInstanceError `unknown-provider`
   * @throws ServiceCombError when nothing is known and the registry does not answer; with `fresh`, whenever it does not
   */
  async find(
    query: string | ProviderQuery,
    { status = 'UP', fresh = false, signal }: FindOptions = {},
  ): Promise<Instances> {
    signal?.throwIfAborted();
    const { provider, versionRules } = this.#calleeOf(query);
    if (fresh && !provider.isFixed && this.settings.enabled) {
      await untilAborted(this.#puller.askStore(provider), signal);
      this.#check(provider, 'fresh');
    } else if (provider.instances.length === 0) await this.#ask(provider, signal);
    const { instances } = provider;
    return status === 'UP'
      ? callable(instances, versionRules)
      : versionRules.reduce<Instances>((left, rule) => fitting(rule, left), instances);
  }

  /**
   * Picks one that may be called now. The call is not counted: use `call` for that.
   * @throws NoInstanceError
   * @throws ServiceCombError when nothing is known and the registry does not answer
   */
  async pick(query: string | ProviderQuery, options?: PickOptions): Promise<Candidate> {
    const callee = this.#calleeOf(query);
    if (callee.provider.instances.length === 0) await this.#ask(callee.provider);
    return callee.balancer.pick(narrowed(options, callee));
  }

  /** Picks at once where instances are known; undefined where a question to the registry comes first. @throws NoInstanceError */
  pickKnown(query: string | ProviderQuery, options?: PickOptions): Candidate | undefined {
    const callee = this.#calleeOf(query);
    if (callee.provider.instances.length === 0) return undefined;
    return callee.balancer.pick(narrowed(options, callee));
  }

  /**
   * Runs an action on a candidate, and on another one when it failed and may be repeated. Waits for the first
   * answer of the registry when nothing is known.
   * @throws NoInstanceError, and what the action throws
   */
  async call<T>(
    query: string | ProviderQuery,
    action: (candidate: Candidate, attempt: EndingAttempt) => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    const callee = this.#calleeOf(query);
    if (callee.provider.instances.length === 0) await this.#ask(callee.provider, options?.signal);
    return callee.balancer.call(action, narrowed(options, callee));
  }

  /**
   * Calls back with the instances that may be called as soon as they are known, and with each change of them; with
   * none where the registry does not know the provider. Returns the function that ends it. The listener must not throw.
   */
  onChange(query: string | ProviderQuery, listener: (change: ProviderChange) => void): () => void {
    const { provider, versionRules } = this.#calleeOf(query);
    const end = provider.follow(instances => callable(instances, versionRules), listener);
    if (provider.state.kind === 'asked' && !provider.isFixed) void this.#puller.ask(provider);
    return end;
  }

  /** Notes what has happened to the registration: one of {@link noticedEvents}. */
  notice(event: PendingEvent, { instance }: EventContext): void {
    this.#announcer.instance = instance ?? this.#announcer.instance;
    const spreadMs = this.settings.pollIntervalMs / 3;
    const { name, payload } = event;
    if (name === RegistryEvents.ServiceRegistered) this.#setConsumer(payload.serviceId);
    if (name === RegistryEvents.AddressIsolated)
      this.#watcher?.isolated(payload.address, payload.error);
    if (name === RegistryEvents.InstanceLost) this.#shake();
    if (name === RegistryEvents.EventLoopStalled) this.#watcher?.probe();
    const isAgain = name === RegistryEvents.InstanceRegistered && payload.registrations > 1;
    const isBack = name === RegistryEvents.AddressRestored && this.#announcer.isFailing;
    if (isAgain || isBack || standstills.has(name)) this.#puller.pullAll(spreadMs);
  }

  /** Sets what is called when something may be due sooner than the last tick said. */
  onDue(wake: () => void): void {
    this.#wake = wake;
    if (this.#isDueUnheard) wake();
  }

  /** Starts what is due, and resolves with the milliseconds until something is due again; undefined when nothing ever is. */
  async tick(): Promise<number | undefined> {
    if (this.#isStopped) return undefined;
    const now = this.parts.clock.now();
    this.#forgetIdle(now);
    const dueAts = [...this.#providers.values()].map(provider => provider.tick());
    dueAts.push(this.#puller.tick(), this.#watcher?.tick() ?? Infinity);
    const dueAt = dueAts.reduce((first, each) => Math.min(first, each), Infinity);
    return dueAt === Infinity ? undefined : Math.max(0, dueAt - now);
  }

  /** Asks for the providers of `discovery.warmUp`. Resolves when each has been answered for, or failed; never rejects. */
  async warmUp(): Promise<void> {
    if (!this.settings.enabled) return;
    const providers = this.settings.warmUp.map(name => this.#calleeOf(name).provider);
    await Promise.all(providers.map(provider => this.#puller.ask(provider)));
  }

  /** Ends what is under way, and asks nothing any more. Picks and calls are answered from memory. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watcher?.stop();
    for (const provider of this.#providers.values())
      for (const balancer of provider.balancers.values()) balancer.stop();
    await this.#puller.stop();
  }

  /** All that is known, frozen. */
  snapshot(): DiscoverySnapshot {
    const now = this.parts.clock.now();
    const providers = [...this.#providers.values()].map(provider => snapshotOf(provider, now));
    return Object.freeze({
      watching: this.#watcher?.isOpen ?? false,
      providers: Object.freeze(providers),
      pulls: frozenCounts(this.#puller.counts),
    });
  }

  /** Asks for a provider of which no instance is known. */
  async #ask(provider: KnownProvider, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.settings.enabled) await untilAborted(this.#puller.ask(provider), signal);
    this.#check(provider);
  }

  /** @throws the reason why there is no list of a provider */
  #check(
    { name, state, instances, isFixed }: KnownProvider,
    how: 'fresh' | 'known' = 'known',
  ): void {
    if (isFixed) return;
    const isOld = state.kind === 'asked' || how === 'fresh';
    if (isOld && state.trouble !== undefined) throw state.trouble.error;
    const none = { registered: 0, up: 0, fitting: 0 };
    if (!this.settings.enabled)
      throw new NoInstanceError(name, 'unknown-provider', none, disabledAdvice);
    if (state.kind === 'asked') throw new DOMException('Discovery has ended', 'AbortError');
    if (state.kind === 'absent' && instances.length === 0)
      throw new NoInstanceError(name, 'unknown-provider', none);
  }

  #calleeOf(query: string | ProviderQuery): Callee {
    const key = typeof query === 'string' ? query : queryKeyOf(query);
    const callee = this.#callees.get(key) ?? this.#addCallee(key, query);
    callee.provider.use();
    return callee;
  }

  #addCallee(key: string, text: string | ProviderQuery): Callee {
    const query = typeof text === 'string' ? { serviceName: text } : text;
    const { own, providers } = this.settings;
    const settings = providers.get(query.serviceName);
    const name = Object.freeze({
      environment: query.environment ?? settings?.environment ?? own.environment,
      appId: query.appId ?? settings?.appId ?? own.appId,
      serviceName: settings?.serviceName ?? query.serviceName,
    });
    assertNames(name);
    const { versionRule } = query;
    const rules = [settings?.versionRule, versionRule].filter(rule => rule !== undefined);
    const versionRules = settings?.endpoints === undefined ? rules.map(versionRuleOf) : [];
    const provider = this.#providerOf(name, query.serviceName, settings?.endpoints);
    const balancer = this.#balancerOf(provider, query.serviceName, settings);
    const callee = { provider, balancer, versionRule, versionRules };
    if (this.#callees.size >= mostCallees) this.#callees.clear();
    this.#callees.set(key, callee);
    return callee;
  }

  #providerOf(
    name: ProviderName,
    calledName: string,
    endpoints: readonly string[] | undefined,
  ): KnownProvider {
    const key = endpoints === undefined ? keyOf(name) : calledName;
    const known = this.#providers.get(key);
    if (known !== undefined) return known;
    const { clock } = this.parts;
    const { keepMs, enabled } = this.settings;
    const announce = (of: KnownProvider, fact: Fact) => this.#announce(of, fact);
    const fixed = endpoints?.map(fixedInstance);
    const provider = new KnownProvider(name, { clock, keepMs, announce }, fixed);
    this.#providers.set(key, provider);
    if (enabled && !provider.isFixed) {
      this.#puller.add(provider);
      this.#watch();
    }
    return provider;
  }

  /** The names that have no settings of their own share one balancer. */
  #balancerOf(
    provider: KnownProvider,
    calledName: string,
    own: ProviderSettings | undefined,
  ): Balancer {
    const key = own === undefined ? '' : calledName;
    const known = provider.balancers.get(key);
    if (known !== undefined) return known;
    const { settings } = this;
    const { isFixed } = provider;
    const balancer = new Balancer(
      provider.name,
      {
        // Fixed endpoints have neither a version nor a zone.
        versionRule: isFixed ? undefined : own?.versionRule,
        picker: own?.picker ?? settings.picker,
        zone: isFixed ? 'ignore' : (own?.zone ?? settings.zone),
        ejection: settings.ejection,
        dataCenter: settings.own.dataCenter,
      },
      this.#balancerClock,
      this.#balancerEvents(provider),
    );
    provider.addBalancer(key, balancer);
    return balancer;
  }

  #forgetIdle(now: number): void {
    const idle = new Set<KnownProvider>();
    for (const [key, provider] of this.#providers) {
      const isIdle = now >= provider.usedAt + idleMs(provider);
      if (!isIdle || provider.isFollowed || provider.isFixed) continue;
      idle.add(provider);
      this.#providers.delete(key);
      this.#puller.remove(provider);
      for (const balancer of provider.balancers.values()) balancer.stop();
    }
    if (idle.size === 0) return;
    for (const [query, { provider }] of this.#callees)
      if (idle.has(provider)) this.#callees.delete(query);
    const rest = [...this.#providers.values()];
    if (rest.every(({ state }) => state.trouble === undefined)) this.#announcer.forgetFailures();
    this.#watch();
  }

  #setConsumer(serviceId: string): void {
    // A service that was deleted and registered again often has its old id, and the connection is deaf then.
    this.#watcher?.want(undefined);
    // The header that names the consumer cannot hold any other.
    this.#puller.setConsumer(/^[\x21-\x7e]{1,64}$/.test(serviceId) ? serviceId : undefined);
    this.#watch();
  }

  /** Watches while there is something to watch: providers in our own environment, which the registry pushes. */
  #watch(): void {
    const { environment } = this.settings.own;
    let isWatched = false;
    for (const { name, isFixed } of this.#providers.values())
      if ((isWatched = !isFixed && name.environment === environment)) break;
    this.#watcher?.want(isWatched && !this.#isStopped ? this.consumerId : undefined);
    if (isWatched) this.#wake();
  }

  #shake(): void {
    for (const provider of this.#providers.values())
      if (!provider.isFixed) provider.apply({ kind: 'shaken' });
  }

  /** Pulls the provider of a frame, by its name and by its alias: callers may use either. */
  #hint(frame: FrameProvider | 'all'): void {
    if (frame === 'all') return this.#puller.hint([...this.#providers.values()]);
    const { environment, appId, serviceName, alias = serviceName } = frame;
    const names = new Set([serviceName, alias]);
    const keys = [...names].map(name => keyOf({ environment, appId, serviceName: name }));
    this.#puller.hint(keys.flatMap(key => this.#providers.get(key) ?? []));
  }

  #watcherEvents(): WatcherEvents {
    const { client } = this.parts;
    return {
      hint: frame => this.#hint(frame),
      opened: address => {
        this.#announcer.publish({ name: RegistryEvents.WatchOpened, payload: { address } });
        this.#puller.pullAll(openedSpreadMs);
      },
      lost: (address, error, retryInMs) => {
        this.#shake();
        this.#announcer.publish({
          name: RegistryEvents.WatchLost,
          payload: { address, error, retryInMs },
        });
      },
      failed: (address = client.address, error, retryInMs) =>
        this.#announcer.note({ kind: 'unwatched', address, error, retryInMs }),
      silentRegistry: (address = client.address, error, retryInMs) =>
        this.#announcer.note({ kind: 'unwatchable', address, error, retryInMs }),
      unavailable: error => this.#announcer.note({ kind: 'no-web-socket', error }),
      due: () => this.#wake(),
    };
  }

  #balancerEvents(provider: KnownProvider): BalancerEvents {
    const { name } = provider;
    const of = ({ instance, endpoint }: Candidate) => {
      return { provider: name, instanceId: instance.instanceId, endpoint: endpoint.text };
    };
    return {
      ejected: (candidate, { error, failures, forMs }) => {
        const payload = { ...of(candidate), error: callFailureOf(error), failures, forMs };
        this.#announcer.publish({ name: RegistryEvents.EndpointEjected, payload });
      },
      restored: (candidate, { afterMs }) => {
        const payload = { ...of(candidate), afterMs };
        provider.apply({ kind: 'reached', instanceId: payload.instanceId });
        this.#announcer.publish({ name: RegistryEvents.EndpointRestored, payload });
      },
      failed: ({ instance }, outcome) => {
        if (provider.isFixed) return;
        const { instanceId } = instance;
        const isUnsent = outcome === 'unsent';
        provider.apply({ kind: 'call-failed', instanceId, isUnsent });
        if (isUnsent) this.#puller.doubt(provider);
      },
      skipped: endpoint => this.#announcer.note({ kind: 'unreadable', provider: name, endpoint }),
    };
  }

  #announce(provider: KnownProvider, fact: Fact): void {
    const wasFailing = this.#announcer.isFailing;
    this.#announcer.announce(provider.name, fact);
    const isBack = wasFailing && !this.#announcer.isFailing;
    if (isBack) this.#puller.pullAll(this.settings.pollIntervalMs / 3);
  }
}

/** All that discovery notices of the registration. Heartbeats are not among it. */
export const noticedEvents: readonly RegistryEventName[] = [
  RegistryEvents.ServiceRegistered,
  RegistryEvents.InstanceRegistered,
  RegistryEvents.InstanceLost,
  RegistryEvents.AddressIsolated,
  RegistryEvents.AddressRestored,
  RegistryEvents.EventLoopStalled,
];

/** Events after which anything may have changed unnoticed. */
const standstills: ReadonlySet<RegistryEventName> = new Set([
  RegistryEvents.InstanceLost,
  RegistryEvents.EventLoopStalled,
]);

const disabledAdvice =
  'The registry is not asked (enabled: false): set discovery.providers.<name>.endpoints';

/** Returns the key of a provider. No part can contain the separator. */
function keyOf({ environment, appId, serviceName }: ProviderName): string {
  return `${environment}\n${appId}\n${serviceName}`;
}

/** Nor can a part be a tab, which stands for a part that is not given. */
function queryKeyOf({ environment, appId, serviceName, versionRule }: ProviderQuery): string {
  return `${environment ?? '\t'}\n${appId ?? '\t'}\n${serviceName}\n${versionRule ?? ''}`;
}

/** @throws RangeError when no URL could hold a name, or two names could have one key */
function assertNames({ serviceName, appId }: ProviderName): void {
  for (const [key, value] of Object.entries({ serviceName, appId }))
    if (!/^\P{C}+$/u.test(value))
      throw new RangeError(
        `${key} must be a name without control characters, got ${JSON.stringify(value)}`,
      );
}

/** Returns the options of a pick, with the version rule of the query unless they have one. */
function narrowed<Options extends PickOptions>(
  options: Options | undefined,
  { versionRule }: Callee,
): Options | PickOptions | undefined {
  if (versionRule === undefined || options?.versionRule !== undefined) return options;
  return { ...options, versionRule };
}

function fixedInstance(endpoint: string): StoredInstance {
  return { instanceId: endpoint, hostName: '', endpoints: [endpoint], status: 'UP' };
}

/** Returns how long after the last question a provider is forgotten. */
function idleMs({ state, instances }: KnownProvider): number {
  return state.kind === 'absent' && instances.length === 0 ? absentForgottenMs : forgottenMs;
}

/** Waits for work that goes on for others when this caller gives up. */
async function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const aborted = new Deferred();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
