import type { EventContext, PendingEvent } from '../../lib/events.js';
import type { PendingNote } from '../../lib/notes.js';
import type { Credentials, HttpRequest } from '../../lib/protocol/channel.js';
import type { HttpReply, InstanceStatus, MicroserviceInstance } from '../../lib/protocol/wire.js';
import { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import { Pace } from '../../lib/registration/pace.js';
import { RegistrationCore } from '../../lib/registration/core.js';
import type { SchemaMismatch } from '../../lib/registration/schemas.js';
import { FakeClock } from './fake-clock.js';
import { channelOf, type FakeAnswer, type FakeReply, replyOf } from './fake-send.js';

/** What a registry answers: by the method and the last word of the path. */
export type Answers = Partial<Record<keyof typeof happy, FakeAnswer>>;

const instance = {
  instanceId: 'orders-0',
  hostName: 'host',
  endpoints: ['rest://10.0.0.1:80'],
  status: 'UP',
  healthCheck: { mode: 'push', interval: 15, times: 3 },
} as const;

const happy = {
  existence: { body: { serviceId: 'service' } },
  service: { body: { serviceId: 'service' } },
  post: { body: { instanceId: instance.instanceId } },
  read: { body: { instance } },
  heartbeat: {},
  remove: {},
  status: {},
  properties: {},
  readiness: { status: 404, body: '404 page not found' },
  version: { body: { version: '2.2.0' } },
  schemas: { body: { schemas: [] } },
  schema: { status: 400, body: { errorCode: '400016' } },
  upload: {},
} satisfies Record<string, FakeReply>;

/** The answer of a registry that has forgotten the instance. */
export const forgotten: FakeReply = {
  status: 400,
  body: { errorCode: '400017', errorMessage: 'Instance does not exist' },
};

/** How the core under test is set up. */
export interface HarnessSettings {
  readonly enabled?: boolean;
  readonly verifyEvery?: number;
  readonly failFast?: boolean;
  readonly onMismatch?: SchemaMismatch;
  readonly addresses?: readonly [string, ...string[]];
  /** Who asks, by this clock; nobody in particular unless they are given. */
  readonly credentials?: (clock: FakeClock) => Credentials;
}

/** A registration core on a fake clock and a registry that answers what a test says. */
export class CoreHarness {
  readonly clock = new FakeClock();
  readonly events: PendingEvent[] = [];
  readonly notes: PendingNote[] = [];
  readonly contexts: EventContext[] = [];
  readonly sent: { readonly at: number; readonly what: keyof typeof happy }[] = [];
  readonly core: RegistrationCore;
  answers: Answers;
  /** What the registry has stored of the instance. */
  stored: MicroserviceInstance = instance;
  /** What becomes of a random number: 0.5 makes each wait its mean. */
  random = 0.5;

  constructor(
    answers: Answers = {},
    {
      addresses = ['http://a:1'],
      credentials,
      enabled = true,
      verifyEvery = 10,
      failFast = false,
      onMismatch = 'overwrite',
    }: HarnessSettings = {},
  ) {
    this.answers = answers;
    const channel = channelOf(request => this.#answer(request), {
      addresses,
      now: () => this.clock.now(),
      ...(credentials === undefined ? {} : { credentials: credentials(this.clock) }),
    });
    const client = new ServiceCenterClient(channel);
    const retry = { initialMs: 1_000, maxMs: 30_000, factor: 2 };
    const heartbeat = { intervalMs: 15_000, jitter: 0.1, neverEarly: false, verifyEvery };
    const pace = new Pace({ heartbeat, registration: { retry } }, () => this.random);
    this.core = new RegistrationCore(
      {
        microservice: { serviceName: 'orders', version: '1.0.0' },
        tags: {},
        instance,
      },
      {
        enabled,
        registration: { failFast },
        schemas: { documents: undefined, onMismatch },
        shutdown: { timeoutMs: 3_000 },
      },
      {
        client,
        channel,
        clock: this.clock,
        pace,
        publisher: {
          publish: (event, context) => {
            this.events.push(event);
            this.contexts.push(context);
          },
          note: note => this.notes.push(note),
        },
      },
    );
  }

  /** Registers, and gives the state then. */
  async register(): Promise<string> {
    const registered = this.core.register();
    await this.core.tick(0);
    await registered;
    return this.core.state;
  }

  /** Lets time pass, with a tick whenever one is due and at least each second, as the ticker does. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      const due = (await this.#tick()) ?? Infinity;
      await this.clock.advance(Math.min(Math.max(due, 1), 1_000, end - this.clock.now()));
    }
    await this.#tick();
  }

  /** Makes the registry forget the instance, until it is posted again. */
  forget(): void {
    let isListed = false;
    const ifListed = (reply: FakeReply) => () => (isListed ? reply : forgotten);
    this.answers = {
      heartbeat: ifListed(happy.heartbeat),
      read: () => (isListed ? this.#read() : forgotten),
      post: () => {
        isListed = true;
        return happy.post;
      },
    };
  }

  names(): readonly string[] {
    return this.events.map(({ name }) => name.replace('servicecomb.', ''));
  }

  count(what: keyof typeof happy): number {
    return this.sent.filter(request => request.what === what).length;
  }

  /** A tick whose requests may wait for the clock. */
  async #tick(): Promise<number | undefined> {
    const turn = { done: false };
    const tick = this.core.tick(0).finally(() => {
      turn.done = true;
    });
    await this.clock.advance(0);
    while (!turn.done) await this.clock.advance(100);
    return tick;
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const what = whatIs(request);
    this.sent.push({ at: this.clock.now(), what });
    const answer = this.answers[what] ?? (what === 'read' ? this.#read() : happy[what]);
    const reply = replyOf(typeof answer === 'function' ? await answer(request) : answer);
    if (reply.status === 200) this.#store(what, request);
    return reply;
  }

  #read(): FakeReply {
    return { body: { instance: this.stored } };
  }

  #store(what: keyof typeof happy, { url, body }: HttpRequest): void {
    if (what === 'post') this.stored = JSON.parse(body ?? '').instance;
    if (what === 'properties') this.stored = { ...this.stored, ...JSON.parse(body ?? '') };
    const status = new URL(url).searchParams.get('value');
    if (isStatus(status)) this.stored = { ...this.stored, status };
  }
}

function isStatus(text: string | null): text is InstanceStatus {
  return text !== null;
}

function whatIs({ method, url }: HttpRequest): keyof typeof happy {
  if (url.includes('/existence')) return 'existence';
  if (url.endsWith('/heartbeat')) return 'heartbeat';
  if (url.includes('/status')) return 'status';
  if (url.endsWith('/properties')) return 'properties';
  if (url.endsWith('/readiness')) return 'readiness';
  if (url.endsWith('/version')) return 'version';
  if (url.includes('/schemas?')) return 'schemas';
  if (url.includes('/schemas/')) return method === 'PUT' ? 'upload' : 'schema';
  if (method === 'DELETE') return 'remove';
  if (method === 'GET') return 'read';
  return url.endsWith('/instances') ? 'post' : 'service';
}
