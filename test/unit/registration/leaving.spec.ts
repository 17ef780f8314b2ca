import { describe, expect, it } from '@jest/globals';
import { CoreHarness } from '../../support/core-harness.js';

describe('one who leaves', () => {
  it('can come back even when leaving failed by a bug', async () => {
    const harness = new CoreHarness({
      remove: () => {
        throw new TypeError('a bug');
      },
    });
    await harness.register();
    await expect(harness.core.leave()).rejects.toThrow('a bug');
    expect(harness.core.state).toBe('left');
    expect(await harness.register()).toBe('registered');
  });
});
