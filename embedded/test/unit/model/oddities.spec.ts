import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter, realisticOddities } from '../../../lib/index.js';
import { noOddities, SeededRandom } from '../../../lib/model/oddities.js';
import { TestRegistry } from '../../support/registry.js';

describe('the oddities of an embedded Service Center', () => {
  it('are all off to begin with, and then set no timer', () => {
    const { oddities } = new EmbeddedServiceCenter();
    expect(oddities.values).toEqual(noOddities);
    const registry = new TestRegistry();
    const serviceId = registry.service();
    const instanceId = registry.instance(serviceId);
    registry.beat(serviceId, instanceId);
    registry.ask(`DELETE /microservices/${serviceId}/instances/${instanceId}`);
    expect(registry.clock.timers).toBe(0);
  });

  it('are given as an option, some of them or a whole set by name', () => {
    const some = new EmbeddedServiceCenter({ oddities: { publicationMs: 100 } });
    expect(some.oddities.values).toEqual({ ...noOddities, publicationMs: 100 });
    const { oddities } = new EmbeddedServiceCenter({ oddities: 'realistic' });
    expect(oddities.values).toEqual(realisticOddities);
  });

  it('are turned one by one, all on, and all off', () => {
    const { oddities } = new EmbeddedServiceCenter();
    oddities.set({ publicationMs: 100, lostDeletions: undefined });
    oddities.set({ selfPreservation: true });
    expect(oddities.values).toEqual({ ...noOddities, publicationMs: 100, selfPreservation: true });
    oddities.set('realistic');
    expect(oddities.values).toEqual(realisticOddities);
    oddities.clear();
    expect(oddities.values).toEqual(noOddities);
  });

  it('leave the store and the seed as they are when all are turned on by name', () => {
    const { oddities } = new EmbeddedServiceCenter({ oddities: { seed: 5, storeDown: true } });
    oddities.set('realistic');
    expect(oddities.values).toMatchObject({ seed: 5, storeDown: true });
  });

  it.each([
    [{ publicationMs: -1 }, 'oddities.publicationMs must be a number of 0 or more, got -1'],
    [{ seed: Number.NaN }, 'oddities.seed must be a number of 0 or more, got NaN'],
    [{ spuriousLossChance: 2 }, 'oddities.spuriousLossChance must be a number from 0 to 1, got 2'],
    [JSON.parse('{"storeDown":1}'), 'oddities.storeDown must be true or false, got 1'],
    [JSON.parse('{"publication":1}'), 'oddities.publication does not exist'],
    [
      { relistMinMs: 2, relistMaxMs: 1 },
      'oddities.relistMinMs must not be greater than oddities.relistMaxMs',
    ],
    [
      { renewalStepMs: 2, housekeepingMs: 2 },
      'oddities.housekeepingMs must be 0 or greater than oddities.renewalStepMs',
    ],
  ])('are refused when they make no sense: %j', (wrong, message) => {
    expect(() => new EmbeddedServiceCenter({ oddities: wrong })).toThrow(new RangeError(message));
    const { oddities } = new EmbeddedServiceCenter();
    expect(() => oddities.set({ publicationMs: 7, ...wrong })).toThrow(message);
    expect(oddities.values).toEqual(noOddities);
  });
});

describe('a realistic registry', () => {
  it('shows new instances after 300 ms, and removals only to reads that bypass the cache', () => {
    const registry = new TestRegistry({ oddities: 'realistic' });
    const { clock } = registry;
    const serviceId = registry.service();
    const list = (query = '') =>
      registry.ask(`GET /microservices/${serviceId}/instances${query}`).json.instances ?? [];
    registry.instance(serviceId, { instanceId: 'first' });
    clock.advance(300);
    registry.instance(serviceId, { instanceId: 'second' });
    clock.advance(299);
    expect(list()).toHaveLength(1);
    clock.advance(1);
    expect(list()).toHaveLength(2);
    registry.ask(`DELETE /microservices/${serviceId}/instances/first`);
    clock.advance(14_999);
    expect(list('?noCache=1')).toHaveLength(1);
    expect(list()).toHaveLength(2);
    clock.advance(102_001 + 2300);
    expect(list()).toHaveLength(1);
  });
});

describe('a seeded random number', () => {
  it('is spread over all from 0 on, below 1', () => {
    const random = new SeededRandom(1);
    const buckets = new Set(Array.from({ length: 1000 }, () => Math.floor(random.next() * 10)));
    expect(buckets).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  it('is another for another seed', () => {
    expect(new SeededRandom(1).next()).not.toBe(new SeededRandom(2).next());
  });
});
