import { describe, expect, it } from '@jest/globals';
import { GuardedRegistry, password, rootPassword } from '../../support/guarded-registry.js';

const other = 'Complicated_password3';
const dev = { name: 'dev', password, roles: ['developer'] };

function told(guarded: GuardedRegistry, path: string): unknown {
  return JSON.parse(guarded.ask(`GET ${path}`, { as: guarded.root }).text);
}

describe('an account', () => {
  it('is created, returned without its password, and removed', () => {
    const guarded = new GuardedRegistry();
    expect(
      guarded.asRoot('POST /v4/accounts', { ...dev, id: 'own', tokenExpirationTime: '1h' }),
    ).toBe('200');
    const seconds = String(guarded.clock.now() / 1000);
    expect(told(guarded, '/v4/accounts/dev')).toEqual({
      id: 'own',
      name: 'dev',
      roles: ['developer'],
      tokenExpirationTime: '1h',
      status: 'active',
      createTime: seconds,
      updateTime: seconds,
    });
    expect(told(guarded, '/v4/accounts')).toMatchObject({
      total: 2,
      data: [{ name: 'dev' }, { name: 'root' }],
    });
    expect(guarded.asRoot('DELETE /v4/accounts/dev')).toBe('200');
    expect(guarded.asRoot('DELETE /v4/accounts/dev')).toBe('400 400200 account [dev] not exist');
  });

  const rule = 'does not match rule';
  const name = String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`;

  it.each<[object, string]>([
    [
      { name: undefined },
      `field 'Account.Name' invalid value '' ${rule}: {Min: 1, Max: 64, Regexp: ${name}}`,
    ],
    [
      { name: 'a b' },
      `field 'Account.Name' invalid value 'a b' ${rule}: {Min: 1, Max: 64, Regexp: ${name}}`,
    ],
    [
      { password: 'Ab1_' },
      `field 'Account.Password' invalid value 'Ab1_' ${rule}: {Regexp: password}`,
    ],
    [
      { roles: [] },
      `field 'Account.Roles' invalid value '[]' ${rule}: {Min: 1, Max: 5, Regexp: ${name}}`,
    ],
    [
      { roles: ['a', 'b', 'c', 'd', 'e', 'f'] },
      `field 'Account.Roles' invalid value '[a b c d e f]' ${rule}: {Min: 1, Max: 5, Regexp: ${name}}`,
    ],
    [
      { status: 'gone' },
      `field 'Account.Status' invalid value 'gone' ${rule}: {Regexp: ^(active|inactive)$|^$}`,
    ],
    [{ name: 'Abcdefg-1', password: 'Abcdefg-1' }, 'account name and password MUST NOT be same'],
    [{ name: 'Abcdefg-1', password: '1-gfedcbA' }, 'password MUST NOT be the revered account name'],
    [{ name: 1 }, 'json: cannot unmarshal number into Go struct field Account.name of type string'],
  ])('of %j is refused', (changes, detail) => {
    const guarded = new GuardedRegistry();
    const outcome = guarded.asRoot('POST /v4/accounts', { ...dev, ...changes });
    expect(outcome).toBe(`400 400001 ${detail}`);
  });

  it('is refused with the expected kind of body', () => {
    const guarded = new GuardedRegistry();
    expect(guarded.asRoot('POST /v4/accounts', '[]')).toBe(
      '400 400001 json: cannot unmarshal array into Go value of type rbac.Account',
    );
    expect(guarded.asRoot('POST /v4/accounts/batch-create', '{"accounts":[1]}')).toBe(
      '400 400001 json: cannot unmarshal number into Go struct field BatchCreateAccountsRequest.accounts of type rbac.Account',
    );
  });

  it('finds no room beyond the quota, whatever it is', () => {
    const guarded = new GuardedRegistry({ quotas: { accounts: 2 } });
    expect(guarded.asRoot('POST /v4/accounts', dev)).toBe('200');
    expect(guarded.asRoot('POST /v4/accounts', {})).toBe(
      '400 400203 Not enough quota(no quota to create ACCOUNT, max num is 2, curNum is 2, apply num is 1)',
    );
  });

  it('is changed in its roles, and in its status with them', () => {
    const guarded = new GuardedRegistry();
    guarded.asRoot('POST /v4/accounts', dev);
    guarded.clock.advance(5000);
    const change = (body: object) => guarded.asRoot('PUT /v4/accounts/dev', body);
    expect(change({ roles: ['admin'], status: 'inactive' })).toBe('200');
    expect(change({ roles: ['developer'] })).toBe('200');
    const now = String(guarded.clock.now() / 1000);
    const account = { roles: ['developer'], status: 'inactive', updateTime: now };
    expect(told(guarded, '/v4/accounts/dev')).toMatchObject(account);
    expect(change({ status: 'active' })).toContain("field 'Account.Roles' invalid value '[]'");
    expect(change({ roles: ['nosuch'] })).toBe('400 400202 role not exist');
    expect(guarded.asRoot('PUT /v4/accounts/nosuch', { roles: ['admin'] })).toBe(
      '400 400200 account [nosuch] not exist',
    );
  });

  it('cannot change or remove itself, nor can root be', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.member('a', [{ resources: [{ type: 'account' }], verbs: ['*'] }]);
    const own = '403 403204 your account can not be operated';
    const root = '403 403202 root can not be operated';
    const body = { roles: ['admin'] };
    expect(guarded.outcome('PUT /v4/accounts/a', { as, body })).toBe(own);
    expect(guarded.outcome('DELETE /v4/accounts/a', { as })).toBe(own);
    expect(guarded.outcome('PUT /v4/accounts/root', { as, body })).toBe(root);
    expect(guarded.outcome('DELETE /v4/accounts/root', { as })).toBe(root);
  });
});

describe('accounts made together', () => {
  it('are answered one by one', () => {
    const guarded = new GuardedRegistry({ quotas: { accounts: 3 } });
    const accounts = [dev, dev, { ...dev, name: 'b', password: undefined }, { ...dev, name: 'c' }];
    const told = guarded.ask('POST /v4/accounts/batch-create', {
      as: guarded.root,
      body: { accounts },
    });
    expect(told.json).toEqual({
      accounts: [
        { name: 'dev' },
        {
          name: 'dev',
          errorCode: '409200',
          errorMessage: 'account name is duplicated',
          detail: 'account is duplicated',
        },
        { name: 'b' },
        {
          name: 'c',
          errorCode: '400203',
          errorMessage: 'No quota to create account',
          detail: expect.stringContaining('curNum is 3'),
        },
      ],
    });
    expect(guarded.login('dev', password)).toBe('200');
    expect(guarded.login('b', '')).toBe('401 401202 undefined');
  });

  it.each([0, 21])('are not %i', count => {
    const guarded = new GuardedRegistry();
    const body = { accounts: Array.from({ length: count }, () => dev) };
    expect(guarded.asRoot('POST /v4/accounts/batch-create', body)).toContain(
      'does not match rule: {Min: 1, Max: 20}',
    );
  });

  it('are nothing at all when one is null', () => {
    const guarded = new GuardedRegistry();
    const body = { accounts: [dev, null] };
    const { status, text } = guarded.ask('POST /v4/accounts/batch-create', {
      as: guarded.root,
      body,
    });
    expect([status, text]).toEqual([200, '']);
    expect(guarded.login('dev', password)).toBe('401 401202 undefined');
  });
});

describe('a password', () => {
  it('can be changed with the current one; older tokens stay valid', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    const body = { currentPassword: password, password: other };
    expect(guarded.outcome('POST /v4/accounts/dev/password', { as, body })).toBe('200');
    expect(guarded.login('dev', password)).toBe('401 401202 undefined');
    expect(guarded.login('dev', other)).toBe('200');
    expect(guarded.outcome('GET /microservices', { as })).toBe('200');
  });

  it.each<[object, string]>([
    [{ password: other }, '400 400001 current password should not be empty'],
    [{ currentPassword: password, password }, '400 400206 the password can not be same as old one'],
    [{ currentPassword: 'wrong', password: other }, '401 401207 undefined'],
    [
      { currentPassword: password, password: 'weak' },
      "400 400001 field 'Account.Password' invalid value 'weak' does not match rule: {Regexp: password}",
    ],
  ])('of oneself is not changed by %j', (body, outcome) => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    expect(guarded.outcome('POST /v4/accounts/dev/password', { as, body })).toBe(outcome);
    expect(guarded.login('dev', password)).toBe('200');
  });

  it('of another account can only be changed by an admin, without the current one', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    const body = { password: other };
    expect(guarded.outcome('POST /v4/accounts/root/password', { as, body })).toBe(
      '403 403001 can not change other account password',
    );
    expect(guarded.login('root', rootPassword)).toBe('200');
    expect(guarded.asRoot('POST /v4/accounts/dev/password', body)).toBe('200');
    expect(guarded.login('dev', other)).toBe('200');
    expect(guarded.asRoot('POST /v4/accounts/nosuch/password', body)).toBe(
      '400 400200 account [nosuch] not exist',
    );
  });

  it('must be JSON, and is refused with its own message', () => {
    const guarded = new GuardedRegistry();
    expect(guarded.asRoot('POST /v4/accounts/root/password', '{')).toBe(
      '400 400001 json is invalid',
    );
  });
});

describe('a role', () => {
  const perms = [{ resources: [{ type: 'service', labels: { appId: 'a' } }], verbs: ['get'] }];

  it('is created, returned, changed and removed', () => {
    const guarded = new GuardedRegistry();
    expect(guarded.asRoot('POST /v4/roles', { name: 'r', perms, id: 'ignored' })).toBe('200');
    const now = String(guarded.clock.now() / 1000);
    expect(told(guarded, '/v4/roles/r')).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'r',
      perms,
      createTime: now,
      updateTime: now,
    });
    guarded.clock.advance(1000);
    expect(guarded.asRoot('PUT /v4/roles/r', { name: 'other', perms: [] })).toBe('200');
    const changed = told(guarded, '/v4/roles/r');
    expect(changed).toMatchObject({ name: 'r', updateTime: String(Number(now) + 1) });
    expect(changed).not.toHaveProperty('perms');
    expect(guarded.asRoot('DELETE /v4/roles/r')).toBe('200');
    expect(told(guarded, '/v4/roles')).toMatchObject({
      total: 2,
      data: [{ name: 'admin' }, { name: 'developer' }],
    });
  });

  it.each<[string, unknown, string]>([
    ['POST /v4/roles', { name: 'admin' }, '409 409201 role is duplicated'],
    ['POST /v4/roles', '{', '400 400001 json is invalid'],
    ['POST /v4/roles', { name: 'a b' }, "400 400001 field 'Role.Name' invalid value 'a b'"],
    ['GET /v4/roles/nosuch', '', '400 400201 undefined'],
    ['PUT /v4/roles/nosuch', {}, '400 400201 undefined'],
    ['DELETE /v4/roles/nosuch', '', '400 400201 undefined'],
    ['PUT /v4/roles/admin', {}, '403 403203 build-in role can not be operated'],
    ['DELETE /v4/roles/developer', '', '403 403203 build-in role can not be operated'],
  ])('is refused: %s %j', (line, body, outcome) => {
    expect(new GuardedRegistry().asRoot(line, body)).toContain(outcome);
  });

  it('stays as long as an account has it', () => {
    const guarded = new GuardedRegistry();
    guarded.member('a', perms);
    expect(guarded.asRoot('DELETE /v4/roles/a-role')).toBe('400 400205 undefined');
    guarded.asRoot('PUT /v4/accounts/a', { roles: ['developer'] });
    expect(guarded.asRoot('DELETE /v4/roles/a-role')).toBe('200');
  });

  it('finds no room beyond the quota', () => {
    const guarded = new GuardedRegistry({ quotas: { roles: 2 } });
    expect(guarded.asRoot('POST /v4/roles', { name: 'r' })).toBe(
      '400 400204 Not enough quota(no quota to create ROLE, max num is 2, curNum is 2, apply num is 1)',
    );
  });

  it('changes what its accounts may do at once', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.member('a', [{ resources: [{ type: 'role' }], verbs: ['get'] }]);
    expect(guarded.outcome('GET /v4/roles', { as })).toBe('200');
    guarded.asRoot('PUT /v4/roles/a-role', { perms });
    expect(guarded.outcome('GET /v4/roles', { as })).toContain('403 403205');
    expect(guarded.ask('GET /v4/self-perms', { as }).json).toEqual({ perms });
  });
});
