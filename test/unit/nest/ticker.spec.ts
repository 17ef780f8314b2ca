import { AsyncLocalStorage } from 'node:async_hooks';
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
  const due = { soon: (): void => undefined };
  const onDue = (wake: () => void): void => {
    due.soon = wake;
  };
  const ticker = new Ticker({ tick, noteStandstill, onDue }, log, periodMs, clock);
  return { log, scheduler, ticker, due };
}

/** Takes a tick that ends when the test says so. */
function heldTick() {
  const held = { end: (): void => undefined };
  const tick = jest.fn(
    () =>
      new Promise<number>(resolve => {
        held.end = () => resolve(60_000);
      }),
  );
  return { held, tick };
}

describe('Ticker', () => {
  it('takes a turn when something is due, and none before', async () => {
    const turns = jest.fn(async () => 15_000);
    const { scheduler, ticker } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(60_900);
    expect(turns).toHaveBeenCalledTimes(4);
  });

  it('wakes an idle process four times a minute when a heartbeat is due each 15 s', async () => {
    const { scheduler, ticker } = tickerOf(async () => 15_000);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    let timers = 0;
    for (const end = Date.now() + 60_000; Date.now() < end; timers += 1)
      await jest.advanceTimersToNextTimerAsync();
    expect(timers).toBe(4);
  });

  it('takes a turn every 20 s at least, to notice a machine that slept', async () => {
    const turns = jest.fn(async () => undefined);
    const { scheduler, ticker } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(61_000);
    expect(turns).toHaveBeenCalledTimes(4);
  });

  it('has one interval in the SchedulerRegistry, whose period follows what is due', async () => {
    const { scheduler, ticker } = tickerOf(async () => 200);
    ticker.start(scheduler);
    const first = scheduler.getInterval(heartbeatInterval);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(scheduler.getIntervals()).toEqual([heartbeatInterval]);
    expect(scheduler.getInterval(heartbeatInterval)).not.toBe(first);
  });

  it('allows a heartbeat to be half a period early', async () => {
    const tolerances: number[] = [];
    const { scheduler, ticker } = tickerOf(async toleranceMs => void tolerances.push(toleranceMs));
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(tolerances).toEqual([500]);
  });

  it('takes a turn at once when something has become due sooner', async () => {
    const turns = jest.fn(async () => 15_000);
    const { scheduler, ticker, due } = tickerOf(turns);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    due.soon();
    await jest.advanceTimersByTimeAsync(0);
    expect(turns).toHaveBeenCalledTimes(2);
  });

  it('takes no turn in the AsyncLocalStorage of the request that has woken it', async () => {
    const requests = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const { scheduler, ticker } = tickerOf(async () => {
      seen.push(requests.getStore());
      await Promise.resolve();
      seen.push(requests.getStore());
      return 15_000;
    });
    ticker.start(scheduler);
    requests.run('a request', () => ticker.wake());
    await jest.advanceTimersByTimeAsync(0);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('never takes two turns at once, and one after the other when it is woken meanwhile', async () => {
    const { held, tick } = heldTick();
    const { scheduler, ticker } = tickerOf(tick);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(5_000);
    ticker.wake();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(tick).toHaveBeenCalledTimes(1);
    held.end();
    await jest.advanceTimersByTimeAsync(0);
    expect(tick).toHaveBeenCalledTimes(2);
  });

  it('never takes two turns at once when the first one wakes it before it waits', async () => {
    const { held, tick } = heldTick();
    const { scheduler, ticker } = tickerOf(() => {
      ticker.wake();
      return tick();
    });
    ticker.start(scheduler);
    ticker.wake();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(tick).toHaveBeenCalledTimes(1);
    held.end();
    await jest.advanceTimersByTimeAsync(0);
    expect(tick).toHaveBeenCalledTimes(2);
  });

  it('starts nothing when an interval of its name is there', () => {
    const { scheduler, ticker } = tickerOf(async () => undefined);
    expect(ticker.start(scheduler)).toBe(true);
    const before = jest.getTimerCount();
    expect(tickerOf(async () => undefined).ticker.start(scheduler)).toBe(false);
    expect(jest.getTimerCount()).toBe(before);
  });

  it('logs a bug once, and takes its next turn a period later', async () => {
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
      return 1_000;
    });
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(log.matching(/goes on: 'a text'/)).toHaveLength(2);
  });

  it('keeps no process alive', async () => {
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
      expect(isAlive().length).toBeLessThanOrEqual(before.length);
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
    await jest.advanceTimersByTimeAsync(1_000);
    expect(noted).toEqual([{ lateMs: 9_000, asleepMs: 9_000 }]);
  });

  it('notes a standstill in which a turn began and ended', async () => {
    jest.useRealTimers();
    const clock = new FakeClock();
    const noted = await new Promise<unknown>(noteStandstill => {
      const tick = async () => {
        await clock.advance(19_000);
        return 15_000;
      };
      const { scheduler, ticker } = tickerOf(tick, {
        clock,
        periodMs: 10_000,
        noteStandstill: (standstill?: unknown) => {
          noteStandstill(standstill);
          void ticker.stop();
        },
      });
      ticker.start(scheduler);
      ticker.wake();
    });
    expect(noted).toEqual({ lateMs: 9_000, asleepMs: 0 });
  });

  it('knows how late the last turn was, and not by how long turns take', async () => {
    const clock = new FakeClock();
    const { held, tick } = heldTick();
    const { scheduler, ticker } = tickerOf(tick, { clock });
    ticker.start(scheduler);
    expect(ticker.lateMs).toBe(0);
    await clock.advance(1_040);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(ticker.lateMs).toBe(40);
    await clock.advance(3_000);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(ticker.lateMs).toBe(40);
    held.end();
    await ticker.stop();
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
    expect(turns).toHaveBeenCalledTimes(1);
    expect(ticker.faults).toBe(1);
    expect(log.matching(/a bug/)).toHaveLength(1);
  });

  it('has no timer left when it has stopped', async () => {
    const { scheduler, ticker } = tickerOf(async () => 300);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    await ticker.stop();
    expect(jest.getTimerCount()).toBe(0);
    expect(scheduler.doesExist('interval', heartbeatInterval)).toBe(false);
  });

  it('arms nothing for a turn that ends after it has stopped', async () => {
    const { held, tick } = heldTick();
    const { scheduler, ticker } = tickerOf(tick);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    const stopped = ticker.stop();
    held.end();
    await stopped;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not mind that it never started', async () => {
    const { ticker } = tickerOf(async () => undefined);
    ticker.wake();
    await expect(ticker.stop()).resolves.toBeUndefined();
  });
});

describe('a ticker with other work beside the registration', () => {
  const periodMs = 1_000;

  /** Two ticks of the test's own, and what each was called at. */
  function beside(
    registration: () => Promise<number | undefined>,
    other: () => Promise<number | undefined>,
    { isRegistrationWoken = true } = {},
  ) {
    const log = new LogLines();
    const scheduler = new SchedulerRegistry();
    const startedAt = Date.now();
    const turns = { registration: [] as number[], other: [] as number[] };
    const due = { other: (): void => undefined };
    const noting = (times: number[], tick: () => Promise<number | undefined>) => () => {
      times.push(Date.now() - startedAt);
      return tick();
    };
    const first = {
      tick: noting(turns.registration, registration),
      noteStandstill: () => undefined,
      onDue: () => undefined,
    };
    const second = {
      tick: noting(turns.other, other),
      onDue: (wake: () => void) => {
        due.other = wake;
      },
    };
    const clock = { now: () => Date.now(), wallNow: () => Date.now() };
    const ticker = new Ticker(first, log, periodMs, clock, [second]);
    ticker.start(scheduler);
    if (isRegistrationWoken) ticker.wake();
    return { log, scheduler, ticker, turns, due };
  }

  it('takes a turn of each when it is due, on one interval', async () => {
    const { scheduler, ticker, turns, due } = beside(
      async () => 15_000,
      async () => 4_000,
    );
    due.other();
    await jest.advanceTimersByTimeAsync(17_000);
    expect(turns).toEqual({
      registration: [0, 15_000],
      other: [0, 4_000, 8_000, 12_000, 16_000],
    });
    expect(scheduler.getIntervals()).toEqual([heartbeatInterval]);
    await ticker.stop();
  });

  it('takes no turn of work that has never asked for one', async () => {
    const { ticker, turns } = beside(
      async () => 15_000,
      async () => undefined,
    );
    await jest.advanceTimersByTimeAsync(31_000);
    expect(turns).toEqual({ registration: [0, 15_000, 30_000], other: [] });
    await ticker.stop();
  });

  it('takes the first turn of the registration in time, whatever the other one has to do', async () => {
    const { ticker, turns, due } = beside(
      async () => 15_000,
      async () => undefined,
      { isRegistrationWoken: false },
    );
    due.other();
    await jest.advanceTimersByTimeAsync(1_500);
    expect(turns).toEqual({ registration: [1_000], other: [0] });
    await ticker.stop();
  });

  it('takes the turns of one while a turn of the other hangs', async () => {
    let end = (): void => undefined;
    const hanging = () =>
      new Promise<undefined>(resolve => {
        end = () => resolve(undefined);
      });
    const { log, ticker, turns, due } = beside(async () => 15_000, hanging);
    due.other();
    await jest.advanceTimersByTimeAsync(31_000);
    expect(turns).toEqual({ registration: [0, 15_000, 30_000], other: [0] });
    expect(log.matching(/cleared/)).toEqual([]);
    end();
    await ticker.stop();
  });

  it('takes the turns of one when the other has a bug, which is logged', async () => {
    const buggy = async () => {
      throw new TypeError('a bug');
    };
    const { log, ticker, turns, due } = beside(async () => 15_000, buggy);
    due.other();
    await jest.advanceTimersByTimeAsync(15_500);
    expect(turns.registration).toEqual([0, 15_000]);
    expect(turns.other.slice(0, 2)).toEqual([0, 1_000]);
    expect(log.matching(/a bug/)).not.toEqual([]);
    await ticker.stop();
  });
});

describe('an interval of the ticker that the application clears', () => {
  const ways: [string, (scheduler: SchedulerRegistry) => void][] = [
    ['by its name', scheduler => scheduler.deleteInterval(heartbeatInterval)],
    [
      'with all others',
      scheduler => {
        for (const name of scheduler.getIntervals()) clearInterval(scheduler.getInterval(name));
      },
    ],
    [
      'to set another one of its name',
      scheduler => {
        scheduler.deleteInterval(heartbeatInterval);
        scheduler.addInterval(heartbeatInterval, setInterval(() => undefined, 3_600_000).unref());
      },
    ],
  ];

  it.each(ways)(
    'is missed a second after the turn was due, and turns go on (cleared %s)',
    async (_, clear) => {
      const turns = jest.fn(async () => 5_000);
      const { scheduler, ticker } = tickerOf(turns);
      ticker.start(scheduler);
      await jest.advanceTimersByTimeAsync(1_000);
      clear(scheduler);
      await jest.advanceTimersByTimeAsync(6_000);
      expect(turns).toHaveBeenCalledTimes(2);
      await jest.advanceTimersByTimeAsync(5_000);
      expect(turns).toHaveBeenCalledTimes(3);
      expect(scheduler.getIntervals()).toEqual([heartbeatInterval]);
    },
  );

  it.each(ways)(
    'is one warning that names it, however often that is (cleared %s)',
    async (_, clear) => {
      const { log, scheduler, ticker } = tickerOf(async () => 5_000);
      ticker.start(scheduler);
      for (let times = 0; times < 3; times += 1) {
        clear(scheduler);
        await jest.advanceTimersByTimeAsync(20_000);
      }
      expect(
        log.matching(/^warn The interval "servicecomb.heartbeat" .* cleared.* go on/),
      ).toHaveLength(1);
      await ticker.stop();
    },
  );

  it('is not missed while the process stands still, or when it has stopped', async () => {
    const { log, scheduler, ticker } = tickerOf(async () => 5_000);
    ticker.start(scheduler);
    await jest.advanceTimersByTimeAsync(1_000);
    jest.advanceTimersByTime(60_000);
    await ticker.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(log.matching(/cleared/)).toEqual([]);
  });
});

describe('a wait of the ticker', () => {
  it.each([
    [1_000, 2_999, undefined],
    [1_000, 3_000, { lateMs: 2_000, asleepMs: 0 }],
    [1_000, 21_000, { lateMs: 20_000, asleepMs: 0 }],
    [15_000, 16_999, undefined],
    [15_000, 20_000, { lateMs: 5_000, asleepMs: 0 }],
  ])('of %i ms that lasts %i ms is %j', async (waitMs, ms, late) => {
    const clock = new FakeClock();
    const watch = new StandstillWatch(clock);
    expect(watch.begin(waitMs)).toBeUndefined();
    await clock.advance(ms);
    expect(watch.begin(1_000)).toEqual(late);
    await clock.advance(1_000);
    expect(watch.begin(1_000)).toBeUndefined();
  });

  it.each([
    [1_999, undefined],
    [2_000, { lateMs: 2_000, asleepMs: 2_000 }],
    [-60_000, undefined],
  ])('after which the wall clock is %i ms ahead is %j', async (ms, late) => {
    const clock = new FakeClock();
    const watch = new StandstillWatch(clock);
    watch.begin(15_000);
    await clock.advance(1_000);
    clock.sleep(ms);
    expect(watch.begin(1_000)).toEqual(late);
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
