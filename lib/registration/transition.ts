import type { Outcome, Transition, TransitionContext } from './outcome.js';
import type { RegistrationPhase } from './state.js';
import { whileHolding } from './while-holding.js';
import { whileJoining } from './while-joining.js';

/**
 * Decides what an outcome means: the next state, and the facts to tell. Pure.
 *
 * A registration that is idle, disabled, leaving or left stays as it is, whatever a request that was
 * under way brings home: nothing rises again.
 */
export function transition(
  state: RegistrationPhase,
  outcome: Outcome,
  context: TransitionContext,
): Transition {
  switch (state.phase) {
    case 'joining':
      return whileJoining(state, outcome, context);
    case 'holding':
      return whileHolding(state, outcome, context);
    case 'idle':
    case 'disabled':
    case 'leaving':
    case 'left':
      return { state, facts: [] };
  }
}
