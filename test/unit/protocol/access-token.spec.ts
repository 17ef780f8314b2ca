import { describe, expect, it } from '@jest/globals';
import { ServiceCenterTimeoutError } from '../../../lib/errors.js';
import { type GivenToken, TokenSource } from '../../../lib/protocol/access-token.js';

const minute = 60_000;
const hour = 60 * minute;
const silent = new ServiceCenterTimeoutError('login', 'http://a:1', 5_000);

/** A source whose clock and logins a test sets. */
class Sourcing {
  now = 1_000;
  random = 0.5;
  logins = 0;
  answer: () => Promise<GivenToken> = async () => ({ text: `t${this.logins}`, lifeMs: 10 * hour });
  readonly source = new TokenSource({ now: () => this.now, random: () => this.random });

  async renew(): Promise<string> {
    const { text } = await this.source.renew(() => {
      this.logins += 1;
      return this.answer();
    });
    return text;
  }

  get text(): string | undefined {
    return this.source.token?.text;
  }
}

describe('a source of tokens', () => {
  it.each([
    [0, 8],
    [0.5, 8.5],
    [1, 9],
  ])(
    'with a draw of %d wants its token renewed at %d tenths of its life',
    async (random, tenths) => {
      const sourcing = new Sourcing();
      sourcing.random = random;
      await sourcing.renew();
      expect(sourcing.source.token?.renewAt).toBeCloseTo(1_000 + tenths * hour);
    },
  );

  it('logs in once for all who ask meanwhile', async () => {
    const sourcing = new Sourcing();
    const asked = Promise.all([sourcing.renew(), sourcing.renew(), sourcing.renew()]);
    expect(await asked).toEqual(['t1', 't1', 't1']);
    expect(sourcing.logins).toBe(1);
  });

  it('has no token after its end', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.now += 10 * hour - 1;
    expect(sourcing.text).toBe('t1');
    sourcing.now += 1;
    expect(sourcing.text).toBeUndefined();
  });

  it('keeps its token when a login finds no answer, and asks again', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.answer = () => Promise.reject(silent);
    await expect(sourcing.renew()).rejects.toBe(silent);
    await expect(sourcing.renew()).rejects.toBe(silent);
    expect(sourcing.logins).toBe(3);
    expect(sourcing.text).toBe('t1');
  });

  it('keeps its token where no login is found any more, and looks again a minute later', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.answer = async () => ({ text: '', lifeMs: 10 * hour });
    sourcing.now += 9 * hour;
    await sourcing.renew();
    expect(sourcing.source.token).toMatchObject({ text: 't1', renewAt: sourcing.now + minute });
    sourcing.now += hour;
    await sourcing.renew();
    expect(sourcing.text).toBe('');
  });

  it('is spent when it has no token, and none is on its way', async () => {
    const sourcing = new Sourcing();
    expect(sourcing.source.isSpent).toBe(true);
    const renewed = sourcing.renew();
    expect(sourcing.source.isSpent).toBe(false);
    await renewed;
    expect(sourcing.source.isSpent).toBe(false);
    sourcing.now += 10 * hour;
    expect(sourcing.source.isSpent).toBe(true);
  });
});

describe('a token that was refused', () => {
  it('is dropped, so that the next request has another one', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.now += minute;
    expect(sourcing.source.drop('t1')).toBe(true);
    expect(sourcing.text).toBeUndefined();
  });

  it('is kept for a minute when it never served: another one would not, either', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.now += minute - 1;
    expect(sourcing.source.drop('t1')).toBe(false);
    expect(sourcing.text).toBe('t1');
  });

  it('is dropped at once when it has served: the keys have changed', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.source.prove('t1');
    expect(sourcing.source.drop('t1')).toBe(true);
    await sourcing.renew();
    sourcing.source.prove('t1');
    expect(sourcing.source.drop('t2')).toBe(false);
  });

  it('is dropped at once when there was none: security has been switched on', async () => {
    const sourcing = new Sourcing();
    sourcing.answer = async () => ({ text: '', lifeMs: hour });
    await sourcing.renew();
    expect(sourcing.source.drop('')).toBe(true);
    expect(sourcing.text).toBeUndefined();
  });

  it('does not cost the one that has been had since', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    sourcing.now += minute;
    sourcing.source.drop('t1');
    await sourcing.renew();
    expect(sourcing.source.drop('t1')).toBe(true);
    expect(sourcing.text).toBe('t2');
  });
});

describe('a token that lacks a permission', () => {
  it('is renewed once its roles are a quarter of an hour old, and serves on', async () => {
    const sourcing = new Sourcing();
    await sourcing.renew();
    const planned = sourcing.source.token?.renewAt;
    sourcing.now += 15 * minute - 1;
    sourcing.source.doubt('t1');
    expect(sourcing.source.token).toMatchObject({ text: 't1', renewAt: planned });
    sourcing.now += 1;
    sourcing.source.doubt('t0');
    expect(sourcing.source.token).toMatchObject({ text: 't1', renewAt: planned });
    sourcing.source.doubt('t1');
    expect(sourcing.source.token).toMatchObject({ text: 't1', renewAt: sourcing.now });
  });
});
