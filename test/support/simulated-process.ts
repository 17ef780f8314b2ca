import type { PendingEvent } from '../../lib/events.js';
import { AddressBook } from '../../lib/protocol/address-book.js';
import { Channel } from '../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import type { RegistryRecord } from '../../lib/registration/record.js';
import { Pace } from '../../lib/registration/pace.js';
import { RegistrationCore } from '../../lib/registration/core.js';
import { StandstillWatch } from '../../lib/nest/ticker.js';
import type { SimulatedClock } from './simulated-clock.js';
import type { SimulatedRegistry } from './simulated-registry.js';

/** How a simulated process is set up. */
export interface SimulatedProcessOptions {
  readonly addresses?: readonly [string, ...string[]];
  readonly serviceName?: string;
  readonly instanceId?: string;
  readonly endpoints?: readonly string[];
  /** Between 0 and 1, for each wait that is drawn. @default always 0.5 */
  readonly random?: () => number;
  readonly verifyEvery?: number;
  /** @default 15,000 */
  readonly intervalMs?: number;
  readonly leaveTimeoutMs?: number;
}

/** The longest waits of the ticker, while a request is under way and else. */
const periodMs = 1_000;
const longestWaitMs = 20_000;

/** A process that holds a registration on a simulated clock: the core, and what lib/nest/ticker.ts does. */
export class SimulatedProcess {
  readonly events: (PendingEvent & { readonly at: number })[] = [];
  readonly core: RegistrationCore;
  /** What turns have thrown. */
  readonly bugs: unknown[] = [];
  /** Called with each event, after it was noted. */
  onEvent: (event: PendingEvent) => void = () => undefined;
  readonly #standstills: StandstillWatch;
  #isTicking = false;
  #isWoken = false;
  #isOver = false;
  #standsUntil = 0;
  #callOff: () => void = () => undefined;

  constructor(
    private readonly clock: SimulatedClock,
    registry: Pick<SimulatedRegistry, 'send'>,
    options: SimulatedProcessOptions = {},
  ) {
    const { addresses = ['http://a:1'], random = () => 0.5 } = options;
    const channel = new Channel(registry.send, new AddressBook(addresses), {
      project: 'default',
      domain: undefined,
      timeoutMs: 5_000,
      clock,
      maxAnswerBytes: 1_048_576,
    });
    const retry = { initialMs: 1_000, maxMs: 30_000, factor: 2 };
    const { verifyEvery = 10, leaveTimeoutMs = 3_000, intervalMs = 15_000 } = options;
    const heartbeat = { intervalMs, jitter: 0.1, neverEarly: false, verifyEvery };
    this.core = new RegistrationCore(
      recordOf(options),
      {
        enabled: true,
        registration: { failFast: false },
        schemas: { documents: undefined, onMismatch: 'overwrite' },
        shutdown: { timeoutMs: leaveTimeoutMs },
      },
      {
        client: new ServiceCenterClient(channel),
        channel,
        clock,
        pace: new Pace({ heartbeat, registration: { retry } }, random),
        publisher: { publish: event => this.#note(event), note: () => undefined },
      },
    );
    this.#standstills = new StandstillWatch(clock);
  }

  /** Names of what was told since a moment, without `servicecomb.` before them. */
  names(since = 0): readonly string[] {
    return this.events
      .filter(({ at }) => at >= since)
      .map(({ name }) => name.replace('servicecomb.', ''));
  }

  /** Starts to register, and the interval with it. */
  start(): void {
    this.core.onDue(() => this.#wake());
    this.core.register().catch(() => undefined);
  }

  /** The process does nothing for so long: its event loop is blocked. */
  standStill(ms: number): void {
    this.#standsUntil = this.clock.now() + ms;
  }

  /** Ends as by SIGKILL: nothing more comes from it. */
  kill(): void {
    this.#isOver = true;
  }

  /** Ends as by SIGTERM. */
  async close(): Promise<void> {
    await this.core.close();
    this.kill();
  }

  #note(event: PendingEvent): void {
    this.events.push({ ...event, at: this.clock.now() });
    this.onEvent(event);
  }

  #wake(): void {
    this.#isWoken = true;
    if (!this.#isTicking) void this.#tick();
  }

  async #tick(): Promise<void> {
    this.#isTicking = true;
    while (this.#isWoken) {
      this.#isWoken = false;
      this.#arm(periodMs);
      try {
        this.#arm((await this.core.tick(periodMs / 2)) ?? Infinity);
      } catch (error) {
        this.bugs.push(error);
        this.#arm(periodMs);
      }
    }
    this.#isTicking = false;
  }

  #arm(dueInMs: number): void {
    const waitMs = Math.min(longestWaitMs, Math.max(1, Math.ceil(dueInMs)));
    this.#callOff();
    this.#callOff = this.#later(waitMs, () => {
      this.#arm(periodMs);
      if (!this.#isTicking) this.#wake();
    });
    const standstill = this.#standstills.begin(waitMs);
    if (standstill !== undefined) this.core.noteStandstill(standstill);
  }

  #later(ms: number, work: () => void): () => void {
    return this.clock.setTimer(ms, () => {
      const stillMs = this.#standsUntil - this.clock.now();
      if (this.#isOver) return;
      if (stillMs > 0) this.#later(stillMs, work);
      else work();
    });
  }
}

function recordOf({
  serviceName = 'orders',
  instanceId = 'orders-0',
  endpoints = ['rest://10.0.0.1:80'],
  intervalMs = 15_000,
}: SimulatedProcessOptions): RegistryRecord {
  return {
    microservice: { appId: 'default', serviceName, version: '1.0.0' },
    tags: {},
    instance: {
      instanceId,
      hostName: 'host',
      endpoints,
      status: 'UP',
      healthCheck: { mode: 'push', interval: intervalMs / 1_000, times: 3 },
    },
  };
}
