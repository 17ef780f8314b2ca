import { expect, test } from '@jest/globals';
import type { CallOutcome } from '../../../lib/discovery/call-outcome.js';
import { ejectionMs, mostEjected, TrackedCandidate } from '../../../lib/discovery/standing.js';
import { ejection, instanceOf } from '../../support/balancing.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fc } from '../../support/fast-check.js';

/** A candidate whose calls a test settles. */
class Tried {
  readonly clock = new FakeClock();
  readonly candidate = candidateAt(this.clock);

  /** A call that takes so long. */
  async call(outcome: CallOutcome, tookMs = 0): Promise<string> {
    const startedAt = this.clock.now();
    await this.clock.advance(tookMs);
    return this.settle(outcome, startedAt);
  }

  settle(outcome: CallOutcome, startedAt: number): string {
    this.candidate.began();
    return this.candidate.settled({ outcome, startedAt, now: this.clock.now() }, ejection);
  }
}

function candidateAt(clock: FakeClock): TrackedCandidate {
  return new TrackedCandidate(instanceOf('a'), 'rest://10.0.0.7:3000', clock);
}

test('one call that was not sent is enough, and five that may have arrived', async () => {
  expect(await new Tried().call('unsent')).toBe('eject');
  const tried = new Tried();
  for (const outcome of ['broken', 'busy', 'late', 'broken'] as const)
    expect(await tried.call(outcome)).toBe('keep');
  expect(await tried.call('busy')).toBe('eject');
});

test.each(['stale', 'nothing'] as const)(
  '%s neither counts nor interrupts the row',
  async outcome => {
    const tried = new Tried();
    for (let call = 0; call < 4; call++) await tried.call('broken');
    expect(await tried.call(outcome)).toBe('keep');
    expect(await tried.call('broken')).toBe('eject');
  },
);

test('a good call ends the row', async () => {
  const tried = new Tried();
  for (let call = 0; call < 4; call++) await tried.call('broken');
  await tried.call('good');
  expect(await tried.call('broken')).toBe('keep');
});

test('a call that began before the ejection says nothing about the trial', async () => {
  const tried = new Tried();
  const before = tried.clock.now();
  await tried.clock.advance(10);
  tried.candidate.eject(tried.clock.now(), 5_000);
  expect(tried.settle('good', before)).toBe('keep');
  await tried.clock.advance(6_000);
  expect(tried.settle('unsent', before)).toBe('keep');
  expect(await tried.call('unsent')).toBe('eject');
});

test('a good call during the ejection restores, a failed one does not prolong it', async () => {
  const tried = new Tried();
  tried.candidate.eject(tried.clock.now(), 5_000);
  await tried.clock.advance(1_000);
  expect(await tried.call('unsent')).toBe('keep');
  expect(await tried.call('good')).toBe('restore');
});

test('the latency follows peaks at once and decays within some ten seconds', async () => {
  const tried = new Tried();
  const { candidate } = tried;
  expect(candidate.latencyMs).toBeUndefined();
  await tried.call('good', 10);
  expect(candidate.latencyMs).toBe(10);
  await tried.call('good', 500);
  expect(candidate.latencyMs).toBe(500);
  for (let second = 0; second < 10; second++) {
    await tried.clock.advance(990);
    await tried.call('good', 10);
  }
  expect(candidate.latencyMs).toBeGreaterThan(150);
  expect(candidate.latencyMs).toBeLessThan(250);
});

test('a latency is forgotten half a minute after the last call', async () => {
  const tried = new Tried();
  await tried.call('good', 500);
  await tried.clock.advance(30_000);
  expect(tried.candidate.latencyMs).toBe(500);
  await tried.clock.advance(1);
  expect(tried.candidate.latencyMs).toBeUndefined();
});

test('a call that fails at once does not look quick, one that is late looks slow', async () => {
  const tried = new Tried();
  for (const outcome of ['unsent', 'broken', 'busy', 'stale', 'nothing'] as const)
    await tried.call(outcome, 1);
  expect(tried.candidate.latencyMs).toBeUndefined();
  await tried.call('late', 2_000);
  expect(tried.candidate.latencyMs).toBe(2_000);
});

test('an ejection is twice as long after each failed trial, up to the longest, 20 % more or less', () => {
  const shortest = [0, 1, 2, 3, 4, 1_100].map(trials => ejectionMs(trials, ejection, () => 0));
  expect(shortest).toEqual([4_000, 8_000, 16_000, 32_000, 48_000, 48_000]);
  expect(ejectionMs(0, ejection, () => 1)).toBe(6_000);
});

test.each([
  [1, 0.5, 0],
  [2, 0.5, 1],
  [3, 0.5, 1],
  [10, 0.5, 5],
  [2, 0, 1],
  [10, 0.9, 9],
])('of %d with a share of %d, %d may be set aside', (candidates, share, most) => {
  expect(mostEjected(candidates, { ...ejection, share })).toBe(most);
});

test('at least one stays, whatever the share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (n, share) => {
        return mostEjected(n, { ...ejection, share }) < n;
      },
    ),
  );
});
