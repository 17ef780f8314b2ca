import { describe, expect, it } from '@jest/globals';
import { valuesOf } from '../../../lib/registration/writes.js';
import { CoreHarness, forgotten } from '../../support/core-harness.js';
import { failing, type FakeAnswer, type FakeReply } from '../../support/fake-send.js';

const refused = failing('ECONNREFUSED');
const quota: FakeReply = { status: 400, body: { errorCode: '400100', errorMessage: 'No quota' } };

/** Never answers: an abort ends it. */
const hanging: FakeAnswer = ({ signal }) =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });

describe('a change of the record', () => {
  it('is taken back when the registry did not take it', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { properties: refused, heartbeat: forgotten };
    await expect(harness.core.record.setProperties({ a: '1' })).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
    expect(harness.count('properties')).toBe(1);
  });

  it('is kept for the next registration while there is no lease', async () => {
    const harness = new CoreHarness();
    await harness.core.record.setStatus('DOWN');
    await harness.core.record.setStatus('DOWN');
    expect(harness.names()).toEqual(['status.changed']);
    expect(harness.sent).toEqual([]);
  });
});

describe('changes of the record', () => {
  it('leave the old record as it was', () => {
    const harness = new CoreHarness();
    const { current } = harness.core.record;
    harness.core.record.change({ endpoints: ['rest://b:1'] });
    expect(harness.core.record.current).not.toBe(current);
    expect(current.instance.endpoints).toEqual(['rest://10.0.0.1:80']);
  });

  it.each(['setStatus', 'setProperties'] as const)(
    'are undone when the registry did not accept them: %s',
    async method => {
      const harness = new CoreHarness({ status: refused, properties: refused });
      await harness.register();
      const { record } = harness.core;
      const changed =
        method === 'setStatus' ? record.setStatus('DOWN') : record.setProperties({ zone: 'b' });
      await expect(changed).rejects.toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE' });
      expect(valuesOf(record.current.instance)).toEqual({ status: 'UP', properties: {} });
      expect(harness.names()).not.toContain('status.changed');
    },
  );

  it('of one field that are made together become one write of the last, and share its end', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { status: ({ url }) => (url.includes('DOWN') ? refused() : {}) };
    const { record } = harness.core;
    const out = record.setStatus('OUTOFSERVICE').catch((error: unknown) => error);
    const down = record.setStatus('DOWN').catch((error: unknown) => error);
    const zone = record.setProperties({ zone: 'b' });
    await harness.clock.until(Promise.all([out, down, zone]));
    expect(await down).toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE' });
    expect(await out).toBe(await down);
    const expected = { status: 'UP', properties: { zone: 'b' } };
    expect(record.current.instance).toMatchObject(expected);
    expect(harness.stored).toMatchObject(expected);
  });

  it('a thousand at once are one write, and each caller hears of it', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const calls = Array.from({ length: 1_000 }, (_, count) =>
      harness.core.record.setProperties({ count: String(count) }),
    );
    await harness.clock.until(Promise.all(calls));
    expect(harness.count('properties')).toBe(1);
    expect(harness.stored).toMatchObject({ properties: { count: '999' } });
  });

  it('that are made while one is written become one more write', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = {
      properties: async () => {
        await harness.clock.delay(1_000);
        return {};
      },
    };
    const first = harness.core.record.setProperties({ count: '0' });
    await harness.clock.advance(100);
    const calls = ['1', '2', '3'].map(count => harness.core.record.setProperties({ count }));
    await harness.clock.until(Promise.all([first, ...calls]));
    expect(harness.count('properties')).toBe(2);
    expect(harness.stored).toMatchObject({ properties: { count: '3' } });
  });

  it('to the same value, made while it is written, share its end', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = {
      status: async () => {
        await harness.clock.delay(1_000);
        return refused();
      },
    };
    const { record } = harness.core;
    const first = record.setStatus('DOWN').catch((error: unknown) => error);
    await harness.clock.advance(100);
    const second = record.setStatus('DOWN').catch((error: unknown) => error);
    await harness.clock.until(Promise.all([first, second]));
    expect(await second).toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE' });
    expect(harness.count('status')).toBe(1);
    await record.setStatus('UP');
  });

  it('that change nothing are not written', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.record.setStatus('UP');
    await harness.core.record.setProperties({});
    expect(harness.count('status') + harness.count('properties')).toBe(0);
    expect(harness.names()).not.toContain('status.changed');
    expect(harness.names()).not.toContain('properties.changed');
  });

  it('that are taken back before they are written are not written', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await Promise.all([harness.core.record.setStatus('DOWN'), harness.core.record.setStatus('UP')]);
    expect(harness.count('status')).toBe(0);
    expect(harness.names()).not.toContain('status.changed');
  });

  it.each([
    ['a status', 'up', 'status must be one of UP, DOWN, STARTING, TESTING, OUTOFSERVICE, got "up"'],
    ['no status', undefined, 'status must be one of'],
  ])('to an invalid value are refused where they are made: %s', async (_, status, message) => {
    const harness = new CoreHarness();
    await harness.register();
    const setStatus: (value: unknown) => Promise<void> = harness.core.record.setStatus.bind(
      harness.core.record,
    ) as (value: unknown) => Promise<void>;
    await expect(setStatus(status)).rejects.toThrow(RangeError);
    await expect(setStatus(status)).rejects.toThrow(message);
    expect(harness.count('status')).toBe(0);
  });

  it.each([[null], [undefined], [{ zone: 1 }], [['a']], ['zone'], [{ zone: undefined }]])(
    'to properties that are no map of strings are refused where they are made: %j',
    async properties => {
      const harness = new CoreHarness();
      await harness.register();
      const setProperties = harness.core.record.setProperties.bind(harness.core.record) as (
        value: unknown,
      ) => Promise<void>;
      await expect(setProperties(properties)).rejects.toThrow(
        /^properties must be a map of strings, got/,
      );
      expect(harness.count('properties')).toBe(0);
    },
  );

  it('are kept for the next registration when the registry has forgotten the instance', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.forget();
    harness.answers = { ...harness.answers, status: forgotten };
    await harness.clock.until(harness.core.record.setStatus('OUTOFSERVICE'));
    await harness.run(5_000);
    expect(harness.count('post')).toBe(2);
    expect(harness.core.record.status).toBe('OUTOFSERVICE');
  });

  it('are kept for the next registration, and settle, while a registration fails', async () => {
    const harness = new CoreHarness({ post: hanging });
    const registered = harness.core.register().catch(() => undefined);
    const tick = harness.core.tick(0);
    await harness.clock.advance(100);
    await harness.core.record.setStatus('OUTOFSERVICE');
    await harness.core.record.setProperties({ zone: 'a' });
    expect(harness.count('post')).toBe(1);
    await harness.clock.until(harness.core.leave());
    await Promise.all([registered, tick]);
    harness.answers = {};
    await harness.register();
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'a' } });
  });
});

describe('a change while a registration is under way', () => {
  it('follows it, and is no reason to replace our own record', async () => {
    const harness = new CoreHarness();
    harness.answers = {
      post: async () => {
        void harness.core.record.setStatus('OUTOFSERVICE');
        await harness.clock.delay(100);
        return { body: { instanceId: 'orders-0' } };
      },
    };
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    expect(harness.sent.map(({ what }) => what)).toEqual([
      'existence',
      'post',
      'read',
      'read',
      'status',
      'read',
    ]);
    expect(harness.names()).toEqual([
      'service.registered',
      'status.changed',
      'instance.registered',
    ]);
  });

  it('of the endpoints is read back at once and replaced', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.core.publishAt(['rest://10.0.0.2:80']);
    let posts = 1;
    harness.answers = {
      post: () => {
        posts += 1;
        return { body: { instanceId: 'orders-0' } };
      },
    };
    await harness.run(1_000);
    expect(posts).toBe(2);
    expect(harness.names()).toContain('instance.replaced');
  });

  it('of the endpoints, made while it was posted, is caught up with', async () => {
    const harness = new CoreHarness();
    harness.answers = {
      post: () => {
        if (harness.count('post') === 1) harness.core.publishAt(['rest://10.0.0.2:80']);
        return { body: { instanceId: 'orders-0' } };
      },
    };
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    expect(harness.count('remove')).toBe(1);
    expect(harness.count('post')).toBe(2);
  });
});

describe('a record that somebody else has changed', () => {
  const zoned = async (answers = {}) => {
    const harness = new CoreHarness(answers, { verifyEvery: 1 });
    await harness.core.record.setProperties({ zone: 'a', tier: 'x' });
    await harness.register();
    await harness.run(11_000);
    return harness;
  };

  it('is taken over, and told with who did it', async () => {
    const harness = await zoned();
    harness.stored = { ...harness.stored, status: 'OUTOFSERVICE', properties: { zone: 'b' } };
    await harness.run(15_000);
    expect(valuesOf(harness.core.record.current.instance)).toEqual({
      status: 'OUTOFSERVICE',
      properties: { zone: 'b' },
    });
    expect(harness.count('status') + harness.count('properties')).toBe(0);
    expect(harness.events.slice(-2)).toEqual([
      {
        name: 'servicecomb.properties.changed',
        payload: { from: { zone: 'a', tier: 'x' }, to: { zone: 'b' }, by: 'registry' },
      },
      {
        name: 'servicecomb.status.changed',
        payload: { from: 'UP', to: 'OUTOFSERVICE', by: 'registry' },
      },
    ]);
  });

  it('stays as it is, however often it is read, and in later registrations', async () => {
    const harness = await zoned();
    harness.stored = { ...harness.stored, status: 'OUTOFSERVICE', properties: { zone: 'b' } };
    await harness.run(200_000);
    harness.forget();
    await harness.run(20_000);
    expect(harness.count('post')).toBe(2);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'b' } });
    expect(harness.names().filter(name => name === 'status.changed')).toHaveLength(1);
    expect(harness.count('status') + harness.count('properties') + harness.count('remove')).toBe(0);
  });

  it('gets a property of the operator, and later ones of the application win', async () => {
    const harness = await zoned();
    harness.stored = { ...harness.stored, properties: { zone: 'a', tier: 'x', weight: '10' } };
    await harness.run(15_000);
    expect(harness.core.record.current.instance.properties).toHaveProperty('weight', '10');
    const { record } = harness.core;
    await harness.clock.until(
      Promise.all([record.setProperties({ zone: 'c' }), record.setStatus('TESTING')]),
    );
    await harness.run(30_000);
    expect(harness.stored).toMatchObject({ status: 'TESTING' });
    expect(harness.stored.properties).toEqual({ zone: 'c' });
  });

  it('is left as an operator has changed it also right after a change of ours', async () => {
    const harness = await zoned();
    await harness.core.record.setStatus('TESTING');
    await harness.run(5_000);
    harness.stored = { ...harness.stored, status: 'OUTOFSERVICE' };
    await harness.run(30_000);
    expect(harness.core.record.status).toBe('OUTOFSERVICE');
    expect(harness.count('status')).toBe(1);
  });

  it('is taken over when it is as before a change of ours, made longer than ten seconds ago', async () => {
    const harness = await zoned();
    await harness.core.record.setStatus('OUTOFSERVICE');
    await harness.run(12_000);
    harness.stored = { ...harness.stored, status: 'UP' };
    await harness.run(30_000);
    expect(harness.core.record.status).toBe('UP');
    expect(harness.count('status')).toBe(1);
  });

  it('stays as the operator has made it when a later write of ours undoes that', async () => {
    const harness = await zoned();
    const before = harness.stored;
    harness.stored = { ...harness.stored, status: 'OUTOFSERVICE' };
    await harness.run(15_000);
    harness.answers = {
      properties: () => {
        // The server takes the status from a cache that does not know the operator's.
        harness.stored = { ...before };
        harness.answers = {};
        return {};
      },
    };
    await harness.clock.until(harness.core.record.setProperties({ zone: 'c' }));
    await harness.run(5_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'c' } });
    expect(harness.core.record.status).toBe('OUTOFSERVICE');
  });

  it('stays as the operator has made it while a write of ours is made again', async () => {
    const harness = await zoned();
    const { record } = harness.core;
    await harness.clock.until(
      Promise.all([record.setStatus('TESTING'), record.setProperties({ zone: 'c' })]),
    );
    harness.stored = {
      ...harness.stored,
      status: 'OUTOFSERVICE',
      properties: { zone: 'a', tier: 'x' },
    };
    await harness.run(10_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
    expect(harness.stored.properties).toEqual({ zone: 'c' });
    expect(record.status).toBe('OUTOFSERVICE');
  });

  it('stays as the operator has made it when our address changes before it is read', async () => {
    const harness = await zoned();
    const changed = { status: 'OUTOFSERVICE', properties: { zone: 'b' } } as const;
    harness.stored = { ...harness.stored, ...changed };
    const endpoints = ['rest://10.0.0.2:80'];
    harness.core.publishAt(endpoints);
    await harness.run(10_000);
    expect(harness.stored).toMatchObject({ endpoints, ...changed });
    expect(harness.core.record.status).toBe('OUTOFSERVICE');
    expect(harness.events).toContainEqual({
      name: 'servicecomb.status.changed',
      payload: { from: 'UP', to: 'OUTOFSERVICE', by: 'registry' },
    });
  });

  it('stays as the operator has made it when our address has changed once the lease is lost', async () => {
    const harness = await zoned();
    const { stored } = harness;
    harness.answers = { heartbeat: { status: 503 }, post: { status: 503 } };
    await harness.run(90_000);
    expect(harness.core.state).toBe('lost');
    const endpoints = ['rest://10.0.0.2:80'];
    harness.core.publishAt(endpoints);
    // The record is there all the same, and a POST with the id of one that lives changes nothing in it.
    const kept = { ...stored, status: 'OUTOFSERVICE' } as const;
    harness.answers = {
      read: () => ({ body: { instance: harness.count('remove') === 0 ? kept : harness.stored } }),
    };
    await harness.run(40_000);
    expect(harness.stored).toMatchObject({ endpoints, status: 'OUTOFSERVICE' });
  });

  it('that an admission hook lists as DOWN stays so until somebody lets it in', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    harness.answers = {
      post: ({ body }) => {
        // The harness stores what was posted after this answer, so the hook acts with the next read.
        harness.answers = { read: () => readAs('DOWN', JSON.parse(body ?? '').instance) };
        return { body: { instanceId: 'orders-0' } };
      },
    };
    const readAs = (status: 'DOWN' | 'UP', instance: object): FakeReply => ({
      body: { instance: { ...instance, status } },
    });
    const registered = harness.core.register();
    await harness.run(60_000);
    await registered;
    expect(harness.core.record.status).toBe('DOWN');
    expect(harness.names()).not.toContain('instance.replaced');
    harness.answers = { read: () => readAs('UP', harness.stored) };
    await harness.run(60_000);
    expect(harness.core.record.status).toBe('UP');
    expect(harness.count('status')).toBe(0);
  });
});

describe('a write that the server undoes', () => {
  it.each([
    ['setStatus', { status: 'UP' as const }],
    ['a property that setProperties has removed', { properties: { zone: 'a', tier: 'x' } }],
  ])('within ten seconds is made again, and told: %s', async (_, before) => {
    const harness = new CoreHarness();
    await harness.core.record.setProperties({ zone: 'a', tier: 'x' });
    await harness.register();
    const { record } = harness.core;
    const changed = Promise.all([
      record.setStatus('OUTOFSERVICE'),
      record.setProperties({ zone: 'a' }),
    ]);
    await harness.clock.until(changed);
    harness.stored = { ...harness.stored, ...before };
    await harness.run(5_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
    expect(harness.stored.properties).toEqual({ zone: 'a' });
    expect(harness.names()).toContain('drift.repaired');
    expect(harness.count('post')).toBe(1);
  });

  it('is made again until it holds, and the record is not replaced', async () => {
    const harness = new CoreHarness();
    await harness.register();
    let isBusy = true;
    harness.answers = {
      read: () => ({ body: { instance: { ...harness.stored, ...(isBusy && { status: 'UP' }) } } }),
    };
    await harness.core.record.setStatus('OUTOFSERVICE');
    await harness.run(40_000);
    isBusy = false;
    await harness.run(12_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
    expect(harness.count('status')).toBeGreaterThan(5);
    expect(harness.count('remove')).toBe(0);
    expect(harness.names()).toContain('drift.repaired');
  });

  it('is made again after the next heartbeat when there was no answer', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.record.setStatus('OUTOFSERVICE');
    harness.stored = { ...harness.stored, status: 'UP' };
    harness.answers = { status: refused };
    await harness.run(5_000);
    expect(harness.core.state).toBe('registered');
    harness.answers = {};
    await harness.run(16_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
  });

  it('leads to a new record when the registry refuses to have it made again', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.record.setStatus('OUTOFSERVICE');
    harness.stored = { ...harness.stored, status: 'UP' };
    harness.answers = { status: quota };
    await harness.run(5_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
    expect(harness.names()).toContain('instance.replaced');
  });

  it('is no concern of a record that is gone by then', async () => {
    const harness = new CoreHarness();
    await harness.register();
    await harness.core.record.setStatus('OUTOFSERVICE');
    harness.stored = { ...harness.stored, status: 'UP' };
    harness.answers = { status: forgotten };
    await harness.run(5_000);
    expect(harness.names()).toContain('instance.lost');
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
  });
});

describe('two quick changes', () => {
  it('are written half a second apart', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const both = Promise.all([
      harness.core.record.setStatus('OUTOFSERVICE'),
      harness.core.record.setProperties({ zone: 'a' }),
    ]);
    await harness.clock.until(both);
    const writes = harness.sent.filter(({ what }) => what === 'status' || what === 'properties');
    expect(writes.map(({ what }) => what)).toEqual(['status', 'properties']);
    expect((writes[1]?.at ?? 0) - (writes[0]?.at ?? 0)).toBe(500);
  });

  it('are both there in the end when the registry undoes the first', async () => {
    const harness = new CoreHarness();
    await harness.register();
    const before = harness.stored;
    harness.answers = {
      properties: () => {
        // Measured M18: the server writes the whole record, from a cache that does not know the first.
        harness.stored = { ...before };
        harness.answers = {};
        return {};
      },
    };
    const both = Promise.all([
      harness.core.record.setStatus('OUTOFSERVICE'),
      harness.core.record.setProperties({ zone: 'a' }),
    ]);
    await harness.clock.until(both);
    await harness.run(1_000);
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'a' } });
    expect(harness.names()).toContain('drift.repaired');
  });

  it('are no drift while they are on their way', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    await harness.register();
    harness.answers = {
      status: async () => {
        await harness.clock.delay(20_000);
        return {};
      },
    };
    const changed = harness.core.record.setStatus('OUTOFSERVICE');
    await harness.run(30_000);
    await changed;
    expect(harness.count('status')).toBe(1);
    expect(harness.names()).not.toContain('drift.repaired');
  });
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
    await expect(harness.core.record.setStatus('OUTOFSERVICE')).rejects.toMatchObject({
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
      harness.core.record.setStatus('OUTOFSERVICE'),
      harness.core.record.setProperties({ zone: 'a' }),
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
    const changed = harness.core.record.setStatus('OUTOFSERVICE');
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
      harness.core.record.setStatus('OUTOFSERVICE'),
      harness.core.record.setProperties({ zone: 'a' }),
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
    const changed = harness.core.record.setStatus('OUTOFSERVICE');
    await harness.clock.until(harness.core.leave());
    await Promise.all([changed, registered, tick]);
    harness.answers = {};
    await harness.register();
    expect(harness.stored).toMatchObject({ status: 'OUTOFSERVICE' });
  });
});

describe('a registry that writes endpoints and host names in its own way', () => {
  const rewriting =
    (harness: CoreHarness): FakeAnswer =>
    () => {
      const [endpoint = ''] = harness.stored.endpoints ?? [];
      const written = { hostName: 'ho', endpoints: [endpoint.toUpperCase()] };
      return { body: { instance: { ...harness.stored, ...written } } };
    };

  it('is replaced once, then accepted with one warning', async () => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    harness.answers = { read: rewriting(harness) };
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    await harness.run(200_000);
    expect([harness.count('remove'), harness.count('post')]).toEqual([1, 2]);
    expect(harness.names().filter(name => name === 'record.rewritten')).toHaveLength(1);
    expect(harness.names()).not.toContain('instance.replaced');
    harness.answers = { heartbeat: forgotten, read: forgotten };
    await harness.run(20_000);
    harness.answers = { read: rewriting(harness) };
    await harness.run(40_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
    expect(harness.count('remove')).toBe(1);
    expect(harness.names().filter(name => name === 'record.rewritten')).toHaveLength(1);
  });

  it('still gets other endpoints when the server listens elsewhere', async () => {
    const harness = new CoreHarness();
    harness.answers = { read: rewriting(harness) };
    const registered = harness.core.register();
    await harness.run(1_000);
    await registered;
    harness.core.publishAt(['rest://10.0.0.2:80']);
    await harness.run(2_000);
    expect(harness.stored).toMatchObject({ endpoints: ['rest://10.0.0.2:80'] });
    expect(harness.count('remove')).toBe(2);
  });
});

describe('another instanceId than ours in the answer to a registration', () => {
  it('is used for heartbeats, the snapshot and the removal', async () => {
    const harness = new CoreHarness();
    const urls: string[] = [];
    const note = ({ url }: { readonly url: string }) => {
      urls.push(url.replace(/^.*instances\//, ''));
      return {};
    };
    harness.answers = {
      post: { body: { instanceId: 'theirs' } },
      read: ({ url }) => {
        note({ url });
        return { body: { instance: { ...harness.stored, instanceId: 'theirs' } } };
      },
      heartbeat: note,
      remove: note,
    };
    await harness.register();
    await harness.run(20_000);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', instanceId: 'theirs' });
    await harness.clock.until(harness.core.leave());
    expect(harness.count('post')).toBe(1);
    expect(urls).toEqual(['theirs?noCache=1', 'theirs/heartbeat', 'theirs']);
  });
});
