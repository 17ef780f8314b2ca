import type { Microservice, MicroserviceInstance } from '../../lib/model/wire.js';
import { resolveQuotas } from '../../lib/model/quotas.js';
import type { QuotaOptions } from '../../lib/model/quotas.js';
import type { Clock, ProfileOverrides, Oddities, Profile } from '../../lib/index.js';
import { activate } from '../../lib/profiles/client-limits.js';
import type { ActiveProfile } from '../../lib/profiles/client-limits.js';
import { resolveProfile } from '../../lib/profiles/profile.js';
import { Rbac } from '../../lib/rbac/rbac.js';
import type { RbacOptions } from '../../lib/rbac/rbac.js';
import { RegistryModel } from '../../lib/model/registry-model.js';
import { OddityKnobs } from '../../lib/model/oddities.js';
import { ServiceCenterApi } from '../../lib/service-center-api.js';

interface FakeTimer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is advanced. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<FakeTimer>();
  readonly #onSet = new Set<() => void>();

  /** Number of pending timers. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + ms, callback };
    this.#timers.add(timer);
    for (const tell of this.#onSet) tell();
    this.#onSet.clear();
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Resolves when the next timer is set. */
  nextTimer(): Promise<void> {
    return new Promise(resolve => {
      this.#onSet.add(resolve);
    });
  }

  /** Advances the clock and calls back each timer at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#firstUntil(end); next; next = this.#firstUntil(end)) {
      this.#now = Math.max(this.#now, next.dueAt);
      this.#timers.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** Advances the clock without calling timers, as if the process had been frozen. */
  leap(ms: number): void {
    this.#now += ms;
  }

  /** Of several timers with the same time, the one that was set first. */
  #firstUntil(end: number): FakeTimer | undefined {
    const [first] = [...this.#timers].toSorted((a, b) => a.dueAt - b.dueAt);
    return first !== undefined && first.dueAt <= end ? first : undefined;
  }
}

/** Body and headers of a request. */
export interface AskOptions {
  readonly body?: unknown;
  readonly consumerId?: string;
  readonly domain?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An instance in an answer. */
export interface ToldInstance extends MicroserviceInstance {
  readonly instanceId: string;
}

/** The fields of all answers; a test knows which of them to expect. */
interface ToldJson {
  readonly errorCode: string;
  readonly detail: string;
  readonly serviceId: string;
  readonly instanceId: string;
  readonly service: Microservice;
  readonly instance: ToldInstance;
  readonly services: unknown;
  readonly instances: readonly ToldInstance[];
  readonly providers: readonly unknown[];
  readonly consumers: readonly unknown[];
}

/** An answer with its parsed body. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: ToldJson;
}

/** Options of a registry; the server's own values by default. */
export interface TestRegistryOptions {
  readonly minIntervalMs?: number;
  readonly minTimes?: number;
  readonly quotas?: QuotaOptions;
  readonly oddities?: 'realistic' | Oddities;
  readonly sharedServices?: readonly string[];
  readonly profile?: Profile;
  readonly profileOverrides?: ProfileOverrides;
  readonly rbac?: RbacOptions;
}

/** A registry without HTTP, with a fake clock. */
export class TestRegistry {
  readonly clock = new FakeClock();
  readonly model: RegistryModel;
  readonly profile: ActiveProfile;
  readonly rbac: Rbac | undefined;
  readonly #api: ServiceCenterApi;

  constructor({ minIntervalMs = 5000, minTimes = 3, ...options }: TestRegistryOptions = {}) {
    const floors = { minIntervalMs, minTimes };
    const quotas = resolveQuotas(options.quotas);
    const oddities = new OddityKnobs(options.oddities);
    const { sharedServices } = options;
    this.model = new RegistryModel(this.clock, { floors, quotas, oddities, sharedServices });
    this.profile = activate(resolveProfile(options.profile, options.profileOverrides), this.clock);
    this.rbac = options.rbac && new Rbac(options.rbac, this.clock, quotas);
    this.#api = new ServiceCenterApi(this.model, this.profile, this.rbac);
  }

  /**
   * Sends `"PUT /heartbeats"`; a path that does not start with `/v4` is below the registry's path.
   */
  ask(line: string, { body, consumerId, domain, headers = {} }: AskOptions = {}): Told {
    const [method = '', path = ''] = line.split(/ (.*)/s);
    const target = path.startsWith('/v4') ? path : `/v4/default/registry${path}`;
    const sender = {
      ...(consumerId === undefined ? {} : { 'x-consumerid': consumerId }),
      ...(domain === undefined ? {} : { 'x-domain-name': domain }),
    };
    return this.askTarget(method, target, { ...headers, ...sender }, body);
  }

  /** Sends a request with exactly this target. */
  askTarget(method: string, target: string, headers = {}, body: unknown = ''): Told {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = this.#api.answer({ method, target, headers, body: Buffer.from(text) });
    const isJson = answer.headers['Content-Type']?.startsWith('application/json');
    return {
      status: answer.status,
      headers: answer.headers,
      text: answer.body,
      json: isJson ? JSON.parse(answer.body) : undefined,
    };
  }

  /** Registers a service and returns its id. */
  service(service: object = {}, options: AskOptions = {}): string {
    const body = { service: { serviceName: 'orders', ...service } };
    return this.ask('POST /microservices', { ...options, body }).json.serviceId;
  }

  /** Registers an instance and returns its id. */
  instance(serviceId: string, instance: object = {}, options: AskOptions = {}): string {
    const body = { instance: { hostName: 'host-1', ...instance } };
    return this.ask(`POST /microservices/${serviceId}/instances`, { ...options, body }).json
      .instanceId;
  }

  /** Sends a heartbeat and returns the status of its answer. */
  beat(serviceId: string, instanceId: string): number {
    return this.ask(`PUT /microservices/${serviceId}/instances/${instanceId}/heartbeat`).status;
  }

  /** Reads an instance back. */
  read(serviceId: string, instanceId: string): ToldInstance {
    return this.ask(`GET /microservices/${serviceId}/instances/${instanceId}`).json.instance;
  }
}

/** Returns the seconds between the registration of a record and its last change. */
export function ageOfChange(record: Microservice | MicroserviceInstance): number {
  return Number(record.modTimestamp) - Number(record.timestamp);
}

/** Returns the three fields of an error in one line. */
export function refusalOf({ status, json }: Told): string {
  return `${status} ${json?.errorCode} ${json?.detail}`;
}
