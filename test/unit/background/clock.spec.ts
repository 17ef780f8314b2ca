import { describe, expect, it } from '@jest/globals';
import { late, within } from '../../../lib/background/clock.js';
import { FakeClock } from '../../support/fake-clock.js';

const never = new Promise<never>(() => undefined);

describe('a bounded wait', () => {
  it('ends with the work, and leaves no timer', async () => {
    const clock = new FakeClock();
    await expect(within(1_000, Promise.resolve('done'), clock)).resolves.toBe('done');
    await expect(within(1_000, Promise.reject(new Error('no')), clock)).rejects.toThrow('no');
    expect(clock.sleepers).toBe(0);
  });

  it('ends when the time is up', async () => {
    const clock = new FakeClock();
    const began = clock.now();
    expect(await clock.until(within(1_000, never, clock))).toBe(late);
    expect(clock.now() - began).toBeGreaterThanOrEqual(1_000);
  });

  it('ends when it is aborted', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const waiting = within(1_000, never, clock, abort.signal);
    abort.abort();
    expect(await waiting).toBe(late);
    expect(clock.sleepers).toBe(0);
  });
});
