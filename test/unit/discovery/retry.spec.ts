import { expect, test } from '@jest/globals';
import { repetitionOf, RetryBudget } from '../../../lib/discovery/retry.js';
import { fc } from '../../support/fast-check.js';

const none = { unsent: 0, arrived: 0, stale: 0 };
const post = { isRepeatable: false, isOnce: false, retries: 1 };
const get = { ...post, isRepeatable: true };

test.each([
  ['good', undefined, undefined],
  ['unsent', 'other', 'other'],
  ['stale', undefined, 'same'],
  ['broken', undefined, 'other'],
  ['busy', undefined, 'other'],
  ['late', undefined, undefined],
  ['nothing', undefined, undefined],
] as const)('after %s, a POST is repeated on: %s, a GET on: %s', (outcome, ofPost, ofGet) => {
  expect(repetitionOf(outcome, post, none)).toBe(ofPost);
  expect(repetitionOf(outcome, get, none)).toBe(ofGet);
});

test('a call that was not sent goes to two others at most', () => {
  expect(repetitionOf('unsent', post, { ...none, unsent: 1 })).toBe('other');
  expect(repetitionOf('unsent', post, { ...none, unsent: 2 })).toBeUndefined();
});

test('a call that may have arrived is repeated as often as it says', () => {
  expect(repetitionOf('broken', get, { ...none, arrived: 1 })).toBeUndefined();
  expect(repetitionOf('broken', { ...get, retries: 3 }, { ...none, arrived: 2 })).toBe('other');
  expect(repetitionOf('busy', { ...get, retries: 0 }, none)).toBeUndefined();
});

test('the same candidate gets a call again once', () => {
  expect(repetitionOf('stale', get, { ...none, stale: 1 })).toBeUndefined();
});

test.each(['unsent', 'stale', 'broken', 'busy'] as const)(
  'a stream is not repeated after %s',
  outcome => {
    expect(repetitionOf(outcome, { ...get, isOnce: true }, none)).toBeUndefined();
  },
);

test('repetitions are 10 and one for each 5 calls at most, and those are granted (P8)', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), repeats => {
      const budget = new RetryBudget();
      let [calls, paid] = [0, 0];
      for (const isRepeat of repeats) {
        if (!isRepeat) {
          budget.earn();
          calls += 1;
        } else if (budget.pay()) paid += 1;
        if (paid > 10 + calls / 5) return false;
      }
      return true;
    }),
  );
  const budget = new RetryBudget();
  const granted = Array.from({ length: 100 }, () => {
    budget.earn();
    return budget.pay();
  });
  // The first call finds the bucket full.
  expect(granted.filter(Boolean)).toHaveLength(10 + 19);
});
