import { describe, expect, it } from '@jest/globals';
import {
  dueAt,
  type Holding,
  joining,
  labelOf,
  nextRequest,
  type RegistrationPhase,
  serviceIdOf,
} from '../../../lib/registration/state.js';
import { holdingOf, joiningOf } from './parts.js';
import { outcomes, stored } from './outcomes.js';

describe('the label of a registration', () => {
  it.each(['idle', 'disabled', 'leaving', 'left'] as const)('without requests is %s', phase => {
    expect(labelOf({ phase }, 0)).toBe(phase);
  });

  it.each([
    ['new', 'registering'],
    ['lost', 'lost'],
  ] as const)('without a lease that is %s is %s, and blocked when refused', (reason, label) => {
    expect(labelOf(joiningOf({ reason }), 0)).toBe(label);
    expect(labelOf(joiningOf({ reason, refused: true }), 0)).toBe('blocked');
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
  ])('with a lease of a minute and %i failures at %i ms is %s', (failures, now, label) => {
    expect(labelOf(holdingOf({ failures }), now)).toBe(label);
  });
});

describe('the next request', () => {
  it.each([
    ['never due while idle', { phase: 'idle' }, undefined],
    ['never due while disabled', { phase: 'disabled' }, undefined],
    ['never due while leaving', { phase: 'leaving' }, undefined],
    ['never due after leaving', { phase: 'left' }, undefined],
    ['due when the next step is', joiningOf({ dueAt: 7 }), 7],
    ['due with the heartbeat', holdingOf({ beatAt: 9 }), 9],
    ['due at once for a read-back', holdingOf({ beatAt: 9, verifyAt: 0 }), 0],
  ] satisfies [string, RegistrationPhase, number | undefined][])('is %s', (_, state, due) => {
    expect(dueAt(state)).toBe(due);
  });

  const repairAt = (at: number) => ({ stored, fields: [], round: 1, repairAt: at });

  it.each([
    ['a heartbeat', 'beat', { beatAt: 9 }],
    ['a heartbeat that is due before the read-back', 'beat', { beatAt: 9, verifyAt: 10 }],
    ['a read-back that is due with the heartbeat', 'verify', { beatAt: 9, verifyAt: 9 }],
    ['a repair before both', 'repair', { beatAt: 9, verifyAt: 9, drift: repairAt(9) }],
    ['a read-back when the repair was made', 'verify', { verifyAt: 9, drift: repairAt(Infinity) }],
  ] satisfies [string, string, Partial<Holding>][])(
    'of one who has a lease is %s',
    (_, kind, change) => {
      expect(nextRequest(holdingOf(change))).toEqual({ kind, dueAt: 9 });
    },
  );
});

describe('the id of the service', () => {
  it.each([
    ['of a lease', holdingOf(), 's'],
    ['of a POST', joiningOf({ step: { kind: 'post', serviceId: 'p' } }), 'p'],
    [
      'of a read-back',
      joiningOf({ step: { ...outcomes.posted, kind: 'confirm', serviceId: 'c' } }),
      'c',
    ],
    ['of a removal', joiningOf({ step: { kind: 'clear', serviceId: 'd' } }), 'd'],
    ['not yet known', joiningOf({ step: { kind: 'service' } }), undefined],
    ['of no interest while idle', { phase: 'idle' }, undefined],
  ] satisfies [string, RegistrationPhase, string | undefined][])('is %s', (_, state, id) => {
    expect(serviceIdOf(state)).toBe(id);
  });
});

describe('a registration that begins', () => {
  it('asks for the service first', () => {
    expect(joining(5, undefined)).toEqual({
      phase: 'joining',
      reason: 'new',
      refused: false,
      step: { kind: 'service' },
      dueAt: 5,
      failures: 0,
      failuresInSight: 0,
      error: undefined,
      previous: undefined,
    });
  });

  it('posts at once when the service is known', () => {
    expect(joining(5, 's').step).toEqual({ kind: 'post', serviceId: 's' });
  });
});
