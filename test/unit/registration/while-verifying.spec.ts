import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../lib/registration/outcome.js';
import type { RegistrationPhase } from '../../../lib/registration/state.js';
import { transition } from '../../../lib/registration/transition.js';
import { outcomes } from './outcomes.js';
import { contextOf, holdingOf, namesOf } from './parts.js';

/** What is told of these outcomes, one after the other, to one who holds a lease. */
function toldOf(...what: readonly Outcome[]): readonly string[] {
  let state: RegistrationPhase = holdingOf();
  return what.flatMap(outcome => {
    const next = transition(state, outcome, contextOf());
    ({ state } = next);
    return namesOf(next.facts);
  });
}

describe('a record that has drifted', () => {
  const { drifted, repaired, verified } = outcomes;

  it('is told to be repaired once a read-back has shown it', () => {
    expect(toldOf(drifted, repaired, verified)).toEqual(['drift.repaired']);
    expect(toldOf(drifted, repaired, drifted, verified)).toEqual(['drift.repaired']);
  });

  it('is told nothing of when it is well again before it was repaired', () => {
    expect(toldOf(drifted, verified)).toEqual([]);
    expect(toldOf(drifted, drifted, verified)).toEqual([]);
  });

  it('is repaired no later because it is seen to differ once more before the repair', () => {
    const state = transition(holdingOf(), drifted, contextOf()).state;
    expect(transition(state, drifted, contextOf()).state).toEqual(state);
  });
});
