import { describe, expect, it } from '@jest/globals';
import type { InnerState, Registering } from '../../../lib/registration/state.js';
import { type Outcome, transition } from '../../../lib/registration/transition.js';
import { outcomes, stored } from './outcomes.js';
import {
  contextOf,
  dueAt,
  errors,
  lease,
  namesOf,
  paceOf,
  registeredOf,
  registeringOf,
} from './parts.js';

const now = 1_000;
const context = contextOf({ now, registrations: 1 });

describe.each(['idle', 'disabled', 'leaving', 'left'] as const)(
  'a registration that is %s',
  kind => {
    it.each(Object.values(outcomes))('stays as it is whatever comes home: $kind', outcome => {
      const state = { kind };
      const next = transition(state, outcome, contextOf({ now: 1_000_000 }));
      expect(next.state).toBe(state);
      expect(next.events).toEqual([]);
    });
  },
);

const confirming = registeringOf({
  step: { ...outcomes.posted, kind: 'read-posted', serviceId: 's' },
});

describe('on the way to a lease', () => {
  it.each(['elapsed', 'intact', 'not-read-back', 'contradicted', 'renewed'] as const)(
    '%s changes nothing',
    kind => {
      const state = registeringOf();
      expect(transition(state, outcomes[kind], context)).toEqual({ state, events: [] });
    },
  );

  it.each([
    [
      'the service is known: the instance is posted',
      'service-found',
      { kind: 'post', serviceId: 's2' },
      now,
    ],
    [
      'it was posted: it is read back',
      'posted',
      { kind: 'read-posted', serviceId: 's2', sentAt: 900 },
      now,
    ],
    [
      'a stale record is there: it is removed',
      'stale',
      { kind: 'remove-stale', serviceId: 's2' },
      now,
    ],
    [
      'it was removed: ours is posted after a gap',
      'stale-removed',
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
      { kind: 'find-service' },
      now,
    ],
    ['a failure: the same step is repeated', 'failed', confirming.step, now + 500],
    ['a refusal: the same step is repeated slowly', 'refused', confirming.step, now + 60_000],
  ] as const)('%s', (_, kind, step, due) => {
    const { state } = transition(confirming, outcomes[kind], context);
    expect(state).toMatchObject({ kind: 'registering', step });
    expect(dueAt(state)).toBe(due);
  });

  it('an instance that is gone before the service is known leaves the step as it is', () => {
    const state = registeringOf({ step: { kind: 'find-service' } });
    expect(transition(state, outcomes['instance-gone'], context).state).toMatchObject({
      step: { kind: 'find-service' },
    });
  });

  it.each([true, false])('a service that is known is told, created: %p', created => {
    const { events } = transition(
      registeringOf(),
      { ...outcomes['service-found'], created },
      context,
    );
    expect(events).toEqual([
      { name: 'servicecomb.service.registered', payload: { serviceId: 's2', created } },
    ]);
  });

  it.each(['posted', 'stale', 'stale-removed'] as const)('%s is not told', kind => {
    expect(transition(registeringOf(), outcomes[kind], context).events).toEqual([]);
  });

  it('a stale record is remembered until the lease is there', () => {
    const stale = transition(confirming, outcomes.stale, context).state;
    const cleared = transition(stale, outcomes['stale-removed'], context).state;
    const posted = transition(cleared, outcomes.posted, context).state as Registering;
    expect(posted.previous).toBe(stored);
    expect(transition(posted, outcomes.granted, context).events[0]).toEqual({
      name: 'servicecomb.instance.replaced',
      payload: { previous: stored },
    });
  });
});

describe('a lease that is granted', () => {
  it('is held, and told with its length and number', () => {
    const { state, events } = transition(
      registeringOf({ failures: 3, error: errors.busy }),
      outcomes.granted,
      { ...context, registrations: 2 },
    );
    expect(state).toEqual({
      kind: 'registered',
      lease,
      heartbeatAt: now + 8_250,
      readBackAt: Infinity,
      heartbeatsUntilReadBack: 10,
      drift: undefined,
      failures: 0,
      error: undefined,
      isRiskEmitted: false,
      wasContradicted: false,
    });
    expect(events).toEqual([
      {
        name: 'servicecomb.instance.registered',
        payload: { registrations: 3, leaseMs: 60_000 },
      },
    ]);
  });

  it('is read back at once when it could not be verified', () => {
    const { state } = transition(
      registeringOf(),
      { ...outcomes.granted, isReadBack: false },
      context,
    );
    expect(state).toMatchObject({ readBackAt: now });
  });

  it('after a lost one is confirmed 1.5 s later: the registry may have answered for that one', () => {
    const { state } = transition(registeringOf({ reason: 'lost' }), outcomes.granted, context);
    expect(state).toMatchObject({ readBackAt: now + 1_500 });
  });

  it('is never read back when that is turned off', () => {
    const { state } = transition(registeringOf(), outcomes.granted, {
      ...context,
      pace: paceOf({ verifyEvery: 0 }),
    });
    expect(dueAt(state)).toBe(now + 8_250);
  });
});

describe('an attempt to register that fails', () => {
  it('is told with the number of failures in a row', () => {
    const first = transition(registeringOf(), outcomes.failed, context);
    const second = transition(first.state, outcomes['service-gone'], context);
    expect([...first.events, ...second.events]).toEqual([
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
    const first = transition(registeringOf(), outcomes['service-gone'], context);
    const second = transition(first.state, outcomes['service-gone'], context);
    expect(first.events).toEqual([]);
    expect(namesOf(second.events)).toEqual(['registration.failed']);
    expect(dueAt(second.state)).toBeGreaterThan(now);
  });

  it.each(['new', 'lost'] as const)('after a refusal is %s again, as before it', reason => {
    const blocked = registeringOf({ reason, isBlocked: true });
    const { state } = transition(blocked, outcomes.failed, context);
    expect(state).toMatchObject({ reason, isBlocked: false });
  });

  it('is repeated no sooner than the registry asks for', () => {
    const { state } = transition(
      registeringOf(),
      { kind: 'failed', error: errors.throttled },
      context,
    );
    expect(dueAt(state)).toBe(now + 45_000);
  });

  it('is repeated within ten minutes, whatever the registry asks for', () => {
    const error = Object.assign(Object.create(errors.throttled), { retryAfterMs: 1e9 });
    const { state } = transition(registeringOf(), { kind: 'failed', error }, context);
    expect(dueAt(state)).toBe(now + 600_000);
  });

  it('is retried while a gateway refuses, and blocked from the second minute on', () => {
    const outcome = { kind: 'failed', error: errors.gateway } as const;
    const states: boolean[] = [];
    let state: InnerState = registeringOf();
    for (const at of [0, 1_000, 59_999, 60_000, 120_000]) {
      ({ state } = transition(state, outcome, contextOf({ now: at })));
      states.push(state.kind === 'registering' && state.isBlocked);
    }
    expect(states).toEqual([false, false, false, true, true]);
    const busy = { kind: 'failed', error: errors.busy } as const;
    ({ state } = transition(state, busy, contextOf({ now: 180_000 })));
    ({ state } = transition(state, outcome, contextOf({ now: 181_000 })));
    expect(state).toMatchObject({ isBlocked: false, refusedSince: 181_000 });
  });

  it('is blocked when refused, and told with the wait', () => {
    const { state, events } = transition(registeringOf({ failures: 1 }), outcomes.refused, context);
    expect(state).toMatchObject({ isBlocked: true, failures: 2, error: errors.refused });
    expect(events).toEqual([
      {
        name: 'servicecomb.registration.blocked',
        payload: { error: errors.refused, retryInMs: 60_000 },
      },
    ]);
    expect(namesOf(events)).not.toContain('registration.failed');
  });
});

describe('a registry that answers a probe', () => {
  const failed = registeringOf({ failures: 5, failuresSinceProbe: 5, dueAt: now + 30_000 });

  it('is asked at once by one who has never been registered', () => {
    const { state, events } = transition(failed, outcomes['probe-answered'], context);
    expect(state).toMatchObject({ dueAt: now, failures: 5 });
    expect(events).toEqual([]);
  });

  it('is asked after a while by one who has lost a lease: others have, too', () => {
    const lost = { ...failed, reason: 'lost' } as const;
    const { state } = transition(lost, outcomes['probe-answered'], context);
    expect(dueAt(state)).toBe(now + 3_750);
  });

  it('is never asked later than it would have been', () => {
    const lost = { ...failed, reason: 'lost', dueAt: now + 10 } as const;
    expect(dueAt(transition(lost, outcomes['probe-answered'], context).state)).toBe(now + 10);
  });

  it('lets the pauses begin small again when it was out of sight', () => {
    const { state } = transition(failed, outcomes['probe-answered'], context);
    const again = transition(state, outcomes.failed, context);
    expect(dueAt(again.state)).toBe(now + 500);
    expect(again.state).toMatchObject({ failures: 6 });
  });

  it('lets the pauses grow on when it never was: it is busy, and a probe says little', () => {
    const seen = { ...outcomes['probe-answered'], wasSilent: false };
    const { state } = transition(failed, seen, context);
    expect(dueAt(transition(state, outcomes.failed, context).state)).toBe(now + 15_000);
  });

  it.each([
    ['one whom the registry asked to wait', { failures: 1, error: errors.throttled }],
    ['a refused one', { isBlocked: true, failures: 1 }],
    ['one that has not failed', { failures: 0 }],
  ])('hurries nobody else: %s', (_, change) => {
    const state = registeringOf({ ...change, dueAt: now + 30_000 });
    expect(transition(state, outcomes['probe-answered'], context).state).toEqual(state);
  });
});

describe('a process that stood still', () => {
  it('tells it, and goes on as it was', () => {
    const state = registeringOf();
    expect(transition(state, outcomes.stalled, context)).toEqual({
      state,
      events: [{ name: 'servicecomb.event-loop.stalled', payload: { lateMs: 3_000 } }],
    });
  });
});

const troubled = registeredOf({ failures: 3, error: errors.network });

describe('while a lease is held', () => {
  it.each(['elapsed', 'service-found', 'posted', 'granted', 'stale-removed'] as const)(
    '%s changes nothing',
    kind => {
      const state = registeredOf();
      expect(transition(state, outcomes[kind], context)).toEqual({ state, events: [] });
    },
  );

  it('a good heartbeat renews it from when it was sent, and the next is an interval away', () => {
    const { state } = transition(registeredOf(), outcomes.renewed, context);
    expect(state).toMatchObject({ lease: { renewedAt: 900 }, heartbeatAt: 900 + 15_000 });
  });

  it('a good heartbeat after failures forgets them, and the next is anywhere in the interval', () => {
    const before = registeredOf({ ...troubled, isRiskEmitted: true, heartbeatsUntilReadBack: 4 });
    expect(transition(before, outcomes.renewed, context).state).toEqual({
      ...before,
      lease: { ...before.lease, renewedAt: 900 },
      heartbeatAt: 900 + 8_250,
      heartbeatsUntilReadBack: 3,
      failures: 0,
      error: undefined,
      isRiskEmitted: false,
    });
  });

  it('a good heartbeat is told', () => {
    expect(transition(registeredOf(), outcomes.renewed, context).events).toEqual([
      { name: 'servicecomb.heartbeat.succeeded', payload: { tookMs: 100 } },
    ]);
  });

  it('the first good heartbeat after failures tells how many were missed', () => {
    const { events, state } = transition(troubled, outcomes.renewed, context);
    expect(namesOf(events)).toEqual(['heartbeat.succeeded', 'heartbeat.recovered']);
    expect(events[1]?.payload).toEqual({ missed: 3 });
    expect(namesOf(transition(state, outcomes.renewed, context).events)).toEqual([
      'heartbeat.succeeded',
    ]);
  });

  it.each(['failed', 'refused'] as const)('a heartbeat that %s is repeated soon and told', kind => {
    const { state, events } = transition(registeredOf(), outcomes[kind], context);
    const { error } = outcomes[kind];
    expect(state).toEqual(registeredOf({ failures: 1, error, heartbeatAt: now + 1_000 }));
    expect(events).toEqual([
      {
        name: 'servicecomb.heartbeat.failed',
        payload: { error, failures: 1, leaseRemainingMs: 59_000 },
      },
    ]);
  });

  it('a heartbeat that was late and failed is told with nothing left', () => {
    const late = contextOf({ now: 61_000 });
    expect(transition(registeredOf(), outcomes.failed, late).events[0]?.payload).toMatchObject({
      leaseRemainingMs: 0,
    });
  });
});

describe('an answer that contradicts the record', () => {
  const { contradicted, renewed } = outcomes;

  it('is no failure, and the heartbeat is repeated 1.5 s later', () => {
    const { state, events } = transition(registeredOf(), contradicted, context);
    expect(state).toEqual(registeredOf({ heartbeatAt: now + 1_500, wasContradicted: true }));
    expect(events).toEqual([]);
  });

  it('is a failure when it comes twice in a row', () => {
    const { state } = transition(registeredOf(), contradicted, context);
    expect(namesOf(transition(state, contradicted, context).events)).toEqual(['heartbeat.failed']);
  });

  it('is no failure when a good heartbeat came in between', () => {
    const first = transition(registeredOf(), contradicted, context).state;
    const second = transition(first, renewed, context).state;
    expect(transition(second, contradicted, context).events).toEqual([]);
  });
});

describe('a lease that the registry has forgotten', () => {
  it.each([
    ['instance-gone', { kind: 'post', serviceId: 's' }, errors.instanceGone],
    ['service-gone', { kind: 'find-service' }, errors.serviceGone],
  ] as const)('is lost by %s, and joined for again', (kind, step, error) => {
    const { state, events } = transition(registeredOf(), outcomes[kind], context);
    expect(state).toEqual({
      kind: 'registering',
      reason: 'lost',
      isBlocked: false,
      step,
      dueAt: now + 500,
      failures: 0,
      failuresSinceProbe: 0,
      error,
      previous: undefined,
    });
    expect(events).toEqual([
      { name: 'servicecomb.instance.lost', payload: { reason: 'forgotten', error } },
    ]);
  });

  it('is joined for again later when heartbeats had failed: others come back, too', () => {
    const { state } = transition(troubled, outcomes['instance-gone'], context);
    expect(dueAt(state)).toBe(now + 3_750);
  });
});

describe('time that passes while a lease is held', () => {
  it('puts it at risk when two thirds are over, which is told', () => {
    const at = contextOf({ now: 40_000 });
    const { state, events } = transition(troubled, outcomes.elapsed, at);
    expect(state).toEqual({ ...troubled, isRiskEmitted: true });
    expect(events).toEqual([
      { name: 'servicecomb.lease.at-risk', payload: { leaseRemainingMs: 20_000, failures: 3 } },
    ]);
  });

  it('says nothing before, and nothing twice', () => {
    const before = contextOf({ now: 39_999 });
    expect(transition(troubled, outcomes.elapsed, before).events).toEqual([]);
    const told = { ...troubled, isRiskEmitted: true };
    const after = contextOf({ now: 59_999 });
    expect(transition(told, outcomes.elapsed, after)).toEqual({ state: told, events: [] });
  });

  it('ends it when heartbeats have failed, whose pauses go on growing', () => {
    const { state, events } = transition(troubled, outcomes.elapsed, contextOf({ now: 60_000 }));
    expect(state).toEqual({
      kind: 'registering',
      reason: 'lost',
      isBlocked: false,
      step: { kind: 'post', serviceId: 's' },
      dueAt: 60_000 + 3_750,
      failures: 0,
      failuresSinceProbe: 3,
      error: errors.network,
      previous: undefined,
    });
    expect(events).toEqual([
      {
        name: 'servicecomb.instance.lost',
        payload: { reason: 'expired', error: errors.network },
      },
    ]);
  });

  it('does not end it when no heartbeat was sent: the registry’s word counts', () => {
    const { state, events } = transition(
      registeredOf(),
      outcomes.elapsed,
      contextOf({ now: 90_000 }),
    );
    expect(state).toMatchObject({ kind: 'registered', isRiskEmitted: true });
    expect(namesOf(events)).toEqual(['lease.at-risk']);
  });
});

describe('a read-back', () => {
  it('corrects the length of the lease and is due again after some heartbeats', () => {
    const before = registeredOf({ readBackAt: 0 });
    const { state, events } = transition(before, outcomes.intact, context);
    expect(state).toEqual({
      ...before,
      lease: { ...before.lease, lengthMs: 20_000 },
      readBackAt: Infinity,
      heartbeatsUntilReadBack: 10,
    });
    expect(events).toEqual([]);
  });

  it('is not due again when that is turned off', () => {
    const before = registeredOf({ readBackAt: 0 });
    const { state } = transition(before, outcomes.intact, {
      ...context,
      pace: paceOf({ verifyEvery: 0 }),
    });
    expect(dueAt(state)).toBe(before.heartbeatAt);
  });

  it('that could not be made is due after the next heartbeat', () => {
    const before = registeredOf({ readBackAt: 0 });
    const { state, events } = transition(before, outcomes['not-read-back'], context);
    expect(dueAt(state)).toBe(before.heartbeatAt);
    expect(events).toEqual([]);
    expect(dueAt(transition(state, outcomes.renewed, context).state)).toBe(now);
  });

  it('that finds another record under our id replaces it', () => {
    const { state, events } = transition(registeredOf(), outcomes.stale, context);
    expect(state).toMatchObject({
      kind: 'registering',
      step: { kind: 'remove-stale', serviceId: 's2' },
      dueAt: now,
      previous: stored,
    });
    expect(events).toEqual([]);
  });
});

describe('a record that differs', () => {
  const drifted = transition(registeredOf({ readBackAt: 0 }), outcomes.drifted, context);
  const { fields } = outcomes.drifted;

  it('is repaired at once, read back, and told when it is as it should be', () => {
    expect(drifted.events).toEqual([]);
    expect(dueAt(drifted.state)).toBe(now);
    const written = transition(drifted.state, outcomes.repaired, context);
    expect(written.state).toMatchObject({ readBackAt: now, drift: { repairAt: Infinity } });
    const verified = transition(written.state, outcomes.intact, context);
    expect(verified.state).toMatchObject({ readBackAt: Infinity, drift: undefined });
    expect(verified.events).toEqual([{ name: 'servicecomb.drift.repaired', payload: { fields } }]);
  });

  it('is repaired again when that was undone, with a growing pause and all that ever differed', () => {
    const again = { ...outcomes.drifted, fields: ['properties'] } as const;
    const undone = (state: InnerState) =>
      transition(transition(state, outcomes.repaired, context).state, again, context);
    const second = undone(drifted.state);
    expect(second.state).toMatchObject({
      drift: { fields: ['status', 'properties'], round: 2, repairAt: now + 1_000 },
    });
    const third = undone(second.state);
    expect(third.state).toMatchObject({ drift: { round: 3, repairAt: now + 2_000 } });
  });

  it('gives way to a new one when three repairs were undone', () => {
    let { state } = drifted;
    for (let repairs = 1; repairs <= 3; repairs += 1)
      for (const outcome of [outcomes.repaired, outcomes.drifted])
        ({ state } = transition(state, outcome, context));
    expect(state).toMatchObject({
      kind: 'registering',
      step: { kind: 'remove-stale', serviceId: 's2' },
      previous: stored,
    });
  });

  it('is looked at again after the next heartbeat when the repair could not be made', () => {
    const { state } = transition(drifted.state, outcomes['not-read-back'], context);
    expect(state).toMatchObject({
      drift: undefined,
      heartbeatsUntilReadBack: 1,
      readBackAt: Infinity,
    });
  });

  it('is no concern of a repair that comes home late', () => {
    expect(transition(registeredOf(), outcomes.repaired, context).state).toEqual(registeredOf());
  });
});

describe('a heartbeat that is answered in the last second of the lease', () => {
  it('is confirmed by a read-back 1.5 s later', () => {
    const at = contextOf({ now: 59_100 });
    const { state } = transition(registeredOf(), { ...outcomes.renewed, sentAt: 59_000 }, at);
    expect(state).toMatchObject({ readBackAt: 59_100 + 1_500 });
  });

  it('is believed when it comes before', () => {
    const at = contextOf({ now: 59_000 });
    const { state } = transition(registeredOf(), { ...outcomes.renewed, sentAt: 58_900 }, at);
    expect(state).toMatchObject({ readBackAt: Infinity });
  });
});

describe('a process that stood still', () => {
  it('beats at once, and tells how late it was', () => {
    const { state, events } = transition(registeredOf(), outcomes.stalled, context);
    expect(state).toMatchObject({ heartbeatAt: now, readBackAt: Infinity });
    expect(events).toEqual([
      { name: 'servicecomb.event-loop.stalled', payload: { lateMs: 3_000 } },
    ]);
  });

  it('looks for its record first when that was longer than the lease', () => {
    const { state } = transition(registeredOf(), outcomes.stalled, contextOf({ now: 60_000 }));
    expect(state).toMatchObject({ readBackAt: 60_000 });
  });

  it('looks for its record first when it slept past the end of the lease', () => {
    const asleep = { ...outcomes.stalled, lateMs: 59_000, asleepMs: 59_000 };
    expect(transition(registeredOf(), asleep, context).state).toMatchObject({ readBackAt: now });
    const awake = { ...asleep, asleepMs: 58_999 };
    expect(transition(registeredOf(), awake, context).state).toMatchObject({
      readBackAt: Infinity,
    });
  });
});

describe('a lease whose heartbeats have a least distance', () => {
  const kept = contextOf({ now, pace: paceOf({ neverEarly: true, jitter: 0 }) });

  it('is renewed an interval after the answer to the heartbeat before', () => {
    const { state } = transition(registeredOf(), outcomes.renewed, kept);
    expect(state).toMatchObject({ lease: { renewedAt: 900 }, heartbeatAt: 1_000 + 15_000 });
  });

  it('is renewed no sooner after failed heartbeats', () => {
    const { state } = transition(troubled, outcomes.renewed, kept);
    expect(state).toMatchObject({ heartbeatAt: 1_000 + 1.375 * 15_000, failures: 0 });
  });

  it('is renewed when it was to be by a process that stood still', () => {
    const { state } = transition(registeredOf(), outcomes.stalled, kept);
    expect(state).toEqual(registeredOf());
    const overdue = registeredOf({ heartbeatAt: 500 });
    expect(transition(overdue, outcomes.stalled, kept).state).toMatchObject({ heartbeatAt: now });
  });

  it('is renewed sooner, by the clock that slept as well, by a process that was asleep', () => {
    const asleep = { ...outcomes.stalled, lateMs: 6_000, asleepMs: 6_000 };
    const first = transition(registeredOf(), asleep, kept).state;
    expect(first).toMatchObject({ heartbeatAt: 9_000 });
    expect(transition(first, asleep, kept).state).toMatchObject({
      heartbeatAt: 3_000,
    });
  });

  it('is renewed at once after a standstill when a heartbeat has failed', () => {
    const before = { ...troubled, heartbeatAt: 9_000 };
    expect(transition(before, outcomes.stalled, kept).state).toMatchObject({ heartbeatAt: now });
  });
});

describe('a registry that answers a probe', () => {
  it('is sent the heartbeat that waits for its retry, at once', () => {
    const before = registeredOf({ failures: 1, heartbeatAt: 9_000 });
    expect(transition(before, outcomes['probe-answered'], context).state).toMatchObject({
      heartbeatAt: now,
      failures: 1,
    });
  });

  it.each([
    ['that has not failed', {}],
    [
      'that it asked to be sent later',
      { failures: 1, error: errors.throttled, heartbeatAt: 9_000 },
    ],
  ])('is sent no heartbeat early %s', (_, change) => {
    const state = registeredOf(change);
    expect(transition(state, outcomes['probe-answered'], context).state).toEqual(state);
  });
});

/** What is told of these outcomes, one after the other, to one who holds a lease. */
function toldOf(...what: readonly Outcome[]): readonly string[] {
  let state: InnerState = registeredOf();
  return what.flatMap(outcome => {
    const next = transition(state, outcome, contextOf());
    ({ state } = next);
    return namesOf(next.events);
  });
}

describe('a record that has drifted', () => {
  const { drifted, repaired, intact } = outcomes;

  it('is told to be repaired once a read-back has shown it', () => {
    expect(toldOf(drifted, repaired, intact)).toEqual(['drift.repaired']);
    expect(toldOf(drifted, repaired, drifted, intact)).toEqual(['drift.repaired']);
  });

  it('is told nothing of when it is well again before it was repaired', () => {
    expect(toldOf(drifted, intact)).toEqual([]);
    expect(toldOf(drifted, drifted, intact)).toEqual([]);
  });

  it('is repaired no later because it is seen to differ once more before the repair', () => {
    const state = transition(registeredOf(), drifted, contextOf()).state;
    expect(transition(state, drifted, contextOf()).state).toEqual(state);
  });
});
