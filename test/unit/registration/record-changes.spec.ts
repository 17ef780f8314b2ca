import { describe, expect, it } from '@jest/globals';
import { CoreHarness } from '../../support/core-harness.js';
import { failing, type FakeAnswer } from '../../support/fake-send.js';

/** Never answers: an abort ends it. */
const hanging: FakeAnswer = ({ signal }) =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });

describe('a change whose answer was lost', () => {
  it('is taken back at the registry too, where it has landed', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = {
      status: () => {
        harness.stored = { ...harness.stored, status: 'OUTOFSERVICE' };
        harness.answers = {};
        return failing('ECONNRESET')();
      },
    };
    await expect(harness.core.changes.setStatus('OUTOFSERVICE')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
    await harness.run(2_000);
    expect(harness.stored).toMatchObject({ status: 'UP' });
  });
});

describe('changes that are on their way when the instance leaves', () => {
  it('are not sent after the removal', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const changed = Promise.all([
      harness.core.changes.setStatus('OUTOFSERVICE'),
      harness.core.changes.setProperties({ zone: 'a' }),
    ]);
    await harness.clock.advance(100);
    await harness.clock.until(harness.core.leave());
    await harness.clock.until(changed);
    await harness.clock.advance(10_000);
    expect(harness.sent.at(-1)?.what).toBe('remove');
    expect(harness.count('properties')).toBe(0);
  });

  it('do not hold up the removal', async () => {
    const harness = new CoreHarness({ status: hanging });
    await harness.register();
    const changed = harness.core.changes.setStatus('OUTOFSERVICE');
    await harness.clock.advance(100);
    const leavingAt = harness.clock.now();
    await harness.clock.until(harness.core.leave());
    expect(harness.clock.now() - leavingAt).toBeLessThanOrEqual(50);
    await changed;
  });

  it('are carried by the next registration', async () => {
    const harness = new CoreHarness({ status: hanging });
    await harness.register();
    const changed = Promise.all([
      harness.core.changes.setStatus('OUTOFSERVICE'),
      harness.core.changes.setProperties({ zone: 'a' }),
    ]);
    await harness.clock.advance(100);
    await harness.clock.until(harness.core.leave());
    await changed;
    await harness.register();
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'a' } });
  });

  it('are carried by the next registration also when the one before was not answered', async () => {
    const harness = new CoreHarness({ post: hanging });
    const registered = harness.core.register().catch(() => undefined);
    const tick = harness.core.tick(0);
    await harness.clock.advance(100);
    const changed = harness.core.changes.setStatus('OUTOFSERVICE');
    await harness.clock.until(harness.core.leave());
    await Promise.all([changed, registered, tick]);
    harness.answers = {};
    await harness.register();
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
  });
});
