import { describe, expect, it } from '@jest/globals';
import { faultKinds, type Round, rounds } from './schedule.js';

function first(count: number, seed: number): readonly Round[] {
  const schedule = rounds(seed, 3);
  return Array.from({ length: count }, () => schedule.next().value);
}

describe('the rounds of a soak', () => {
  it('are the same for the same seed', () => {
    expect(first(200, 7)).toEqual(first(200, 7));
  });

  it('are others for another seed', () => {
    expect(first(20, 7)).not.toEqual(first(20, 8));
  });

  it('strike with each kind of fault before any strikes twice', () => {
    const kinds = first(faultKinds.length, 7).map(({ fault }) => fault);
    expect(kinds.toSorted()).toEqual([...faultKinds].sort());
  });
});
