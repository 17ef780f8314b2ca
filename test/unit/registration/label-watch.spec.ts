import { describe, expect, it } from '@jest/globals';
import { LabelWatch } from '../../../lib/registration/label-watch.js';
import type { RegistrationState } from '../../../lib/registration/state.js';

describe('the watch over the label', () => {
  it('begins with the first label', () => {
    const watch = new LabelWatch('idle', 10);
    expect([watch.label, watch.since]).toEqual(['idle', 10]);
  });

  it('tells each new label once, with the time at which it began', () => {
    const watch = new LabelWatch('idle', 10);
    const seen: [RegistrationState, number][] = [];
    watch.onChange(state => seen.push([state, watch.since]));
    watch.note('registering', 20);
    watch.note('registering', 30);
    watch.note('registered', 40);
    expect(seen).toEqual([
      ['registering', 20],
      ['registered', 40],
    ]);
    expect([watch.label, watch.since]).toEqual(['registered', 40]);
  });

  it('tells nothing to one who has stopped listening', () => {
    const watch = new LabelWatch('idle', 10);
    const seen: RegistrationState[] = [];
    const stop = watch.onChange(state => seen.push(state));
    watch.onChange(() => stop());
    watch.note('registering', 20);
    watch.note('registered', 30);
    expect(seen).toEqual(['registering']);
  });
});
