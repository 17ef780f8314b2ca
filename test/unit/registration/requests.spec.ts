import { describe, expect, it } from '@jest/globals';
import { CoreHarness, forgotten } from '../../support/core-harness.js';
import { failing, type FakeReply } from '../../support/fake-send.js';

const refused = failing('ECONNREFUSED');

describe('the read-back', () => {
  const stale = { instanceId: 'orders-0', hostName: 'old', endpoints: ['rest://old:1'] };

  it('that finds no record is told as what found the loss', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    await harness.register();
    harness.answers = { read: forgotten };
    await harness.run(10_000);
    const lost = harness.events.find(({ name }) => name === 'servicecomb.instance.lost');
    expect(lost?.payload).toMatchObject({ reason: 'forgotten', foundBy: 'read-back' });
  });

  it('posts again when the registration was answered and lost', async () => {
    const harness = new CoreHarness();
    let reads = 0;
    harness.answers = {
      read: () => ((reads += 1) === 1 ? forgotten : { body: { instance: ours } }),
    };
    const registered = harness.core.register();
    await harness.run(3_000);
    await registered;
    expect(harness.count('post')).toBe(2);
  });

  const ours = {
    instanceId: 'orders-0',
    hostName: 'host',
    endpoints: ['rest://10.0.0.1:80'],
    healthCheck: { mode: 'push', interval: 30, times: 3 },
  };

  it('takes the length of the lease from the stored record', async () => {
    const harness = new CoreHarness({ read: { body: { instance: ours } } });
    await harness.register();
    expect(harness.core.snapshot().leaseRemainingMs).toBe(120_000);
  });

  it('assumes what was asked for when it cannot be made, and makes it later', async () => {
    const harness = new CoreHarness({ read: refused });
    await harness.register();
    expect(harness.core.snapshot().leaseRemainingMs).toBe(60_000);
    expect(harness.notes[0]).toMatchObject({ kind: 'unchecked', retryInMs: 0 });
    harness.answers = { read: { body: { instance: ours } } };
    await harness.run(30_000);
    const { leaseRemainingMs, renewedAgoMs } = harness.core.snapshot();
    expect((leaseRemainingMs ?? 0) + (renewedAgoMs ?? 0)).toBe(120_000);
  });

  it('removes a stale record, leaves a gap, and posts ours', async () => {
    const harness = new CoreHarness();
    let reads = 0;
    harness.answers = {
      read: () => ({ body: { instance: (reads += 1) === 1 ? stale : ours } }),
    };
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    const sent = harness.sent.map(({ what }) => what);
    expect(sent).toEqual(['existence', 'post', 'read', 'remove', 'post', 'read']);
    const [removed, posted] = harness.sent.slice(3, 5).map(({ at }) => at);
    expect((posted ?? 0) - (removed ?? 0)).toBeGreaterThanOrEqual(100);
    expect(harness.notes).toEqual([{ kind: 'removing', stored: stale }]);
    expect(harness.names()).toEqual([
      'service.registered',
      'instance.replaced',
      'instance.registered',
    ]);
  });

  it('replaces a record once, whatever comes back', async () => {
    const harness = new CoreHarness({ read: { body: { instance: stale } } });
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    expect(harness.count('remove')).toBe(1);
    expect(harness.count('post')).toBe(2);
  });

  it('replaces a record that somebody else listed under our id later', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    await harness.register();
    let reads = 0;
    harness.answers = {
      read: () => ({ body: { instance: (reads += 1) === 1 ? stale : ours } }),
    };
    await harness.run(10_000);
    expect(harness.notes).toEqual([{ kind: 'removing', stored: stale }]);
    expect(harness.names()).toContain('instance.replaced');
    expect(harness.core.state).toBe('registered');
  });

  it('that fails costs nothing: the lease is as it was', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    await harness.register();
    harness.answers = { read: refused };
    await harness.run(60_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', failures: 0 });
    expect(harness.names()).not.toContain('heartbeat.failed');
  });

  it('that fails is noted each time, with the pause until the next one', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    await harness.register();
    harness.answers = { read: refused };
    await harness.run(60_000);
    expect(harness.notes).toHaveLength(harness.count('read') - 1);
    for (const note of harness.notes)
      expect(note).toMatchObject({
        kind: 'unchecked',
        retryInMs: 15_000,
        error: { operation: 'getInstance', reason: 'ECONNREFUSED' },
      });
  });
});

describe('a heartbeat answered "no such instance"', () => {
  it('is told with that answer when the record cannot be read to confirm it', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten, read: refused };
    await harness.run(10_000);
    const failed = harness.events.find(({ name }) => name === 'servicecomb.heartbeat.failed');
    expect(failed?.payload).toMatchObject({
      error: { operation: 'getInstance' },
      unconfirmed: { operation: 'heartbeat', errorCode: 400_017 },
    });
  });

  it('is noted when the registry lists the instance all the same', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten };
    await harness.run(9_000);
    expect(harness.notes).toMatchObject([{ kind: 'contradicted', error: { errorCode: 400_017 } }]);
  });
});

describe('a read-back that is refused', () => {
  const forbidden: FakeReply = { status: 403, body: { errorCode: '403205' } };

  it('does not keep the lease from being held, nor the instance from being removed', async () => {
    const harness = new CoreHarness({ read: forbidden });
    expect(await harness.register()).toBe('registered');
    await harness.run(30_000);
    expect(harness.count('heartbeat')).toBeGreaterThan(0);
    await harness.core.leave();
    expect(harness.count('remove')).toBe(1);
  });
});
