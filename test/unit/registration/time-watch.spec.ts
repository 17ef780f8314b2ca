import { describe, expect, it } from '@jest/globals';
import { TimeWatch } from '../../../lib/registration/time-watch.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('a turn of the interval', () => {
  it.each([
    [2_999, undefined],
    [3_000, { lateMs: 2_000, asleepMs: 0 }],
    [21_000, { lateMs: 20_000, asleepMs: 0 }],
  ])('that comes %i ms after the one before, at a period of a second, is %j', async (ms, late) => {
    const clock = new FakeClock();
    const watch = new TimeWatch(clock);
    await clock.advance(ms);
    expect(watch.note(1_000)).toEqual(late);
    await clock.advance(1_000);
    expect(watch.note(1_000)).toBeUndefined();
  });

  it.each([
    [1_999, undefined],
    [2_000, { lateMs: 2_000, asleepMs: 2_000 }],
    [-60_000, undefined],
  ])('after which the wall clock is %i ms ahead is %j', async (ms, late) => {
    const clock = new FakeClock();
    const watch = new TimeWatch(clock);
    await clock.advance(1_000);
    clock.sleep(ms);
    expect(watch.note(1_000)).toEqual(late);
  });
});
