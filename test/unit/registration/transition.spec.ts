import { describe, expect, it } from '@jest/globals';
import { type InnerState, noRepairs, type Registering } from '../../../lib/registration/state.js';
import { transition } from '../../../lib/registration/transition.js';
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
      doubtEndsAt: -Infinity,
      heartbeatAt: now + 8_250,
      readBackAt: Infinity,
      heartbeatsUntilReadBack: 10,
      repairs: noRepairs,
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
        payload: { error: errors.network, failures: 1, retryInMs: 500 },
      },
      {
        name: 'servicecomb.registration.failed',
        payload: { error: errors.serviceGone, failures: 2, retryInMs: 1_000 },
      },
    ]);
    expect(second.state).toMatchObject({ failures: 2, error: errors.serviceGone });
  });

  it('is told also when the registry has merely dropped the service, and repeated at once', () => {
    const first = transition(registeringOf(), outcomes['service-gone'], context);
    expect(dueAt(first.state)).toBe(now);
    expect(first.events).toEqual([
      {
        name: 'servicecomb.registration.failed',
        payload: { error: errors.serviceGone, failures: 1, retryInMs: 0 },
      },
    ]);
    const second = transition(first.state, outcomes['service-gone'], context);
    expect(second.events[0]?.payload).toMatchObject({ failures: 2 });
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
        payload: { error, failures: 1, leaseRemainingMs: 59_000, retryInMs: 1_000 },
      },
    ]);
  });

  it('a heartbeat answered "no such instance" is told with that when its record cannot be read', () => {
    const outcome = { ...outcomes.failed, unconfirmed: errors.instanceGone };
    expect(transition(registeredOf(), outcome, context).events[0]?.payload).toMatchObject({
      error: errors.network,
      unconfirmed: errors.instanceGone,
    });
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
    const { state, events, notes } = transition(registeredOf(), contradicted, context);
    expect(state).toEqual(registeredOf({ heartbeatAt: now + 1_500, wasContradicted: true }));
    expect(events).toEqual([]);
    const { error } = contradicted;
    expect(notes).toEqual([{ kind: 'contradicted', error, retryInMs: 1_500 }]);
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
      {
        name: 'servicecomb.instance.lost',
        payload: { reason: 'forgotten', foundBy: 'heartbeat', error, retryInMs: 500 },
      },
    ]);
  });

  it.each(['heartbeat', 'read-back'] as const)('is told with the %s that found it', during => {
    const outcome = { ...outcomes['instance-gone'], during };
    expect(transition(registeredOf(), outcome, context).events[0]?.payload).toMatchObject({
      foundBy: during,
    });
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
        payload: {
          reason: 'expired',
          foundBy: 'clock',
          error: errors.network,
          retryInMs: 3_750,
        },
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

describe('a record whose writes the server has undone', () => {
  const written = (state: InnerState, ...fields: readonly ('status' | 'properties')[]) =>
    transition(state, { ...outcomes.written, fields }, context);
  const first = written(registeredOf({ readBackAt: 0 }), 'status');

  it('is read back at once after they were made again, and told when they hold', () => {
    expect(first.events).toEqual([]);
    expect(first.state).toMatchObject({ readBackAt: now });
    const verified = transition(first.state, outcomes.intact, context);
    expect(verified.state).toMatchObject({ readBackAt: Infinity, repairs: noRepairs });
    expect(verified.events).toEqual([
      { name: 'servicecomb.drift.repaired', payload: { fields: ['status'] } },
    ]);
  });

  it('is read back with growing pauses until they hold, and never replaced', () => {
    let { state } = first;
    const pauses = [];
    for (let count = 2; count <= 8; count += 1) {
      ({ state } = written(state, 'properties'));
      pauses.push((dueAt(state) ?? 0) - now);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    expect(transition(state, outcomes.intact, context).events[0]?.payload).toEqual({
      fields: ['status', 'properties'],
    });
  });

  it('is told nothing of when the write was the first', () => {
    const { state } = written(registeredOf({ readBackAt: 0 }));
    expect(transition(state, outcomes.intact, context).events).toEqual([]);
  });
});

describe('a record that another process holds', () => {
  const { holder } = outcomes['taken-over'];

  it.each([
    ['while a lease is held', registeredOf()],
    ['on the way to one', confirming],
  ])('blocks the registration and is told, found %s', (_, before) => {
    const { state, events } = transition(before, outcomes['taken-over'], context);
    expect(state).toMatchObject({
      kind: 'registering',
      reason: 'lost',
      isBlocked: true,
      step: { kind: 'read-holder', serviceId: 's2' },
      dueAt: now + 15_000,
      error: { code: 'ERR_SERVICECOMB_TAKEN_OVER' },
    });
    expect(events).toEqual([
      {
        name: 'servicecomb.instance.taken-over',
        payload: { holder, error: expect.objectContaining({ endpoints: [] }) },
      },
    ]);
  });

  it('is told once, however long it is held, and the registration goes on when it is gone', () => {
    const blocked = transition(registeredOf(), outcomes['taken-over'], context).state;
    const later = transition(blocked, outcomes['taken-over'], contextOf({ now: 61_000 }));
    expect(later.events).toEqual([]);
    expect(later.state).toMatchObject({ isBlocked: true, dueAt: 76_000 });
    expect(transition(later.state, outcomes['holder-gone'], context).state).toMatchObject({
      isBlocked: false,
      step: { kind: 'post', serviceId: 's2' },
      dueAt: now,
    });
  });

  it('is expected, and not told, while the process drains', () => {
    const draining = { ...context, isDraining: true };
    const { state, events } = transition(registeredOf(), outcomes['taken-over'], draining);
    expect(state).toMatchObject({ isBlocked: true });
    expect(events).toEqual([]);
  });
});

describe('a stale record that could not be removed', () => {
  it.each(['failed', 'refused'] as const)(
    'is looked at again before the next attempt: %s',
    kind => {
      const removing = registeringOf({
        step: { kind: 'remove-stale', serviceId: 's' },
        previous: stored,
      });
      expect(transition(removing, outcomes[kind], context).state).toMatchObject({
        step: { kind: 'post', serviceId: 's' },
        previous: undefined,
      });
    },
  );
});

describe('a record that the registry writes in its own way', () => {
  it('is told, and is no replaced one when the registry stores the same again', () => {
    const { state } = transition(confirming, outcomes.stale, context);
    const rewritten = { ...outcomes.granted, stored, isRewritten: true };
    expect(namesOf(transition(state, rewritten, context).events)).toEqual([
      'record.rewritten',
      'instance.registered',
    ]);
  });
});

describe('a heartbeat that is answered with less than 2.1 s of the lease left', () => {
  const at = contextOf({ now: 57_901 });
  const { state } = transition(registeredOf(), { ...outcomes.renewed, sentAt: 57_800 }, at);

  it('proves nothing: the record is read back 1.5 s after the end of the old lease', () => {
    expect(state).toMatchObject({ readBackAt: 61_500, lease: { renewedAt: 57_800 } });
  });

  it('is proof when it comes before', () => {
    const early = contextOf({ now: 57_900 });
    const good = transition(registeredOf(), { ...outcomes.renewed, sentAt: 57_800 }, early);
    expect(good.state).toMatchObject({ readBackAt: Infinity });
  });

  it('is no proof either when it comes after the end, until a read-back 1.5 s later', () => {
    const late = contextOf({ now: 90_000 });
    const doubtful = transition(registeredOf(), { ...outcomes.renewed, sentAt: 89_900 }, late);
    expect(doubtful.state).toMatchObject({ readBackAt: 91_500 });
  });

  it('is no proof together with a read-back that came too soon, which is repeated', () => {
    const soon = transition(state, outcomes.intact, contextOf({ now: 61_000 }));
    expect(soon.state).toMatchObject({ readBackAt: 61_500 });
    const later = transition(soon.state, outcomes.intact, contextOf({ now: 61_500 }));
    expect(later.state).toMatchObject({ readBackAt: Infinity });
  });

  it('is read back at that moment also when the read-back before it failed', () => {
    const failed = transition(state, outcomes['not-read-back'], contextOf({ now: 61_000 }));
    expect(failed.state).toMatchObject({ readBackAt: 61_500 });
  });

  it('is read back 1.5 s later when the registry does not answer, and not a heartbeat later', () => {
    const unread = { ...outcomes['not-read-back'], error: errors.network };
    const failed = transition(state, unread, contextOf({ now: 61_600 }));
    expect(failed.state).toMatchObject({ readBackAt: 63_100 });
    const again = transition(failed.state, outcomes['not-read-back'], contextOf({ now: 63_100 }));
    expect(again.state).toMatchObject({ readBackAt: 64_600 });
    const good = transition(again.state, outcomes.intact, contextOf({ now: 64_600 }));
    const later = transition(good.state, unread, contextOf({ now: 70_000 }));
    expect(later.state).toMatchObject({ readBackAt: Infinity });
  });

  it('is not read back again and again where this account may not read', () => {
    const unread = { ...outcomes['not-read-back'], error: errors.refused };
    const failed = transition(state, unread, contextOf({ now: 61_600 }));
    expect(failed.state).toMatchObject({ readBackAt: Infinity });
  });

  it('leaves the time to heartbeats where those fail, too', () => {
    const failing = transition(state, outcomes.failed, contextOf({ now: 61_000 }));
    const unread = transition(failing.state, outcomes['not-read-back'], contextOf({ now: 61_600 }));
    expect(unread.state).toMatchObject({ readBackAt: Infinity, failures: 1 });
  });

  it('is not read back later because of one after it that proves nothing either', () => {
    const again = contextOf({ now: 116_000 });
    const next = transition(state, { ...outcomes.renewed, sentAt: 115_900 }, again);
    expect(next.state).toMatchObject({ readBackAt: 61_500, doubtEndsAt: 119_300 });
    const read = transition(next.state, outcomes.intact, again);
    expect(read.state).toMatchObject({ readBackAt: 119_300 });
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
