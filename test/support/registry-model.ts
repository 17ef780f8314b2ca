import type { HttpRequest, Send } from '../../lib/protocol/channel.js';
import type { HttpReply, MicroserviceInstance } from '../../lib/protocol/wire.js';
import type { FakeClock } from './fake-clock.js';
import { type FakeReply, replyOf } from './fake-send.js';

/** What becomes of a request. `after`: it is carried out, and its answer is lost or another one. */
export type Mishap =
  | 'none'
  | 'reset'
  | 'reset-after'
  | 'timeout'
  | 'timeout-after'
  | 'busy'
  | 'busy-after'
  | 'throttled'
  | 'foreign'
  | 'token-refused'
  /** The sender itself throws what no request can: a bug. */
  | 'bug';

/** How the next request fares. */
export interface Fate {
  readonly mishap: Mishap;
  /** Until it is carried out. */
  readonly delayMs: number;
}

/** What every request meets where nothing is wrong. */
const wellFate = (): Fate => ({ mishap: 'none', delayMs: 5 });

/** What a model thinks of a request; see {@link ModelRegistry.onRequest}. */
export interface SentRequest extends HttpRequest {
  readonly isWrite: boolean;
  readonly isHeartbeat: boolean;
}

interface Stored {
  readonly instance: MicroserviceInstance;
  readonly serviceId: string;
  readonly endsAt: number;
}

const gone: FakeReply = { status: 400, body: { errorCode: '400017' } };
const noService: FakeReply = { status: 400, body: { errorCode: '400012' } };

/**
 * The least that a Service Center does, for one service and one instance, on a fake clock: leases end,
 * a POST with a living id renews, and requests fare as a test says.
 */
export class ModelRegistry {
  /** Told of each request as it is sent. */
  onRequest: (request: SentRequest) => void = () => undefined;
  /** Told when a request has ended for its sender. */
  onEnd: (request: SentRequest) => void = () => undefined;
  fate: () => Fate = wellFate;
  #services = 0;
  #serviceId: string | undefined;
  #stored: Stored | undefined;
  #healing = new AbortController();

  constructor(
    private readonly clock: FakeClock,
    /** Length of a lease. */
    private readonly lengthMs: number,
  ) {}

  /** The record whose lease lives. */
  get listed(): MicroserviceInstance | undefined {
    return this.#living()?.instance;
  }

  /** All is well from now on, and what was held is let go: its connections are closed. */
  heal(): void {
    this.fate = wellFate;
    this.#healing.abort();
    this.#healing = new AbortController();
  }

  forget(): void {
    this.#stored = undefined;
  }

  forgetService(): void {
    this.#serviceId = undefined;
    this.#stored = undefined;
  }

  readonly send: Send = async request => {
    const sent = {
      ...request,
      isWrite: request.method !== 'GET',
      isHeartbeat: request.url.endsWith('/heartbeat'),
    };
    this.onRequest(sent);
    try {
      return await this.#answer(request);
    } finally {
      this.onEnd(sent);
    }
  };

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const { mishap, delayMs } = this.fate();
    const { signal, timeoutMs } = request;
    if (mishap === 'bug') throw new TypeError('planted');
    const isLate = mishap === 'timeout' || mishap === 'timeout-after' || delayMs >= timeoutMs;
    if (mishap === 'timeout-after') this.#execute(request);
    // What is late lands all the same, unless it was lost.
    else if (isLate && mishap !== 'timeout')
      void this.clock.delay(delayMs).then(() => this.#execute(request));
    const healing = this.#healing.signal;
    const ends = signal === undefined ? [healing] : [healing, signal];
    await this.clock.delay(isLate ? timeoutMs : delayMs, AbortSignal.any(ends));
    signal?.throwIfAborted();
    if (healing.aborted) throw failure('AxiosError', 'ECONNRESET');
    if (isLate) throw failure('TimeoutError');
    if (mishap === 'reset') throw failure('AxiosError', 'ECONNRESET');
    const instead = insteadOf(mishap);
    if (instead !== undefined && !mishap.endsWith('after')) return replyOf(instead);
    const reply = replyOf(this.#execute(request));
    if (mishap === 'reset-after') throw failure('AxiosError', 'ECONNRESET');
    return instead === undefined ? reply : replyOf(instead);
  }

  #execute({ method, url, body }: HttpRequest): FakeReply {
    const { pathname, searchParams } = new URL(url);
    if (pathname.endsWith('/readiness')) return { status: 404, body: '404 page not found' };
    if (pathname.endsWith('/version')) return { body: { version: '2.2.0' } };
    if (pathname.endsWith('/existence'))
      return this.#serviceId === undefined ? noService : { body: { serviceId: this.#serviceId } };
    if (method === 'POST' && pathname.endsWith('/microservices')) return this.#createService();
    const serviceId = /microservices\/(?<id>[^/]+)/.exec(pathname)?.groups?.['id'];
    if (serviceId !== this.#serviceId || serviceId === undefined)
      return method === 'POST' ? noService : gone;
    if (method === 'POST') return this.#post(serviceId, JSON.parse(body ?? '').instance);
    const living = this.#living();
    if (living === undefined) return gone;
    if (method === 'GET') return { body: { instance: living.instance } };
    if (method === 'DELETE') this.#stored = undefined;
    else if (pathname.endsWith('/heartbeat')) this.#renew(living);
    else if (pathname.endsWith('/properties')) this.#change(living, JSON.parse(body ?? ''));
    else this.#change(living, { status: searchParams.get('value') });
    return {};
  }

  #createService(): FakeReply {
    if (this.#serviceId === undefined) {
      this.#services += 1;
      this.#serviceId = `service-${this.#services}`;
    }
    return { body: { serviceId: this.#serviceId } };
  }

  #post(serviceId: string, instance: MicroserviceInstance): FakeReply {
    const living = this.#living();
    if (living === undefined) this.#stored = { serviceId, instance, endsAt: 0 };
    this.#renew(living ?? { serviceId, instance, endsAt: 0 });
    return { body: { instanceId: instance.instanceId } };
  }

  #renew(stored: Stored): void {
    this.#stored = { ...stored, endsAt: this.clock.now() + this.lengthMs };
  }

  #change(stored: Stored, change: object): void {
    this.#stored = { ...stored, instance: { ...stored.instance, ...change } };
  }

  #living(): Stored | undefined {
    return this.#stored !== undefined && this.#stored.endsAt > this.clock.now()
      ? this.#stored
      : undefined;
  }
}

function insteadOf(mishap: Mishap): FakeReply | undefined {
  if (mishap === 'busy' || mishap === 'busy-after')
    return { status: 500, body: { errorCode: '500003' } };
  if (mishap === 'throttled') return { status: 429, body: 'slow down' };
  if (mishap === 'token-refused') return { status: 401, body: { errorCode: '401205' } };
  return mishap === 'foreign' ? { status: 404, body: '<html>' } : undefined;
}

function failure(name: string, code?: string): Error {
  return Object.assign(new Error(`failed with ${code ?? name}`), { name, code });
}
