import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RegistryFact } from '../../../lib/events/events.js';
import { isExpired } from '../../../lib/registration/lease.js';
import type { Outcome } from '../../../lib/registration/outcome.js';
import { dueAt, joining, type RegistrationPhase } from '../../../lib/registration/state.js';
import { transition } from '../../../lib/registration/transition.js';
import { outcomes } from './outcomes.js';
import { contextOf, errors, lease, namesOf, paceOf } from './parts.js';

describe.each(['idle', 'disabled', 'leaving', 'left'] as const)(
  'a registration that is %s',
  phase => {
    it.each(Object.values(outcomes))('stays as it is whatever comes home: $kind', outcome => {
      const state = { phase };
      const next = transition(state, outcome, contextOf({ now: 1_000_000 }));
      expect(next.state).toBe(state);
      expect(next.facts).toEqual([]);
    });
  },
);

/** Any outcome, after any time; a beat was sent when the time began. */
function anyEvent(): fc.Arbitrary<readonly [passedMs: number, outcome: Outcome]> {
  const kinds = fc.constantFrom<Outcome>(
    ...Object.values(outcomes),
    { kind: 'granted', lease, verified: false },
    { kind: 'failed', error: errors.throttled },
    { kind: 'failed', error: errors.busy },
  );
  return fc.tuple(fc.nat({ max: 70_000 }), kinds);
}

interface Step {
  readonly before: RegistrationPhase;
  readonly outcome: Outcome;
  readonly now: number;
  readonly state: RegistrationPhase;
  readonly facts: readonly RegistryFact[];
}

/** Lets events happen to a registration that has just begun; time passes only when nothing is heard. */
function historyOf(
  events: readonly (readonly [number, Outcome])[],
  { draw = 0.5, verifyEvery = 10 } = {},
): readonly Step[] {
  const pace = paceOf({ random: () => draw });
  const steps: Step[] = [];
  let state: RegistrationPhase = joining(0, undefined);
  let now = 0;
  let registrations = 0;
  for (const [passedMs, event] of events) {
    now += passedMs;
    // The core looks at the time before each request, and a request ends later than it was sent.
    for (const outcome of [outcomes.elapsed, momentOf(event, now)]) {
      const before = state;
      const next = transition(
        before,
        outcome,
        contextOf({ now, pace, verifyEvery, registrations }),
      );
      ({ state } = next);
      if (namesOf(next.facts).includes('instance.registered')) registrations += 1;
      steps.push({ before, outcome, now, ...next });
    }
  }
  return steps;
}

function momentOf(outcome: Outcome, now: number): Outcome {
  if (outcome.kind === 'renewed' || outcome.kind === 'posted') return { ...outcome, sentAt: now };
  if (outcome.kind !== 'granted') return outcome;
  return { ...outcome, lease: { ...outcome.lease, renewedAt: now } };
}

const anyHistory = fc
  .tuple(
    fc.array(anyEvent(), { minLength: 1, maxLength: 60 }),
    fc.constantFrom(0, 0.5, 1 - Number.EPSILON),
    fc.constantFrom(1, 10, Infinity),
  )
  .map(([events, draw, verifyEvery]) => historyOf(events, { draw, verifyEvery }));

function everyHistory(holds: (steps: readonly Step[]) => void): void {
  fc.assert(fc.property(anyHistory, holds), { numRuns: 200 });
}

describe('whatever happens to a registration', () => {
  it('something is due, and soon enough', () => {
    everyHistory(steps => {
      for (const { state, now } of steps)
        expect((dueAt(state) ?? Infinity) - now).toBeLessThan(70_000);
    });
  });

  it('a lease is lost only where there was one', () => {
    everyHistory(steps => {
      for (const { before, facts, state } of steps) {
        if (!namesOf(facts).includes('instance.lost')) continue;
        expect(before.phase).toBe('holding');
        expect(state).toMatchObject({ phase: 'joining', reason: 'lost' });
      }
    });
  });

  it('a lease is held exactly from instance.registered on', () => {
    everyHistory(steps => {
      for (const { before, facts, state } of steps) {
        const begins = before.phase !== 'holding' && state.phase === 'holding';
        expect(namesOf(facts).includes('instance.registered')).toBe(begins);
      }
    });
  });

  it('the registrations are counted', () => {
    everyHistory(steps => {
      const counts = steps.flatMap(({ facts }) =>
        facts.flatMap(({ payload }) => ('registrations' in payload ? [payload.registrations] : [])),
      );
      expect(counts).toEqual(counts.map((_, index) => index + 1));
    });
  });

  it('an expired lease is given up once a heartbeat has failed', () => {
    everyHistory(steps => {
      for (const { outcome, state, now } of steps)
        if (outcome.kind === 'elapsed' && state.phase === 'holding' && state.failures > 0)
          expect(isExpired(state.lease, now)).toBe(false);
    });
  });

  it('lease.at-risk is told once until the next good heartbeat or registration', () => {
    everyHistory(steps => {
      let told = false;
      for (const { facts } of steps)
        for (const name of namesOf(facts)) {
          if (name === 'lease.at-risk') {
            expect(told).toBe(false);
            told = true;
          }
          if (name === 'heartbeat.succeeded' || name === 'instance.registered') told = false;
        }
    });
  });

  it('heartbeat.recovered is told once, with the number of heartbeats that failed in a row', () => {
    everyHistory(steps => {
      let missed = 0;
      for (const { facts } of steps) {
        const names = namesOf(facts);
        if (names.includes('heartbeat.failed')) missed += 1;
        if (names.includes('heartbeat.succeeded')) {
          const recovered = facts.flatMap(({ payload }) =>
            'missed' in payload ? [payload.missed] : [],
          );
          expect(recovered).toEqual(missed === 0 ? [] : [missed]);
        }
        if (names.some(name => /succeeded|lost|registered/.test(name))) missed = 0;
      }
    });
  });
});
