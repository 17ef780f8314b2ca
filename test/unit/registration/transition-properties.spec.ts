import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import type { PendingEvent } from '../../../lib/events.js';
import { isExpired } from '../../../lib/registration/state.js';
import type { Outcome } from '../../../lib/registration/outcome.js';
import { registering, nextRequest, type InnerState } from '../../../lib/registration/state.js';
import { transition } from '../../../lib/registration/transition.js';
import { outcomes } from './outcomes.js';
import { contextOf, dueAt, errors, lease, namesOf, paceOf } from './parts.js';

/** An outcome, or a good answer to whatever is asked next. */
type Event = Outcome | { readonly kind: 'good' };

/** Any outcome, after any time; a beat was sent when the time began. */
function anyEvent(): fc.Arbitrary<readonly [passedMs: number, event: Event]> {
  const anyOutcome = fc.constantFrom<Outcome>(
    ...Object.values(outcomes),
    { ...outcomes.granted, isReadBack: false },
    { kind: 'failed', error: errors.throttled },
    { kind: 'failed', error: errors.busy },
    { kind: 'probe-answered', wasSilent: false },
    { kind: 'stalled', lateMs: 70_000, asleepMs: 65_000 },
  );
  const outcome = fc.oneof(anyOutcome, fc.constant({ kind: 'good' } as const));
  return fc.tuple(fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 70_000 })), outcome);
}

interface Step {
  readonly before: InnerState;
  readonly outcome: Outcome;
  readonly now: number;
  readonly state: InnerState;
  readonly events: readonly PendingEvent[];
}

/** Lets events happen to a registration that has just begun; time passes only when nothing is heard. */
function historyOf(
  events: readonly (readonly [number, Event])[],
  { draw = 0.5, verifyEvery = 10 } = {},
): readonly Step[] {
  const pace = paceOf({ random: () => draw, verifyEvery });
  const steps: Step[] = [];
  let state: InnerState = registering(0, undefined);
  let now = 0;
  let registrations = 0;
  for (const [passedMs, event] of events) {
    now += passedMs;
    // The core looks at the time before each request, and a request ends later than it was sent.
    for (const what of [outcomes.elapsed, event]) {
      const before = state;
      const outcome = momentOf(what, before, now);
      const next = transition(before, outcome, contextOf({ now, pace, registrations }));
      ({ state } = next);
      if (namesOf(next.events).includes('instance.registered')) registrations += 1;
      steps.push({ before, outcome, now, ...next });
    }
  }
  return steps;
}

function momentOf(outcome: Event, state: InnerState, now: number): Outcome {
  if (outcome.kind === 'good') return goodAnswerTo(state, now);
  if (outcome.kind === 'renewed' || outcome.kind === 'posted') return { ...outcome, sentAt: now };
  if (outcome.kind !== 'granted') return outcome;
  return { ...outcome, lease: { ...outcome.lease, renewedAt: now } };
}

const anyHistory = fc
  .tuple(
    fc.array(anyEvent(), { minLength: 1, maxLength: 60 }),
    fc.constantFrom(0, 0.5, 1 - Number.EPSILON),
    fc.constantFrom(1, 10, 0),
  )
  .map(([events, draw, verifyEvery]) => historyOf(events, { draw, verifyEvery }));

function everyHistory(holds: (steps: readonly Step[]) => void): void {
  fc.assert(fc.property(anyHistory, holds), { numRuns: 200 });
}

function isLookingUp(state: InnerState): boolean {
  return state.kind === 'registering' && state.step.kind === 'find-service';
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
      for (const { before, events, state } of steps) {
        if (!namesOf(events).includes('instance.lost')) continue;
        expect(before.kind).toBe('registered');
        expect(state).toMatchObject({ kind: 'registering', reason: 'lost' });
      }
    });
  });

  it('a lease is held exactly from instance.registered on', () => {
    everyHistory(steps => {
      for (const { before, events, state } of steps) {
        const begins = before.kind !== 'registered' && state.kind === 'registered';
        expect(namesOf(events).includes('instance.registered')).toBe(begins);
      }
    });
  });

  it('the registrations are counted', () => {
    everyHistory(steps => {
      const counts = steps.flatMap(({ events }) =>
        events.flatMap(({ payload }) =>
          'registrations' in payload ? [payload.registrations] : [],
        ),
      );
      expect(counts).toEqual(counts.map((_, index) => index + 1));
    });
  });

  it('an expired lease is given up once a heartbeat has failed', () => {
    everyHistory(steps => {
      for (const { outcome, state, now } of steps)
        if (outcome.kind === 'elapsed' && state.kind === 'registered' && state.failures > 0)
          expect(isExpired(state.lease, now)).toBe(false);
    });
  });

  it('lease.at-risk is told once until the next good heartbeat or registration', () => {
    everyHistory(steps => {
      let told = false;
      for (const { events } of steps)
        for (const name of namesOf(events)) {
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
      for (const { events } of steps) {
        const names = namesOf(events);
        if (names.includes('heartbeat.failed')) missed += 1;
        if (names.includes('heartbeat.succeeded')) {
          const recovered = events.flatMap(({ payload }) =>
            'missed' in payload ? [payload.missed] : [],
          );
          expect(recovered).toEqual(missed === 0 ? [] : [missed]);
        }
        if (names.some(name => /succeeded|lost|registered/.test(name))) missed = 0;
      }
    });
  });

  it('no event is told without a change, but a standstill and an answered heartbeat', () => {
    everyHistory(steps => {
      // Each answered heartbeat is told, and one that follows at once changes nothing.
      const always = /event-loop\.stalled|heartbeat\.succeeded/;
      for (const { before, outcome, events, state } of steps) {
        // Nobody asks for a service that is known: the histories do.
        if (outcome.kind === 'service-found' && !isLookingUp(before)) continue;
        if (namesOf(events).some(name => !always.test(name))) expect(state).not.toEqual(before);
      }
    });
  });

  it('nothing is told twice for one change', () => {
    everyHistory(steps => {
      for (const { events } of steps)
        expect(new Set(namesOf(events)).size).toBe(namesOf(events).length);
    });
  });

  it('the time alone tells a thing once', () => {
    everyHistory(steps => {
      for (const { state, now } of steps) {
        const first = transition(state, outcomes.elapsed, contextOf({ now }));
        const second = transition(first.state, outcomes.elapsed, contextOf({ now }));
        expect(second.events).toEqual([]);
        expect(second.state).toEqual(first.state);
      }
    });
  });

  it('a lease is lost once until the next registration', () => {
    everyHistory(steps => {
      let isLost = false;
      for (const name of steps.flatMap(({ events }) => namesOf(events))) {
        if (name === 'instance.lost') expect(isLost).toBe(false);
        if (name === 'instance.lost') isLost = true;
        if (name === 'instance.registered') isLost = false;
      }
    });
  });

  it('drift.repaired is told only after a repair, and once for it', () => {
    everyHistory(steps => {
      let repairs = 0;
      for (const { before, outcome, events, state } of steps) {
        if (outcome.kind === 'written' && before.kind === 'registered') repairs += 1;
        if (namesOf(events).includes('drift.repaired')) {
          expect(repairs).toBeGreaterThan(0);
          repairs = 0;
        }
        if (state.kind !== 'registered') repairs = 0;
      }
    });
  });

  it('a registry in sight postpones nothing', () => {
    everyHistory(steps => {
      for (const { before, outcome, state } of steps)
        if (outcome.kind === 'probe-answered')
          expect(dueAt(state) ?? Infinity).toBeLessThanOrEqual(dueAt(before) ?? Infinity);
    });
  });

  it('a process that stood still loses no lease by that alone, and makes its next request at once', () => {
    everyHistory(steps => {
      for (const { before, outcome, state, now } of steps) {
        if (outcome.kind !== 'stalled' || before.kind !== 'registered') continue;
        expect(state).toMatchObject({ kind: 'registered', lease: before.lease });
        expect(dueAt(state)).toBeLessThanOrEqual(now);
      }
    });
  });

  it('a read-back changes nothing but what is known of the record', () => {
    everyHistory(steps => {
      for (const { before, outcome, state } of steps) {
        const isReadBack = outcome.kind === 'intact' || outcome.kind === 'not-read-back';
        if (!isReadBack || before.kind !== 'registered') continue;
        const { heartbeatAt, failures, lease } = before;
        expect(state).toMatchObject({ kind: 'registered', heartbeatAt, failures });
        expect(state).toMatchObject({ lease: { renewedAt: lease.renewedAt } });
      }
    });
  });

  it('there is no dead end: a few good answers lead to a lease that is as it should be', () => {
    everyHistory(steps => {
      const last = steps.at(-1);
      let state = last?.state ?? registering(0, undefined);
      let now = last?.now ?? 0;
      for (let answers = 0; answers < mostAnswers && !isWell(state); answers += 1) {
        now = Math.max(now, dueAt(state) ?? now);
        ({ state } = transition(state, goodAnswerTo(state, now), contextOf({ now })));
      }
      expect(isWell(state)).toBe(true);
    });
  });
});

/** Service, clearing, POST and read-back; or the holder, POST and read-back. */
const mostAnswers = 5;

function isWell(state: InnerState): boolean {
  return state.kind === 'registered' && state.failures === 0 && state.repairs.count === 0;
}

/** The answer of a registry with which all is well, to the request that a state makes next. */
function goodAnswerTo(state: InnerState, now: number): Outcome {
  const request = nextRequest(state);
  switch (request?.kind) {
    case 'find-service':
      return outcomes['service-found'];
    case 'upload-schemas':
      return outcomes.elapsed;
    case 'post':
      return { ...outcomes.posted, sentAt: now };
    case 'read-posted':
      return { ...outcomes.granted, lease: { ...lease, renewedAt: now } };
    case 'remove-stale':
      return outcomes['stale-removed'];
    case 'heartbeat':
      return { ...outcomes.renewed, sentAt: now };
    case 'read-back':
      return outcomes.intact;
    case 'read-holder':
      return outcomes['holder-gone'];
    case undefined:
      throw new Error(`no request is made while ${state.kind}`);
  }
}
