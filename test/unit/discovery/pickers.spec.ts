import { expect, test } from '@jest/globals';
import type { Candidate, Picker, PickTurn } from '../../../lib/discovery/candidate.js';
import { parseEndpoint } from '../../../lib/discovery/endpoint.js';
import { pickers } from '../../../lib/discovery/pickers.js';
import { TrackedCandidate } from '../../../lib/discovery/standing.js';
import { instanceOf } from '../../support/balancing.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fc } from '../../support/fast-check.js';
import { SeededRandom } from '../../support/seeded-random.js';

type Load = Partial<Pick<Candidate, 'pending' | 'latencyMs'>>;

const endpoint = parseEndpoint('rest://10.0.0.7:3000');

/** A candidate of a caller's own making. */
function candidateOf(instanceId: string, { pending = 0, latencyMs }: Load): Candidate {
  if (endpoint === undefined) throw new Error('no endpoint');
  const instance = instanceOf(instanceId);
  return { instance, endpoint, url: 'http://10.0.0.7:3000', pending, latencyMs };
}

/** Picks so often, and returns the ids. */
function picks(
  picker: Picker,
  loads: readonly Load[],
  { count, keys = [] }: { readonly count: number; readonly keys?: readonly string[] },
): string[] {
  const [first, ...rest] = loads.map((load, index) => candidateOf(`i${index}`, load));
  if (first === undefined) throw new Error('no candidate');
  const random = new SeededRandom(count);
  return Array.from({ length: count }, (_, turn) => {
    const key = keys[turn % keys.length];
    const pickTurn: PickTurn = { turn, key, now: 0, random: () => random.next() };
    return picker([first, ...rest], pickTurn).instance.instanceId;
  });
}

function countsOf(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

test.each(['balanced', 'roundRobin'] as const)('%s takes idle ones in turn', name => {
  expect(picks(pickers[name], [{}, {}, {}], { count: 6 })).toEqual([
    'i0',
    'i1',
    'i2',
    'i0',
    'i1',
    'i2',
  ]);
});

test('balanced takes each of n idle ones within 2 n picks, wherever it begins (P5)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 100 }), (n, from) => {
      const ids = picks(
        pickers.balanced,
        Array.from({ length: n }, () => ({})),
        { count: from + 2 * n },
      );
      return new Set(ids.slice(from)).size === n;
    }),
  );
});

test('balanced leaves a busy one to calls that would find the others as busy', () => {
  const counts = countsOf(
    picks(pickers.balanced, [{ pending: 9 }, { pending: 1 }, { pending: 1 }], { count: 300 }),
  );
  expect(counts['i0']).toBeUndefined();
  expect(
    countsOf(picks(pickers.balanced, [{ pending: 2 }, { pending: 2 }], { count: 10 })),
  ).toEqual({ i0: 5, i1: 5 });
});

test('random takes each about as often, and the load does not matter', () => {
  const counts = countsOf(picks(pickers.random, [{ pending: 9 }, {}, {}], { count: 3_000 }));
  for (const id of ['i0', 'i1', 'i2'])
    expect(Math.abs((counts[id] ?? 0) - 1_000)).toBeLessThan(100);
});

test('fastest takes the slowest only when it draws no other', () => {
  const loads = [{ latencyMs: 10 }, { latencyMs: 20 }, { latencyMs: 1_000 }];
  const counts = countsOf(picks(pickers.fastest, loads, { count: 3_000 }));
  expect(counts['i2']).toBeUndefined();
  expect(counts['i0']).toBeGreaterThan(counts['i1'] ?? 0);
});

test('fastest counts calls under way, and tries an unknown one with one call', () => {
  expect(
    countsOf(
      picks(pickers.fastest, [{ latencyMs: 10, pending: 9 }, { latencyMs: 20 }], { count: 9 }),
    ),
  ).toEqual({ i1: 9 });
  expect(countsOf(picks(pickers.fastest, [{}, { latencyMs: 1 }], { count: 9 }))).toEqual({ i0: 9 });
  expect(
    countsOf(picks(pickers.fastest, [{ pending: 1 }, { latencyMs: 1 }], { count: 9 })),
  ).toEqual({ i1: 9 });
  expect(countsOf(picks(pickers.fastest, [{}], { count: 9 }))).toEqual({ i0: 9 });
});

const keys = Array.from({ length: 2_000 }, (_, index) => `customer-${index}`);

test('sticky takes the same one for a key, and each for its part of the keys', () => {
  const loads = [{}, {}, {}, {}, {}];
  const first = picks(pickers.sticky, loads, { count: 2_000, keys });
  expect(picks(pickers.sticky, loads, { count: 2_000, keys })).toEqual(first);
  for (const count of Object.values(countsOf(first)))
    expect(Math.abs(count - 400)).toBeLessThan(80);
});

test('sticky moves only the keys of an instance that goes', () => {
  const before = picks(pickers.sticky, [{}, {}, {}, {}, {}], { count: 2_000, keys });
  const after = picks(pickers.sticky, [{}, {}, {}, {}], { count: 2_000, keys });
  const moved = before.filter((id, at) => id !== after[at]);
  expect(new Set(moved)).toEqual(new Set(['i4']));
});

test('sticky finds the same instance with the candidates of a balancer', () => {
  const clock = new FakeClock();
  const ids = ['a', 'b', 'c', 'd'];
  const chosen = (candidates: readonly Candidate[], key: string) => {
    const [first, ...rest] = candidates;
    const turn = { turn: 0, key, now: 0, random: () => 0 };
    return first && pickers.sticky([first, ...rest], turn).instance.instanceId;
  };
  const own = ids.map(id => candidateOf(id, {}));
  const tracked = own.map(
    ({ instance, endpoint }) => new TrackedCandidate(instance, endpoint.text, clock),
  );
  for (const key of keys.slice(0, 50)) expect(chosen(tracked, key)).toBe(chosen(own, key));
});

test('sticky is balanced without a key', () => {
  expect(picks(pickers.sticky, [{}, {}, {}], { count: 3 })).toEqual(['i0', 'i1', 'i2']);
});
