import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { inspect } from 'node:util';
import { SeededRandom } from '../../support/seeded-random.js';
import { isServiceCombError } from '../../../lib/errors.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import type { MicroserviceInstance } from '../../../lib/protocol/wire.js';
import { isElsewhere } from '../../../lib/registration/ownership.js';
import { isSame, valuesOf } from '../../../lib/registration/writes.js';
import { Pace } from '../../../lib/registration/pace.js';
import { RegistrationCore } from '../../../lib/registration/core.js';
import { StandstillWatch } from '../../../lib/nest/ticker.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type Credentials, noCredentials } from '../../../lib/protocol/channel.js';
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
  'token-refused',
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

/** A registry that answers like this is not probed: the whole pause of a registration is kept, also a minute. */
const longestPauseMs = 66_000;
const unprobed: ReadonlySet<Mishap> = new Set(['throttled', 'token-refused']);

/** Has another token at once for each that is refused. */
const credentials: Credentials = { ...noCredentials, markRefused: () => true };

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
  #beatAt = -Infinity;
  #turns: Promise<void> | undefined;
  #isWoken = false;
  #armed = new AbortController();
  #isStalled = false;
  #isTurnMissed = false;
  /** Whether leave() has resolved, and register() has not been called since. */
  #isAway = false;
  /** What was called last, register() or leave(). */
  #isWanted = true;
  /** Calls that have not ended. */
  #pending = 0;
  #backsOff = false;
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
    const now = () => this.clock.now();
    const channel = channelOf(this.#registry.send, { addresses, credentials, now });
    const heartbeat = { intervalMs, jitter: 0.1, neverEarly: false, verifyEvery: 10 };
    this.#standstills = new StandstillWatch(this.clock);
    this.core = new RegistrationCore(
      {
        microservice: { serviceName: 'orders', version: '1.0.0' },
        tags: {},
        instance: { ...instance, healthCheck: { ...instance.healthCheck, interval } },
      },
      {
        enabled: true,
        registration: { failFast: false },
        schemas: { documents: undefined, onMismatch: 'overwrite' },
        shutdown: { timeoutMs: leaveTimeoutMs },
      },
      {
        client: new ServiceCenterClient(channel),
        channel,
        clock: this.clock,
        pace: new Pace({ heartbeat, registration: { retry } }, random),
        publisher: { publish: () => undefined, note: () => undefined },
      },
    );
    this.core.onDue(() => this.#wake());
  }

  /** Lets it happen. */
  async play(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case 'pass':
        return this.clock.advance(happening.ms);
      case 'stall':
        return this.#stall(happening.ms);
      case 'sleep':
        return this.clock.sleep(happening.ms);
      case 'weather':
        this.#backsOff ||= happening.mishaps.some(each => unprobed.has(each));
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
      await this.clock.advance(leaveTimeoutMs + 100);
      this.#register();
    }
    await this.clock.advance(3_000 + 2 * this.intervalMs);
    if (this.#backsOff) await this.clock.advance(longestPauseMs);
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
    const differs = (['status', 'properties'] as const).filter(
      field => !isSame(valuesOf(listed), valuesOf(wanted), field),
    );
    return differs.join(', ') || undefined;
  }

  /** Lets time pass without a turn: one that was missed comes afterwards. */
  async #stall(ms: number): Promise<void> {
    this.#isStalled = true;
    await this.clock.advance(ms);
    this.#isStalled = false;
    if (this.#isTurnMissed) this.#onInterval();
    this.#isTurnMissed = false;
  }

  /** As the ticker: an interval whose period is the time until something is due. */
  #onInterval(): void {
    this.#arm(this.#periodMs);
    if (this.#turns === undefined) this.#wake();
  }

  #wake(): void {
    this.#isWoken = true;
    this.#turns ??= Promise.resolve().then(() => this.#takeTurns());
  }

  async #takeTurns(): Promise<void> {
    while (this.#isWoken) {
      this.#isWoken = false;
      this.#arm(this.#periodMs);
      try {
        this.#arm((await this.core.tick(this.#periodMs / 2)) ?? Infinity);
      } catch (error) {
        this.#onBug(error);
        this.#arm(this.#periodMs);
      }
    }
    this.#turns = undefined;
  }

  #arm(dueInMs: number): void {
    const waitMs = Math.min(20_000, Math.max(1, dueInMs));
    this.#armed.abort();
    const { signal } = (this.#armed = new AbortController());
    void this.clock.delay(waitMs, signal).then(() => {
      if (signal.aborted) return;
      if (this.#isStalled) this.#isTurnMissed = true;
      else this.#onInterval();
    });
    const standstill = this.#standstills.begin(waitMs);
    if (standstill !== undefined) this.#guarded(() => this.core.noteStandstill(standstill));
  }

  get #periodMs(): number {
    return Math.min(1_000, this.intervalMs / 10);
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
      const gapMs = this.clock.now() - this.#beatAt;
      if (gapMs < 250) this.violations.push(`two heartbeats within ${gapMs} ms`);
      this.#beatAt = this.clock.now();
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
  it('one heartbeat is sent at a time and none within 250 ms of another, none after leaving, and it is back in time', async () => {
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

  it('no two heartbeats are sent within 250 ms, to whichever address, at the end of a lease as well', async () => {
    const anyWeather = fc.record({
      kind: fc.constant('weather' as const),
      mishaps: fc.subarray([...mishaps], { minLength: 1 }),
      slowMs: fc.constantFrom(2, 200, 2_000),
    });
    const anyFaults = fc.array(
      fc.oneof(
        anyWeather,
        fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 20_000 }) }),
        fc.record({ kind: fc.constantFrom('stall' as const, 'sleep' as const), ms: fc.nat(8_000) }),
      ),
      { minLength: 2, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(anyPlay, anyWeather, anyFaults, async (play, weather, faults) => {
        const stage = new Stage(play.seed, play.intervalMs, play.addresses);
        await stage.play({ kind: 'register' });
        await stage.play({ kind: 'pass', ms: 1_500 });
        for (const happening of [weather, ...faults]) await stage.play(happening);
        await stage.play({ kind: 'pass', ms: 4 * play.intervalMs });
        expect(stage.violations).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
