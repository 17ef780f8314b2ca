import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { durationMs } from '../../../lib/rbac/account-requests.js';
import { EmbeddedServiceCenter } from '../../../lib/index.js';
import { GuardedRegistry, claimsOf, pem, rootPassword } from '../../support/guarded-registry.js';

const encoded = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function tokenFor(body: object): string {
  const guarded = new GuardedRegistry();
  const { text } = guarded.ask('POST /v4/token', {
    body: { name: 'root', password: rootPassword, ...body },
  });
  return JSON.parse(text).token;
}

describe('a login', () => {
  it('gives a token of RS512 with the account, its roles and its end, in the order of Go', () => {
    const guarded = new GuardedRegistry();
    const [header = '', claims = ''] = tokenFor({}).split('.');
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"RS512","typ":"JWT"}');
    const exp = guarded.clock.now() / 1000 + 12 * 3600;
    expect(Buffer.from(claims, 'base64url').toString()).toBe(
      `{"account":"root","exp":${exp},"roles":["admin"]}`,
    );
  });

  it.each([
    ['15m', 900],
    ['24h', 86_400],
    ['1h30m0.5s', 5400],
    ['900000ms', 900],
  ])('gives a token for %s', (tokenExpirationTime, seconds) => {
    const now = new GuardedRegistry().clock.now() / 1000;
    expect(claimsOf(tokenFor({ tokenExpirationTime }))).toMatchObject({ exp: now + seconds });
  });

  it.each(['14m59s', '24h1ns', '900', '1d', '1 h', '.h', '0', '-20m'])(
    'for %s is refused',
    tokenExpirationTime => {
      const guarded = new GuardedRegistry();
      expect(guarded.login('root', rootPassword, undefined, { tokenExpirationTime })).toBe(
        `400 400001 field 'Account.TokenExpirationTime' invalid value '${tokenExpirationTime}' ` +
          'does not match rule: {Regexp: TokenExpirationTime}',
      );
    },
  );

  it('of an inactive account is like any other', () => {
    const guarded = new GuardedRegistry();
    const account = { name: 'a', password: 'Complicated_1', roles: ['developer'] };
    guarded.asRoot('POST /v4/accounts', { ...account, status: 'inactive' });
    expect(guarded.login('a', account.password)).toBe('200');
  });

  it('with a body that is too long is a fault of the server', () => {
    const guarded = new GuardedRegistry();
    const body = 'x'.repeat(2 * 1024 * 1024 + 1);
    expect(guarded.outcome('POST /v4/token', { body })).toBe(
      '500 500003 http: request body too large',
    );
  });
});

describe('a duration of Go', () => {
  it.each([
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1µs', 0.001],
    ['-2m', -120_000],
    ['+2m', 120_000],
    ['0', 0],
    ['', undefined],
    ['1', undefined],
    ['1h2', undefined],
    ['h', undefined],
    ['1h 2m', undefined],
  ])('%s is %s ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});

describe('a token', () => {
  const guarded = new GuardedRegistry();
  const outcome = (token: string) => guarded.outcome('GET /microservices', { as: token });
  const seconds = Math.floor(guarded.clock.now() / 1000);
  const root = (claims: object) => guarded.token('root', ['admin'], claims);

  it('is good in the second in which it ends, and not in the next', () => {
    expect(outcome(root({ exp: seconds }))).toBe('200');
    expect(outcome(root({ exp: seconds - 1 }))).toBe('401 401205 undefined');
  });

  it('is good from its first second on', () => {
    expect(outcome(root({ nbf: seconds }))).toBe('200');
    expect(outcome(root({ nbf: seconds + 1 }))).toBe('401 401205 undefined');
  });

  it('from the future is no token, but not one that has expired', () => {
    expect(outcome(root({ iat: seconds + 1 }))).toBe('401 401201 Token used before issued');
  });

  it('has expired when its end is no number', () => {
    expect(outcome(root({ exp: 'tomorrow' }))).toBe('401 401205 undefined');
  });

  it('may end in a fraction of a second, or be of 0, which is no end', () => {
    expect(outcome(root({ exp: seconds + 0.5 }))).toBe('200');
    expect(outcome(root({ exp: seconds - 0.5 }))).toBe('401 401205 undefined');
    expect(outcome(root({ exp: 0 }))).toBe('200');
  });

  it('may be of one role, as it once was', () => {
    expect(outcome(root({ role: 'admin', roles: undefined }))).toBe('200');
    expect(outcome(root({ role: 1 }))).toBe('401 401201 convert role to string failed');
  });

  it.each(['admin', [1], { a: 1 }])('is none with roles of %j', roles => {
    expect(outcome(guarded.token('root', roles))).toBe('401 401201 type convert error');
  });

  const claims = encoded({ account: 'root', roles: ['admin'] });
  const signedBy = (alg: unknown, signature: (signed: string) => string) => {
    const signed = `${encoded({ alg })}.${claims}`;
    return `${signed}.${signature(signed)}`;
  };

  it('may be signed with the padding of PSS', () => {
    const token = signedBy('PS384', signed =>
      sign('sha384', Buffer.from(signed), { key: pem, padding: 6 }).toString('base64url'),
    );
    expect(outcome(token)).toBe('200');
  });

  it('is not taken when it was signed with the public key as a secret', () => {
    const { publicKey = '' } = guarded.registry.rbac ?? {};
    const token = signedBy('HS512', signed =>
      createHmac('sha512', publicKey).update(signed).digest('base64url'),
    );
    expect(outcome(token)).toBe('401 401201 key is of invalid type');
  });

  it.each([
    ['ES256', 'key is of invalid type'],
    ['RS512', 'crypto/rsa: verification error'],
    ['none', "'none' signature type is not allowed"],
    ['EdDSA', 'key is of invalid type'],
    ['RS1', 'signing method (alg) is unavailable.'],
    [undefined, 'signing method (alg) is unspecified.'],
  ])('is not taken with the algorithm %s and a signature that is none', (alg, detail) => {
    expect(outcome(signedBy(alg, () => 'AAAA'))).toBe(`401 401201 ${detail}`);
  });

  it.each([
    ['a.b', 'token contains an invalid number of segments'],
    ['a.b.c.d', 'token contains an invalid number of segments'],
    ['..', 'unexpected end of JSON input'],
    ['e30.!.', 'illegal base64 data at input byte 0'],
    ['e30.abcde.', 'illegal base64 data at input byte 4'],
    ['e30=.e30.', 'illegal base64 data at input byte 3'],
    [
      `${encoded([])}.e30.`,
      'json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [`e30.${encoded('1')}.`, 'json: cannot unmarshal number into Go value of type jwt.MapClaims'],
    [
      `${encoded('{nope')}.e30.`,
      "invalid character 'n' looking for beginning of object key string",
    ],
    [`${encoded({ alg: 'RS512' })}.e30.!`, 'illegal base64 data at input byte 0'],
  ])('like %s is refused with what is wrong', (token, detail) => {
    expect(outcome(token)).toBe(`401 401201 ${detail}`);
  });
});

describe('the key of the tokens', () => {
  it('is made once when none is given, and differs from server to server', () => {
    const [one, other] = [1, 2].map(() => new EmbeddedServiceCenter({ rbac: { rootPassword } }));
    expect(one?.rbac?.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(one?.rbac?.publicKey).toBe(one?.rbac?.publicKey);
    expect(one?.rbac?.publicKey).not.toBe(other?.rbac?.publicKey);
  });

  it.each([
    ['nonsense', 'nonsense'],
    [
      'another kind',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('is not shown when it is %s', (_, privateKey) => {
    const make = () => new EmbeddedServiceCenter({ rbac: { rootPassword, privateKey } });
    expect(make).toThrow('rbac.privateKey must be an RSA private key');
    expect(make).not.toThrow(privateKey.slice(0, 8));
  });
});

describe('the password of root', () => {
  it.each([
    'Short_1',
    'no_upper_case1',
    'NO_LOWER_CASE1',
    'No_Digits',
    'NoSpecial1',
    `Long_1${'x'.repeat(27)}`,
    '',
  ])('is not shown when it is wrong: %s', word => {
    const make = () => new EmbeddedServiceCenter({ rbac: { rootPassword: word } });
    expect(make).toThrow('rbac.rootPassword must be 8 to 32 bytes');
    if (word !== '') expect(make).not.toThrow(word);
  });

  it('may have letters and signs of any language', () => {
    expect(() => new EmbeddedServiceCenter({ rbac: { rootPassword: 'Äöü٣€€' } })).not.toThrow();
  });
});
