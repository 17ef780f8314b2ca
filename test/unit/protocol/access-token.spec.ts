import { describe, expect, it } from '@jest/globals';
import { ServiceCenterResponseError, ServiceCenterTimeoutError } from '../../../lib/errors.js';
import { type GivenToken, TokenSource } from '../../../lib/protocol/access-token.js';

const minute = 60_000;
const hour = 60 * minute;
const refusal = new ServiceCenterResponseError('login', 'http://a:1', {
  status: 401,
  errorCode: 401_202,
});
const silent = new ServiceCenterTimeoutError('login', 'http://a:1', 5_000);

/** A source whose clock and logins a test sets. */
class Sourcing {
  now = 1_000;
  random = 0.5;
  logins = 0;
  answer: () => Promise<GivenToken> = async () => ({ text: `t${this.logins}`, lifeMs: 10 * hour });
  readonly source = new TokenSource({ now: () => this.now, random: () => this.random });

  async obtain(): Promise<string> {
    const { text } = await this.source.obtain(() => {
      this.logins += 1;
      return this.answer();
    });
    return text;
  }
}

describe('a source of tokens', () => {
  it('logs in when it is first asked, and not before its token is old', async () => {
    const sourcing = new Sourcing();
    expect(await sourcing.obtain()).toBe('t1');
    sourcing.now += 8 * hour;
    expect(await sourcing.obtain()).toBe('t1');
    expect(sourcing.logins).toBe(1);
  });

  it.each([
    [0, 8],
    [0.5, 8.5],
    [1, 9],
  ])(
    'with a draw of %d renews at %d tenths of its life, beside the requests',
    async (random, tenths) => {
      const sourcing = new Sourcing();
      sourcing.random = random;
      await sourcing.obtain();
      sourcing.now += Math.round(tenths * hour) - 10;
      await sourcing.obtain();
      expect(sourcing.logins).toBe(1);
      sourcing.now += 20;
      expect(await sourcing.obtain()).toBe('t1');
      expect(sourcing.logins).toBe(2);
      expect(await sourcing.obtain()).toBe('t2');
    },
  );

  it('logs in once for all who ask meanwhile', async () => {
    const sourcing = new Sourcing();
    const asked = Promise.all([sourcing.obtain(), sourcing.obtain(), sourcing.obtain()]);
    expect(await asked).toEqual(['t1', 't1', 't1']);
    expect(sourcing.logins).toBe(1);
  });

  it('has no token after its end, and logs in again', async () => {
    const sourcing = new Sourcing();
    await sourcing.obtain();
    sourcing.now += 10 * hour;
    expect(sourcing.source.token).toBeUndefined();
    expect(await sourcing.obtain()).toBe('t2');
  });

  it('is silent for 15 minutes after a refusal, and tells it to all who ask', async () => {
    const sourcing = new Sourcing();
    sourcing.answer = () => Promise.reject(refusal);
    await expect(sourcing.obtain()).rejects.toBe(refusal);
    sourcing.now += 15 * minute - 1;
    await expect(sourcing.obtain()).rejects.toBe(refusal);
    expect(sourcing.logins).toBe(1);
    sourcing.now += 1;
    await expect(sourcing.obtain()).rejects.toBe(refusal);
    expect(sourcing.logins).toBe(2);
  });

  it('asks again at once when there was no answer', async () => {
    const sourcing = new Sourcing();
    sourcing.answer = () => Promise.reject(silent);
    await expect(sourcing.obtain()).rejects.toBe(silent);
    await expect(sourcing.obtain()).rejects.toBe(silent);
    expect(sourcing.logins).toBe(2);
    expect(sourcing.source.refusal).toBeUndefined();
  });

  it('serves with the token at hand while its renewal is refused or not answered', async () => {
    for (const [error, logins] of [
      [refusal, 2],
      [silent, 3],
    ] as const) {
      const sourcing = new Sourcing();
      await sourcing.obtain();
      sourcing.now += 9 * hour;
      sourcing.answer = () => Promise.reject(error);
      expect(await sourcing.obtain()).toBe('t1');
      expect(await sourcing.obtain()).toBe('t1');
      expect(sourcing.logins).toBe(logins);
      expect(sourcing.source.refusal?.error).toBe(error === refusal ? refusal : undefined);
    }
  });
});

describe('a token that was refused', () => {
  it('is dropped, so that the next request has another one', async () => {
    const sourcing = new Sourcing();
    await sourcing.obtain();
    sourcing.now += minute;
    expect(sourcing.source.drop('t1')).toBe(true);
    expect(await sourcing.obtain()).toBe('t2');
  });

  it('is kept for a minute when it never served: another one would not, either', async () => {
    const sourcing = new Sourcing();
    await sourcing.obtain();
    sourcing.now += minute - 1;
    expect(sourcing.source.drop('t1')).toBe(false);
    expect(await sourcing.obtain()).toBe('t1');
  });

  it('is dropped at once when it has served: the keys have changed', async () => {
    const sourcing = new Sourcing();
    await sourcing.obtain();
    sourcing.source.prove('t1');
    expect(sourcing.source.drop('t1')).toBe(true);
    expect(await sourcing.obtain()).toBe('t2');
    sourcing.source.prove('t1');
    expect(sourcing.source.drop('t2')).toBe(false);
  });

  it('does not cost the one that has been had since', async () => {
    const sourcing = new Sourcing();
    await sourcing.obtain();
    sourcing.now += minute;
    sourcing.source.drop('t1');
    await sourcing.obtain();
    expect(sourcing.source.drop('t1')).toBe(true);
    expect(await sourcing.obtain()).toBe('t2');
    expect(sourcing.logins).toBe(2);
  });
});
