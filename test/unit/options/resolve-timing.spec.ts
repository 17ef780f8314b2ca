import { describe, expect, it } from '@jest/globals';

import { issuesOf, resolve } from './resolving.js';

describe('heartbeat, registration and shutdown', () => {
  it.each([
    { heartbeat: { intervalMs: 1_000 } },
    { heartbeat: { intervalMs: 600_000 } },
    { heartbeat: { times: 1 } },
    { heartbeat: { times: 1_000 } },
    { heartbeat: { jitter: 0.5 } },
    { heartbeat: { verifyEvery: 10_000 } },
    { registration: { when: 'listen' } },
    { registration: { when: 'bootstrap' } },
    { registration: { when: 'manual' } },
    { registration: { failFast: true } },
    { registration: { retry: { initialMs: 10, maxMs: 10, factor: 1 } } },
    { registration: { retry: { initialMs: 600_000, maxMs: 600_000, factor: 10 } } },
    { registration: { retry: { factor: 1.5 } } },
    { shutdown: { timeoutMs: 100 } },
    { shutdown: { timeoutMs: 60_000, drainMs: 600_000 } },
    { shutdown: { statusFirst: true } },
    { serviceCenter: { learnAddresses: true } },
  ])('accept %j', options => {
    expect(resolve(options)).toMatchObject(options);
  });

  const seconds = 'must be a whole number of seconds from 1000 to 600000';
  const initial = 'must be a whole number of milliseconds from 10 to 600000';
  it.each([
    [{ heartbeat: { intervalMs: 0 } }, `heartbeat.intervalMs ${seconds}, got 0`],
    [{ heartbeat: { intervalMs: 1_500 } }, `heartbeat.intervalMs ${seconds}, got 1500`],
    [{ heartbeat: { intervalMs: 601_000 } }, `heartbeat.intervalMs ${seconds}, got 601000`],
    [{ heartbeat: { intervalMs: '15000' } }, `heartbeat.intervalMs ${seconds}, got "15000"`],
    [{ heartbeat: { intervalMs: Infinity } }, `heartbeat.intervalMs ${seconds}, got Infinity`],
    [{ heartbeat: { times: 0 } }, 'heartbeat.times must be a whole number from 1 to 1000, got 0'],
    [
      { heartbeat: { times: 1.5 } },
      'heartbeat.times must be a whole number from 1 to 1000, got 1.5',
    ],
    [
      { heartbeat: { times: 1_001 } },
      'heartbeat.times must be a whole number from 1 to 1000, got 1001',
    ],
    [{ heartbeat: { jitter: 0.6 } }, 'heartbeat.jitter must be a number from 0 to 0.5, got 0.6'],
    [{ heartbeat: { jitter: -0.1 } }, 'heartbeat.jitter must be a number from 0 to 0.5, got -0.1'],
    [{ shutdown: { statusFirst: 'yes' } }, 'shutdown.statusFirst must be true or false, got "yes"'],
    [
      { serviceCenter: { learnAddresses: 1 } },
      'serviceCenter.learnAddresses must be true or false, got 1',
    ],
    [
      { heartbeat: { jitter: Number.NaN } },
      'heartbeat.jitter must be a number from 0 to 0.5, got NaN',
    ],
    [
      { heartbeat: { verifyEvery: -1 } },
      'heartbeat.verifyEvery must be a whole number from 0 to 10000, got -1',
    ],
    [
      { registration: { when: 'later' } },
      'registration.when must be one of "listen", "bootstrap", "manual", got "later"',
    ],
    [
      { registration: { failFast: 'true' } },
      'registration.failFast must be true or false, got "true"',
    ],
    [
      { registration: { retry: { initialMs: 9 } } },
      `registration.retry.initialMs ${initial}, got 9`,
    ],
    [
      { registration: { retry: { maxMs: 600_001 } } },
      'registration.retry.maxMs must be a whole number of milliseconds from 1000 to 600000, got 600001',
    ],
    [
      { registration: { retry: { initialMs: 500, maxMs: 400 } } },
      'registration.retry.maxMs must be a whole number of milliseconds from 500 to 600000, got 400',
    ],
    [
      { registration: { retry: { factor: 0.9 } } },
      'registration.retry.factor must be a number from 1 to 10, got 0.9',
    ],
    [{ registration: { retry: { attempts: 3 } } }, 'registration.retry.attempts is not an option'],
    [{ registration: { retry: 3 } }, 'registration.retry must be an object, got 3'],
    [
      { shutdown: { timeoutMs: 99 } },
      'shutdown.timeoutMs must be a whole number of milliseconds from 100 to 60000, got 99',
    ],
    [
      { shutdown: { drainMs: 600_001 } },
      'shutdown.drainMs must be a whole number of milliseconds from 0 to 600000, got 600001',
    ],
  ])('refuse %j', (options, issue) => {
    expect(issuesOf(options)).toEqual([issue]);
  });

  it('let the longest pause grow with the first one', () => {
    const { retry } = resolve({ registration: { retry: { initialMs: 60_000 } } }).registration;
    expect(retry).toEqual({ initialMs: 60_000, maxMs: 60_000, factor: 2 });
  });

  it.each([
    [1_000, undefined, 2_000],
    [10_000, undefined, 20_000],
    [15_000, undefined, 30_000],
    [60_000, undefined, 30_000],
    [1_000, 60_000, 60_000],
  ])(
    'pause at an interval of %i ms and a maximum of %p for %i ms at most',
    (intervalMs, maxMs, most) => {
      const { registration } = resolve({
        heartbeat: { intervalMs },
        registration: { retry: { maxMs } },
      });
      expect(registration.retry.maxMs).toBe(most);
    },
  );
});
