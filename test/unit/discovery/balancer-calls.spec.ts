import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { CallOptions } from '../../../lib/discovery/balancer.js';
import type { Candidate } from '../../../lib/discovery/candidate.js';
import type { Attempt } from '../../../lib/discovery/provider.js';
import { NoInstanceError } from '../../../lib/errors.js';
import {
  Balancing,
  balancing,
  instanceOf,
  instancesOf,
  nodeError,
} from '../../support/balancing.js';

const refused = nodeError('ECONNREFUSED', { syscall: 'connect' });
const reset = nodeError('ECONNRESET', { syscall: 'read' });
const stale = nodeError('ECONNRESET', { request: { reusedSocket: true } });
const busy = { status: 503, headers: {} };
const good = { status: 200, headers: {} };

/** Calls; the actions come to these ends, one after the other, the last again and again. */
async function called(of: Balancing, ends: readonly unknown[], options?: CallOptions) {
  const attempts: {
    id: string;
    number: number;
    needsNewConnection: boolean;
    remainingMs: number;
  }[] = [];
  const action = async ({ instance }: Candidate, attempt: Attempt): Promise<unknown> => {
    const { number, needsNewConnection, remainingMs } = attempt;
    attempts.push({ id: instance.instanceId, number, needsNewConnection, remainingMs });
    const end = ends[Math.min(number, ends.length) - 1];
    if (end instanceof Error) throw end;
    return end;
  };
  const result = await of.balancer.call(action, options).catch((error: unknown) => error);
  return { result, ids: attempts.map(({ id }) => id), attempts };
}

/** Ejection off, so that a failure has no effect on who is called next. */
function plain(count: number, seed = 1): Balancing {
  const { clock } = balancing([]);
  return new Balancing(instancesOf(count), { ejection: undefined }, clock, seed);
}

describe('the end of a call', () => {
  test('is told to its action, unless that does not listen any more', async () => {
    const { balancer, clock } = balancing(instancesOf(1));
    const told: string[] = [];
    const call = balancer.call(
      (_, { endSignal }) => {
        const noMore = (): unknown => told.push('no more');
        endSignal.addEventListener('abort', noMore);
        endSignal.addEventListener('abort', () => told.push(`aborted: ${endSignal.aborted}`));
        endSignal.removeEventListener('abort', noMore);
        return new Promise(() => undefined);
      },
      { timeoutMs: 500 },
    );
    const ended = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await clock.advance(500);
    await ended;
    expect(told).toEqual(['aborted: true']);
  });
});

describe('repetitions', () => {
  test('a call that was not sent goes to two others, whatever its method', async () => {
    const { result, ids } = await called(plain(5), [refused]);
    expect(result).toBe(refused);
    expect(new Set(ids).size).toBe(3);
    expect(await called(plain(5), [refused, refused, good])).toMatchObject({ result: good });
  });

  test('a call that may have arrived is repeated if it is safe or idempotent', async () => {
    expect((await called(plain(5), [reset])).ids).toHaveLength(1);
    expect((await called(plain(5), [reset], { isSafe: true })).ids).toHaveLength(2);
    expect((await called(plain(5), [reset], { idempotent: true })).ids).toHaveLength(2);
    expect((await called(plain(5), [reset], { isSafe: true, retries: 3 })).ids).toHaveLength(4);
    expect((await called(plain(5), [reset], { isSafe: true, retries: 0 })).ids).toHaveLength(1);
    expect((await called(plain(5), [refused, reset, good], { isSafe: true })).result).toBe(good);
  });

  test('an answer of status 503 is repeated, and returned in the end', async () => {
    expect(await called(plain(3), [busy, good], { isSafe: true })).toMatchObject({ result: good });
    const { result, ids } = await called(plain(3), [busy], { isSafe: true });
    expect(result).toBe(busy);
    expect(ids).toHaveLength(2);
  });

  test('a candidate is tried once', async () => {
    const { ids } = await called(plain(3), [reset], { isSafe: true, retries: 10 });
    expect(ids.toSorted()).toEqual(['a', 'b', 'c']);
    expect((await called(plain(1), [refused])).ids).toEqual(['a']);
  });

  test('a body that is a stream is sent once', async () => {
    expect((await called(plain(3), [refused], { isSafe: true, isOnce: true })).ids).toHaveLength(1);
  });

  test('the candidate of a repetition is drawn at random, not the next in turn', async () => {
    const ten = plain(10);
    const counts = new Map<string, number>();
    for (let call = 0; call < 2_000; call++)
      await ten.balancer.call(async ({ instance: { instanceId: id } }, { number }) => {
        if (number > 1) counts.set(id, (counts.get(id) ?? 0) + 1);
        if (id === 'a') throw refused;
      });
    expect([...counts.keys()].toSorted()).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
    for (const count of counts.values()) expect(Math.abs(count - 200 / 9)).toBeLessThan(16);
  });

  test('the budget ends the repetitions of calls that may have arrived, not of those that were not sent', async () => {
    const five = plain(5);
    const attemptsOf = async (end: Error) => {
      const { ids } = await called(five, [end], { isSafe: true });
      return ids.length;
    };
    let repeats = 0;
    for (let call = 0; call < 100; call++) repeats += (await attemptsOf(reset)) - 1;
    expect(repeats).toBe(29);
    expect(await attemptsOf(refused)).toBe(3);
  });

  test('a safe call on a stale connection goes to the same candidate over a new one, and counts as nothing', async () => {
    const three = plain(3);
    const { result, attempts } = await called(three, [stale, good], { isSafe: true, retries: 0 });
    expect(result).toBe(good);
    expect(attempts.map(({ id, needsNewConnection }) => [id, needsNewConnection])).toEqual([
      ['a', false],
      ['a', true],
    ]);
    expect(three.failed).toEqual([]);
  });

  test('a stale connection counts as broken for other calls, and the second time', async () => {
    const three = plain(3);
    expect((await called(three, [stale])).ids).toEqual(['a']);
    expect(three.failed).toEqual([{ id: 'a', outcome: 'broken' }]);
    const { ids, attempts } = await called(three, [stale, stale, good], { isSafe: true });
    expect(ids.slice(0, 2)).toEqual(['b', 'b']);
    expect(ids[2]).not.toBe('b');
    expect(attempts[2]?.needsNewConnection).toBe(false);
  });

  test('each failure is reported, a cancelled call is not', async () => {
    const five = plain(5);
    await called(five, [refused, busy, good], { isSafe: true });
    await called(five, [nodeError('ERR_CANCELED')]);
    expect(five.failed.map(({ outcome }) => outcome)).toEqual(['unsent', 'busy']);
  });

  test('an action that throws at once fails like one that rejects', async () => {
    const action = (): Promise<never> => {
      throw refused;
    };
    const three = plain(3);
    await expect(three.balancer.call(action)).rejects.toBe(refused);
    expect(three.failed).toHaveLength(3);
  });

  test('without an instance nothing is called', async () => {
    const { result, ids } = await called(plain(0), [good]);
    expect(result).toBeInstanceOf(NoInstanceError);
    expect(ids).toEqual([]);
  });
});

describe('time', () => {
  const hang = () => new Promise<never>(() => undefined);
  const outcomesOf = (of: Balancing) => of.failed.map(({ outcome }) => outcome);

  test('a call ends after its time, and its signal is aborted', async () => {
    const three = plain(3);
    let signal: AbortSignal | undefined;
    const call = three.balancer.call(
      (_, attempt) => {
        ({ signal } = attempt);
        return hang();
      },
      { timeoutMs: 2_000 },
    );
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(1_999);
    expect(signal?.aborted).toBe(false);
    await three.clock.advance(1);
    await rejection;
    expect(signal?.reason).toMatchObject({ name: 'TimeoutError' });
    expect(outcomesOf(three)).toEqual(['late']);
    expect(three.balancer.standings().get('a')).toMatchObject({ pending: 0, latencyMs: 2_000 });
  });

  test('the time is 30 s, and for all attempts together', async () => {
    const three = plain(3);
    const left: number[] = [];
    const call = three.balancer.call(
      async (_, { number, remainingMs }) => {
        left.push(remainingMs);
        if (number === 2) return hang();
        await three.clock.delay(20_000);
        throw reset;
      },
      { isSafe: true },
    );
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(30_000);
    await rejection;
    expect(left).toEqual([30_000, 10_000]);
  });

  test('a shorter time is kept while longer calls are under way', async () => {
    const three = plain(3);
    void three.balancer.call(hang).catch(() => undefined);
    await three.clock.advance(100);
    const call = three.balancer.call(hang, { timeoutMs: 50 });
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(50);
    await rejection;
  });

  test.each([NaN, -1])('a call with a time of %d ms is refused', async timeoutMs => {
    const three = plain(3);
    await expect(three.balancer.call(hang, { timeoutMs })).rejects.toThrow(RangeError);
    expect(three.clock.sleepers).toBe(0);
  });

  test('a call without time ends at once', async () => {
    const three = plain(3);
    const call = three.balancer.call(hang, { timeoutMs: 0 });
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(0);
    await rejection;
  });

  test('a call without end does not end', async () => {
    const three = plain(3);
    let hasEnded = false;
    void three.balancer.call(hang, { timeoutMs: Infinity }).finally(() => (hasEnded = true));
    await three.clock.advance(3_600_000);
    expect(hasEnded).toBe(false);
  });

  test('the signal of the caller ends the call, and says nothing about the instance', async () => {
    const three = plain(3);
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const call = three.balancer.call(
      (_, attempt) => {
        ({ signal } = attempt);
        return hang();
      },
      { signal: caller.signal, isSafe: true },
    );
    caller.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(signal?.aborted).toBe(true);
    expect(three.failed).toEqual([]);
    expect(three.balancer.standings().get('a')?.pending).toBe(0);
  });

  test('whatever the caller aborts it with says nothing about the instance', async () => {
    const three = plain(3);
    const caller = new AbortController();
    const call = three.balancer.call(hang, { signal: caller.signal, isSafe: true });
    caller.abort(refused);
    await expect(call).rejects.toBe(refused);
    expect(three.failed).toEqual([]);
  });

  test('a call whose time was up is late, although its caller then aborts it', async () => {
    const three = plain(3);
    const caller = new AbortController();
    const call = three.balancer.call(
      (_, { signal }) => {
        signal.addEventListener('abort', () => caller.abort());
        return hang();
      },
      { signal: caller.signal, timeoutMs: 10 },
    );
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(10);
    await rejection;
    expect(outcomesOf(three)).toEqual(['late']);
  });

  test('a call that is over leaves no listener at the signal of the caller', async () => {
    const { signal } = new AbortController();
    await plain(3).balancer.call(async () => good, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a call whose signal is aborted already is not made', async () => {
    const three = plain(3);
    await expect(three.balancer.call(hang, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(three.balancer.standings().size).toBe(0);
  });

  test('a signal that is read after the end is aborted', async () => {
    const three = plain(3);
    let attempt: Attempt | undefined;
    const call = three.balancer.call(
      (_, given) => {
        attempt = given;
        return hang();
      },
      { timeoutMs: 10 },
    );
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(10);
    await rejection;
    expect(attempt?.signal.aborted).toBe(true);
  });

  test('one delay serves all calls, and ends within a second of the last one', async () => {
    const three = plain(3);
    for (let call = 0; call < 100; call++) await three.balancer.call(async () => good);
    expect(three.clock.sleepers).toBe(1);
    await three.clock.advance(1_000);
    expect(three.clock.sleepers).toBe(0);
  });

  test('after the stop no delay outlives the last call, and calls still end in time', async () => {
    const three = plain(3);
    await three.balancer.call(async () => good);
    three.balancer.stop();
    await three.clock.advance(0);
    expect(three.clock.sleepers).toBe(0);
    const call = three.balancer.call(hang, { timeoutMs: 5_000 });
    const rejection = expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    await three.clock.advance(5_000);
    await rejection;
    await three.balancer.call(async () => good);
    await three.clock.advance(0);
    expect(three.clock.sleepers).toBe(0);
  });
});

describe('standing', () => {
  test('pending and latency are those of all endpoints of an instance', async () => {
    const endpoints = ['rest://a:1', 'grpc://a:2'];
    const one = balancing([instanceOf('a', { endpoints })]);
    const call = one.balancer.call(() => one.clock.delay(100));
    void one.balancer.call(() => new Promise(() => undefined), { scheme: 'grpc' });
    expect(one.balancer.standings().get('a')).toEqual({
      ejectedForMs: null,
      pending: 2,
      latencyMs: null,
    });
    await one.clock.advance(100);
    await call;
    expect(one.balancer.standings().get('a')).toEqual({
      ejectedForMs: null,
      pending: 1,
      latencyMs: 100,
    });
    expect(one.balancer.standings().has('b')).toBe(false);
  });

  test('it survives a new list, and a new endpoint starts anew', async () => {
    const one = balancing(instancesOf(1));
    const work = one.balancer.call(() => one.clock.delay(100));
    await one.clock.advance(100);
    await work;
    one.balancer.update([instanceOf('a', { properties: {} })]);
    expect(one.balancer.standings().get('a')?.latencyMs).toBe(100);
    one.balancer.update([instanceOf('a', { endpoints: ['rest://elsewhere:1'] })]);
    expect(one.balancer.pick().url).toBe('http://elsewhere:1');
    expect(one.balancer.standings().get('a')?.latencyMs).toBeNull();
  });
});
