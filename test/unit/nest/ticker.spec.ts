import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import {
  heartbeatInterval,
  StandstillWatch,
  systemClock,
  Ticker,
} from '../../../lib/nest/ticker.js';
import { FakeClock } from '../../support/fake-clock.js';
import { LogLines } from '../../support/test-app.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
});

afterEach(() => {
  jest.useRealTimers();
});

/** A ticker with a period of a second over a tick of the test's own. */
function tickerOf(
  tick: (toleranceMs: number) => Promise<number | undefined>,
  { periodMs = 1_000, clock = systemClock, noteStandstill = (): void => undefined } = {},
) {
  const log = new LogLines();
  const scheduler = new SchedulerRegistry();
  const ticker = new Ticker({ tick, noteStandstill }, log, periodMs, clock);
  return { log, scheduler, ticker };
}

describe('Ticker', () => {
  it('takes a turn each period', async () => {
    const turns = jest.fn(async () => undefined);
    const { scheduler, ticker } = tickerOf(turns, { periodMs: 100 });
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(turns).toHaveBeenCalledTimes(10);
  });

  it('allows a heartbeat to be half a period early', async () => {
    const tolerances: number[] = [];
    const { scheduler, ticker } = tickerOf(async toleranceMs => void tolerances.push(toleranceMs));
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(tolerances).toEqual([500]);
  });

  it('takes a turn sooner when something is due before its next', async () => {
    const dueIn = [200, undefined];
    const turns = jest.fn(async () => dueIn.shift());
    const { scheduler, ticker } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_200);
    expect(turns).toHaveBeenCalledTimes(2);
  });

  it('never takes two turns at once', async () => {
    let end: () => void = () => undefined;
    const turns = jest.fn(
      () =>
        new Promise<undefined>(resolve => {
          end = () => resolve(undefined);
        }),
    );
    const { scheduler, ticker } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(turns).toHaveBeenCalledTimes(1);
    end();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(turns).toHaveBeenCalledTimes(2);
  });

  it('starts nothing when an interval of its name is there', () => {
    const { scheduler, ticker } = tickerOf(async () => undefined);
    expect(ticker.start(scheduler)).toBe(true);
    expect(tickerOf(async () => undefined).ticker.start(scheduler)).toBe(false);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('logs a bug once, and takes its next turn', async () => {
    const turns = jest.fn(async () => {
      throw new TypeError('a bug');
    });
    const { log, scheduler, ticker } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(turns).toHaveBeenCalledTimes(3);
    expect(
      log.matching(/^error A bug in the heartbeat loop, which goes on: TypeError: a bug/),
    ).toHaveLength(1);
  });

  it('logs the same bug again after a good turn, and what was thrown when it is no error', async () => {
    const ends = ['bad', 'good', 'bad'];
    const { log, scheduler, ticker } = tickerOf(async () => {
      if (ends.shift() === 'bad') throw 'a text';
      return undefined;
    });
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(log.matching(/goes on: 'a text'/)).toHaveLength(2);
  });

  it('keeps no process alive, neither by its interval nor by a turn that is due sooner', async () => {
    jest.useRealTimers();
    const { scheduler, ticker } = tickerOf(async () => 50_000, { periodMs: 60_000 });
    const isAlive = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout');
    const before = isAlive();
    try {
      ticker.start(scheduler);
      ticker.wake();
      await new Promise(resolve => {
        setImmediate(resolve);
      });
      expect(isAlive()).toEqual(before);
    } finally {
      await ticker.stop();
    }
  });

  it('notes a standstill, also while a turn runs', async () => {
    const clock = new FakeClock();
    const noted: unknown[] = [];
    const never = () => new Promise<undefined>(() => undefined);
    const noteStandstill = (standstill?: unknown) => void noted.push(standstill);
    const { scheduler, ticker } = tickerOf(never, { clock, noteStandstill });
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    clock.sleep(9_000);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(noted).toEqual([{ lateMs: 8_000, asleepMs: 9_000 }]);
  });

  it('survives a bug in what notes it, counts it, and takes the turn', async () => {
    const clock = new FakeClock();
    const turns = jest.fn(async () => undefined);
    const noteStandstill = () => {
      throw new TypeError('a bug');
    };
    const { log, scheduler, ticker } = tickerOf(turns, { clock, noteStandstill });
    ticker.start(scheduler);
    clock.sleep(9_000);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(turns).toHaveBeenCalledTimes(2);
    expect(ticker.faults).toBe(1);
    expect(log.matching(/a bug/)).toHaveLength(1);
  });

  it('has no timer left when it has stopped', async () => {
    const { scheduler, ticker } = tickerOf(async () => 300);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(jest.getTimerCount()).toBe(2);
    await ticker.stop();
    expect(jest.getTimerCount()).toBe(0);
    expect(scheduler.doesExist('interval', heartbeatInterval)).toBe(false);
  });

  it('arms nothing for a turn that ends after it has stopped', async () => {
    let end: () => void = () => undefined;
    const { scheduler, ticker } = tickerOf(
      () =>
        new Promise(resolve => {
          end = () => resolve(100);
        }),
    );
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    const stopped = ticker.stop();
    end();
    await stopped;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not mind that the host has cleared its interval, or that it never started', async () => {
    const { scheduler, ticker } = tickerOf(async () => undefined);
    await ticker.stop();
    ticker.wake();
    ticker.start(scheduler);
    scheduler.deleteInterval(heartbeatInterval);
    await expect(ticker.stop()).resolves.toBeUndefined();
  });
});

describe('a turn of the interval', () => {
  it.each([
    [2_999, undefined],
    [3_000, { lateMs: 2_000, asleepMs: 0 }],
    [21_000, { lateMs: 20_000, asleepMs: 0 }],
  ])('that comes %i ms after the one before, at a period of a second, is %j', async (ms, late) => {
    const clock = new FakeClock();
    const watch = new StandstillWatch(clock);
    await clock.advance(ms);
    expect(watch.noteTurn(1_000)).toEqual(late);
    await clock.advance(1_000);
    expect(watch.noteTurn(1_000)).toBeUndefined();
  });

  it.each([
    [1_999, undefined],
    [2_000, { lateMs: 2_000, asleepMs: 2_000 }],
    [-60_000, undefined],
  ])('after which the wall clock is %i ms ahead is %j', async (ms, late) => {
    const clock = new FakeClock();
    const watch = new StandstillWatch(clock);
    await clock.advance(1_000);
    clock.sleep(ms);
    expect(watch.noteTurn(1_000)).toEqual(late);
  });
});

describe('systemClock', () => {
  it('is monotonic for leases and the wall clock for people', () => {
    expect(systemClock.now()).toBeLessThanOrEqual(systemClock.now());
    expect(systemClock.wallNow()).toBe(Date.now());
  });

  it('ends a delay when it is aborted', async () => {
    jest.useRealTimers();
    const abort = new AbortController();
    const delay = systemClock.delay(60_000, abort.signal);
    abort.abort();
    await expect(delay).resolves.toBeUndefined();
  });

  it('ends a delay when its time has come', async () => {
    jest.useRealTimers();
    // The delay keeps no process alive, so the test holds one open meanwhile.
    const alive = setInterval(() => undefined, 1_000);
    await expect(systemClock.delay(1)).resolves.toBeUndefined();
    clearInterval(alive);
  });
});
