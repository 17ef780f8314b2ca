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

/** A time that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<FakeTimer>();
  readonly #onSet = new Set<() => void>();

  /** How many timers are waiting for their time. */
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

  /** Goes on, and calls back each timer at its very moment. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#firstUntil(end); next; next = this.#firstUntil(end)) {
      this.#now = Math.max(this.#now, next.dueAt);
      this.#timers.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** Goes on without calling anybody back, as if the process had stood still. */
  leap(ms: number): void {
    this.#now += ms;
  }

  /** Of timers due at the same moment the one that was set first. */
  #firstUntil(end: number): FakeTimer | undefined {
    const [first] = [...this.#timers].toSorted((a, b) => a.dueAt - b.dueAt);
    return first !== undefined && first.dueAt <= end ? first : undefined;
  }
}

/** What a request says besides its method and path. */
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

/** The fields that the answers of all requests have between them; a test knows which to expect. */
export interface ToldJson {
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

/** An answer, with its body read as far as it is JSON. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: ToldJson;
}

/** How a registry is set up; the server's own values where nothing is said. */
export interface TestRegistryOptions {
  readonly minIntervalMs?: number;
  readonly minTimes?: number;
  readonly quotas?: QuotaOptions;
  readonly oddities?: 'realistic' | Oddities;
  readonly profile?: Profile;
  readonly profileOverrides?: ProfileOverrides;
  readonly rbac?: RbacOptions;
}

/** A registry without HTTP, under a clock of its own. */
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
    this.model = new RegistryModel(this.clock, floors, quotas, oddities);
    this.profile = activate(resolveProfile(options.profile, options.profileOverrides), this.clock);
    this.rbac = options.rbac && new Rbac(options.rbac, this.clock, quotas);
    this.#api = new ServiceCenterApi(this.model, this.profile, this.rbac);
  }

  /** Asks `"PUT /heartbeats"`; a path that begins otherwise than with `/v4` is below the registry's own. */
  ask(line: string, { body, consumerId, domain, headers = {} }: AskOptions = {}): Told {
    const [method = '', path = ''] = line.split(/ (.*)/s);
    const target = path.startsWith('/v4') ? path : `/v4/default/registry${path}`;
    const sender = {
      ...(consumerId === undefined ? {} : { 'x-consumerid': consumerId }),
      ...(domain === undefined ? {} : { 'x-domain-name': domain }),
    };
    return this.askTarget(method, target, { ...headers, ...sender }, body);
  }

  /** Asks for exactly this target. */
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

  /** Registers a service and tells its id. */
  service(service: object = {}, options: AskOptions = {}): string {
    const body = { service: { serviceName: 'orders', ...service } };
    return this.ask('POST /microservices', { ...options, body }).json.serviceId;
  }

  /** Registers an instance and tells its id. */
  instance(serviceId: string, instance: object = {}, options: AskOptions = {}): string {
    const body = { instance: { hostName: 'host-1', ...instance } };
    return this.ask(`POST /microservices/${serviceId}/instances`, { ...options, body }).json
      .instanceId;
  }

  /** Sends a heartbeat and tells the status of its answer. */
  beat(serviceId: string, instanceId: string): number {
    return this.ask(`PUT /microservices/${serviceId}/instances/${instanceId}/heartbeat`).status;
  }

  /** Reads an instance back. */
  read(serviceId: string, instanceId: string): ToldInstance {
    return this.ask(`GET /microservices/${serviceId}/instances/${instanceId}`).json.instance;
  }
}

/** Seconds between the registration of a record and its last change. */
export function ageOfChange(record: Microservice | MicroserviceInstance): number {
  return Number(record.modTimestamp) - Number(record.timestamp);
}

/** The three fields of a refusal, in one line. */
export function refusalOf({ status, json }: Told): string {
  return `${status} ${json?.errorCode} ${json?.detail}`;
}
