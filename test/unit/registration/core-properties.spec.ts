import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { inspect } from 'node:util';
import { SeededRandom } from '../../support/seeded-random.js';
import { isServiceCombError } from '../../../lib/errors.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import type { MicroserviceInstance } from '../../../lib/protocol/wire.js';
import { driftOf, isElsewhere } from '../../../lib/registration/record.js';
import { Pace } from '../../../lib/registration/pace.js';
import { RegistrationCore } from '../../../lib/registration/core.js';
import { StandstillWatch } from '../../../lib/nest/ticker.js';
import { FakeClock } from '../../support/fake-clock.js';
import { channelOf } from '../../support/fake-send.js';
import { type Mishap, ModelRegistry } from '../../support/registry-model.js';

/** What happens to a registration, one after the other. */
type Happening =
  | { readonly kind: 'pass'; readonly ms: number }
  /** The process stands still. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** The machine sleeps: the monotonic clock stands still as well. */
  | { readonly kind: 'sleep'; readonly ms: number }
  | { readonly kind: 'weather'; readonly mishaps: readonly Mishap[]; readonly slowMs: number }
  | { readonly kind: 'forget' | 'forgetService' | 'setStatus' | 'setProperties' }
  | { readonly kind: 'leave' | 'register' | 'publishAt' };

const mishaps: readonly Mishap[] = [
  'none',
  'reset',
  'reset-after',
  'timeout',
  'timeout-after',
  'busy',
  'busy-after',
  'throttled',
  'foreign',
  'bug',
];

const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat({ max: 8_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall'), ms: fc.nat({ max: 8_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sleep'), ms: fc.nat({ max: 8_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('weather'),
      mishaps: fc.subarray([...mishaps], { minLength: 1 }),
      slowMs: fc.constantFrom(5, 200, 2_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Happening>(
      { kind: 'forget' },
      { kind: 'forgetService' },
      { kind: 'setStatus' },
      { kind: 'setProperties' },
      { kind: 'leave' },
      { kind: 'register' },
      { kind: 'publishAt' },
    ),
  },
);

const leaveTimeoutMs = 3_000;
const retry = { initialMs: 1_000, maxMs: 30_000, factor: 2 };

const instance = {
  instanceId: 'orders-0',
  hostName: 'host',
  endpoints: ['rest://10.0.0.1:80'],
  status: 'UP',
  healthCheck: { mode: 'push', interval: 1, times: 3 },
} as const;

/** A registration, a registry, and the one who looks whether what may never happen does. */
class Stage {
  readonly violations: string[] = [];
  readonly core: RegistrationCore;
  readonly clock = new FakeClock();
  readonly #registry: ModelRegistry;
  readonly #random: SeededRandom;
  readonly #standstills: StandstillWatch;
  #beats = 0;
  #turn: Promise<void> | undefined;
  #dueAt = 0;
  #turnAt = 0;
  /** Whether leave() has resolved, and register() has not been called since. */
  #isAway = false;
  /** What was called last, register() or leave(). */
  #isWanted = true;
  /** Calls that have not ended. */
  #pending = 0;
  #wasThrottled = false;
  #changes = 0;
  #endpoints: readonly string[] = instance.endpoints;
  #properties: Readonly<Record<string, string>> = {};

  constructor(
    seed: number,
    private readonly intervalMs: number,
    addresses: readonly [string, ...string[]],
  ) {
    this.#random = new SeededRandom(seed);
    const random = () => this.#random.next();
    const interval = intervalMs / 1_000;
    this.#registry = new ModelRegistry(this.clock, intervalMs * 4);
    this.#watch();
    const channel = channelOf(this.#registry.send, { addresses, now: () => this.clock.now() });
    const heartbeat = { intervalMs, jitter: 0.1, neverEarly: false, verifyEvery: 10 };
    this.#standstills = new StandstillWatch(this.clock);
    this.core = new RegistrationCore(
      {
        microservice: { serviceName: 'orders', version: '1.0.0' },
        tags: {},
        instance: { ...instance, healthCheck: { ...instance.healthCheck, interval } },
      },
      { enabled: true, registration: { failFast: false }, shutdown: { timeoutMs: leaveTimeoutMs } },
      {
        client: new ServiceCenterClient(channel),
        channel,
        clock: this.clock,
        pace: new Pace({ heartbeat, registration: { retry } }, random),
        publisher: { publish: () => undefined },
      },
    );
  }

  /** Lets it happen. */
  async play(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case 'pass':
        return this.#pass(happening.ms);
      case 'stall':
        return this.clock.advance(happening.ms);
      case 'sleep':
        return this.clock.sleep(happening.ms);
      case 'weather':
        this.#wasThrottled ||= happening.mishaps.includes('throttled');
        this.#registry.fate = () => ({
          mishap: happening.mishaps[this.#draw(happening.mishaps.length)] ?? 'none',
          delayMs: this.#draw(happening.slowMs),
        });
        return;
      case 'forget':
        return this.#registry.forget();
      case 'forgetService':
        return this.#registry.forgetService();
      case 'setStatus':
        return this.#setStatus();
      case 'setProperties':
        return this.#setProperties();
      case 'leave':
        return this.#leave();
      case 'register':
        return this.#register();
      case 'publishAt':
        this.#changes += 1;
        this.#endpoints = [`rest://10.0.0.1:${this.#changes}`];
        this.core.publishAt(this.#endpoints);
    }
  }

  /** All is well from now on; gives what is wrong when it has had the time to be back. */
  async heal(): Promise<string | undefined> {
    this.#registry.heal();
    if (!this.#isWanted) {
      // One who is about to leave cannot come back before.
      await this.#pass(leaveTimeoutMs + 100);
      this.#register();
    }
    await this.#pass(3_000 + 2 * this.intervalMs);
    // A registry that is asked too often is not probed: the whole pause is kept.
    if (this.#wasThrottled) await this.#pass(retry.maxMs);
    if (this.#pending > 0) return 'a call has not ended';
    if (this.core.state !== 'registered') return `state ${this.core.state}`;
    const { listed } = this.#registry;
    return listed === undefined ? 'not listed' : this.#difference(listed);
  }

  #difference(listed: MicroserviceInstance): string | undefined {
    const wanted = {
      ...instance,
      status: this.core.record.status,
      endpoints: this.#endpoints,
      properties: this.#properties,
    };
    if (isElsewhere(listed, wanted)) return 'listed elsewhere';
    return driftOf(listed, wanted).join(', ') || undefined;
  }

  /** As the ticker: an interval, and a wake-up for what is due before its next turn. */
  async #pass(ms: number): Promise<void> {
    const periodMs = Math.min(1_000, this.intervalMs / 10);
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      if (this.clock.now() >= this.#turnAt) {
        this.#turnAt = this.clock.now() + periodMs;
        const standstill = this.#standstills.noteTurn(periodMs);
        if (standstill !== undefined) this.#guarded(() => this.core.noteStandstill(standstill));
        this.#wake(periodMs / 2);
      }
      if (this.clock.now() >= this.#dueAt) this.#wake(periodMs / 2);
      const due = this.#turn === undefined ? Math.min(this.#dueAt, this.#turnAt) : this.#turnAt;
      await this.clock.advance(Math.max(1, Math.min(due, end) - this.clock.now()));
    }
  }

  #wake(toleranceMs: number): void {
    this.#turn ??= this.core
      .tick(toleranceMs)
      .then(
        dueInMs => {
          this.#dueAt = this.clock.now() + Math.max(1, dueInMs ?? Infinity);
        },
        (error: unknown) => this.#onBug(error),
      )
      .finally(() => {
        this.#turn = undefined;
      });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onBug(error);
    }
  }

  #onBug(error: unknown): void {
    const isPlanted = error instanceof TypeError && error.message === 'planted';
    if (!isPlanted) this.violations.push(`a tick threw ${inspect(error)}`);
  }

  #watch(): void {
    this.#registry.onRequest = ({ method, url, isWrite, isHeartbeat }) => {
      if (isWrite && this.#isAway) this.violations.push(`${method} ${url} after leave()`);
      if (!isHeartbeat) return;
      this.#beats += 1;
      if (this.#beats > 1) this.violations.push('two heartbeats at a time');
    };
    this.#registry.onEnd = ({ isHeartbeat }) => {
      if (isHeartbeat) this.#beats -= 1;
    };
  }

  #setStatus(): void {
    this.#changes += 1;
    this.#call(this.core.record.setStatus(this.#changes % 2 === 0 ? 'UP' : 'TESTING'));
  }

  #setProperties(): void {
    this.#changes += 1;
    const properties = { change: String(this.#changes) };
    this.#call(
      this.core.record.setProperties(properties).then(() => {
        this.#properties = properties;
      }),
    );
  }

  #leave(): void {
    const beganAt = this.clock.now();
    this.#isWanted = false;
    this.#call(
      this.core.leave().then(() => {
        this.#isAway = !this.#isWanted;
        const tookMs = this.clock.now() - beganAt;
        if (tookMs > leaveTimeoutMs) this.violations.push(`leave() took ${tookMs} ms`);
      }),
    );
  }

  #register(): void {
    if (this.core.state === 'leaving') return;
    this.#isAway = false;
    this.#isWanted = true;
    this.#call(this.core.register());
  }

  /** A call may be refused, and one who waits for a lease may be told that there will be none. */
  #call(called: Promise<unknown>): void {
    this.#pending += 1;
    called
      .catch((error: unknown) => {
        const isAbort = error instanceof DOMException && error.name === 'AbortError';
        if (!isServiceCombError(error) && !isAbort) this.#onBug(error);
      })
      .finally(() => {
        this.#pending -= 1;
      });
  }

  #draw(below: number): number {
    return Math.floor(this.#random.next() * below);
  }
}

interface Play {
  readonly seed: number;
  readonly intervalMs: number;
  readonly addresses: readonly [string, ...string[]];
  readonly happenings: readonly Happening[];
}

const anyPlay: fc.Arbitrary<Play> = fc.record({
  seed: fc.nat(),
  intervalMs: fc.constantFrom(1_000, 15_000),
  addresses: fc.constantFrom(['http://a:1'] as const, ['http://a:1', 'http://b:1'] as const),
  happenings: fc.array(anyHappening, { maxLength: 30 }),
});

describe('whatever happens to a registration and its registry', () => {
  it('one heartbeat is sent at a time, none after leaving, and it is back in time', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlay, async ({ seed, intervalMs, addresses, happenings }) => {
        const stage = new Stage(seed, intervalMs, addresses);
        await stage.play({ kind: 'register' });
        for (const happening of happenings) await stage.play(happening);
        const wrong = await stage.heal();
        expect(stage.violations).toEqual([]);
        expect(wrong).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  }, 60_000);
});
