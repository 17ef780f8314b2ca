import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import type { Pace } from '../../../lib/registration/pace.js';
import { draws, errors, paceOf } from './parts.js';

const { network, throttled } = errors;

type Wait = (pace: Pace) => number;

/** [what, interval, draw 0, draw 0.5, draw just under 1] */
const bounds: [string, Wait, number, number, number, number][] = [
  ['a heartbeat', pace => pace.heartbeatDelay(90, 0), 15_000, 13_500, 15_000, 16_500],
  ['a heartbeat', pace => pace.heartbeatDelay(90, 0), 1_000, 900, 1_000, 1_100],
  [
    'a heartbeat after failed ones',
    pace => pace.heartbeatDelay(90, 2),
    15_000,
    2_000,
    8_250,
    15_000,
  ],
  ['the first heartbeat', pace => pace.firstHeartbeatDelay(), 15_000, 2_000, 8_250, 15_000],
  ['the first heartbeat', pace => pace.firstHeartbeatDelay(), 60_000, 6_000, 33_000, 60_000],
  ['the first heartbeat', pace => pace.firstHeartbeatDelay(), 1_000, 2_000, 2_000, 2_000],
  [
    'the first retry in a lease',
    pace => pace.inLeaseRetryDelay(1, 60_000, network),
    15_000,
    1_000,
    1_000,
    1_000,
  ],
  [
    'the second retry in a lease',
    pace => pace.inLeaseRetryDelay(2, 60_000, network),
    15_000,
    1_000,
    1_500,
    2_000,
  ],
  [
    'the fourth retry in a lease',
    pace => pace.inLeaseRetryDelay(4, 60_000, network),
    15_000,
    1_000,
    4_250,
    7_500,
  ],
  [
    'the hundredth retry in a lease',
    pace => pace.inLeaseRetryDelay(2_000, 60_000, network),
    15_000,
    1_000,
    4_250,
    7_500,
  ],
  [
    'the hundredth retry in a lease',
    pace => pace.inLeaseRetryDelay(2_000, 600_000, network),
    60_000,
    1_000,
    4_500,
    8_000,
  ],
  [
    'the first retry in a lease',
    pace => pace.inLeaseRetryDelay(1, 20_000, network),
    1_000,
    300,
    300,
    300,
  ],
  [
    'the fourth retry in a lease',
    pace => pace.inLeaseRetryDelay(4, 20_000, network),
    1_000,
    300,
    375,
    500,
  ],
  [
    'the first attempt to register',
    pace => pace.registrationRetryDelay(1, network),
    15_000,
    0,
    500,
    1_000,
  ],
  [
    'the fourth attempt to register',
    pace => pace.registrationRetryDelay(4, network),
    15_000,
    0,
    4_000,
    8_000,
  ],
  [
    'any later attempt to register',
    pace => pace.registrationRetryDelay(2_000, network),
    15_000,
    0,
    15_000,
    30_000,
  ],
  ['a lease that was lost alone', pace => pace.recoveryDelay(0), 15_000, 0, 500, 1_000],
  ['a lease that was lost alone', pace => pace.recoveryDelay(0), 1_000, 0, 250, 500],
  ['a lease that was lost after failures', pace => pace.recoveryDelay(1), 15_000, 0, 3_750, 7_500],
  ['a lease that was lost after failures', pace => pace.recoveryDelay(3), 60_000, 0, 5_000, 10_000],
  ['a lease that was lost after failures', pace => pace.recoveryDelay(3), 1_000, 0, 250, 500],
  ['a refusal', pace => pace.blockedDelay(), 15_000, 54_000, 60_000, 66_000],
  ['the removal of a stale record', pace => pace.repostDelayMs, 15_000, 150, 150, 150],
  ['a heartbeat that contradicts', pace => pace.contradictionDelay(), 15_000, 1_500, 1_500, 1_500],
  ['a heartbeat that contradicts', pace => pace.contradictionDelay(), 1_000, 1_000, 1_000, 1_000],
  ['the next addresses', pace => pace.learningDelay(), 15_000, 480_000, 600_000, 720_000],
  ['a turn of the ticker', pace => pace.turnPeriodMs, 15_000, 1_000, 1_000, 1_000],
  ['a turn of the ticker', pace => pace.turnPeriodMs, 1_000, 100, 100, 100],
  ['a check of the health', pace => pace.checkPeriodMs, 15_000, 5_000, 5_000, 5_000],
  ['a check of the health', pace => pace.checkPeriodMs, 1_000, 1_000, 1_000, 1_000],
  ['a probe', pace => pace.probeDelay(), 15_000, 8_000, 10_000, 12_000],
  ['a probe', pace => pace.probeDelay(), 1_000, 800, 1_000, 1_200],
  ['the first repair', pace => pace.repairDelay(1), 15_000, 0, 0, 0],
  ['the third repair', pace => pace.repairDelay(3), 15_000, 2_000, 2_000, 2_000],
];

describe('the wait', () => {
  it.each(bounds)('for %s (interval %#: %p, %i ms)', (_, wait, intervalMs, ...expected) => {
    const waits = draws.map(draw => wait(paceOf({ intervalMs, random: () => draw })));
    expect(waits.map(Math.round)).toEqual(expected);
  });

  it.each([
    ['', 0, [20_000, 21_000, 22_000]],
    [' after failed ones', 3, [20_000, 27_500, 35_000]],
  ])('for a heartbeat%s is never less than a least distance', (_, failures, expected) => {
    const waits = draws.map(draw =>
      paceOf({ intervalMs: 20_000, neverEarly: true, random: () => draw }).heartbeatDelay(
        0,
        failures,
      ),
    );
    expect(waits.map(Math.round)).toEqual(expected);
  });

  it('for a heartbeat has a least distance begin with the answer', () => {
    const [usual, least] = [false, true].map(neverEarly => paceOf({ neverEarly, jitter: 0 }));
    expect([usual?.heartbeatDelay(6_000, 0), least?.heartbeatDelay(6_000, 0)]).toEqual([
      15_000, 21_000,
    ]);
  });

  it('for a heartbeat is over with a standstill, unless a least distance has not passed', () => {
    const waitAfter = (neverEarly: boolean, asleepMs: number) =>
      paceOf({ neverEarly }).heartbeatAtAfterStandstill(9_000, 4_000, asleepMs) - 4_000;
    expect(waitAfter(false, 0)).toBe(0);
    expect([0, 2_000, 5_000, 3_600_000].map(asleepMs => waitAfter(true, asleepMs))).toEqual([
      5_000, 3_000, 0, 0,
    ]);
  });

  it('for a heartbeat may be cut short by the timer, but not below a least distance', () => {
    expect(paceOf().heartbeatTolerance(500)).toBe(500);
    expect(paceOf({ neverEarly: true }).heartbeatTolerance(500)).toBe(0);
  });

  it('for the repetition of a failed heartbeat is the same where the interval is a least distance', () => {
    const waits = [false, true].map(neverEarly =>
      paceOf({ neverEarly }).inLeaseRetryDelay(1, 60_000, network),
    );
    expect(waits).toEqual([1_000, 1_000]);
  });

  it('for a heartbeat is the interval itself without jitter', () => {
    for (const random of draws)
      for (const neverEarly of [true, false])
        expect(paceOf({ jitter: 0, neverEarly, random: () => random }).heartbeatDelay(0, 0)).toBe(
          15_000,
        );
  });

  it('for a retry follows its settings', () => {
    const pace = paceOf({ retry: { initialMs: 100, maxMs: 500, factor: 3 }, random: () => 1 });
    expect([1, 2, 3].map(failures => pace.registrationRetryDelay(failures, network))).toEqual([
      100, 300, 500,
    ]);
  });
});

describe('a registry that asks to wait', () => {
  const forHours = Object.assign(Object.create(throttled), { retryAfterMs: 1e9 });

  it('is obeyed by the next attempt to register, for ten minutes at most', () => {
    expect(paceOf().registrationRetryDelay(1, throttled)).toBe(45_000);
    expect(paceOf().registrationRetryDelay(1, forHours)).toBe(600_000);
  });

  it('is obeyed by the next heartbeat as far as the lease allows', () => {
    expect(paceOf().inLeaseRetryDelay(1, 60_000, throttled)).toBe(45_000);
    expect(paceOf().inLeaseRetryDelay(1, 30_000, throttled)).toBe(27_650);
  });
});

describe('the removal of an instance', () => {
  it('may take half of the time that is left, as it may fail over to another address', () => {
    const timeouts = [60_000, 3_000, 1_000, 1].map(leftMs => paceOf().removalTimeoutMs(leftMs));
    expect(timeouts).toEqual([1_500, 1_500, 500, 1]);
  });

  it('is repeated half-way through the budget and just before its end while a POST may land', () => {
    expect(paceOf().spreadRemovalDelay(3_000, false)).toBe(1_500);
    expect(paceOf().spreadRemovalDelay(1_500, true)).toBe(1_200);
    expect(paceOf().spreadRemovalDelay(50, false)).toBe(100);
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
    expect(paceOf({ intervalMs }).heartbeatTimeoutMs).toBe(timeoutMs);
  });
});

/** One heartbeat of a lease that is in trouble: when it is sent, and how long it may take. */
interface Attempt {
  readonly at: number;
  readonly timeoutMs: number;
}

/**
 * The heartbeats of one lease that began at 0, until its end, when each fails after that part of the
 * time it may take: 1 for a registry that hangs.
 */
function attemptsOf(pace: Pace, lengthMs: number, part: number): readonly Attempt[] {
  const attempts: Attempt[] = [];
  let now = pace.heartbeatDelay(0, 0);
  while (now < lengthMs && attempts.length < 10_000) {
    const timeoutMs = pace.lateHeartbeatTimeoutMs(lengthMs - now);
    attempts.push({ at: now, timeoutMs });
    now += part * timeoutMs;
    now += pace.inLeaseRetryDelay(attempts.length, Math.max(0, lengthMs - now), network);
  }
  return attempts;
}

function randomOf(draws: readonly number[]): () => number {
  let next = 0;
  return () => draws[next++ % draws.length] ?? 0;
}

const anyDraws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 1,
  maxLength: 12,
});

const leases = [
  [15_000, 60_000],
  [1_000, 20_000],
  [1_000, 4_000],
  [30_000, 120_000],
  [600_000, 2_400_000],
] as const;

describe('the retries in a lease', () => {
  it.each(draws)('are at least six in a minute when each attempt hangs (draws of %d)', draw => {
    const pace = paceOf({ random: () => draw });
    expect(attemptsOf(pace, 60_000, 1).length).toBeGreaterThanOrEqual(6);
  });

  it('are at least six in a minute when each attempt hangs, whatever is drawn', () => {
    fc.assert(
      fc.property(anyDraws, values => {
        const pace = paceOf({ random: randomOf(values) });
        expect(attemptsOf(pace, 60_000, 1).length).toBeGreaterThanOrEqual(6);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(leases)(
    'leave 0.7 s before the end, for the last one as well (interval %i ms, lease %i ms)',
    (intervalMs, length) => {
      fc.assert(
        fc.property(anyDraws, fc.double({ min: 0, max: 1, noNaN: true }), (values, part) => {
          const pace = paceOf({ intervalMs, random: randomOf(values) });
          const ends = attemptsOf(pace, length, part).map(({ at, timeoutMs }) => at + timeoutMs);
          expect(Math.max(...ends)).toBeLessThanOrEqual(length - 700 + 1e-6);
        }),
      );
    },
  );

  it.each(leases)(
    'go on until no other one fits in, also when all hang (interval %i ms, lease %i ms)',
    (intervalMs, length) => {
      fc.assert(
        fc.property(anyDraws, fc.constantFrom(0, 1), (values, part) => {
          const pace = paceOf({ intervalMs, random: randomOf(values) });
          const last = attemptsOf(pace, length, part).at(-1);
          expect(last?.at).toBeGreaterThanOrEqual(length - 2_050 - 1e-6);
        }),
      );
    },
  );

  it('save the lease of a registry that is back five seconds before its end', () => {
    fc.assert(
      fc.property(anyDraws, values => {
        const pace = paceOf({ random: randomOf(values) });
        const inTime = attemptsOf(pace, 60_000, 1).filter(({ at }) => at >= 55_000 && at <= 57_900);
        expect(inTime).not.toEqual([]);
      }),
    );
  });

  it('are 250 ms apart, however fast they fail', () => {
    fc.assert(
      fc.property(anyDraws, fc.constantFrom(...leases), (values, [intervalMs, length]) => {
        const pace = paceOf({ intervalMs, random: randomOf(values) });
        const sent = attemptsOf(pace, length, 0).map(({ at }) => at);
        const gaps = sent.slice(1).map((at, nth) => at - (sent[nth] ?? 0));
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
      }),
    );
  });

  it('go on when the one before failed so late that the last is less than 250 ms away', () => {
    const delay = paceOf({ intervalMs: 1_000 }).inLeaseRetryDelay(2, 1_677, network);
    expect(delay).toBe(300);
  });

  it.each(draws)('end with one whose answer is proof, and a last one (draws of %d)', draw => {
    const attempts = attemptsOf(paceOf({ random: () => draw }), 60_000, 0);
    const [proof = 0, last = 0] = attempts.slice(-2).map(({ at }) => 60_000 - at);
    expect(proof).toBeGreaterThan(2_100);
    expect(proof).toBeLessThanOrEqual(2_650);
    expect(last).toBeCloseTo(1_500);
  });

  it('never come at once after the end', () => {
    for (const remaining of [0, 1, 500, 1_500])
      expect(
        paceOf({ random: () => 0 }).inLeaseRetryDelay(1, remaining, network),
      ).toBeGreaterThanOrEqual(1_000);
  });

  it.each([
    [45_000, 5_000],
    [7_700, 5_000],
    [5_600, 2_900],
    [2_450, 600],
    [1_900, 500],
    [200, 500],
    [0, 5_000],
  ])('with %i ms left may take %i ms in all', (leftMs, timeoutMs) => {
    expect(paceOf().lateHeartbeatTimeoutMs(leftMs)).toBe(timeoutMs);
  });
});
