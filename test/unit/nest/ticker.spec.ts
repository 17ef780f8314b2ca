import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import { heartbeatInterval, systemClock, Ticker } from '../../../lib/nest/ticker.js';
import { LogLines } from '../../support/test-app.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const noteTurn = () => undefined;

/** A ticker of a 15 s interval, so of a period of 1 s, over a tick of the test's own. */
function tickerOf(tick: () => Promise<number | undefined>) {
  const log = new LogLines();
  const scheduler = new SchedulerRegistry();
  const ticker = new Ticker({ tick, noteTurn }, log, 15_000);
  return { log, scheduler, ticker };
}

describe('Ticker', () => {
  it('ticks once a second, or a tenth of a short interval', async () => {
    const turns = jest.fn(async () => undefined);
    const { scheduler } = tickerOf(turns);
    const quick = new Ticker({ tick: turns, noteTurn }, new LogLines(), 1_000);
    quick.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(turns).toHaveBeenCalledTimes(10);
  });

  it('allows a heartbeat to be half a period early', async () => {
    const tolerances: number[] = [];
    const scheduler = new SchedulerRegistry();
    const tick = async (toleranceMs: number) => void tolerances.push(toleranceMs);
    new Ticker({ tick, noteTurn }, new LogLines(), 15_000).start(scheduler);
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
    expect(log.matching(/^error The heartbeat's turn failed: TypeError: a bug/)).toHaveLength(1);
  });

  it('logs the same bug again after a good turn, and what was thrown when it is no error', async () => {
    const ends = ['bad', 'good', 'bad'];
    const { log, scheduler, ticker } = tickerOf(async () => {
      if (ends.shift() === 'bad') throw 'a text';
      return undefined;
    });
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(log.matching(/failed: 'a text'/)).toHaveLength(2);
  });

  it('notes each turn of its interval, also one that comes while another runs', async () => {
    const noted: number[] = [];
    const never = new Promise<undefined>(() => undefined);
    const ticking = { tick: () => never, noteTurn: (ms: number) => void noted.push(ms) };
    new Ticker(ticking, new LogLines(), 15_000).start(new SchedulerRegistry());
    await jest.advanceTimersByTimeAsync(3_000);
    expect(noted).toEqual([1_000, 1_000, 1_000]);
  });

  it('survives a bug in what it notes, counts it, and takes the turn', async () => {
    const turns = jest.fn(async () => undefined);
    const throwing = () => {
      throw new TypeError('a bug');
    };
    const log = new LogLines();
    const ticker = new Ticker({ tick: turns, noteTurn: throwing }, log, 15_000);
    ticker.start(new SchedulerRegistry());
    await jest.advanceTimersByTimeAsync(2_000);
    expect(turns).toHaveBeenCalledTimes(2);
    expect(ticker.faults).toBe(2);
    expect(log.matching(/a bug/)).not.toEqual([]);
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
