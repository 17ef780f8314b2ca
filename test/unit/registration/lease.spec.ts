import { describe, expect, it } from '@jest/globals';
import {
  isAtRisk,
  isExpired,
  leaseLengthMs,
  remainingMs,
} from '../../../lib/registration/lease.js';
import { lease } from './parts.js';

describe('a lease', () => {
  it.each([
    [15, 3, 60_000],
    [5, 3, 20_000],
    [30, 3, 120_000],
    [1, 0, 1_000],
  ])('of interval %i and times %i lives %i ms', (interval, times, ms) => {
    expect(leaseLengthMs({ mode: 'push', interval, times })).toBe(ms);
  });

  it.each([
    [0, 60_000, false, false],
    [39_999, 20_001, false, false],
    [40_000, 20_000, true, false],
    [59_999, 1, true, false],
    [60_000, 0, true, true],
    [90_000, 0, true, true],
  ])(
    'of a minute at %i ms has %i ms left, is at risk: %p, is over: %p',
    (now, left, risk, over) => {
      expect(remainingMs(lease, now)).toBe(left);
      expect(isAtRisk(lease, now)).toBe(risk);
      expect(isExpired(lease, now)).toBe(over);
    },
  );
});
