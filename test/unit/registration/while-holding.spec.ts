import { describe, expect, it } from '@jest/globals';
import { dueAt, type Holding, type RegistrationPhase } from '../../../lib/registration/state.js';
import { whileHolding } from '../../../lib/registration/while-holding.js';
import { outcomes, stored } from './outcomes.js';
import { contextOf, errors, holdingOf, namesOf, paceOf } from './parts.js';

const now = 1_000;
const context = contextOf({ now, registrations: 1 });
const troubled = holdingOf({ failures: 3, error: errors.network });

describe('while a lease is held', () => {
  it.each(['elapsed', 'service-known', 'posted', 'granted', 'cleared'] as const)(
    '%s changes nothing',
    kind => {
      const state = holdingOf();
      expect(whileHolding(state, outcomes[kind], context)).toEqual({ state, facts: [] });
    },
  );

  it('a good heartbeat renews it from when it was sent, and the next is an interval away', () => {
    const { state } = whileHolding(holdingOf(), outcomes.renewed, context);
    expect(state).toMatchObject({ lease: { renewedAt: 900 }, beatAt: 900 + 15_000 });
  });

  it('a good heartbeat after failures forgets them, and the next is anywhere in the interval', () => {
    const before = holdingOf({ ...troubled, riskTold: true, beatsUntilVerify: 4 });
    expect(whileHolding(before, outcomes.renewed, context).state).toEqual({
      ...before,
      lease: { ...before.lease, renewedAt: 900 },
      beatAt: 900 + 8_250,
      beatsUntilVerify: 3,
      failures: 0,
      error: undefined,
      riskTold: false,
    });
  });

  it('a good heartbeat is told', () => {
    expect(whileHolding(holdingOf(), outcomes.renewed, context).facts).toEqual([
      { name: 'servicecomb.heartbeat.succeeded', payload: { tookMs: 100 } },
    ]);
  });

  it('the first good heartbeat after failures tells how many were missed', () => {
    const { facts, state } = whileHolding(troubled, outcomes.renewed, context);
    expect(namesOf(facts)).toEqual(['heartbeat.succeeded', 'heartbeat.recovered']);
    expect(facts[1]?.payload).toEqual({ missed: 3 });
    expect(namesOf(whileHolding(state as Holding, outcomes.renewed, context).facts)).toEqual([
      'heartbeat.succeeded',
    ]);
  });

  it.each(['failed', 'refused'] as const)('a heartbeat that %s is repeated soon and told', kind => {
    const { state, facts } = whileHolding(holdingOf(), outcomes[kind], context);
    const { error } = outcomes[kind];
    expect(state).toEqual(holdingOf({ failures: 1, error, beatAt: now + 1_000 }));
    expect(facts).toEqual([
      {
        name: 'servicecomb.heartbeat.failed',
        payload: { error, failures: 1, leaseRemainingMs: 59_000 },
      },
    ]);
  });

  it('a heartbeat that was late and failed is told with nothing left', () => {
    const late = contextOf({ now: 61_000 });
    expect(whileHolding(holdingOf(), outcomes.failed, late).facts[0]?.payload).toMatchObject({
      leaseRemainingMs: 0,
    });
  });
});

describe('a lease that the registry has forgotten', () => {
  it.each([
    ['instance-gone', { kind: 'post', serviceId: 's' }, errors.instanceGone],
    ['service-gone', { kind: 'service' }, errors.serviceGone],
  ] as const)('is lost by %s, and joined for again', (kind, step, error) => {
    const { state, facts } = whileHolding(holdingOf(), outcomes[kind], context);
    expect(state).toEqual({
      phase: 'joining',
      reason: 'lost',
      refused: false,
      step,
      dueAt: now + 500,
      failures: 0,
      failuresInSight: 0,
      error,
      previous: undefined,
    });
    expect(facts).toEqual([
      { name: 'servicecomb.instance.lost', payload: { reason: 'forgotten', error } },
    ]);
  });

  it('is joined for again later when heartbeats had failed: others come back, too', () => {
    const { state } = whileHolding(troubled, outcomes['instance-gone'], context);
    expect(dueAt(state)).toBe(now + 3_750);
  });
});

describe('time that passes while a lease is held', () => {
  it('puts it at risk when two thirds are over, which is told', () => {
    const at = contextOf({ now: 40_000 });
    const { state, facts } = whileHolding(troubled, outcomes.elapsed, at);
    expect(state).toEqual({ ...troubled, riskTold: true });
    expect(facts).toEqual([
      { name: 'servicecomb.lease.at-risk', payload: { leaseRemainingMs: 20_000, failures: 3 } },
    ]);
  });

  it('says nothing before, and nothing twice', () => {
    const before = contextOf({ now: 39_999 });
    expect(whileHolding(troubled, outcomes.elapsed, before).facts).toEqual([]);
    const told = { ...troubled, riskTold: true };
    const after = contextOf({ now: 59_999 });
    expect(whileHolding(told, outcomes.elapsed, after)).toEqual({ state: told, facts: [] });
  });

  it('ends it when heartbeats have failed, whose pauses go on growing', () => {
    const { state, facts } = whileHolding(troubled, outcomes.elapsed, contextOf({ now: 60_000 }));
    expect(state).toEqual({
      phase: 'joining',
      reason: 'lost',
      refused: false,
      step: { kind: 'post', serviceId: 's' },
      dueAt: 60_000 + 3_750,
      failures: 0,
      failuresInSight: 3,
      error: errors.network,
      previous: undefined,
    });
    expect(facts).toEqual([
      {
        name: 'servicecomb.instance.lost',
        payload: { reason: 'expired', error: errors.network },
      },
    ]);
  });

  it('does not end it when no heartbeat was sent: the registry’s word counts', () => {
    const { state, facts } = whileHolding(
      holdingOf(),
      outcomes.elapsed,
      contextOf({ now: 90_000 }),
    );
    expect(state).toMatchObject({ phase: 'holding', riskTold: true });
    expect(namesOf(facts)).toEqual(['lease.at-risk']);
  });
});

describe('a read-back', () => {
  it('corrects the length of the lease and is due again after some heartbeats', () => {
    const before = holdingOf({ verifyAt: 0 });
    const { state, facts } = whileHolding(before, outcomes.verified, context);
    expect(state).toEqual({
      ...before,
      lease: { ...before.lease, lengthMs: 20_000 },
      verifyAt: Infinity,
      beatsUntilVerify: 10,
    });
    expect(facts).toEqual([]);
  });

  it('is not due again when that is turned off', () => {
    const before = holdingOf({ verifyAt: 0 });
    const { state } = whileHolding(before, outcomes.verified, {
      ...context,
      verifyEvery: Infinity,
    });
    expect(dueAt(state)).toBe(before.beatAt);
  });

  it('that could not be made is due after the next heartbeat', () => {
    const before = holdingOf({ verifyAt: 0 });
    const { state, facts } = whileHolding(before, outcomes.unverified, context);
    expect(dueAt(state)).toBe(before.beatAt);
    expect(facts).toEqual([]);
    expect(dueAt(whileHolding(state as Holding, outcomes.renewed, context).state)).toBe(now);
  });

  it('that finds another record under our id replaces it', () => {
    const { state, facts } = whileHolding(holdingOf(), outcomes.stale, context);
    expect(state).toMatchObject({
      phase: 'joining',
      step: { kind: 'clear', serviceId: 's2' },
      dueAt: now,
      previous: stored,
    });
    expect(facts).toEqual([]);
  });
});

describe('a record that differs', () => {
  const drifted = whileHolding(holdingOf({ verifyAt: 0 }), outcomes.drifted, context);
  const { fields } = outcomes.drifted;

  it('is repaired at once, read back, and told when it is as it should be', () => {
    expect(drifted.facts).toEqual([]);
    expect(dueAt(drifted.state)).toBe(now);
    const written = whileHolding(drifted.state as Holding, outcomes.repaired, context);
    expect(written.state).toMatchObject({ verifyAt: now, drift: { repairAt: Infinity } });
    const verified = whileHolding(written.state as Holding, outcomes.verified, context);
    expect(verified.state).toMatchObject({ verifyAt: Infinity, drift: undefined });
    expect(verified.facts).toEqual([{ name: 'servicecomb.drift.repaired', payload: { fields } }]);
  });

  it('is repaired again when that was undone, with a growing pause and all that ever differed', () => {
    const again = { ...outcomes.drifted, fields: ['properties'] } as const;
    const undone = (state: RegistrationPhase) =>
      whileHolding(
        whileHolding(state as Holding, outcomes.repaired, context).state as Holding,
        again,
        context,
      );
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
        ({ state } = whileHolding(state as Holding, outcome, context));
    expect(state).toMatchObject({
      phase: 'joining',
      step: { kind: 'clear', serviceId: 's2' },
      previous: stored,
    });
  });

  it('is looked at again after the next heartbeat when the repair could not be made', () => {
    const { state } = whileHolding(drifted.state as Holding, outcomes.unverified, context);
    expect(state).toMatchObject({ drift: undefined, beatsUntilVerify: 1, verifyAt: Infinity });
  });

  it('is no concern of a repair that comes home late', () => {
    expect(whileHolding(holdingOf(), outcomes.repaired, context).state).toEqual(holdingOf());
  });
});

describe('a heartbeat that is answered in the last second of the lease', () => {
  it('is confirmed by a read-back 1.5 s later', () => {
    const at = contextOf({ now: 59_100 });
    const { state } = whileHolding(holdingOf(), { ...outcomes.renewed, sentAt: 59_000 }, at);
    expect(state).toMatchObject({ verifyAt: 59_100 + 1_500 });
  });

  it('is believed when it comes before', () => {
    const at = contextOf({ now: 59_000 });
    const { state } = whileHolding(holdingOf(), { ...outcomes.renewed, sentAt: 58_900 }, at);
    expect(state).toMatchObject({ verifyAt: Infinity });
  });
});

describe('a process that stood still', () => {
  it('beats at once, and tells how late it was', () => {
    const { state, facts } = whileHolding(holdingOf(), outcomes.stalled, context);
    expect(state).toMatchObject({ beatAt: now, verifyAt: Infinity });
    expect(facts).toEqual([{ name: 'servicecomb.event-loop.stalled', payload: { lateMs: 3_000 } }]);
  });

  it('looks for its record first when that was longer than the lease', () => {
    const { state } = whileHolding(holdingOf(), outcomes.stalled, contextOf({ now: 60_000 }));
    expect(state).toMatchObject({ verifyAt: 60_000 });
  });

  it('looks for its record first when it slept past the end of the lease', () => {
    const asleep = { ...outcomes.stalled, lateMs: 59_000, asleepMs: 59_000 };
    expect(whileHolding(holdingOf(), asleep, context).state).toMatchObject({ verifyAt: now });
    const awake = { ...asleep, asleepMs: 58_999 };
    expect(whileHolding(holdingOf(), awake, context).state).toMatchObject({ verifyAt: Infinity });
  });
});

describe('a lease whose heartbeats have a least distance', () => {
  const kept = contextOf({ now, pace: paceOf({ neverEarly: true, jitter: 0 }) });

  it('is renewed an interval after the answer to the heartbeat before', () => {
    const { state } = whileHolding(holdingOf(), outcomes.renewed, kept);
    expect(state).toMatchObject({ lease: { renewedAt: 900 }, beatAt: 1_000 + 15_000 });
  });

  it('is renewed no sooner after failed heartbeats', () => {
    const { state } = whileHolding(troubled, outcomes.renewed, kept);
    expect(state).toMatchObject({ beatAt: 1_000 + 1.375 * 15_000, failures: 0 });
  });

  it('is renewed when it was to be by a process that stood still', () => {
    const { state } = whileHolding(holdingOf(), outcomes.stalled, kept);
    expect(state).toEqual(holdingOf());
    const overdue = holdingOf({ beatAt: 500 });
    expect(whileHolding(overdue, outcomes.stalled, kept).state).toMatchObject({ beatAt: now });
  });

  it('is renewed sooner, by the clock that slept as well, by a process that was asleep', () => {
    const asleep = { ...outcomes.stalled, lateMs: 6_000, asleepMs: 6_000 };
    const first = whileHolding(holdingOf(), asleep, kept).state;
    expect(first).toMatchObject({ beatAt: 9_000 });
    expect(whileHolding(first as Holding, asleep, kept).state).toMatchObject({ beatAt: 3_000 });
  });

  it('is renewed at once after a standstill when a heartbeat has failed', () => {
    const before = { ...troubled, beatAt: 9_000 };
    expect(whileHolding(before, outcomes.stalled, kept).state).toMatchObject({ beatAt: now });
  });
});

describe('a registry that answers a probe', () => {
  it('is sent the heartbeat that waits for its retry, at once', () => {
    const before = holdingOf({ failures: 1, beatAt: 9_000 });
    expect(whileHolding(before, outcomes['in-sight'], context).state).toMatchObject({
      beatAt: now,
      failures: 1,
    });
  });

  it.each([
    ['that has not failed', {}],
    ['that it asked to be sent later', { failures: 1, error: errors.throttled, beatAt: 9_000 }],
  ])('is sent no heartbeat early %s', (_, change) => {
    const state = holdingOf(change);
    expect(whileHolding(state, outcomes['in-sight'], context).state).toEqual(state);
  });
});
