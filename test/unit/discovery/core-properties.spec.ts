import { describe, expect, it } from '@jest/globals';
import type { StoredInstance } from '../../../lib/protocol/wire.js';
import { DiscoveryHarness } from '../../support/discovery-harness.js';
import { fc } from '../../support/fast-check.js';
import { instanceOf, refusal, unreachable } from '../../support/fake-providers.js';
import { SeededRandom } from '../../support/seeded-random.js';

const keepMs = 120_000;
const pollIntervalMs = 15_000;
const name = 'greeter';

const anyInstance = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
    status: fc.constantFrom('UP', 'UP', 'UP', 'OUTOFSERVICE', 'DOWN'),
    host: fc.constantFrom('', '-other'),
  })
  .map(({ id, status, host }) => instanceOf(id, { status, endpoints: [`rest://${id}${host}:80`] }));

type Happening =
  | { readonly kind: 'list'; readonly instances: readonly StoredInstance[] }
  | {
      readonly kind:
        'remove' | 'outage' | 'refusal' | 'well' | 'cut' | 'lost' | 'hint' | 'find' | 'fresh';
    }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'call'; readonly dead: readonly string[] }
  | { readonly kind: 'pass'; readonly ms: number };

const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('list'),
      instances: fc.uniqueArray(anyInstance, { selector: ({ instanceId }) => instanceId }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Happening>(
      { kind: 'remove' },
      { kind: 'outage' },
      { kind: 'refusal' },
      { kind: 'well' },
      { kind: 'cut' },
      { kind: 'lost' },
      { kind: 'hint' },
      { kind: 'find' },
      { kind: 'fresh' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('slow'), ms: fc.constantFrom(0, 40, 700) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('call'),
      dead: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat({ max: 40_000 }) }) },
);

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

/** Discovery and a registry, and what an observer knows of both. */
class Stage {
  readonly harness = new DiscoveryHarness({ watch: true, keepMs, pollIntervalMs });
  readonly violations: string[] = [];
  /** The list as the changes that were told make it. */
  readonly followed = new Map<string, StoredInstance>();
  readonly announced = new Set<string>();
  /** Since when the answers lack an instance that they had. */
  readonly #missingSince = new Map<string, number>();
  readonly #listedOnce = new Set<string>();
  /** When the last hint came. */
  hintedAt = -Infinity;
  #events = 0;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.harness.random = () => random.next();
    this.harness.core.onChange(name, ({ instances, added, removed, updated }) => {
      for (const { instanceId } of removed)
        if (!this.followed.delete(instanceId)) this.violations.push(`removed ${instanceId} twice`);
      for (const each of added) {
        if (this.followed.has(each.instanceId))
          this.violations.push(`added ${each.instanceId} twice`);
        this.followed.set(each.instanceId, each);
      }
      for (const each of updated) {
        if (!this.followed.has(each.instanceId)) this.violations.push(`updated unknown`);
        this.followed.set(each.instanceId, each);
      }
      this.#compare('follower', [...this.followed.keys()].sort(), idsOf(instances));
    });
  }

  async happen(happening: Happening): Promise<void> {
    const { registry, core, watchers } = this.harness;
    switch (happening.kind) {
      case 'list':
        return registry.list(name, happening.instances);
      case 'remove':
        return registry.list(name, undefined);
      case 'outage':
        registry.fails = () => unreachable();
        return;
      case 'refusal':
        registry.fails = () => refusal(403_205);
        return;
      case 'well':
        registry.fails = () => undefined;
        return;
      case 'cut':
        watchers[0]?.events.lost('http://a:1', unreachable(), 500);
        watchers[0]?.events.opened('http://a:1');
        return;
      case 'lost':
        return this.harness.notice({
          name: 'servicecomb.instance.lost',
          payload: { reason: 'forgotten', foundBy: 'heartbeat', error: undefined, retryInMs: 1 },
        });
      case 'hint':
        this.hintedAt = this.harness.clock.now();
        return watchers[0]?.events.hint('all');
      case 'find':
        return void core.find(name).catch(() => undefined);
      case 'fresh':
        return void core.find(name, { fresh: true }).catch(() => undefined);
      case 'slow':
        registry.latencyMs = happening.ms;
        return;
      case 'call':
        return this.#call(new Set(happening.dead));
      case 'pass':
        return this.#pass(happening.ms);
    }
  }

  async #call(dead: ReadonlySet<string>): Promise<void> {
    const { core, registry, clock } = this.harness;
    const called: string[] = [];
    const callable = this.#callable();
    const call = core.call(name, async ({ instance }) => {
      called.push(instance.instanceId);
      if (dead.has(instance.instanceId)) throw refused;
    });
    await clock.until(call.catch((error: unknown) => error));
    for (const id of called) {
      if (callable.length > 0 && !callable.includes(id))
        this.violations.push(`called ${id}, which may not be called`);
      const isListed = registry.answered.get(name)?.some(each => each.instanceId === id) === true;
      const isKept = this.#kept().includes(id);
      if (dead.has(id) && isKept && !isListed)
        this.violations.push(`${id} is kept after its failure`);
    }
  }

  /** In steps, so that what each answer lacks is noticed when it comes. */
  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await this.harness.run(Math.min(left, 1_000));
      this.look();
    }
  }

  #callable(): readonly string[] {
    const [provider] = this.harness.core.snapshot().providers;
    const { instances } = provider ?? { instances: [] };
    const of = (wanted: string) => idsOf(instances.filter(({ status }) => status === wanted));
    return of('UP').length > 0 ? of('UP') : of('OUTOFSERVICE');
  }

  #kept(): readonly string[] {
    const [provider] = this.harness.core.snapshot().providers;
    return idsOf((provider?.instances ?? []).filter(({ kept }) => kept));
  }

  look(): void {
    const { core, registry, clock } = this.harness;
    const answer = registry.answered.get(name) ?? [];
    for (const { instanceId } of answer) {
      this.#listedOnce.add(instanceId);
      this.#missingSince.delete(instanceId);
    }
    for (const id of this.#listedOnce)
      if (!answer.some(({ instanceId }) => instanceId === id) && !this.#missingSince.has(id))
        this.#missingSince.set(id, clock.now());
    const [provider] = core.snapshot().providers;
    if (provider?.state === 'asked') return;
    const callable = this.#callable();
    for (const { instanceId, status } of answer)
      if (status === 'UP' && !callable.includes(instanceId))
        this.violations.push(`${instanceId} is UP and cannot be called`);
    for (const id of callable) {
      const missingMs = clock.now() - (this.#missingSince.get(id) ?? clock.now());
      if (missingMs > keepMs) this.violations.push(`${id} is kept for ${missingMs} ms`);
      if (!this.#listedOnce.has(id)) this.violations.push(`${id} was never listed`);
    }
    this.#announce();
    this.#compare('follower', [...this.followed.keys()].sort(), callable);
    this.#compare('event', [...this.announced].sort(), callable);
  }

  #announce(): void {
    for (const event of this.harness.events.slice(this.#events)) {
      if (event.name !== 'servicecomb.discovery.changed') continue;
      for (const { instanceId } of event.payload.removed) this.announced.delete(instanceId);
      for (const { instanceId } of event.payload.added) this.announced.add(instanceId);
    }
    this.#events = this.harness.events.length;
  }

  #compare(what: string, seen: readonly string[], actual: readonly string[]): void {
    if (seen.join() !== actual.join())
      this.violations.push(`the ${what} knows ${seen.join()}, not ${actual.join()}`);
  }
}

function idsOf(instances: readonly { readonly instanceId: string }[]): readonly string[] {
  return instances.map(({ instanceId }) => instanceId);
}

describe('whatever the registry answers, and whatever becomes of calls', () => {
  it('who is listed can be called, who is missing is not called for longer than it is kept, and changes add up (P3)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(anyHappening, { maxLength: 30 }),
        async (seed, happenings) => {
          const stage = new Stage(seed);
          for (const happening of happenings) {
            await stage.happen(happening);
            await stage.harness.clock.advance(0);
            stage.look();
          }
          await stage.happen({ kind: 'pass', ms: 10_000 });
          expect(stage.violations).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a provider is pulled once at a time, and no pull is lost (P7)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(anyHappening, { maxLength: 30 }),
        async (seed, happenings) => {
          const stage = new Stage(seed);
          const { harness } = stage;
          for (const happening of happenings) await stage.happen(happening);
          harness.registry.fails = () => undefined;
          await harness.run(61_000);
          harness.registry.list(name, [instanceOf('last')]);
          await stage.happen({ kind: 'hint' });
          await harness.run(2_500);
          expect(harness.registry.answered.get(name)).toEqual([instanceOf('last')]);
          expect(harness.registry.asked.at(-1)?.at).toBeGreaterThanOrEqual(stage.hintedAt);
          expect(harness.registry.mostAtATime).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
