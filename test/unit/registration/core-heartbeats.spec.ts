import { describe, expect, it } from '@jest/globals';
import { noCredentials } from '../../../lib/protocol/channel.js';
import { CoreHarness, forgotten, type HarnessSettings } from '../../support/core-harness.js';
import { failing, type FakeReply } from '../../support/fake-send.js';

const refused = failing('ECONNREFUSED');
const busy: FakeReply = { status: 500, body: { errorCode: '500003' } };
const tokenRefused: FakeReply = { status: 401, body: { errorCode: '401205' } };
const twoAddresses = ['http://a:1', 'http://b:1'] as const;

/** When the heartbeats were sent that came after a moment. */
function beatsOf({ sent }: CoreHarness, since = 0): readonly number[] {
  return sent.filter(({ what, at }) => what === 'heartbeat' && at >= since).map(({ at }) => at);
}

function gapsOf(moments: readonly number[]): readonly number[] {
  return moments.slice(1).map((at, nth) => at - (moments[nth] ?? 0));
}

async function registered(settings: HarnessSettings = {}): Promise<CoreHarness> {
  const harness = new CoreHarness({}, settings);
  await harness.register();
  return harness;
}

describe('two heartbeats of one client', () => {
  const refusesTokens = { ...noCredentials, markRefused: () => true };

  it.each<[string, HarnessSettings, FakeReply | (() => never)]>([
    ['at two addresses that refuse connections', { addresses: twoAddresses }, refused],
    ['at two addresses that answer 500', { addresses: twoAddresses }, busy],
    ['with two tokens that are refused', { credentials: () => refusesTokens }, tokenRefused],
  ])('%s are 250 ms apart, until the lease ends', async (_, settings, heartbeat) => {
    const harness = await registered(settings);
    harness.answers = { heartbeat, post: refused };
    await harness.run(60_000);
    const gaps = gapsOf(beatsOf(harness));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  });

  it('are 250 ms apart when an isolated address answers a probe just after a failure', async () => {
    const harness = await registered();
    harness.answers = { heartbeat: refused, readiness: refused };
    await harness.run(30_000);
    const before = beatsOf(harness).length;
    harness.answers = { heartbeat: refused };
    await harness.run(15_000);
    expect(beatsOf(harness).length).toBeGreaterThan(before);
    expect(Math.min(...gapsOf(beatsOf(harness)))).toBeGreaterThanOrEqual(250);
  });
});

describe('the tolerance of the timer', () => {
  it('brings a heartbeat forward when none has failed', async () => {
    const harness = await registered();
    const dueInMs = (await harness.core.tick(0)) ?? 0;
    await harness.clock.advance(dueInMs - 400);
    await harness.core.tick(500);
    expect(harness.count('heartbeat')).toBe(1);
  });

  it('brings no heartbeat forward after a failure: the last of a lease is sent when it was planned', async () => {
    const harness = await registered();
    harness.answers = { heartbeat: refused };
    await harness.run(9_000);
    const before = harness.count('heartbeat');
    const dueInMs = (await harness.core.tick(0)) ?? 0;
    await harness.clock.advance(dueInMs - 400);
    await harness.core.tick(500);
    expect(harness.count('heartbeat')).toBe(before);
    await harness.clock.advance(400);
    await harness.core.tick(500);
    expect(harness.count('heartbeat')).toBe(before + 1);
  });
});

describe('a heartbeat with less than 2.1 s of the lease left', () => {
  /** A registration whose first good heartbeat after a failure is the last one of its lease. */
  async function saved(): Promise<CoreHarness> {
    const harness = await registered();
    harness.answers = { heartbeat: refused };
    await harness.run(58_300 - 5);
    harness.answers = { heartbeat: {} };
    await harness.run(1_000);
    expect(harness.names()).toContain('heartbeat.recovered');
    return harness;
  }

  it('that was answered 200 and is lost is noticed within 1.5 s of the end, and repaired', async () => {
    const harness = await saved();
    harness.forget();
    await harness.run(2_500);
    expect(harness.names()).toContain('instance.lost');
    await harness.run(2_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('is read back no earlier than 1.2 s after the end of the old lease', async () => {
    const harness = await saved();
    await harness.run(10_000);
    const reads = harness.sent.filter(({ what }) => what === 'read').map(({ at }) => at - 1_000);
    expect(reads.slice(1)).toEqual([expect.any(Number)]);
    expect(reads[1]).toBeGreaterThanOrEqual(61_200);
  });
});

describe('a process that stood still with a heartbeat on the wire', () => {
  /** A registration whose heartbeat is never answered. */
  async function waiting(): Promise<CoreHarness> {
    const harness = await registered();
    harness.answers = {
      heartbeat: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    await harness.clock.advance(9_000);
    return harness;
  }

  it('gives that one up and sends another at once', async () => {
    const harness = await waiting();
    const tick = harness.core.tick(0);
    await harness.clock.advance(4_000);
    harness.answers = {};
    harness.core.noteStandstill({ lateMs: 3_000, asleepMs: 0 });
    await tick;
    expect(gapsOf(beatsOf(harness))).toEqual([4_000]);
    expect(harness.core.state).toBe('registered');
    expect(harness.names()).not.toContain('heartbeat.failed');
  });

  it('reads its record first when the lease may have ended meanwhile', async () => {
    const harness = await waiting();
    const tick = harness.core.tick(0);
    await harness.clock.advance(0);
    harness.answers = { heartbeat: forgotten, read: forgotten };
    harness.core.noteStandstill({ lateMs: 70_000, asleepMs: 70_000 });
    await tick;
    expect(harness.names()).toContain('instance.lost');
    expect(harness.count('heartbeat')).toBe(1);
  });

  it('gives up a registration on its way as well, and repeats it', async () => {
    const harness = new CoreHarness({
      post: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const lease = harness.core.register();
    const tick = harness.core.tick(0);
    await harness.clock.advance(100);
    harness.answers = {};
    harness.core.noteStandstill({ lateMs: 3_000, asleepMs: 3_000 });
    await Promise.all([tick, lease]);
    expect(harness.count('post')).toBe(2);
  });

  it('does not give up the removal of a stale record: a late one would hit its successor', async () => {
    let end: () => void = () => undefined;
    const harness = new CoreHarness({
      read: { body: { instance: { instanceId: 'orders-0', hostName: 'old' } } },
      remove: ({ signal }) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          end = () => resolve({});
        }),
    });
    harness.core.register().catch(() => undefined);
    const tick = harness.core.tick(0);
    await harness.clock.advance(100);
    harness.core.noteStandstill({ lateMs: 3_000, asleepMs: 3_000 });
    await harness.clock.advance(100);
    expect(harness.count('remove')).toBe(1);
    harness.answers = {};
    end();
    await tick;
    await harness.core.leave();
  });
});

describe('a tick', () => {
  it('asks for one more when the lease comes to be at risk, and one when it ends', async () => {
    const harness = await registered();
    const states: string[] = [];
    harness.core.onChange(state => states.push(state));
    harness.answers = { heartbeat: { status: 429, headers: { 'retry-after': '600' } } };
    await harness.clock.advance(9_000);
    await harness.core.tick(0);
    for (const state of ['at-risk', 'lost']) {
      const dueInMs = (await harness.core.tick(0)) ?? 0;
      expect(dueInMs).toBeGreaterThan(10_000);
      await harness.clock.advance(dueInMs);
      await harness.core.tick(0);
      if (state === 'at-risk') expect(harness.core.state).toBe(state);
    }
    expect(states.slice(0, 2)).toEqual(['degraded', 'at-risk']);
  });

  it('asks for none while nothing is registered', async () => {
    expect(await new CoreHarness().core.tick(0)).toBeUndefined();
  });
});
