import {
  type ApiAnswer,
  type ApiRequest,
  EmbeddedServiceCenter,
  type LiveInstance,
  type Oddities,
  type OddityKnobs,
} from 'embedded-service-center';
import { type HttpReply, type OperationName, routes } from '../../lib/protocol/wire.js';
import type { HttpRequest, Send } from '../../lib/protocol/channel.js';
import type { SimulatedClock } from './simulated-clock.js';

/** What becomes of the requests to an address. `busy` answers 500 to all of them. */
export type Weather = 'fine' | 'refuses' | 'hangs' | 'busy';

/** A request that was sent; `status` once it was answered. */
export interface SentRequest {
  readonly at: number;
  readonly address: string;
  readonly operation: OperationName | undefined;
  status: number | undefined;
}

/** How a simulated registry is set up. */
export interface SimulatedRegistryOptions {
  readonly oddities?: 'realistic' | Oddities;
  /** @default 150,000, as a real server's */
  readonly instances?: number;
}

/** From a request to its answer. */
const roundTripMs = 2;

/** A request that its listener wants to go wrong: answered like this, or `lost` with its answer. */
export type Interference = (request: SentRequest, url: string) => ApiAnswer | 'lost' | undefined;

/**
 * An embedded Service Center without its sockets, on a simulated clock: its nodes are the addresses
 * that clients use, and all have one store.
 */
export class SimulatedRegistry {
  readonly requests: SentRequest[] = [];
  /** Weather at all addresses that have none of their own. */
  weather: Weather = 'fine';
  readonly weatherAt = new Map<string, Weather>();
  /** Lets a test answer for the registry, or lose an answer of its. */
  interfere: Interference = () => undefined;
  #serviceCenter: EmbeddedServiceCenter;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly options: SimulatedRegistryOptions = {},
  ) {
    this.#serviceCenter = this.#empty();
  }

  get oddities(): OddityKnobs {
    return this.#serviceCenter.oddities;
  }

  /** The instances in its store, whatever its caches say. */
  instances(): readonly LiveInstance[] {
    return this.#serviceCenter.instances();
  }

  /** Drops an instance as if its lease had run out. */
  forget(instanceId: string): void {
    this.#serviceCenter.forget(instanceId);
  }

  /** Loses all instances, and keeps the services. */
  forgetInstances(): void {
    const { services, ...rest } = this.#serviceCenter.dump();
    this.#serviceCenter = this.#empty();
    const emptied = services.map(data => {
      const { instances: _, ...service } = data;
      return service;
    });
    this.#serviceCenter.load({ ...rest, services: emptied });
  }

  /** How many requests of an operation were sent since a moment. */
  count(operation: OperationName, since = 0): number {
    return this.requests.filter(each => each.operation === operation && each.at >= since).length;
  }

  /** Names of the operations since a moment that change something, heartbeats included. */
  writes(since = 0): readonly (OperationName | undefined)[] {
    const isRead = (name = '') => name.startsWith('get') || name.startsWith('find');
    return this.requests
      .filter(({ at, operation }) => at >= since && !isRead(operation))
      .map(({ operation }) => operation);
  }

  /** Sends a request there, as lib/nest does: with a deadline, and an end when it is aborted. */
  readonly send: Send = async request => {
    const { url, method, timeoutMs, signal } = request;
    signal?.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    const asked = { method, target: pathname + search, ...contentOf(request) };
    const note: SentRequest = {
      at: this.clock.now(),
      address: origin,
      operation: operationOf(method, pathname),
      status: undefined,
    };
    this.requests.push(note);
    const weather = this.weatherAt.get(origin) ?? this.weather;
    if (weather === 'refuses') throw failure('AxiosError', 'ECONNREFUSED');
    const answer = weather === 'hangs' ? 'lost' : this.#answer(note, url, asked);
    const waitMs = answer === 'lost' ? Infinity : roundTripMs + (answer.waitMs ?? 0);
    await this.clock.delay(Math.min(waitMs, timeoutMs), signal);
    signal?.throwIfAborted();
    if (answer === 'lost' || waitMs > timeoutMs) throw failure('TimeoutError');
    note.status = answer.status;
    return replyOf(answer);
  };

  #empty(): EmbeddedServiceCenter {
    const { oddities, instances = 150_000 } = this.options;
    return new EmbeddedServiceCenter({ clock: this.clock, oddities, quotas: { instances } });
  }

  #answer(note: SentRequest, url: string, asked: ApiRequest): ApiAnswer | 'lost' {
    if ((this.weatherAt.get(note.address) ?? this.weather) === 'busy') return busy;
    return this.interfere(note, url) ?? this.#serviceCenter.answer(asked);
  }
}

/** The answer of a server that is in trouble. */
const busy: ApiAnswer = {
  status: 500,
  headers: { 'Content-Type': 'application/json' },
  body: '{"errorCode":"500003","errorMessage":"Internal server error"}',
};

const templates = Object.entries(routes).map(([name, { method, path }]) => ({
  name: name as OperationName,
  method,
  path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
}));

/** Returns the operation of the client that a request belongs to. */
function operationOf(method: string, pathname: string): OperationName | undefined {
  return templates.find(route => route.method === method && route.path.test(pathname))?.name;
}

function contentOf({ headers, body = '' }: HttpRequest) {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { headers: Object.fromEntries(lower), body: Buffer.from(body) };
}

function failure(name: string, code?: string): Error {
  return Object.assign(new Error(code ?? 'no answer in time'), { name, code });
}

function replyOf({ status, headers, body }: ApiAnswer): HttpReply {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { status, headers: Object.fromEntries(lower), body };
}
