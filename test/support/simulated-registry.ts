import { operationOf, ServiceCenterApi } from '../../lib/embedded/service-center-api.js';
import type { Oddities } from '../../lib/embedded/index.js';
import type { Answer } from '../../lib/embedded/api/answer.js';
import { resolveQuotas } from '../../lib/embedded/model/quotas.js';
import { RegistryModel } from '../../lib/embedded/model/registry-model.js';
import { OddityKnobs } from '../../lib/embedded/oddities/oddity-knobs.js';
import type { HttpRequest, Send } from '../../lib/protocol/channel.js';
import type { OperationName } from '../../lib/protocol/routes.js';
import type { HttpReply } from '../../lib/protocol/wire.js';
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
export type Interference = (request: SentRequest, url: string) => Answer | 'lost' | undefined;

/**
 * The registry of lib/embedded without its sockets, on a simulated clock: its nodes are the addresses
 * that clients use, and all have one store.
 */
export class SimulatedRegistry {
  readonly model: RegistryModel;
  readonly oddities: OddityKnobs;
  readonly requests: SentRequest[] = [];
  /** Weather at all addresses that have none of their own. */
  weather: Weather = 'fine';
  readonly weatherAt = new Map<string, Weather>();
  /** Lets a test answer for the registry, or lose an answer of its. */
  interfere: Interference = () => undefined;
  #api: ServiceCenterApi;

  constructor(
    private readonly clock: SimulatedClock,
    { oddities, instances = 150_000 }: SimulatedRegistryOptions = {},
  ) {
    this.oddities = new OddityKnobs(oddities);
    const floors = { minIntervalMs: 5_000, minTimes: 3 };
    this.model = new RegistryModel(clock, floors, resolveQuotas({ instances }), this.oddities);
    this.#api = new ServiceCenterApi(this.model);
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
      operation: operationOf(asked),
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

  #answer(
    note: SentRequest,
    url: string,
    asked: Parameters<ServiceCenterApi['answer']>[0],
  ): Answer | 'lost' {
    if ((this.weatherAt.get(note.address) ?? this.weather) === 'busy') return busy;
    return this.interfere(note, url) ?? this.#api.answer(asked);
  }
}

/** The answer of a server that is in trouble. */
export const busy: Answer = {
  status: 500,
  headers: { 'Content-Type': 'application/json' },
  body: '{"errorCode":"500003","errorMessage":"Internal server error"}',
};

function contentOf({ headers, body = '' }: HttpRequest) {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { headers: Object.fromEntries(lower), body: Buffer.from(body) };
}

function failure(name: string, code?: string): Error {
  return Object.assign(new Error(code ?? 'no answer in time'), { name, code });
}

function replyOf({ status, headers, body }: Answer): HttpReply {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { status, headers: Object.fromEntries(lower), body };
}
