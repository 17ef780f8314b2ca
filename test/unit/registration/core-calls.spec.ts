import { describe, expect, it } from '@jest/globals';
import { CoreHarness } from '../../support/core-harness.js';
import { failing, type FakeReply } from '../../support/fake-send.js';

const refused = failing('ECONNREFUSED');
const quota: FakeReply = { status: 400, body: { errorCode: '400100', errorMessage: 'No quota' } };

/** When attempts to register were made, the first one at 0. */
function attemptsOf({ sent }: CoreHarness, what: 'existence' | 'post'): readonly number[] {
  return sent.filter(each => each.what === what).map(({ at }) => at - 1_000);
}

describe('register() in a loop', () => {
  it('while the registry refuses connections is an attempt a second at most', async () => {
    const harness = new CoreHarness({ existence: refused, readiness: refused });
    for (let times = 0; times < 1_000; times += 1) {
      harness.core.register().catch(() => undefined);
      await harness.run(10);
    }
    const attempts = attemptsOf(harness, 'existence');
    expect(attempts.length).toBeLessThanOrEqual(11);
    expect(attempts.length).toBeGreaterThanOrEqual(9);
    await harness.core.leave();
  });

  it('while the registry refuses the registration is an attempt a second at most', async () => {
    const harness = new CoreHarness({ post: quota }, { failFast: true });
    for (let times = 0; times < 500; times += 1) {
      harness.core.register().catch(() => undefined);
      await harness.run(10);
    }
    expect(attemptsOf(harness, 'post').length).toBeLessThanOrEqual(6);
    await harness.core.leave();
  });

  it('with leave() in between is an attempt a second at most, too', async () => {
    const harness = new CoreHarness({ existence: refused, readiness: refused });
    for (let times = 0; times < 500; times += 1) {
      harness.core.register().catch(() => undefined);
      await harness.run(10);
      await harness.core.leave();
    }
    expect(attemptsOf(harness, 'existence').length).toBeLessThanOrEqual(6);
  });

  it('ends a long pause, a second after the failure at the earliest', async () => {
    const harness = new CoreHarness({ post: quota });
    harness.core.register().catch(() => undefined);
    await harness.run(10_000);
    expect(attemptsOf(harness, 'post')).toEqual([0]);
    const lease = harness.core.register();
    harness.answers = {};
    await harness.run(10);
    await lease;
    expect(attemptsOf(harness, 'post')).toEqual([0, 10_000]);
  });
});

describe('50,000 callers of register()', () => {
  it('share one promise', async () => {
    const harness = new CoreHarness();
    const calls = Array.from({ length: 50_000 }, () => harness.core.register());
    expect(new Set(calls).size).toBe(1);
    await harness.core.tick(0);
    await expect(calls[0]).resolves.toBeUndefined();
  });

  it('share one promise when there will be no lease', async () => {
    const harness = new CoreHarness({ existence: refused });
    const calls = Array.from({ length: 50_000 }, () => harness.core.register());
    await harness.core.tick(0);
    const rejected = expect(calls[49_999]).rejects.toMatchObject({ name: 'AbortError' });
    await harness.core.leave();
    await rejected;
  });
});

describe('a listener of the state', () => {
  /** What two listeners see, of which the first one calls something when it sees a state. */
  function watched(harness: CoreHarness, at: string, call: () => void) {
    const seen: [string[], string[]] = [[], []];
    let isCalled = false;
    harness.core.onChange(state => {
      seen[0].push(state);
      if (state === at && !isCalled) {
        isCalled = true;
        call();
      }
    });
    harness.core.onChange(state => seen[1].push(state));
    return seen;
  }

  it('that calls leave() changes the order of states for nobody', async () => {
    const harness = new CoreHarness();
    const seen = watched(harness, 'registered', () => void harness.core.leave());
    await expect(harness.register()).rejects.toMatchObject({ name: 'AbortError' });
    await harness.core.leave();
    expect(seen[1]).toEqual(['registering', 'registered', 'leaving', 'left']);
    expect(seen[0]).toEqual(seen[1]);
  });

  it('that calls register() changes the order of states for nobody', async () => {
    const harness = new CoreHarness();
    const seen = watched(harness, 'left', () => void harness.core.register());
    await harness.register();
    await harness.core.leave();
    await harness.run(1_000);
    expect(seen[1]).toEqual([
      'registering',
      'registered',
      'leaving',
      'left',
      'registering',
      'registered',
    ]);
    expect(seen[0]).toEqual(seen[1]);
  });

  it('that calls leave() while it leaves gets the same promise, and one removal is sent', async () => {
    const harness = new CoreHarness();
    const promises: Promise<void>[] = [];
    await harness.register();
    watched(harness, 'leaving', () => void promises.push(harness.core.leave()));
    promises.push(harness.core.leave());
    await Promise.all(promises);
    expect(new Set(promises).size).toBe(1);
    expect(harness.count('remove')).toBe(1);
  });

  it('that calls leave() as soon as it registers ends the wait of its caller', async () => {
    const harness = new CoreHarness();
    watched(harness, 'registering', () => void harness.core.leave());
    await expect(harness.core.register()).rejects.toMatchObject({ name: 'AbortError' });
    expect(harness.sent).toEqual([]);
  });

  it('that throws once is called with the next state all the same', async () => {
    const harness = new CoreHarness();
    const seen = watched(harness, 'registering', () => {
      throw new TypeError('a bug');
    });
    expect(() => harness.core.register()).toThrow('a bug');
    await harness.core.tick(0);
    expect(seen[0]).toEqual(['registering', 'registered']);
  });
});
