import { describe, expect, it } from '@jest/globals';
import { Bans } from '../../../lib/rbac/bans.js';
import { GuardedRegistry, password, rootPassword } from '../../support/guarded-registry.js';
import { FakeClock } from '../../support/registry.js';

const minuteMs = 60_000;
const wrong = '401 401202 undefined';
const blocked = '403 403201 undefined';

function failures(guarded: GuardedRegistry, count: number, address?: string): string[] {
  return Array.from({ length: count }, () => guarded.login('root', 'wrong', address));
}

function locks(guarded: GuardedRegistry): unknown {
  return JSON.parse(guarded.ask('GET /v4/account-locks', { as: guarded.root }).text);
}

describe('a login that fails', () => {
  it('bans its name at its address at the third time, for 15 minutes', () => {
    const guarded = new GuardedRegistry();
    expect(failures(guarded, 4)).toEqual([wrong, wrong, wrong, blocked]);
    guarded.clock.advance(15 * minuteMs);
    expect(guarded.login('root', rootPassword)).toBe(blocked);
    guarded.clock.advance(1000);
    expect(guarded.login('root', rootPassword)).toBe('200');
  });

  it('has less to lose after a ban: the second bans again', () => {
    const guarded = new GuardedRegistry();
    failures(guarded, 3);
    guarded.clock.advance(15 * minuteMs + 1000);
    expect(failures(guarded, 3)).toEqual([wrong, wrong, blocked]);
  });

  it('is forgiven as time goes by, one in 15 minutes', () => {
    const guarded = new GuardedRegistry();
    const outcomes = Array.from({ length: 5 }, () => {
      const [outcome] = failures(guarded, 1);
      guarded.clock.advance(15 * minuteMs);
      return outcome;
    });
    expect(outcomes).toEqual([wrong, wrong, wrong, wrong, wrong]);
  });

  it('is not forgiven by a success', () => {
    const guarded = new GuardedRegistry();
    failures(guarded, 2);
    expect(guarded.login('root', rootPassword)).toBe('200');
    expect([...failures(guarded, 1), guarded.login('root', rootPassword)]).toEqual([
      wrong,
      blocked,
    ]);
  });

  it('counts apart for each name and each address', () => {
    const guarded = new GuardedRegistry();
    failures(guarded, 3);
    expect(guarded.login('root', rootPassword, '10.0.0.2')).toBe('200');
    expect(guarded.login('somebody', 'wrong')).toBe(wrong);
  });

  it('bans for as long as is said', () => {
    const guarded = new GuardedRegistry({ banMs: 5000 });
    failures(guarded, 3);
    guarded.clock.advance(6000);
    expect(guarded.login('root', rootPassword)).toBe('200');
    expect(failures(guarded, 2)).toEqual([wrong, blocked]);
  });

  it('does not touch a token that was given before', () => {
    const guarded = new GuardedRegistry();
    const { root } = guarded;
    failures(guarded, 3);
    expect(guarded.outcome('GET /microservices', { as: root })).toBe('200');
  });

  it('at a password change counts like any other', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    const change = () =>
      guarded.outcome('POST /v4/accounts/dev/password', {
        as,
        headers: { 'x-real-ip': '10.0.0.1' },
        body: { currentPassword: 'wrong', password: 'Complicated_password3' },
      });
    const refused = '401 401207 undefined';
    expect([change(), change(), change(), change()]).toEqual([refused, refused, refused, blocked]);
    expect(guarded.login('dev', password)).toBe(blocked);
  });
});

describe('failures of very many names', () => {
  it('are held against each of them until they are forgiven', () => {
    const clock = new FakeClock();
    const bans = new Bans(clock, { banMs: 900_000, historyMs: 1_200_000 });
    for (const name of Array.from({ length: 10_000 }, (_, at) => `early-${at}`)) bans.fail(name);
    clock.advance(16 * minuteMs);
    for (const name of Array.from({ length: 10_001 }, (_, at) => `late-${at}`)) bans.fail(name);
    bans.fail('late-0');
    bans.fail('late-0');
    expect(bans.isBanned('late-0')).toBe(true);
    clock.advance(5 * minuteMs);
    expect(bans.list()).toHaveLength(10_001);
  });
});

describe('the address of a login', () => {
  it.each([
    ['10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['nonsense, 127.0.0.1, 10.0.0.3', '10.0.0.3'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1', '10.9.9.9'],
    ['224.0.0.1', '10.9.9.9'],
    ['', '10.9.9.9'],
  ])('of a proxy that says %s is %s', (forwarded, address) => {
    const guarded = new GuardedRegistry();
    guarded.ask('POST /v4/token', {
      headers: { 'x-forwarded-for': forwarded, 'x-real-ip': '10.9.9.9' },
      body: { name: 'a', password: 'wrong' },
    });
    expect(locks(guarded)).toMatchObject({ data: [{ key: `a::${address}` }] });
  });
});

describe('the locks of accounts', () => {
  it('are none at first, and say so', () => {
    expect(locks(new GuardedRegistry())).toEqual({ total: 0, data: [] });
  });

  it('are listed by key, with their end', () => {
    const guarded = new GuardedRegistry({ lockHistoryMs: 30_000 });
    const now = guarded.clock.now() / 1000;
    failures(guarded, 3);
    guarded.login('a', 'wrong');
    expect(locks(guarded)).toEqual({
      total: 2,
      data: [
        { key: 'a::10.0.0.1', status: 'attempted', releaseAt: now + 30 },
        { key: 'root::10.0.0.1', status: 'banned', releaseAt: now + 900 },
      ],
    });
    guarded.clock.advance(31_000);
    expect(locks(guarded)).toMatchObject({ total: 1, data: [{ status: 'banned' }] });
  });
});
