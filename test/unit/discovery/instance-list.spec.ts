import { describe, expect, it } from '@jest/globals';
import { asKept, callable, differenceOf } from '../../../lib/discovery/instance-list.js';
import { parseVersionRule } from '../../../lib/discovery/version-rule.js';
import { fc } from '../../support/fast-check.js';
import { instanceOf } from '../../support/fake-providers.js';

describe('the instances that may be called', () => {
  const up = instanceOf('up');
  const drains = instanceOf('drains', { status: 'OUTOFSERVICE', version: '2.0.0' });
  const others = (['DOWN', 'STARTING', 'TESTING'] as const).map(status =>
    instanceOf(status, { status }),
  );

  it('are those that are UP', () => {
    expect(callable([up, drains, ...others])).toEqual([up]);
  });

  it('are those that drain where none is UP, and never any other', () => {
    expect(callable([drains, ...others])).toEqual([drains]);
    expect(callable(others)).toEqual([]);
  });

  it('are those that drain where none of the version is UP', () => {
    const rule = parseVersionRule('2.0.0');
    expect(callable([up, drains], rule === undefined ? [] : [rule])).toEqual([drains]);
  });
});

describe('the difference between two lists', () => {
  const [a, b] = [instanceOf('a'), instanceOf('b')];

  it('is none where the records are the same', () => {
    expect(differenceOf([a, b], [a, b])).toBeUndefined();
  });

  it('has what was added, removed and replaced', () => {
    const other = instanceOf('b');
    const [c] = [instanceOf('c')];
    expect(differenceOf([a, b], [other, c])).toEqual({
      added: [c],
      removed: [a],
      updated: [other],
    });
  });

  it('leads from the one to the other, whatever they are', () => {
    const letters = 'a b c d e f g h'.split(' ');
    const ids = fc.uniqueArray(fc.constantFrom(...letters));
    const records = fc.record({ id: fc.constantFrom(...letters), nth: fc.nat(1) });
    const versions = ['0', '1'].map(version =>
      Object.fromEntries(letters.map(id => [id, instanceOf(id, { version })])),
    );
    const lists = fc.tuple(ids, fc.array(records)).map(([some, changed]) =>
      some.toSorted().flatMap(id => {
        const nth = changed.find(record => record.id === id)?.nth ?? 0;
        return versions[nth]?.[id] ?? [];
      }),
    );
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const { added = [], removed = [], updated = [] } = differenceOf(before, after) ?? {};
        const gone = new Set([...removed, ...updated].map(({ instanceId }) => instanceId));
        const kept = before.filter(({ instanceId }) => !gone.has(instanceId));
        expect(new Set([...kept, ...added, ...updated])).toEqual(new Set(after));
        expect(updated.every(each => after.includes(each) && !before.includes(each))).toBe(true);
        expect(removed.every(each => before.includes(each))).toBe(true);
      }),
    );
  });
});

describe('a list that is kept', () => {
  it('is in the order of the ids, and frozen', () => {
    const list = asKept([instanceOf('b'), instanceOf('a')], []);
    expect(list.map(({ instanceId }) => instanceId)).toEqual(['a', 'b']);
    expect(Object.isFrozen(list)).toBe(true);
  });

  it('has the records of before where they are the same', () => {
    const before = asKept([instanceOf('a'), instanceOf('b')], []);
    const after = asKept([instanceOf('a'), instanceOf('b', { status: 'DOWN' })], before);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('shares what its records have in common, also with those of before', () => {
    const rich = (id: string) =>
      instanceOf(id, {
        dataCenterInfo: { name: 'dc', region: 'r', availableZone: 'z' },
        healthCheck: { mode: 'push', interval: 30, times: 3 },
      });
    const before = asKept([rich('a')], []);
    const [a, b, c] = asKept([rich('a'), rich('b'), rich('c')], before);
    for (const part of ['properties', 'dataCenterInfo', 'healthCheck'] as const) {
      expect(b?.[part]).toBe(a?.[part]);
      expect(c?.[part]).toBe(a?.[part]);
    }
  });
});
