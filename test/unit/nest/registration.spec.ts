import { describe, expect, it } from '@jest/globals';
import { Registration } from '../../../lib/nest/registration.js';
import { CoreHarness } from '../../support/core-harness.js';

describe('snapshot()', () => {
  it('tells of the addresses and of the event loop, and is frozen', () => {
    const snapshot = new Registration(new CoreHarness().core, { lateMs: 12.6 }).snapshot();
    expect(snapshot.eventLoopLagMs).toBe(13);
    expect(snapshot.addresses).toEqual([{ address: snapshot.address, isServing: true }]);
    const parts = [snapshot, snapshot.addresses, snapshot.addresses[0]];
    expect(parts.map(part => Object.isFrozen(part))).toEqual([true, true, true]);
  });
});

describe('state$', () => {
  it('shows all subscribers one order, also when the first one calls leave() and register()', async () => {
    const harness = new CoreHarness();
    const registration = new Registration(harness.core, { lateMs: 0 });
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
