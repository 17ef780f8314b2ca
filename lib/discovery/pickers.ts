import type { Candidate, Picker } from './candidate.js';
import { hashOf, mixed } from './hash.js';
import { TrackedCandidate } from './standing.js';

/** Returns the next in turn, unless another, drawn at random, has fewer calls under way. */
const balanced: Picker = (candidates, turn) => {
  const at = turn.turn % candidates.length;
  const next = candidates[at] ?? candidates[0];
  // Nobody has fewer than none: an idle provider draws no random number.
  if (next.pending === 0 || candidates.length === 1) return next;
  const drawn = Math.floor(turn.random() * (candidates.length - 1));
  const other = candidates[drawn < at ? drawn : drawn + 1] ?? next;
  return other.pending < next.pending ? other : next;
};

const roundRobin: Picker = (candidates, { turn }) =>
  candidates[turn % candidates.length] ?? candidates[0];

const random: Picker = (candidates, turn) =>
  candidates[Math.floor(turn.random() * candidates.length)] ?? candidates[0];

/** Draws two at random and returns the one where a call would take less time (Finagle's P2C with PeakEwma). */
const fastest: Picker = (candidates, turn) => {
  const { length } = candidates;
  if (length === 1) return candidates[0];
  const at = Math.floor(turn.random() * length);
  const drawn = Math.floor(turn.random() * (length - 1));
  const first = candidates[at] ?? candidates[0];
  const second = candidates[drawn < at ? drawn : drawn + 1] ?? first;
  return costOf(second) < costOf(first) ? second : first;
};

/** A candidate of unknown latency gets one call, and no more until that is answered. */
function costOf({ latencyMs, pending }: Candidate): number {
  if (latencyMs === undefined) return pending === 0 ? 0 : Infinity;
  return latencyMs * (pending + 1);
}

/** Rendezvous hashing: when a candidate goes, only its own keys move, and back when it returns. */
const sticky: Picker = (candidates, turn) => {
  if (turn.key === undefined) return balanced(candidates, turn);
  const key = hashOf(turn.key);
  let [best] = candidates;
  let highest = -Infinity;
  for (const candidate of candidates) {
    const score = mixed(key ^ identityOf(candidate));
    if (score > highest) {
      highest = score;
      best = candidate;
    }
  }
  return best;
};

function identityOf(candidate: Candidate): number {
  return candidate instanceof TrackedCandidate
    ? candidate.hash
    : hashOf(candidate.instance.instanceId);
}

/**
 * The pickers to choose from, for the option `discovery.picker`.
 *
 * - `balanced`, the default: in turn, with a second look at who is less busy, which keeps calls from an
 *   instance that hangs
 * - `roundRobin`: in turn
 * - `random`: at random
 * - `fastest`: where calls have taken less time lately. An instance that fails quickly gets more calls than
 *   its part with this one.
 * - `sticky`: the same `key` gets the same instance, in every process, while that can be called; calls without
 *   a key are balanced
 */
export const pickers = { balanced, roundRobin, random, fastest, sticky } as const;
