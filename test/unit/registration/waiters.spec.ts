import { describe, expect, it } from '@jest/globals';
import { Waiters } from '../../../lib/registration/waiters.js';

describe('those who wait for a lease', () => {
  it('are all told that there is one', async () => {
    const waiters = new Waiters();
    const waiting = Promise.all([waiters.wait(), waiters.wait()]);
    waiters.resolve();
    await expect(waiting).resolves.toEqual([undefined, undefined]);
  });

  it('are all told that there will be none', async () => {
    const waiters = new Waiters();
    const waiting = Promise.allSettled([waiters.wait(), waiters.wait()]);
    const reason = new Error('left');
    waiters.reject(reason);
    expect(await waiting).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
  });

  it('wait for the next word when they come late', async () => {
    const waiters = new Waiters();
    waiters.resolve();
    waiters.reject(new Error('nobody waits'));
    const late = waiters.wait();
    expect(await Promise.race([late, Promise.resolve('waiting')])).toBe('waiting');
    waiters.resolve();
    await expect(late).resolves.toBeUndefined();
  });
});
