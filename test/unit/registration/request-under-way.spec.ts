import { describe, expect, it } from '@jest/globals';
import { RequestUnderWay } from '../../../lib/registration/request-under-way.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A request that ends when told to, or when cut off. */
class Request {
  cutOff = false;
  land: () => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;

  readonly send = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const cutOff = () => {
        this.cutOff = true;
        reject(signal.reason);
      };
      signal.addEventListener('abort', cutOff);
      this.land = () => {
        signal.removeEventListener('abort', cutOff);
        resolve();
      };
      this.fail = reject;
    });
}

async function stateOf(promise: Promise<unknown>): Promise<string> {
  const pending = Promise.resolve('pending');
  return Promise.race([promise.then(() => 'done'), pending.then(() => pending)]);
}

describe('a request under way', () => {
  it('is done when it has ended', async () => {
    const request = new Request();
    const underWay = new RequestUnderWay(false, request.send);
    expect(await stateOf(underWay.done)).toBe('pending');
    request.land();
    await expect(underWay.done).resolves.toBeUndefined();
    expect(request.cutOff).toBe(false);
  });

  it('hands on a bug', async () => {
    const request = new Request();
    const underWay = new RequestUnderWay(false, request.send);
    request.fail(new TypeError('bug'));
    await expect(underWay.done).rejects.toThrow('bug');
  });

  it('ends without throwing when a bug ends it meanwhile', async () => {
    const request = new Request();
    const underWay = new RequestUnderWay(true, request.send);
    const ended = underWay.end(new FakeClock(), 1_000);
    request.fail(new TypeError('bug'));
    await expect(ended).resolves.toBeUndefined();
    await expect(underWay.done).rejects.toThrow('bug');
  });

  it('is cut off at once when it lists nothing, and that is no failure', async () => {
    const clock = new FakeClock();
    const request = new Request();
    const underWay = new RequestUnderWay(false, request.send);
    await underWay.end(clock, 1_000);
    expect(request.cutOff).toBe(true);
    expect(clock.sleepers).toBe(0);
    await expect(underWay.done).resolves.toBeUndefined();
  });

  it('is let land when it is a POST', async () => {
    const clock = new FakeClock();
    const request = new Request();
    const underWay = new RequestUnderWay(true, request.send);
    const ended = underWay.end(clock, 1_000);
    await clock.advance(999);
    expect(request.cutOff).toBe(false);
    request.land();
    await ended;
    expect(request.cutOff).toBe(false);
    expect(clock.sleepers).toBe(0);
  });

  it('is cut off when it is a POST that does not land in time', async () => {
    const clock = new FakeClock();
    const request = new Request();
    const underWay = new RequestUnderWay(true, request.send);
    const ended = underWay.end(clock, 1_000);
    await clock.advance(999);
    expect(request.cutOff).toBe(false);
    await clock.advance(1);
    await ended;
    expect(request.cutOff).toBe(true);
    await expect(underWay.done).resolves.toBeUndefined();
  });
});
