import { describe, expect, test } from '@jest/globals';
import { Balancing, balancing, ejection, instancesOf, nodeError } from '../../support/balancing.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fc } from '../../support/fast-check.js';

const refused = nodeError('ECONNREFUSED');
const reset = nodeError('ECONNRESET');

/** Calls each instance that is picked so many times; those that are named fail. */
async function call(
  of: Balancing,
  { count = 20, failing = [] as readonly string[], error = refused } = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let calls = 0; calls < count; calls++)
    await of.balancer
      .call(async ({ instance }) => {
        ids.push(instance.instanceId);
        if (failing.includes(instance.instanceId)) throw error;
      })
      .catch(() => undefined);
  return ids;
}

/** How often an instance is among those. */
function times(id: string, ids: readonly string[]): number {
  return ids.filter(other => other === id).length;
}

function forMsOf(of: Balancing): readonly number[] {
  return of.ejected.map(({ forMs }) => forMs);
}

test('an instance that refuses is called once, then its trial comes', async () => {
  const three = balancing(instancesOf(3));
  expect(times('a', await call(three, { failing: ['a'] }))).toBe(1);
  expect(three.ejected).toMatchObject([{ id: 'a', failures: 1 }]);
  const [forMs = 0] = forMsOf(three);
  expect(forMs).toBeGreaterThanOrEqual(4_000);
  expect(forMs).toBeLessThanOrEqual(6_000);
  expect(three.balancer.standings().get('a')?.ejectedForMs).toBe(forMs);
  await three.clock.advance(forMs - 1);
  expect(times('a', await call(three))).toBe(0);
  await three.clock.advance(1);
  expect(three.balancer.standings().get('a')?.ejectedForMs).toBe(0);
  expect(times('a', await call(three))).toBeGreaterThan(5);
  expect(three.restored).toEqual([{ id: 'a', afterMs: forMs }]);
  expect(three.balancer.standings().get('a')?.ejectedForMs).toBeNull();
});

test('an instance whose connections break is called five times', async () => {
  const three = balancing(instancesOf(3));
  expect(times('a', await call(three, { failing: ['a'], error: reset, count: 60 }))).toBe(5);
  expect(three.ejected).toMatchObject([{ id: 'a', failures: 5 }]);
});

test('an instance that is set aside is called all the same where the call fails otherwise', async () => {
  const two = balancing(instancesOf(2));
  await call(two, { failing: ['a'] });
  expect(two.ejected).toMatchObject([{ id: 'a' }]);
  const tried: string[] = [];
  const answer = two.balancer.call(async ({ instance }) => {
    tried.push(instance.instanceId);
    if (instance.instanceId === 'b') throw refused;
    return 'a serves again';
  });
  await expect(answer).resolves.toBe('a serves again');
  expect(tried).toEqual(['b', 'a']);
});

test('each failed trial doubles the time, and a good one forgets that', async () => {
  const three = balancing(instancesOf(3));
  await call(three, { failing: ['a'] });
  for (let trial = 1; trial < 6; trial++) {
    await three.clock.advance(forMsOf(three).at(-1) ?? 0);
    expect(times('a', await call(three, { failing: ['a'] }))).toBe(1);
  }
  const inUnits = forMsOf(three).map(forMs => Math.round(Math.log2(forMs / 5_000)));
  expect(inUnits).toEqual(
    [0, 1, 2, 3, 4, 4].map((doublings, at) => (at < 4 ? doublings : inUnits[at])),
  );
  expect(Math.max(...forMsOf(three))).toBeLessThanOrEqual(72_000);
  await three.clock.advance(forMsOf(three).at(-1) ?? 0);
  await call(three);
  expect(three.restored).toEqual([
    { id: 'a', afterMs: forMsOf(three).reduce((sum, ms) => sum + ms) },
  ]);
  await call(three, { failing: ['a'] });
  expect(forMsOf(three).at(-1)).toBeLessThanOrEqual(6_000);
});

test('a trial is one call at a time, with each way to pick', async () => {
  const two = balancing(instancesOf(2));
  await call(two, { failing: ['a'] });
  await two.clock.advance(6_000);
  const ids: string[] = [];
  const hang = () =>
    void two.balancer.call(({ instance }) => {
      ids.push(instance.instanceId);
      return new Promise<never>(() => undefined);
    });
  for (let calls = 0; calls < 20; calls++) hang();
  expect(times('a', ids)).toBe(1);
  expect(times('a', two.picks(10))).toBe(0);
});

test('a repetition goes to one on trial only where there is no other, and while that is idle', async () => {
  const repeatedAt = async (of: Balancing, failing: readonly string[]) => {
    const ids: string[] = [];
    await of.balancer
      .call(async ({ instance: { instanceId } }) => {
        ids.push(instanceId);
        if (failing.includes(instanceId)) throw refused;
      })
      .catch(() => undefined);
    return ids.slice(1);
  };
  const onTrial = async (seed: number) => {
    const of = new Balancing(instancesOf(4), {}, new FakeClock(), seed);
    await call(of, { failing: ['d'] });
    await of.clock.advance(6_000);
    return of;
  };
  for (let seed = 1; seed <= 20; seed++)
    expect(await repeatedAt(await onTrial(seed), ['a', 'b', 'c'])).not.toContain('d');
  const two = balancing(instancesOf(2));
  await call(two, { failing: ['a'] });
  await two.clock.advance(6_000);
  expect(two.picks(2).toSorted()).toEqual(['a', 'b']);
  void two.balancer.call(({ instance }) =>
    instance.instanceId === 'a' ? new Promise<never>(() => undefined) : Promise.resolve(),
  );
  void two.balancer.call(({ instance }) =>
    instance.instanceId === 'a' ? new Promise<never>(() => undefined) : Promise.resolve(),
  );
  await two.clock.advance(0);
  expect(two.balancer.standings().get('a')?.pending).toBe(1);
  expect(await repeatedAt(two, ['b'])).toEqual([]);
});

test('half of them are set aside at most, rounded down, and one of two', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const five = balancing(instancesOf(5));
  await call(five, { failing: ids });
  expect(five.ejected).toHaveLength(2);
  const two = balancing(instancesOf(2));
  await call(two, { failing: ids });
  expect(two.ejected).toHaveLength(1);
  const one = balancing(instancesOf(1));
  await call(one, { failing: ids, count: 50 });
  expect(one.ejected).toHaveLength(0);
});

test('when the healthy ones vanish, all that are left are called', async () => {
  const ten = balancing(instancesOf(10));
  const failing = ['a', 'b', 'c', 'd', 'e'];
  await call(ten, { failing });
  expect(new Set(ten.picks(20)).size).toBe(5);
  ten.balancer.update(instancesOf(5));
  expect(new Set(ten.picks(20)).size).toBe(5);
});

test('when some healthy ones vanish, no more than half stay set aside', async () => {
  const ten = balancing(instancesOf(10));
  await call(ten, { failing: ['a', 'b', 'c', 'd', 'e'] });
  ten.balancer.update(instancesOf(7));
  expect(new Set(ten.picks(30)).size).toBe(4);
});

test('of those that are too many, the ones whose time ends first are called again', async () => {
  const ten = balancing(instancesOf(10));
  for (const id of ['e', 'd', 'c', 'b', 'a']) {
    await call(ten, { failing: [id] });
    await ten.clock.advance(500);
  }
  const ends = ten.ejected.map(({ id, forMs }, at) => ({ id, endsAt: at * 500 + forMs }));
  const [first, second] = ends.toSorted((a, b) => a.endsAt - b.endsAt);
  ten.balancer.update(instancesOf(7));
  expect(new Set(ten.picks(40))).toEqual(new Set(['f', 'g', first?.id, second?.id]));
});

test('a call to an instance that is set aside, because all are, restores it when it is good', async () => {
  const four = balancing(instancesOf(4));
  await call(four, { failing: ['a', 'b'] });
  four.balancer.update(instancesOf(2));
  await call(four, { count: 2 });
  // Half of the two may stay set aside once one is well again.
  expect(four.restored).toHaveLength(1);
});

test('an instance that is no longer listed is not set aside', async () => {
  const three = balancing(instancesOf(3));
  const fail = async (): Promise<never> => {
    await three.clock.delay(100);
    throw refused;
  };
  const rejection = expect(three.balancer.call(fail, { isOnce: true })).rejects.toBe(refused);
  three.balancer.update(instancesOf(4).slice(1));
  await three.clock.advance(100);
  await rejection;
  expect(three.failed).toEqual([{ id: 'a', outcome: 'unsent' }]);
  expect(three.ejected).toEqual([]);
});

test('without ejection nobody is set aside', async () => {
  const three = balancing(instancesOf(3), { ejection: undefined });
  await call(three, { failing: ['a'] });
  expect(three.ejected).toEqual([]);
  expect(new Set(three.picks(3)).size).toBe(3);
});

test('a candidate that is set aside keeps that through a new list', async () => {
  const three = balancing(instancesOf(3));
  await call(three, { failing: ['a'] });
  three.balancer.update(instancesOf(3));
  expect(times('a', three.picks(20))).toBe(0);
});

describe('whatever happens (P4)', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('call' as const),
      failing: fc.nat({ max: 0xff }),
      isHard: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 20_000 }) }),
    fc.record({ kind: fc.constant('list' as const), count: fc.integer({ min: 1, max: 8 }) }),
  );

  test('no more than the share is set aside, somebody is called, and a good trial restores', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer(), async (steps, seed) => {
        const of = new Balancing(instancesOf(8), {}, new FakeClock(), seed);
        let listed = 8;
        for (const step of steps) {
          if (step.kind === 'wait') await of.clock.advance(step.ms);
          else if (step.kind === 'list') of.balancer.update(instancesOf((listed = step.count)));
          else {
            const failing = 'abcdefgh'
              .split('')
              .filter((_, bit) => (step.failing >> bit) % 2 === 1);
            await call(of, { count: 3, failing, error: step.isHard ? refused : reset });
          }
          const callable = new Set(of.picks(64)).size;
          const most = listed === 1 ? 0 : Math.max(1, Math.floor(listed * ejection.share));
          expect(callable).toBeGreaterThanOrEqual(listed - most);
        }
        await of.clock.advance(72_000);
        await call(of, { count: 64 });
        expect(new Set(of.picks(listed)).size).toBe(listed);
        for (const { instanceId } of instancesOf(listed))
          expect(of.balancer.standings().get(instanceId)?.ejectedForMs).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
