import { describe, expect, it } from '@jest/globals';
import { CoreHarness } from '../../support/core-harness.js';
import { AddressBook } from '../../../lib/protocol/address-book.js';
import { AddressProber } from '../../../lib/registration/address-prober.js';
import { FakeClock } from '../../support/fake-clock.js';
import { failing } from '../../support/fake-send.js';
import { paceOf } from './parts.js';

const refused = failing('ECONNREFUSED');

describe('many learned addresses', () => {
  it('are probed two at a time, at most 16 of them', async () => {
    const clock = new FakeClock();
    const addresses = new AddressBook(['http://a:1']);
    addresses.learn(Array.from({ length: 20_000 }, (_, index) => `http://n${index}:1`));
    const probed = new Set<string>();
    const underWay = new Set<string>();
    let most = 0;
    const probe = async (address: string): Promise<boolean> => {
      probed.add(address);
      underWay.add(address);
      most = Math.max(most, underWay.size);
      await clock.delay(5_000);
      underWay.delete(address);
      return false;
    };
    const pace = paceOf();
    const channel = { addresses, probe };
    const ignored = () => undefined;
    const parts = { channel, clock, pace, onAnswer: ignored, onSilence: ignored };
    const prober = new AddressProber(parts);
    for (let second = 0; second < 600; second += 1) {
      const dueAt = prober.tick();
      expect(dueAt).toBeGreaterThan(clock.now());
      await clock.advance(1_000);
    }
    expect(most).toBe(2);
    expect(probed.size).toBe(16);
  });
});

describe('an address that is out of sight', () => {
  const down = { existence: refused, readiness: refused, version: refused };

  it('is asked every ten seconds, and sent the registration once it answers', async () => {
    const harness = new CoreHarness(down);
    const registered = harness.core.register();
    await harness.run(300_000);
    const probes = harness.sent.filter(({ what }) => what === 'readiness').map(({ at }) => at);
    const gaps = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
    expect(new Set(gaps)).toEqual(new Set([10_000]));
    expect(harness.notes).toHaveLength(probes.length);
    expect(harness.notes[0]).toEqual({
      kind: 'silent',
      address: 'http://a:1',
      retryInMs: 10_000,
    });
    const back = harness.clock.now();
    harness.answers = {};
    await harness.run(12_000);
    await registered;
    const posted = harness.sent.find(({ what }) => what === 'post');
    expect((posted?.at ?? Infinity) - back).toBeLessThanOrEqual(10_000);
    expect(harness.names()).toEqual(
      expect.arrayContaining(['address.isolated', 'address.restored']),
    );
  });

  it('is sent the heartbeat that waits for its retry', async () => {
    const harness = new CoreHarness();
    harness.random = 1 - Number.EPSILON;
    await harness.register();
    harness.answers = { ...down, heartbeat: refused };
    await harness.run(44_000);
    const back = harness.clock.now();
    const probed = harness.sent.findLast(({ what }) => what === 'readiness')?.at ?? 0;
    harness.answers = {};
    await harness.run(probed + 12_000 - back);
    expect(harness.core.state).toBe('registered');
  });

  it('delays no heartbeat while its probe hangs', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: refused };
    await harness.run(20_000);
    harness.answers = { readiness: () => new Promise(() => undefined) };
    await harness.run(60_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    await harness.core.leave();
  });

  it('is not asked any more once the instance leaves', async () => {
    const harness = new CoreHarness(down);
    harness.core.register().catch(() => undefined);
    await harness.run(30_000);
    await harness.core.leave();
    const { length } = harness.sent;
    await harness.run(60_000);
    expect(harness.sent).toHaveLength(length);
  });

  it('is not taken for one that serves by a bug in its probe: that surfaces from a tick', async () => {
    const harness = new CoreHarness(down);
    harness.core.register().catch(() => undefined);
    await harness.run(9_000);
    harness.answers = {
      ...down,
      readiness: () => {
        throw new TypeError('a bug');
      },
    };
    await expect(harness.run(12_000)).rejects.toThrow('a bug');
    await expect(harness.run(1_000)).resolves.toBeUndefined();
    await harness.core.leave();
  });
});
