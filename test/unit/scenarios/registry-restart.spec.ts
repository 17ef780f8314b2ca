import { describe, expect, it } from '@jest/globals';
import { DiscoveryHarness } from '../../support/discovery-harness.js';
import { instanceOf, unreachable } from '../../support/fake-providers.js';
import { SeededRandom } from '../../support/seeded-random.js';

const name = 'greeter';
const instances = 10;
const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
const seeds = [1, 2, 3, 4];

interface Restart {
  readonly seed: number;
  readonly isWatched: boolean;
  /** How many processes are gone for good from the restart on. */
  readonly gone: number;
  /** Whether those that return are given new ids, as Java's are, or keep their own. */
  readonly hasNewIds: boolean;
}

/** A registry that restarts empty: it is away for some seconds, and its providers are back 33 to 47 s later. */
class Scenario {
  readonly harness: DiscoveryHarness;
  readonly #random: SeededRandom;
  readonly #dead = new Set<string>();
  /** By process, which is its endpoint. */
  readonly calls = new Map<string, number>();
  /** At those that are gone, since the registry's first answer; before, nobody can know better. */
  readonly failedAttempts = new Map<string, number>();
  readonly errors: unknown[] = [];
  readonly #returnsAt = new Map<number, number>();
  #isCounting = false;

  constructor(private readonly restart: Restart) {
    this.#random = new SeededRandom(restart.seed);
    this.harness = new DiscoveryHarness({ watch: restart.isWatched });
    this.harness.random = () => this.#random.next();
  }

  async play(): Promise<void> {
    const { harness, restart } = this;
    const { registry, clock } = harness;
    this.#list(
      Array.from({ length: instances }, (_, index) => index),
      '',
    );
    await harness.core.find(name);
    await this.#call(20_000 + 15_000 * this.#random.next());
    for (let index = 0; index < restart.gone; index += 1) this.#dead.add(`host-${index}`);
    this.#isCounting = true;
    registry.list(name, undefined);
    registry.fails = () => unreachable();
    harness.watchers[0]?.events.lost('http://a:1', unreachable(), 1_000);
    const downMs = 1_000 + 4_000 * this.#random.next();
    for (let index = restart.gone; index < instances; index += 1)
      this.#returnsAt.set(index, clock.now() + 33_000 + 14_000 * this.#random.next());
    await this.#call(downMs);
    registry.fails = () => undefined;
    harness.watchers[0]?.events.opened('http://a:1');
    await this.#return();
    await this.#call(15_000);
  }

  /** Registers one after the other; each frame is a hint where changes are pushed. */
  async #return(): Promise<void> {
    const { clock, watchers } = this.harness;
    const back: number[] = [];
    const inOrder = [...this.#returnsAt].toSorted(([, left], [, right]) => left - right);
    for (const [index, at] of inOrder) {
      await this.#call(at - clock.now());
      back.push(index);
      this.#list(back, this.restart.hasNewIds ? 'new-' : '');
      watchers[0]?.events.hint({
        environment: '',
        appId: 'default',
        serviceName: name,
        alias: undefined,
      });
    }
  }

  #list(indexes: readonly number[], prefix: string): void {
    const list = indexes.map(index =>
      instanceOf(`${prefix}${index}`, { endpoints: [`rest://host-${index}:80`] }),
    );
    this.harness.registry.list(name, list);
  }

  /** Ten calls a second. */
  async #call(ms: number): Promise<void> {
    const { core, clock } = this.harness;
    const end = clock.now() + ms;
    while (clock.now() < end) {
      await core
        .call(name, async ({ endpoint: { host } }) => this.#answer(host), { isSafe: true })
        .catch((error: unknown) => this.errors.push(error));
      await this.harness.run(Math.min(100, end - clock.now()));
    }
  }

  #answer(host: string): void {
    if (this.#dead.has(host)) {
      const attempts = this.#hasAnswered ? (this.failedAttempts.get(host) ?? 0) + 1 : 0;
      this.failedAttempts.set(host, attempts);
      throw refused;
    }
    if (this.#isCounting) this.calls.set(host, (this.calls.get(host) ?? 0) + 1);
  }

  get #hasAnswered(): boolean {
    return this.harness.names().includes('discovery.emptied');
  }

  get largestShare(): number {
    const counts = [...this.calls.values()];
    return Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);
  }
}

const restarts = seeds.flatMap(seed =>
  [true, false].map(isWatched => ({ seed, isWatched, hasNewIds: seed % 2 === 0 })),
);

describe('a registry that restarts empty', () => {
  it.each(restarts)('costs no call and overloads nobody: %o', async restart => {
    const scenario = new Scenario({ ...restart, gone: 0 });
    await scenario.play();
    expect(scenario.errors).toEqual([]);
    expect(scenario.failedAttempts.size).toBe(0);
    expect(scenario.calls.size).toBe(instances);
    expect(scenario.largestShare).toBeLessThan(0.13);
    const events = scenario.harness.names().filter(each => each === 'discovery.emptied');
    expect(events).toHaveLength(1);
  });

  it.each(restarts)(
    'costs at most one attempt for each process that is gone: %o',
    async restart => {
      const scenario = new Scenario({ ...restart, gone: 3 });
      await scenario.play();
      expect(scenario.errors).toEqual([]);
      expect(scenario.failedAttempts.size).toBe(3);
      expect(Math.max(...scenario.failedAttempts.values())).toBeLessThanOrEqual(1);
      await expect(scenario.harness.core.find(name)).resolves.toHaveLength(instances - 3);
    },
  );
});
