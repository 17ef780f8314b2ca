import { describe, expect, it } from '@jest/globals';
import { inWords, leaseLeft, runningLease } from '../../../lib/page/browser/lease-left.js';

const lease = runningLease({ lengthMs: 60_000, remainingMs: 60_000, renewedAt: 0 }, 1000);

describe('what is left of a lease', () => {
  it.each([
    [1000, 1, 'high', '60 s of 60 s left'],
    [31_000, 0.5, 'high', '30 s of 60 s left'],
    [41_000, 1 / 3, 'low', '20 s of 60 s left'],
    [55_000, 0.1, 'last', '6 s of 60 s left'],
    [61_000, 0, 'last', '0 s of 60 s left'],
    [99_000, 0, 'last', '0 s of 60 s left'],
  ])('at %i ms', (now, share, level, text) => {
    expect(leaseLeft(lease, now)).toEqual({ share, level, text });
  });

  it('is never more than all of it', () => {
    expect(leaseLeft(lease, 0).share).toBe(1);
  });

  it('is nothing of a lease without a length', () => {
    const none = runningLease({ lengthMs: 0, remainingMs: 0, renewedAt: 0 }, 0);
    expect(leaseLeft(none, 0).share).toBe(0);
  });
});

describe('a duration in words', () => {
  it.each([
    [0, '0 s'],
    [1, '1 s'],
    [599_000, '599 s'],
    [600_000, '10 min'],
    [3_599_000, '59 min'],
    [9_000_000, '2 h 30 min'],
  ])('%i ms', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });
});
