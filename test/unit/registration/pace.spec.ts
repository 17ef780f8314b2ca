import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Pace } from '../../../lib/registration/pace.js';
import { draws, paceOf } from './parts.js';

type Wait = (pace: Pace) => number;

/** [what, interval, draw 0, draw 0.5, draw just under 1] */
const bounds: [string, Wait, number, number, number, number][] = [
  ['a heartbeat', pace => pace.beat(), 15_000, 13_500, 15_000, 16_500],
  ['a heartbeat', pace => pace.beat(), 1_000, 900, 1_000, 1_100],
  ['the first heartbeat', pace => pace.firstBeat(), 15_000, 2_000, 8_250, 15_000],
  ['the first heartbeat', pace => pace.firstBeat(), 60_000, 6_000, 33_000, 60_000],
  ['the first heartbeat', pace => pace.firstBeat(), 1_000, 2_000, 2_000, 2_000],
  ['the first retry in a lease', pace => pace.inLease(1, 60_000), 15_000, 1_000, 1_000, 1_000],
  ['the second retry in a lease', pace => pace.inLease(2, 60_000), 15_000, 1_000, 1_500, 2_000],
  ['the fourth retry in a lease', pace => pace.inLease(4, 60_000), 15_000, 1_000, 4_250, 7_500],
  [
    'the hundredth retry in a lease',
    pace => pace.inLease(2_000, 60_000),
    15_000,
    1_000,
    4_250,
    7_500,
  ],
  [
    'the hundredth retry in a lease',
    pace => pace.inLease(2_000, 600_000),
    60_000,
    1_000,
    4_500,
    8_000,
  ],
  ['the first retry in a lease', pace => pace.inLease(1, 20_000), 1_000, 250, 250, 250],
  ['the fourth retry in a lease', pace => pace.inLease(4, 20_000), 1_000, 250, 375, 500],
  ['the first attempt to register', pace => pace.retry(1), 15_000, 0, 500, 1_000],
  ['the fourth attempt to register', pace => pace.retry(4), 15_000, 0, 4_000, 8_000],
  ['any later attempt to register', pace => pace.retry(2_000), 15_000, 0, 15_000, 30_000],
  ['a lease that was lost alone', pace => pace.recovery(0), 15_000, 0, 500, 1_000],
  ['a lease that was lost alone', pace => pace.recovery(0), 1_000, 0, 250, 500],
  ['a lease that was lost after failures', pace => pace.recovery(1), 15_000, 0, 3_750, 7_500],
  ['a lease that was lost after failures', pace => pace.recovery(3), 60_000, 0, 5_000, 10_000],
  ['a lease that was lost after failures', pace => pace.recovery(3), 1_000, 0, 250, 500],
  ['a refusal', pace => pace.blocked(), 15_000, 54_000, 60_000, 66_000],
  ['the removal of a stale record', pace => pace.gap, 15_000, 150, 150, 150],
];

describe('the wait', () => {
  it.each(bounds)('for %s (interval %#: %p, %i ms)', (_, wait, intervalMs, ...expected) => {
    const waits = draws.map(draw => wait(paceOf({ intervalMs, random: () => draw })));
    expect(waits.map(Math.round)).toEqual(expected);
  });

  it('for a heartbeat is the interval itself without jitter', () => {
    for (const random of draws)
      expect(paceOf({ jitter: 0, random: () => random }).beat()).toBe(15_000);
  });

  it('for a retry follows its settings', () => {
    const pace = paceOf({ retry: { initialMs: 100, maxMs: 500, factor: 3 }, random: () => 1 });
    expect([1, 2, 3].map(failures => pace.retry(failures))).toEqual([100, 300, 500]);
  });
});

describe('the deadline of a heartbeat', () => {
  it.each([
    [1_000, 500],
    [2_000, 667],
    [9_000, 3_000],
    [15_000, 5_000],
    [60_000, 5_000],
  ])('at an interval of %i ms is %i ms', (intervalMs, timeoutMs) => {
    expect(paceOf({ intervalMs }).beatTimeoutMs).toBe(timeoutMs);
  });
});

/**
 * Starts of the heartbeats of one lease that began at 0, when each fails after that many
 * milliseconds, until its end.
 */
function attemptsOf(pace: Pace, lengthMs: number, failsAfterMs: number): readonly number[] {
  const starts: number[] = [];
  let now = pace.beat();
  while (now < lengthMs && starts.length < 10_000) {
    starts.push(now);
    now += failsAfterMs;
    now += pace.inLease(starts.length, Math.max(0, lengthMs - now));
  }
  return starts;
}

function randomOf(draws: readonly number[]): () => number {
  let next = 0;
  return () => draws[next++ % draws.length] ?? 0;
}

const anyDraws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 1,
  maxLength: 12,
});

describe('the retries in a lease', () => {
  it.each(draws)('are at least six in a minute when each attempt hangs (draws of %d)', draw => {
    const pace = paceOf({ random: () => draw });
    expect(attemptsOf(pace, 60_000, pace.beatTimeoutMs).length).toBeGreaterThanOrEqual(6);
  });

  it('are at least six in a minute when each attempt hangs, whatever is drawn', () => {
    fc.assert(
      fc.property(anyDraws, values => {
        const pace = paceOf({ random: randomOf(values) });
        expect(attemptsOf(pace, 60_000, pace.beatTimeoutMs).length).toBeGreaterThanOrEqual(6);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [15_000, 60_000],
    [1_000, 20_000],
    [1_000, 4_000],
    [30_000, 120_000],
    [600_000, 2_400_000],
  ])(
    'leave the last one its time before the end (interval %i ms, lease %i ms)',
    (intervalMs, length) => {
      fc.assert(
        fc.property(anyDraws, fc.double({ min: 0, max: 1, noNaN: true }), (values, part) => {
          const pace = paceOf({ intervalMs, random: randomOf(values) });
          const starts = attemptsOf(pace, length, part * pace.beatTimeoutMs);
          expect(Math.max(...starts)).toBeLessThanOrEqual(length - pace.beatTimeoutMs - 1_000);
        }),
        { numRuns: 300 },
      );
    },
  );

  it.each([
    [15_000, 60_000],
    [1_000, 20_000],
    [30_000, 120_000],
  ])(
    'end with one that is as late as it can be (interval %i ms, lease %i ms)',
    (intervalMs, length) => {
      fc.assert(
        fc.property(anyDraws, values => {
          const pace = paceOf({ intervalMs, random: randomOf(values) });
          const last = Math.max(...attemptsOf(pace, length, 0));
          expect(last).toBeCloseTo(length - pace.beatTimeoutMs - 1_000, 3);
        }),
      );
    },
  );

  it('never come at once, also after the end', () => {
    for (const remaining of [0, 1, 500, 5_999, 6_000])
      expect(paceOf({ random: () => 0 }).inLease(1, remaining)).toBeGreaterThanOrEqual(1_000);
  });
});
