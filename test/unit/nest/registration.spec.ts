import { describe, expect, it } from '@jest/globals';
import { Registration } from '../../../lib/nest/registration.js';
import { CoreHarness } from '../../support/core-harness.js';

describe('state$', () => {
  it('shows all subscribers one order, also when the first one calls leave() and register()', async () => {
    const harness = new CoreHarness();
    const registration = new Registration(harness.core);
    const seen: [string[], string[]] = [[], []];
    registration.state$.subscribe(state => {
      seen[0].push(state);
      if (seen[0].length === 3) void registration.leave();
      if (seen[0].length === 5) void registration.register();
    });
    registration.state$.subscribe(state => seen[1].push(state));
    await expect(harness.register()).rejects.toMatchObject({ name: 'AbortError' });
    await harness.run(1_000);
    expect(seen[1].join()).toBe('idle,registering,registered,leaving,left,registering,registered');
    expect(seen[0]).toEqual(seen[1]);
  });
});
