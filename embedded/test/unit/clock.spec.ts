import { describe, expect, it } from '@jest/globals';
import { Alarm, systemClock } from '../../lib/clock.js';
import { FakeClock } from '../support/registry.js';

function rung(clock = new FakeClock()) {
  const times: number[] = [];
  const startedAt = clock.now();
  const alarm = new Alarm(clock, () => times.push(clock.now() - startedAt));
  return { alarm, clock, times };
}

describe('an alarm', () => {
  it('rings once, at its time', () => {
    const { alarm, clock, times } = rung();
    alarm.set(100);
    clock.advance(1000);
    expect(times).toEqual([100]);
  });

  it('is put off when it is set anew', () => {
    const { alarm, clock, times } = rung();
    alarm.set(100);
    clock.advance(99);
    alarm.set(100);
    clock.advance(1000);
    expect(times).toEqual([199]);
  });

  it('does not ring once it is called off', () => {
    const { alarm, clock, times } = rung();
    alarm.set(100);
    alarm.cancel();
    alarm.cancel();
    clock.advance(1000);
    expect(times).toEqual([]);
  });

  it('rings at once when its time has passed already', () => {
    const { alarm, clock, times } = rung();
    alarm.set(-5);
    clock.advance(0);
    expect(times).toEqual([0]);
  });

  it('rings early where its time is too far away for a timer of Node', () => {
    const { alarm, clock, times } = rung();
    alarm.set(2 ** 40);
    clock.advance(2 ** 40 - 1);
    expect(times).toEqual([2 ** 31 - 1]);
  });

  it('goes by the timers of this machine on a clock that has none', async () => {
    await new Promise<void>(resolve => {
      new Alarm({ now: () => 0 }, resolve).set(1);
    });
    await new Promise<void>(resolve => {
      new Alarm(systemClock, resolve).set(1);
    });
  });
});
