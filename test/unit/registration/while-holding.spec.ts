import { describe, expect, it } from '@jest/globals';
import { dueAt, type Holding } from '../../../lib/registration/state.js';
import { whileHolding } from '../../../lib/registration/while-holding.js';
import { outcomes, stored } from './outcomes.js';
import { contextOf, errors, holdingOf, namesOf } from './parts.js';

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

  it('a good heartbeat renews it from when it was sent, and forgets the failures', () => {
    const before = holdingOf({ ...troubled, riskTold: true, beatsUntilVerify: 4 });
    expect(whileHolding(before, outcomes.renewed, context).state).toEqual({
      ...before,
      lease: { ...before.lease, renewedAt: 900 },
      beatAt: 900 + 15_000,
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

  it('ends it when heartbeats have failed', () => {
    const { state, facts } = whileHolding(troubled, outcomes.elapsed, contextOf({ now: 60_000 }));
    expect(state).toEqual({
      phase: 'joining',
      reason: 'lost',
      refused: false,
      step: { kind: 'post', serviceId: 's' },
      dueAt: 60_000 + 3_750,
      failures: 0,
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
    const before = holdingOf({ beatsUntilVerify: 0 });
    const { state, facts } = whileHolding(before, outcomes.verified, context);
    expect(state).toEqual({
      ...before,
      lease: { ...before.lease, lengthMs: 20_000 },
      beatsUntilVerify: 10,
    });
    expect(facts).toEqual([]);
  });

  it('is not due again when that is turned off', () => {
    const before = holdingOf({ beatsUntilVerify: 0 });
    const { state } = whileHolding(before, outcomes.verified, {
      ...context,
      verifyEvery: Infinity,
    });
    expect(dueAt(state)).toBe(before.beatAt);
  });

  it('that could not be made is due after the next heartbeat', () => {
    const before = holdingOf({ beatsUntilVerify: 0 });
    const { state, facts } = whileHolding(before, outcomes.unverified, context);
    expect(dueAt(state)).toBe(before.beatAt);
    expect(facts).toEqual([]);
    expect(dueAt(whileHolding(state as Holding, outcomes.renewed, context).state)).toBe(900);
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
