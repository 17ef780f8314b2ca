import { describe, expect, it } from '@jest/globals';
import { Timer, systemClock } from '../../lib/clock.js';
import { FakeClock } from '../support/registry.js';

function started(clock = new FakeClock()) {
  const times: number[] = [];
  const startedAt = clock.now();
  const timer = new Timer(clock, () => times.push(clock.now() - startedAt));
  return { timer, clock, times };
}

describe('a timer', () => {
  it('fires once, at its time', () => {
    const { timer, clock, times } = started();
    timer.start(100);
    clock.advance(1000);
    expect(times).toEqual([100]);
  });

  it('is postponed by another start', () => {
    const { timer, clock, times } = started();
    timer.start(100);
    clock.advance(99);
    timer.start(100);
    clock.advance(1000);
    expect(times).toEqual([199]);
  });

  it('does not fire once it is cancelled', () => {
    const { timer, clock, times } = started();
    timer.start(100);
    timer.cancel();
    timer.cancel();
    clock.advance(1000);
    expect(times).toEqual([]);
  });

  it('fires at once if its time is over', () => {
    const { timer, clock, times } = started();
    timer.start(-5);
    clock.advance(0);
    expect(times).toEqual([0]);
  });

  it('fires early if the delay is too long for a timer of Node', () => {
    const { timer, clock, times } = started();
    timer.start(2 ** 40);
    clock.advance(2 ** 40 - 1);
    expect(times).toEqual([2 ** 31 - 1]);
  });

  it('uses timers of this machine if the clock has none', async () => {
    await new Promise<void>(resolve => {
      new Timer({ now: () => 0 }, resolve).start(1);
    });
    await new Promise<void>(resolve => {
      new Timer(systemClock, resolve).start(1);
    });
  });
});
