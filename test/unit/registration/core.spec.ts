import { describe, expect, it } from '@jest/globals';
import { RegistryOptionsError } from '../../../lib/errors.js';
import { CoreHarness, forgotten } from '../../support/core-harness.js';
import { failing, type FakeReply } from '../../support/fake-send.js';

const refused = failing('ECONNREFUSED');
const quota: FakeReply = { status: 400, body: { errorCode: '400100', errorMessage: 'No quota' } };
const serviceGone: FakeReply = { status: 400, body: { errorCode: '400012' } };

/** An answer that takes its time, and then is a time-out. */
function hanging(harness: CoreHarness, ms: number): () => Promise<FakeReply> {
  return async () => {
    await harness.clock.delay(ms);
    throw Object.assign(new Error('timed out'), { name: 'TimeoutError' });
  };
}

describe('a lease', () => {
  it('is renewed each interval and never runs out', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.run(600_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    expect(harness.count('heartbeat')).toBe(40);
  });

  it('is read back every tenth heartbeat', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.run(15_000 * 21);
    expect(harness.count('read')).toBe(1 + 2);
  });

  it('is never read back when verifyEvery is 0', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 0 });
    await harness.register();
    await harness.run(600_000);
    expect(harness.count('read')).toBe(1);
  });

  it('counts from when the heartbeat was sent, not from when it was answered', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = {
      heartbeat: async () => {
        await harness.clock.delay(400);
        return {};
      },
    };
    await harness.run(10_000);
    const beat = harness.sent.find(({ what }) => what === 'heartbeat');
    const { renewedAgoMs } = harness.core.snapshot();
    expect(renewedAgoMs).toBe(harness.clock.now() - (beat?.at ?? 0));
  });

  it('goes from degraded over at risk to lost while nothing is answered', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const states: string[] = [];
    harness.core.onChange(state => states.push(state));
    harness.answers = { heartbeat: refused, post: refused };
    await harness.run(70_000);
    expect(states).toEqual(['degraded', 'at-risk', 'lost']);
    expect(harness.names()).toContain('lease.at-risk');
    expect(harness.names().filter(name => name === 'instance.lost')).toHaveLength(1);
  });

  it('is told to be at risk before it is lost', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: refused, post: refused };
    await harness.run(70_000);
    const names = harness.names();
    expect(names.indexOf('lease.at-risk')).toBeGreaterThan(0);
    expect(names.indexOf('lease.at-risk')).toBeLessThan(names.indexOf('instance.lost'));
  });

  it('is tried at least six times more while the registry hangs', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: hanging(harness, 5_000), post: refused };
    await harness.run(58_000);
    expect(harness.count('heartbeat')).toBeGreaterThanOrEqual(6);
    expect(harness.count('post')).toBe(1);
  });

  it('survives an outage that ends before it does, without a registration', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: { status: 500, body: { errorCode: '500003' } } };
    await harness.run(50_000);
    harness.answers = {};
    await harness.run(10_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', failures: 0 });
    expect(harness.count('post')).toBe(1);
  });

  it('is taken for lost by a heartbeat that is merely late only when the registry says so', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.clock.advance(90_000);
    expect(harness.core.state).toBe('lost');
    await harness.run(1);
    expect(harness.core.state).toBe('registered');
    expect(harness.names()).not.toContain('instance.lost');
  });
});

describe('an instance that is gone', () => {
  it('registers again under the same id within a second and a bit', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.forget();
    await harness.run(9_000);
    expect(harness.count('post')).toBe(2);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('is not gone while its record is there: the heartbeat is repeated, and nothing is told', async () => {
    const harness = new CoreHarness();
    await harness.register();
    let beats = 0;
    harness.answers = { heartbeat: () => ((beats += 1) === 1 ? forgotten : {}) };
    await harness.run(11_000);
    const [first = 0, second = 0] = harness.sent
      .filter(({ what }) => what === 'heartbeat')
      .map(({ at }) => at);
    expect(second - first).toBe(1_500);
    expect(harness.count('post')).toBe(1);
    expect(harness.names().slice(2)).toEqual(['heartbeat.succeeded']);
  });

  it('is at risk, as after any failure, when the registry keeps contradicting its record', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten };
    await harness.run(45_000);
    expect(harness.core.snapshot()).toMatchObject({
      state: 'at-risk',
      lastError: { errorCode: 400_017 },
    });
    expect(harness.count('post')).toBe(1);
  });

  it('is neither gone nor there while its record cannot be read', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten, read: refused };
    await harness.run(9_000);
    expect(harness.core.state).toBe('degraded');
    expect(harness.count('post')).toBe(1);
  });

  it('is found by the read-back when heartbeats still say 200', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 2 });
    await harness.register();
    harness.answers = { read: forgotten };
    await harness.run(25_000);
    expect(harness.names()).toContain('instance.lost');
    harness.answers = {};
    await harness.run(40_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('resolves the service anew when that is gone', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: serviceGone };
    await harness.run(9_000);
    expect(harness.count('existence')).toBe(2);
    expect(harness.core.state).toBe('registered');
  });

  it('resolves the service anew when its registration says so', async () => {
    const harness = new CoreHarness();
    let posts = 0;
    harness.answers = {
      post: () => ((posts += 1) === 1 ? serviceGone : { body: { instanceId: 'orders-0' } }),
    };
    const registered = harness.core.register();
    await harness.run(2_000);
    await registered;
    expect(harness.count('existence')).toBe(2);
  });
});

describe('a registration that fails', () => {
  it('is repeated with growing pauses until it succeeds', async () => {
    const harness = new CoreHarness({ existence: refused, readiness: refused });
    const registered = harness.core.register();
    await harness.run(120_000);
    const tries = harness.sent.filter(({ what }) => what === 'existence').map(({ at }) => at);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(gaps.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    harness.answers = {};
    await harness.run(15_000);
    await registered;
    expect(harness.core.state).toBe('registered');
  });

  it('waits as long as the registry asks', async () => {
    const throttled = { status: 429, headers: { 'retry-after': '40' }, body: 'slow down' };
    const harness = new CoreHarness({ existence: throttled });
    void harness.core.register().catch(() => undefined);
    await harness.run(39_000);
    expect(harness.count('existence')).toBe(1);
    await harness.run(2_000);
    expect(harness.count('existence')).toBe(2);
    await harness.core.leave();
  });

  it('is lost, not new, when it comes after a lease and a refusal', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten, read: forgotten, post: quota };
    await harness.run(10_000);
    expect(harness.core.state).toBe('blocked');
    harness.answers = { post: refused };
    await harness.run(70_000);
    expect(harness.core.state).toBe('lost');
  });

  it('is tried again a minute after a refusal, for as long as it takes', async () => {
    const harness = new CoreHarness({ post: quota });
    const registered = harness.core.register();
    await harness.run(600_000);
    expect(harness.count('post')).toBe(11);
    harness.answers = {};
    await harness.run(61_000);
    await registered;
    expect(harness.core.state).toBe('registered');
  });
});

describe('prepare()', () => {
  it('resolves the service once; register() goes on from there', async () => {
    const harness = new CoreHarness();
    await harness.core.prepare();
    expect(harness.names()).toEqual(['service.registered']);
    await harness.register();
    expect(harness.count('existence')).toBe(1);
  });

  it('does nothing once the registration has begun', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.prepare();
    expect(harness.count('existence')).toBe(1);
  });
});

describe('leave()', () => {
  it('stops all ticks from doing anything', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.leave();
    const { length } = harness.sent;
    await harness.run(600_000);
    expect(harness.sent).toHaveLength(length);
    expect(await harness.core.tick(0)).toBeUndefined();
  });

  it('ends register() while it leaves', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const left = harness.core.leave();
    await expect(harness.core.register()).rejects.toMatchObject({ name: 'AbortError' });
    await left;
  });

  it('leaves a disabled registration as it is', async () => {
    const harness = new CoreHarness({}, { enabled: false });
    await harness.core.leave();
    expect(harness.core.state).toBe('disabled');
  });
});

describe('a registry that throttles', () => {
  it('is left alone as long as it asks, within the lease', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const throttled = { status: 429, headers: { 'retry-after': '20' }, body: '' };
    harness.answers = { heartbeat: throttled };
    await harness.run(28_000);
    expect(harness.count('heartbeat')).toBe(1);
    await harness.run(1_000);
    expect(harness.count('heartbeat')).toBe(2);
  });
});

describe('a registration that cannot be made at all', () => {
  it('rejects register() with the reason', async () => {
    const harness = new CoreHarness();
    const reason = new RegistryOptionsError([
      { path: 'instance.endpoints', message: 'must be set' },
    ]);
    harness.core.refuse(reason);
    await expect(harness.core.register()).rejects.toBe(reason);
  });
});

describe('a bug in a request', () => {
  it('surfaces from the tick, and the next tick goes on', async () => {
    const harness = new CoreHarness();
    harness.answers = {
      existence: () => {
        throw new TypeError('a bug');
      },
    };
    const registered = harness.core.register();
    await expect(harness.core.tick(0)).rejects.toThrow('a bug');
    harness.answers = {};
    await harness.core.tick(0);
    await registered;
    expect(harness.core.state).toBe('registered');
  });
});

describe('a process that stood still', () => {
  it('sends a heartbeat at once, without a loss, when the lease survived it', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.clock.advance(20_000);
    harness.core.noteStandstill({ lateMs: 19_000.4, asleepMs: 0 });
    await harness.run(1);
    expect(harness.count('heartbeat')).toBe(1);
    const stalled = harness.events.find(({ name }) => name === 'servicecomb.event-loop.stalled');
    expect(stalled?.payload).toEqual({ lateMs: 19_000 });
    expect(harness.core.state).toBe('registered');
  });

  it.each([
    ['blocked', 70_000, 0],
    ['asleep, with a monotonic clock that slept as well', 0, 3_600_000],
  ])(
    'for longer than the lease (%s) reads its record first, and is back within two seconds',
    async (_, passedMs, asleepMs) => {
      const harness = new CoreHarness();
      await harness.register();
      await harness.clock.advance(passedMs);
      harness.forget();
      harness.core.noteStandstill({ lateMs: passedMs + asleepMs, asleepMs });
      await harness.run(2_000);
      expect(harness.sent.map(({ what }) => what).slice(3, 5)).toEqual(['read', 'post']);
      expect(harness.core.snapshot()).toMatchObject({
        state: 'registered',
        registrations: 2,
        instanceId: 'orders-0',
      });
    },
  );
});

describe('the state of a registration', () => {
  it('is passed on once each time that it changes, and since when it is so', async () => {
    const harness = new CoreHarness();
    const seen: string[] = [];
    harness.core.onChange(state => seen.push(state));
    await harness.clock.advance(500);
    await harness.register();
    const { since } = harness.core.snapshot();
    expect(since).toBe(new Date(harness.clock.wallNow()).toISOString());
    await harness.run(30_000);
    expect(seen).toEqual(['registering', 'registered']);
    expect(harness.core.snapshot().since).toBe(since);
  });

  it('is not passed on to a listener that was removed', async () => {
    const harness = new CoreHarness();
    const seen: string[] = [];
    const remove = harness.core.onChange(state => seen.push(state));
    harness.core.onChange(() => remove());
    await harness.register();
    expect(seen).toEqual(['registering']);
  });
});

describe('the callers of register()', () => {
  it('all wait for the lease', async () => {
    const harness = new CoreHarness();
    const waiting = Promise.all([harness.core.register(), harness.core.register()]);
    await harness.core.tick(0);
    await expect(waiting).resolves.toEqual([undefined, undefined]);
  });

  it('are all told when there will be none', async () => {
    const harness = new CoreHarness({ existence: refused });
    const waiting = Promise.allSettled([harness.core.register(), harness.core.register()]);
    await harness.core.tick(0);
    await harness.core.leave();
    for (const ended of await waiting)
      expect(ended).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
  });

  it.each([
    [true, 'rejected'],
    [false, 'pending'],
  ])('are told of a refusal with failFast: %p, %s', async (failFast, expected) => {
    const harness = new CoreHarness({ post: quota }, { failFast });
    let state = 'pending';
    harness.core.register().catch(() => {
      state = 'rejected';
    });
    await harness.run(1_000);
    expect(state).toBe(expected);
    await harness.core.leave();
  });
});

describe('a registration that is disabled', () => {
  it('emits nothing when its record changes', async () => {
    const harness = new CoreHarness({}, { enabled: false });
    await harness.core.record.setStatus('DOWN');
    expect(harness.core.record.status).toBe('DOWN');
    expect(harness.events).toEqual([]);
    expect(harness.sent).toEqual([]);
  });
});

describe('an event', () => {
  it('describes the instance once the id of its service is known', async () => {
    const harness = new CoreHarness({ existence: refused });
    harness.core.register().catch(() => undefined);
    await harness.run(100);
    expect(harness.contexts).toEqual([{ at: expect.any(String) }]);
    harness.answers = {};
    await harness.run(5_000);
    expect(harness.contexts.at(-1)?.instance).toEqual({
      serviceId: 'service',
      instanceId: 'orders-0',
      serviceName: 'orders',
      version: '1.0.0',
      endpoints: ['rest://10.0.0.1:80'],
    });
  });
});

describe('a request under way when the instance leaves', () => {
  /** A registration whose next request of a kind is answered when the test says so, or aborted. */
  async function leaving(what: 'post' | 'heartbeat') {
    const harness = new CoreHarness();
    const request = { isAborted: false, land: (): void => undefined };
    if (what === 'heartbeat') await harness.register();
    harness.answers = {
      [what]: ({ signal }: { signal: AbortSignal | undefined }) =>
        new Promise((resolve, reject) => {
          const abort = () => {
            request.isAborted = true;
            reject(signal?.reason);
          };
          signal?.addEventListener('abort', abort);
          request.land = () => {
            signal?.removeEventListener('abort', abort);
            resolve({ body: { instanceId: 'orders-0' } });
          };
        }),
    };
    harness.core.register().catch(() => undefined);
    if (what === 'heartbeat') await harness.clock.advance(20_000);
    const tick = harness.core.tick(0);
    await harness.clock.advance(0);
    const left = harness.core.leave();
    await harness.clock.advance(0);
    return { harness, request, tick, left };
  }

  it('is aborted at once, which is no failure, when it registers nothing', async () => {
    const { harness, request, tick, left } = await leaving('heartbeat');
    expect(request.isAborted).toBe(true);
    await Promise.all([tick, left]);
    expect(harness.names()).not.toContain('heartbeat.failed');
    expect(harness.clock.sleepers).toBe(0);
  });

  it('is let land when it is a POST, and its instance is removed', async () => {
    const { harness, request, tick, left } = await leaving('post');
    await harness.clock.advance(1_499);
    expect(request.isAborted).toBe(false);
    request.land();
    await harness.clock.until(Promise.all([tick, left]));
    expect(request.isAborted).toBe(false);
    expect(harness.count('remove')).toBe(1);
    expect(harness.clock.sleepers).toBe(0);
  });

  it('is aborted when it is a POST that does not land within half of the time', async () => {
    const { harness, request, tick, left } = await leaving('post');
    await harness.clock.advance(1_500);
    expect(request.isAborted).toBe(true);
    await harness.clock.until(Promise.all([tick, left]));
    expect(harness.core.state).toBe('left');
  });
});

describe('close()', () => {
  it('ends prepare() while the registry hangs', async () => {
    const harness = new CoreHarness({
      existence: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const prepared = harness.core.prepare();
    await harness.core.close();
    await expect(prepared).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('work beside the heartbeats', () => {
  it('rests while nothing is registered, unless it is unconditional', async () => {
    const harness = new CoreHarness();
    const done: string[] = [];
    const work = (name: string, isUnconditional: boolean) => ({
      isUnconditional,
      tick: () => done.push(name) && Infinity,
      stop: () => undefined,
    });
    harness.core.addBackgroundWork(work('always', true));
    harness.core.addBackgroundWork(work('registered', false));
    expect(await harness.core.tick(0)).toBeUndefined();
    expect(done).toEqual(['always']);
    await harness.register();
    expect(done).toContain('registered');
  });
});
