import { describe, expect, it } from '@jest/globals';
import { dueAt, type Joining } from '../../../lib/registration/state.js';
import { whileJoining } from '../../../lib/registration/while-joining.js';
import { outcomes, stored } from './outcomes.js';
import { contextOf, errors, joiningOf, lease, namesOf } from './parts.js';

const now = 1_000;
const context = contextOf({ now });
const confirming = joiningOf({ step: { ...outcomes.posted, kind: 'confirm', serviceId: 's' } });

describe('on the way to a lease', () => {
  it.each(['elapsed', 'verified', 'unverified', 'doubtful', 'renewed'] as const)(
    '%s changes nothing',
    kind => {
      const state = joiningOf();
      expect(whileJoining(state, outcomes[kind], context)).toEqual({ state, facts: [] });
    },
  );

  it.each([
    [
      'the service is known: the instance is posted',
      'service-known',
      { kind: 'post', serviceId: 's2' },
      now,
    ],
    [
      'it was posted: it is read back',
      'posted',
      { kind: 'confirm', serviceId: 's2', sentAt: 900 },
      now,
    ],
    ['a stale record is there: it is removed', 'stale', { kind: 'clear', serviceId: 's2' }, now],
    [
      'it was removed: ours is posted after a gap',
      'cleared',
      { kind: 'post', serviceId: 's2' },
      now + 150,
    ],
    [
      'the instance is gone: it is posted again',
      'instance-gone',
      { kind: 'post', serviceId: 's' },
      now + 500,
    ],
    [
      'the service is gone: it is asked for again at once',
      'service-gone',
      { kind: 'service' },
      now,
    ],
    ['a failure: the same step is repeated', 'failed', confirming.step, now + 500],
    ['a refusal: the same step is repeated slowly', 'refused', confirming.step, now + 60_000],
  ] as const)('%s', (_, kind, step, due) => {
    const { state } = whileJoining(confirming, outcomes[kind], context);
    expect(state).toMatchObject({ phase: 'joining', step });
    expect(dueAt(state)).toBe(due);
  });

  it('an instance that is gone before the service is known leaves the step as it is', () => {
    const state = joiningOf({ step: { kind: 'service' } });
    expect(whileJoining(state, outcomes['instance-gone'], context).state).toMatchObject({
      step: { kind: 'service' },
    });
  });

  it.each([true, false])('a service that is known is told, created: %p', created => {
    const { facts } = whileJoining(joiningOf(), { ...outcomes['service-known'], created }, context);
    expect(facts).toEqual([
      { name: 'servicecomb.service.registered', payload: { serviceId: 's2', created } },
    ]);
  });

  it.each(['posted', 'stale', 'cleared'] as const)('%s is not told', kind => {
    expect(whileJoining(joiningOf(), outcomes[kind], context).facts).toEqual([]);
  });

  it('a stale record is remembered until the lease is there', () => {
    const stale = whileJoining(confirming, outcomes.stale, context).state as Joining;
    const cleared = whileJoining(stale, outcomes.cleared, context).state as Joining;
    const posted = whileJoining(cleared, outcomes.posted, context).state as Joining;
    expect(posted.previous).toBe(stored);
    expect(whileJoining(posted, outcomes.granted, context).facts[0]).toEqual({
      name: 'servicecomb.instance.replaced',
      payload: { previous: stored },
    });
  });
});

describe('a lease that is granted', () => {
  it('is held, and told with its length and number', () => {
    const { state, facts } = whileJoining(
      joiningOf({ failures: 3, error: errors.busy }),
      outcomes.granted,
      { ...context, registrations: 2 },
    );
    expect(state).toEqual({
      phase: 'holding',
      lease,
      beatAt: now + 8_250,
      verifyAt: Infinity,
      beatsUntilVerify: 10,
      drift: undefined,
      failures: 0,
      error: undefined,
      riskTold: false,
      doubted: false,
    });
    expect(facts).toEqual([
      {
        name: 'servicecomb.instance.registered',
        payload: { registrations: 3, leaseMs: 60_000 },
      },
    ]);
  });

  it('is read back at once when it could not be verified', () => {
    const { state } = whileJoining(joiningOf(), { ...outcomes.granted, verified: false }, context);
    expect(state).toMatchObject({ verifyAt: now });
  });

  it('after a lost one is confirmed 1.5 s later: the registry may have answered for that one', () => {
    const { state } = whileJoining(joiningOf({ reason: 'lost' }), outcomes.granted, context);
    expect(state).toMatchObject({ verifyAt: now + 1_500 });
  });

  it('is never read back when that is turned off', () => {
    const { state } = whileJoining(joiningOf(), outcomes.granted, {
      ...context,
      verifyEvery: Infinity,
    });
    expect(dueAt(state)).toBe(now + 8_250);
  });
});

describe('an attempt to register that fails', () => {
  it('is told with the number of failures in a row', () => {
    const first = whileJoining(joiningOf(), outcomes.failed, context);
    const second = whileJoining(first.state as Joining, outcomes['service-gone'], context);
    expect([...first.facts, ...second.facts]).toEqual([
      {
        name: 'servicecomb.registration.failed',
        payload: { error: errors.network, failures: 1 },
      },
      {
        name: 'servicecomb.registration.failed',
        payload: { error: errors.serviceGone, failures: 2 },
      },
    ]);
    expect(second.state).toMatchObject({ failures: 2, error: errors.serviceGone });
  });

  it('is not told when the registry has merely dropped the service, unless it does so again', () => {
    const first = whileJoining(joiningOf(), outcomes['service-gone'], context);
    const second = whileJoining(first.state as Joining, outcomes['service-gone'], context);
    expect(first.facts).toEqual([]);
    expect(namesOf(second.facts)).toEqual(['registration.failed']);
    expect(dueAt(second.state)).toBeGreaterThan(now);
  });

  it.each(['new', 'lost'] as const)('after a refusal is %s again, as before it', reason => {
    const blocked = joiningOf({ reason, refused: true });
    const { state } = whileJoining(blocked, outcomes.failed, context);
    expect(state).toMatchObject({ reason, refused: false });
  });

  it('is repeated no sooner than the registry asks for', () => {
    const { state } = whileJoining(
      joiningOf(),
      { kind: 'failed', error: errors.throttled },
      context,
    );
    expect(dueAt(state)).toBe(now + 45_000);
  });

  it('is repeated within ten minutes, whatever the registry asks for', () => {
    const error = Object.assign(Object.create(errors.throttled), { retryAfterMs: 1e9 });
    const { state } = whileJoining(joiningOf(), { kind: 'failed', error }, context);
    expect(dueAt(state)).toBe(now + 600_000);
  });

  it('is blocked when refused, and told with the wait', () => {
    const { state, facts } = whileJoining(joiningOf({ failures: 1 }), outcomes.refused, context);
    expect(state).toMatchObject({ refused: true, failures: 2, error: errors.refused });
    expect(facts).toEqual([
      {
        name: 'servicecomb.registration.blocked',
        payload: { error: errors.refused, retryInMs: 60_000 },
      },
    ]);
    expect(namesOf(facts)).not.toContain('registration.failed');
  });
});

describe('a registry that answers a probe', () => {
  const failed = joiningOf({ failures: 5, failuresInSight: 5, dueAt: now + 30_000 });

  it('is asked at once by one who has never been registered', () => {
    const { state, facts } = whileJoining(failed, outcomes['in-sight'], context);
    expect(state).toMatchObject({ dueAt: now, failures: 5 });
    expect(facts).toEqual([]);
  });

  it('is asked after a while by one who has lost a lease: others have, too', () => {
    const lost = { ...failed, reason: 'lost' } as const;
    const { state } = whileJoining(lost, outcomes['in-sight'], context);
    expect(dueAt(state)).toBe(now + 3_750);
  });

  it('is never asked later than it would have been', () => {
    const lost = { ...failed, reason: 'lost', dueAt: now + 10 } as const;
    expect(dueAt(whileJoining(lost, outcomes['in-sight'], context).state)).toBe(now + 10);
  });

  it('lets the pauses begin small again when it was out of sight', () => {
    const { state } = whileJoining(failed, outcomes['in-sight'], context);
    const again = whileJoining(state as Joining, outcomes.failed, context);
    expect(dueAt(again.state)).toBe(now + 500);
    expect(again.state).toMatchObject({ failures: 6 });
  });

  it('lets the pauses grow on when it never was: it is busy, and a probe says little', () => {
    const seen = { ...outcomes['in-sight'], returned: false };
    const { state } = whileJoining(failed, seen, context);
    expect(dueAt(whileJoining(state as Joining, outcomes.failed, context).state)).toBe(
      now + 15_000,
    );
  });

  it.each([
    ['one whom the registry asked to wait', { failures: 1, error: errors.throttled }],
    ['a refused one', { refused: true, failures: 1 }],
    ['one that has not failed', { failures: 0 }],
  ])('hurries nobody else: %s', (_, change) => {
    const state = joiningOf({ ...change, dueAt: now + 30_000 });
    expect(whileJoining(state, outcomes['in-sight'], context).state).toEqual(state);
  });
});

describe('a process that stood still', () => {
  it('tells it, and goes on as it was', () => {
    const state = joiningOf();
    expect(whileJoining(state, outcomes.stalled, context)).toEqual({
      state,
      facts: [{ name: 'servicecomb.event-loop.stalled', payload: { lateMs: 3_000 } }],
    });
  });
});
