import { describe, expect, it } from '@jest/globals';
import { ServiceCenterTimeoutError } from '../../../lib/errors.js';
import {
  type HealthStatus,
  healthOf,
  type InnerState,
  isAtRisk,
  isExpired,
  leaseFacts,
  leaseLengthMs,
  nextRequest,
  publicState,
  type Registered,
  registering,
  type RegistrationState,
  remainingMs,
  serviceIdOf,
} from '../../../lib/registration/state.js';
import { outcomes } from './outcomes.js';
import { dueAt, errors, lease, registeredOf, registeringOf } from './parts.js';

describe('the public state of a registration', () => {
  it.each(['idle', 'disabled', 'leaving', 'left'] as const)('without requests is %s', kind => {
    expect(publicState({ kind }, 0)).toBe(kind);
  });

  it.each([
    ['new', 'registering'],
    ['lost', 'lost'],
  ] as const)('without a lease that is %s is %s, and blocked when refused', (reason, state) => {
    expect(publicState(registeringOf({ reason }), 0)).toBe(state);
    expect(publicState(registeringOf({ reason, isBlocked: true }), 0)).toBe('blocked');
  });

  it.each([
    [0, 0, 'registered'],
    [0, 39_999, 'registered'],
    [0, 40_000, 'at-risk'],
    [0, 59_999, 'at-risk'],
    [0, 60_000, 'lost'],
    [1, 16_000, 'degraded'],
    [1, 39_999, 'degraded'],
    [1, 40_000, 'at-risk'],
    [7, 59_999, 'at-risk'],
    [7, 60_000, 'lost'],
    [7, 1_000_000, 'lost'],
  ])('with a lease of a minute and %i failures at %i ms is %s', (failures, now, state) => {
    expect(publicState(registeredOf({ failures }), now)).toBe(state);
  });
});

describe('the next request', () => {
  it.each([
    ['never due while idle', { kind: 'idle' }, undefined],
    ['never due while disabled', { kind: 'disabled' }, undefined],
    ['never due while leaving', { kind: 'leaving' }, undefined],
    ['never due after leaving', { kind: 'left' }, undefined],
    ['due when the next step is', registeringOf({ dueAt: 7 }), 7],
    ['due with the heartbeat', registeredOf({ heartbeatAt: 9 }), 9],
    ['due at once for a read-back', registeredOf({ heartbeatAt: 9, readBackAt: 0 }), 0],
  ] satisfies [string, InnerState, number | undefined][])('is %s', (_, state, due) => {
    expect(dueAt(state)).toBe(due);
  });

  it.each([
    ['a heartbeat', 'heartbeat', { heartbeatAt: 9 }],
    [
      'a heartbeat that is due before the read-back',
      'heartbeat',
      { heartbeatAt: 9, readBackAt: 10 },
    ],
    ['a read-back that is due with the heartbeat', 'read-back', { heartbeatAt: 9, readBackAt: 9 }],
  ] satisfies [string, string, Partial<Registered>][])(
    'of a registered instance is %s',
    (_, kind, change) => {
      expect(nextRequest(registeredOf(change))).toMatchObject({ kind, dueAt: 9 });
    },
  );
});

describe('the id of the service', () => {
  it.each([
    ['of a lease', registeredOf(), 's'],
    ['of a POST', registeringOf({ step: { kind: 'post', serviceId: 'p' } }), 'p'],
    [
      'of a read-back',
      registeringOf({
        step: { ...outcomes.posted, kind: 'read-posted', serviceId: 'c' },
      }),
      'c',
    ],
    ['of a removal', registeringOf({ step: { kind: 'remove-stale', serviceId: 'd' } }), 'd'],
    ['not yet known', registeringOf({ step: { kind: 'find-service' } }), undefined],
    ['of no interest while idle', { kind: 'idle' }, undefined],
  ] satisfies [string, InnerState, string | undefined][])('is %s', (_, state, id) => {
    expect(serviceIdOf(state)).toBe(id);
  });
});

describe('a lease', () => {
  it.each([
    [15, 3, 60_000],
    [5, 3, 20_000],
    [30, 3, 120_000],
    [1, 0, 1_000],
  ])('of interval %i and times %i lasts %i ms', (interval, times, ms) => {
    expect(leaseLengthMs({ mode: 'push', interval, times })).toBe(ms);
  });

  it.each([
    [0, 60_000, false, false],
    [39_999, 20_001, false, false],
    [40_000, 20_000, true, false],
    [59_999, 1, true, false],
    [60_000, 0, true, true],
    [90_000, 0, true, true],
  ])(
    'of a minute at %i ms has %i ms left, is at risk: %p, has ended: %p',
    (now, left, isRisky, hasEnded) => {
      expect(remainingMs(lease, now)).toBe(left);
      expect(isAtRisk(lease, now)).toBe(isRisky);
      expect(isExpired(lease, now)).toBe(hasEnded);
    },
  );
});

describe('a snapshot of the lease', () => {
  it('has its age and its rest, in whole milliseconds', () => {
    expect(leaseFacts(registeredOf(), 1_000.4)).toEqual({
      renewedAgoMs: 1_000,
      leaseRemainingMs: 59_000,
      failures: 0,
      lastError: null,
    });
  });

  it('has nothing left when it is over, and the last error', () => {
    const { message } = errors.network;
    const state = registeredOf({ failures: 4, error: errors.network });
    expect(leaseFacts(state, 90_000)).toEqual({
      renewedAgoMs: 90_000,
      leaseRemainingMs: 0,
      failures: 4,
      lastError: { code: 'ERR_SERVICECOMB_UNREACHABLE', message },
    });
  });

  it('has the failures and the error number of the registry without a lease', () => {
    const { message } = errors.refused;
    expect(leaseFacts(registeringOf({ failures: 2, error: errors.refused }), 0)).toEqual({
      renewedAgoMs: null,
      leaseRemainingMs: null,
      failures: 2,
      lastError: { code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 400_100, message },
    });
  });

  it('has the error of a login only while there is a lease', () => {
    const loginError = new ServiceCenterTimeoutError('login', 'http://a:1', 5_000);
    const lastErrorOf = (state: InnerState) => leaseFacts(state, 0, loginError).lastError;
    expect(lastErrorOf(registeredOf())).toMatchObject({ code: loginError.code });
    expect(lastErrorOf(registeringOf())).toBeNull();
    expect(publicState(registeredOf(), 0, loginError)).toBe('degraded');
  });
});

/** Every state, so that a new one needs a decision here as well. */
const health: Record<RegistrationState, HealthStatus> = {
  idle: 'up',
  disabled: 'up',
  registered: 'up',
  degraded: 'degraded',
  'at-risk': 'degraded',
  registering: 'down',
  lost: 'down',
  blocked: 'down',
  leaving: 'down',
  left: 'down',
};

it('is healthy when consumers find the instance, or none is wanted', () => {
  for (const state of Object.keys(health) as RegistrationState[])
    expect([state, healthOf({ state, lastError: null })]).toEqual([state, health[state]]);
});

describe('a registration that begins', () => {
  it('looks up the service first', () => {
    expect(registering(5, undefined)).toEqual({
      kind: 'registering',
      reason: 'new',
      isBlocked: false,
      step: { kind: 'find-service' },
      dueAt: 5,
      failures: 0,
      failuresSinceProbe: 0,
      error: undefined,
      previous: undefined,
    });
  });

  it('posts at once when the service is known', () => {
    expect(registering(5, 's').step).toEqual({ kind: 'post', serviceId: 's' });
  });
});
