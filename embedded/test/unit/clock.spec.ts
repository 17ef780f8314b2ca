import { describe, expect, it } from '@jest/globals';
import { Timer, systemClock } from '../../lib/clock.js';
import { FakeClock } from '../support/registry.js';

function rung(clock = new FakeClock()) {
  const times: number[] = [];
  const startedAt = clock.now();
  const timer = new Timer(clock, () => times.push(clock.now() - startedAt));
  return { timer, clock, times };
}

describe('an timer', () => {
  it('rings once, at its time', () => {
    const { timer, clock, times } = rung();
    timer.start(100);
    clock.advance(1000);
    expect(times).toEqual([100]);
  });

  it('is put off when it is set anew', () => {
    const { timer, clock, times } = rung();
    timer.start(100);
    clock.advance(99);
    timer.start(100);
    clock.advance(1000);
    expect(times).toEqual([199]);
  });

  it('does not ring once it is called off', () => {
    const { timer, clock, times } = rung();
    timer.start(100);
    timer.cancel();
    timer.cancel();
    clock.advance(1000);
    expect(times).toEqual([]);
  });

  it('rings at once when its time has passed already', () => {
    const { timer, clock, times } = rung();
    timer.start(-5);
    clock.advance(0);
    expect(times).toEqual([0]);
  });

  it('rings early where its time is too far away for a timer of Node', () => {
    const { timer, clock, times } = rung();
    timer.start(2 ** 40);
    clock.advance(2 ** 40 - 1);
    expect(times).toEqual([2 ** 31 - 1]);
  });

  it('goes by the timers of this machine on a clock that has none', async () => {
    await new Promise<void>(resolve => {
      new Timer({ now: () => 0 }, resolve).start(1);
    });
    await new Promise<void>(resolve => {
      new Timer(systemClock, resolve).start(1);
    });
  });
});
