import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { login, LoginGuard } from '../../../lib/credentials/login.js';
import { ServiceCenterResponseError } from '../../../lib/errors.js';
import { unexpected } from '../../../lib/protocol/wire.js';
import { channelOf, FakeSend } from '../../support/fake-send.js';

const date = 'Sun, 22 Nov 2026 07:00:00 GMT';
const at = Date.parse(date) / 1_000;
const { decode, body } = login({ username: 'root', password: 'Complicated@1' });

function jwt(claims: object): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

function given(token: unknown, headers: Readonly<Record<string, string>> = { date }): unknown {
  return decode({ status: 200, headers, body: JSON.stringify({ token }) });
}

describe('a login', () => {
  it('sends the account', () => {
    expect(body).toEqual({ name: 'root', password: 'Complicated@1' });
  });

  it('reads the life of a token by the clock of the registry, whatever the local one says', () => {
    expect(given(jwt({ exp: at + 1_800 }))).toMatchObject({ lifeMs: 1_800_000 });
  });

  it.each([1e300, Number.MAX_VALUE, at + 31 * 86_400])(
    'takes thirty days for a life without end (%d)',
    exp => {
      expect(given(jwt({ exp }))).toMatchObject({ lifeMs: 30 * 86_400_000 });
    },
  );

  it.each([
    ['no date', jwt({ exp: at + 1_800 }), {}],
    ['no end', jwt({}), { date }],
    ['an end that is no number', jwt({ exp: 'soon' }), { date }],
    ['no claims', 'opaque', { date }],
  ])('takes twelve hours where there is %s', (_, token, headers) => {
    expect(given(token, headers)).toEqual({ text: token, lifeMs: 43_200_000 });
  });

  it.each([undefined, 5, '', 'a b', 'a\nb', 'ä', jwt({ exp: at }), 'x'.repeat(16_385)])(
    'takes %j for no token',
    token => {
      expect(given(token)).toBe(unexpected);
    },
  );

  it('needs no token where the registry has no login: its security is off', () => {
    const reply = { status: 404, headers: {}, body: '404 page not found' };
    expect(decode(reply)).toMatchObject({ text: '' });
  });

  it('takes a body that is no JSON for no token', () => {
    expect(decode({ status: 200, headers: { date }, body: '<html>' })).toBe(unexpected);
  });
});

describe('an answer to a login that is no token', () => {
  async function errorAfter(status: number, body: unknown): Promise<string> {
    const channel = channelOf(new FakeSend({ status, headers: { date }, body }).send);
    return channel.call(login({ username: 'root', password: 's3cr3t' })).then(
      () => 'none',
      (error: unknown) => inspect(error),
    );
  }

  it.each([
    [200, { token: jwt({ exp: at, secret: 'CANARY' }) }],
    [200, { token: 'CANARY ü' }],
    [200, { data: { token: 'CANARY' } }],
    [200, 'CANARY'],
    [201, { token: 'CANARY' }],
  ])('is not shown (%#)', async (status, body) => {
    const error = await errorAfter(status, body);
    expect(error).toContain('***');
    expect(error).not.toMatch(/CANARY|eyJ|[A-Za-z0-9_-]{60}/);
  });

  it('is shown when it is a page, or a refusal, without the password', async () => {
    expect(await errorAfter(200, '<html>Hello s3cr3t')).toContain('<html>Hello ***');
    const refusal = { errorCode: '401202', errorMessage: 'not s3cr3t' };
    expect(await errorAfter(401, refusal)).toContain('errorCode 401202: not ***');
  });
});

const address = 'http://a:1';
const minute = 60_000;
const error = new ServiceCenterResponseError('login', address, { status: 401, errorCode: 401_202 });

class Guarding {
  now = 1_000;
  readonly guard = new LoginGuard(() => this.now);

  refuse(digest: string): void {
    this.guard.refuse({ address, digest, error });
  }

  /** The passwords that may be tried. */
  allowed(...digests: readonly string[]): readonly string[] {
    return digests.filter(digest => this.guard.forbidding(digest) === undefined);
  }
}

describe('a guard of logins', () => {
  it('forbids nothing before a refusal', () => {
    expect(new Guarding().allowed('a', 'b')).toEqual(['a', 'b']);
  });

  it('forbids a refused password for 15 minutes, and says since when and why', () => {
    const guarding = new Guarding();
    guarding.refuse('a');
    guarding.now += 15 * minute - 1;
    expect(guarding.guard.forbidding('a')).toEqual({
      address,
      digest: 'a',
      error,
      until: guarding.now + 1,
    });
    guarding.now += 1;
    expect(guarding.allowed('a')).toEqual(['a']);
  });

  it('lets another password be tried at once, and after its refusal none', () => {
    const guarding = new Guarding();
    guarding.refuse('a');
    expect(guarding.allowed('a', 'b')).toEqual(['b']);
    guarding.refuse('b');
    expect(guarding.allowed('a', 'b', 'c')).toEqual([]);
    guarding.now += 15 * minute;
    expect(guarding.allowed('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  });

  it('makes no third failure that the server has not forgiven, whatever is tried when', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const guarding = new Guarding();
      let state = seed;
      const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      // The server's own count: two at once, one more every 15 minutes.
      let taken = 2;
      let countedAt = guarding.now;
      for (let step = 0; step < 500; step += 1) {
        guarding.now += random() * 10 * minute;
        const digest = `password ${Math.floor(random() * 3)}`;
        if (guarding.allowed(digest).length === 0) continue;
        taken = Math.min(2, taken + (guarding.now - countedAt) / (15 * minute)) - 1;
        countedAt = guarding.now;
        expect(taken).toBeGreaterThanOrEqual(-1e-9);
        guarding.refuse(digest);
      }
    }
  });
});
