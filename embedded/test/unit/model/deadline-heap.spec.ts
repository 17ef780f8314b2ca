import { describe, expect, it } from '@jest/globals';
import { DeadlineHeap } from '../../../lib/model/deadline-heap.js';

function takeAll(heap: DeadlineHeap<number>, now: number): number[] {
  const taken: number[] = [];
  for (let item = heap.takeDue(now); item !== undefined; item = heap.takeDue(now)) taken.push(item);
  return taken;
}

describe('the heap of deadlines', () => {
  it('gives items in the order in which they fall due, however they were added', () => {
    const heap = new DeadlineHeap<number>();
    // A fixed permutation of 0 … 499, some of them twice.
    const deadlines = Array.from({ length: 600 }, (_, at) => (at * 7919) % 500);
    for (const deadline of deadlines) heap.add(deadline, deadline);
    expect(takeAll(heap, 1000)).toEqual(deadlines.toSorted((a, b) => a - b));
  });

  it('gives nothing before it is due, and an item at its very moment', () => {
    const heap = new DeadlineHeap<number>();
    heap.add(10, 1);
    heap.add(20, 2);
    expect(takeAll(heap, 9)).toEqual([]);
    expect(takeAll(heap, 10)).toEqual([1]);
    expect(takeAll(heap, 20)).toEqual([2]);
  });
});
