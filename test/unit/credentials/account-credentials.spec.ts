import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  AccountCredentials,
  type AccountParts,
} from '../../../lib/credentials/account-credentials.js';
import type { GrantedToken } from '../../../lib/credentials/login.js';
import {
  CredentialsError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
} from '../../../lib/errors.js';
import type { TokenChange } from '../../../lib/protocol/channel.js';

const minute = 60_000;
const hour = 60 * minute;
const [a, b] = ['http://a:1', 'http://b:1'] as const;
const never = () => new Promise<never>(() => undefined);

function refusal(errorCode: number, status = Math.floor(errorCode / 1_000)) {
  return new ServiceCenterResponseError('login', a, { status, errorCode });
}

/** The credentials of an account, on a clock and with answers to its logins that a test sets. */
class Account {
  now = 1_000;
  random = 0.5;
  password: () => Promise<string> = async () => 'right';
  /** `right at a` for each login. */
  readonly logins: string[] = [];
  readonly changes: TokenChange[] = [];
  /** Whether a gateway lets no login through. */
  isBarred = false;
  readonly credentials: AccountCredentials;
  answer: AccountParts['login'] = async (_, { password }) => {
    if (password !== 'right') throw refusal(401_202);
    return { text: `t${this.logins.length}`, lifeMs: 10 * hour };
  };

  constructor() {
    this.credentials = new AccountCredentials({
      username: 'root',
      password: () => this.password(),
      clock: { now: () => this.now, random: () => this.random },
      delay: never,
      isBarred: async () => this.isBarred,
      login: (address, account, signal) => {
        this.logins.push(`${account.password} at ${address.slice(7, 8)}`);
        return this.answer(address, account, signal);
      },
    });
    this.credentials.onChange(change => this.changes.push(change));
  }

  /** An account whose token is due for renewal: nine of its ten hours are over. */
  static async aging(): Promise<Account> {
    const account = new Account();
    await account.ask(a);
    account.now += 9 * hour;
    return account;
  }

  /** The token of the next request, or why there is none. */
  async ask(address: string, signal?: AbortSignal): Promise<unknown> {
    const asked = await this.credentials.headersFor(address, { signal }).then(
      ({ Authorization = '' }) => Authorization.replace('Bearer ', ''),
      (error: unknown) => error,
    );
    await setImmediate();
    return asked;
  }

  /** Has all logins from now on fail with this. */
  fail(error: Error): void {
    this.answer = async () => {
      throw error;
    };
  }

  /** Has all logins from now on hang until they are aborted. */
  hang(): void {
    this.answer = (_address, _account, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
  }

  kinds(): readonly string[] {
    return this.changes.map(({ kind }) => kind);
  }
}

describe('an account', () => {
  it('logs in once for all requests that wait, and emits how long the token lives', async () => {
    const account = new Account();
    const asked = Promise.all([account.ask(a), account.ask(a), account.ask(a)]);
    expect(await asked).toEqual(['t1', 't1', 't1']);
    account.now += 2 * hour;
    expect(await account.ask(a)).toBe('t1');
    expect(account.changes).toEqual([{ kind: 'renewed', address: a, lifeMs: 10 * hour }]);
    expect(account.logins).toHaveLength(1);
  });

  it.each([
    [0, 8],
    [0.5, 8.5],
    [1, 9],
  ])('with a draw of %d renews its token at %d tenths of its life', async (random, tenths) => {
    const account = new Account();
    account.random = random;
    await account.ask(a);
    account.now += tenths * hour - 10;
    await account.ask(a);
    expect(account.logins).toHaveLength(1);
    account.now += 20;
    await account.ask(a);
    expect(account.logins).toHaveLength(2);
  });

  it('renews its token beside the requests, which use the old one meanwhile', async () => {
    const account = await Account.aging();
    expect(await account.ask(a)).toBe('t1');
    expect(await account.ask(a)).toBe('t2');
    expect(account.logins).toHaveLength(2);
    expect(account.kinds()).toEqual(['renewed', 'renewed']);
  });

  it('does not use a token after its end', async () => {
    const account = new Account();
    await account.ask(a);
    account.now += 10 * hour;
    expect(await account.ask(a)).toBe('t2');
  });

  it('has a token of its own at each address', async () => {
    const account = new Account();
    expect([await account.ask(a), await account.ask(b)]).toEqual(['t1', 't2']);
  });

  it('keeps its token where there is no login any more, and looks again a minute later', async () => {
    const account = await Account.aging();
    account.answer = async () => ({ text: '', lifeMs: 10 * hour });
    expect(await account.ask(a)).toBe('t1');
    account.now += minute - 1;
    expect(await account.ask(a)).toBe('t1');
    expect(account.logins).toHaveLength(2);
    account.now += 1;
    expect(await account.ask(a)).toBe('t1');
    expect(account.logins).toHaveLength(3);
    account.now += hour;
    expect(await account.ask(a)).toBe('');
    expect(account.kinds()).toEqual(['renewed']);
  });
});

describe.each([
  ['a wrong password', refusal(401_202)],
  ['a ban', refusal(403_201)],
  ['a wrong password, where services need no account', refusal(401_302)],
  ['a wrong password, with its status lost on the way', refusal(401_202, 400)],
] as const)('a login that is refused (%s)', (...[, error]) => {
  it('is not repeated for 15 minutes, and emitted once', async () => {
    const account = new Account();
    account.fail(error);
    for (let time = 0; time < 3; time += 1) expect(await account.ask(a)).toBe(error);
    account.now += 15 * minute - 1;
    expect(await account.ask(a)).toBe(error);
    expect(account.logins).toHaveLength(1);
    expect(account.changes).toEqual([
      { kind: 'refused', address: a, error, retryInMs: 15 * minute },
    ]);
    account.now += 1;
    await account.ask(a);
    expect(account.logins).toHaveLength(2);
    expect(account.kinds()).toEqual(['refused', 'refused']);
  });

  it('is not repeated at another address either: it is the same registry', async () => {
    const account = new Account();
    account.fail(error);
    expect(await account.ask(a)).toBe(error);
    expect(await account.ask(b)).toBe(error);
    account.now += 15 * minute - 1;
    expect(await account.ask(b)).toBe(error);
    expect(account.logins).toHaveLength(1);
    expect(account.changes).toMatchObject([{ kind: 'refused', address: a }]);
  });

  it('leaves the token at hand to serve, and is known until a login succeeds', async () => {
    const account = await Account.aging();
    const { answer } = account;
    account.fail(error);
    for (let quarter = 0; quarter < 3; quarter += 1) {
      for (let time = 0; time < 4; time += 1) expect(await account.ask(a)).toBe('t1');
      expect(account.credentials.loginError).toBe(error);
      account.now += 15 * minute;
    }
    expect(account.logins).toHaveLength(4);
    expect(account.kinds()).toEqual(['renewed', 'refused', 'refused', 'refused']);
    account.fail(new ServiceCenterTimeoutError('login', a, 1));
    await account.ask(a);
    expect(account.credentials.loginError).toBe(error);
    account.answer = answer;
    await account.ask(a);
    expect(await account.ask(a)).toBe('t6');
    expect(account.credentials.loginError).toBeUndefined();
    expect(account.kinds().at(-1)).toBe('renewed');
  });
});

describe('a password that has changed', () => {
  it('is tried at once', async () => {
    const account = new Account();
    account.password = async () => 'old';
    await account.ask(a);
    account.password = async () => 'right';
    expect(await account.ask(a)).toBe('t2');
    expect(account.logins).toEqual(['old at a', 'right at a']);
    expect(account.kinds()).toEqual(['refused', 'renewed']);
    expect(account.credentials.loginError).toBeUndefined();
  });

  it('is tried at once while a token of the old one still serves', async () => {
    const account = new Account();
    await account.ask(a);
    const { answer } = account;
    account.answer = (address, given, signal) => {
      if (given.password !== 'new') throw refusal(401_202);
      return answer(address, { ...given, password: 'right' }, signal);
    };
    account.now += 9 * hour;
    await account.ask(a);
    expect(account.credentials.loginError).toMatchObject({ errorCode: 401_202 });
    account.password = async () => 'new';
    expect(await account.ask(a)).toBe('t1');
    expect(await account.ask(a)).toBe('t3');
    expect(account.credentials.loginError).toBeUndefined();
    expect(account.logins).toEqual(['right at a', 'right at a', 'new at a']);
  });

  it('and is changed back while it is forbidden, emits the refusal again', async () => {
    const account = new Account();
    account.password = async () => 'old';
    await account.ask(a);
    account.password = async () => 'right';
    await account.ask(a);
    account.password = async () => 'old';
    account.now += 14 * minute;
    await account.ask(b);
    expect(account.logins).toHaveLength(2);
    expect(account.changes.at(-1)).toMatchObject({ kind: 'refused', retryInMs: minute });
  });

  it('makes no third failure, even if it changes each time', async () => {
    const account = new Account();
    let times = 0;
    account.password = async () => `one-time ${(times += 1)}`;
    for (let minutes = 0; minutes < 60; minutes += 1) {
      await account.ask(a);
      await account.ask(b);
      account.now += minute;
    }
    expect(account.logins).toHaveLength(2 + 3);
  });
});

describe('a login without an answer', () => {
  it.each([
    ['none at all', new ServiceCenterTimeoutError('login', a, 1)],
    ['busy', refusal(500_003)],
    ['throttled', refusal(0, 429)],
    ['a page of a gateway with 403', refusal(0, 403)],
    ['a page of a gateway with 401', refusal(0, 401)],
    ['400001, which is no failed login', refusal(400_001)],
    [
      'a password that cannot be obtained',
      new CredentialsError('password', 'it failed with Error'),
    ],
  ])('(%s) is tried again at once', async (_, error) => {
    const account = new Account();
    const { answer } = account;
    account.fail(error);
    expect(await account.ask(a)).toBe(error);
    account.answer = answer;
    expect(await account.ask(a)).toBe('t2');
    expect(account.kinds()).toEqual(['renewed']);
  });

  it('of a renewal is emitted each time, once however many wait, and known until one succeeds', async () => {
    const account = await Account.aging();
    const { answer } = account;
    const error = new ServiceCenterTimeoutError('login', a, 1);
    account.fail(error);
    expect(await Promise.all([account.ask(a), account.ask(a)])).toEqual(['t1', 't1']);
    expect(await account.ask(a)).toBe('t1');
    expect(account.changes.slice(1)).toEqual([
      { kind: 'failed', address: a, error, failures: 1 },
      { kind: 'failed', address: a, error, failures: 2 },
    ]);
    expect(account.credentials.loginError).toBe(error);
    account.answer = answer;
    await account.ask(a);
    expect(account.credentials.loginError).toBeUndefined();
    account.now += 9 * hour;
    account.fail(error);
    await account.ask(a);
    expect(account.changes.at(-1)).toMatchObject({ kind: 'failed', failures: 1 });
  });

  it('of a renewal is emitted once, though many requests come while it hangs', async () => {
    const account = await Account.aging();
    let fail: (error: Error) => void = () => undefined;
    account.answer = () => new Promise((_, reject) => (fail = reject));
    for (let time = 0; time < 4; time += 1) expect(await account.ask(a)).toBe('t1');
    fail(new ServiceCenterTimeoutError('login', a, 1));
    await setImmediate();
    expect(account.kinds()).toEqual(['renewed', 'failed']);
    expect(account.logins).toHaveLength(2);
  });

  it('of a renewal is forgotten once another address serves, whose token is new', async () => {
    const account = new Account();
    await account.ask(a);
    account.now += 2 * hour;
    await account.ask(b);
    account.now += 7 * hour;
    account.fail(new ServiceCenterTimeoutError('login', a, 1));
    await account.ask(a);
    expect(account.credentials.loginError).toBeDefined();
    expect(await account.ask(b)).toBe('t2');
    expect(account.credentials.loginError).toBeUndefined();
  });

  it('of a renewal is not emitted after a stop', async () => {
    const account = await Account.aging();
    account.hang();
    await account.ask(a);
    account.credentials.stop();
    await setImmediate();
    expect(account.kinds()).toEqual(['renewed']);
  });

  it('is waited for until the request is given up, and serves the next one', async () => {
    const account = new Account();
    let give: (token: GrantedToken) => void = () => undefined;
    account.answer = () => new Promise(resolve => (give = resolve));
    const abort = new AbortController();
    const asked = account.ask(a, abort.signal);
    await setImmediate();
    abort.abort();
    expect(await asked).toMatchObject({ name: 'AbortError' });
    give({ text: 'late', lifeMs: hour });
    expect(await account.ask(a)).toBe('late');
    expect(account.logins).toHaveLength(1);
  });

  it('is aborted by a stop: the requests that wait for it fail, and the next one logs in', async () => {
    const account = new Account();
    const { answer } = account;
    account.hang();
    const asked = Promise.all([account.ask(a), account.ask(a)]);
    await setImmediate();
    account.credentials.stop();
    const unanswered = { code: 'ERR_SERVICECOMB_UNREACHABLE', reason: 'ECANCELED' };
    expect(await asked).toMatchObject([unanswered, unanswered]);
    account.answer = answer;
    expect(await account.ask(a)).toBe('t2');
    expect(account.kinds()).toEqual(['renewed']);
  });

  it('is not begun after a stop while its password was awaited', async () => {
    const account = new Account();
    let give: (password: string) => void = () => undefined;
    account.password = () => new Promise(resolve => (give = resolve));
    let signal: AbortSignal | undefined;
    account.answer = async (_address, _account, given) => {
      signal = given;
      throw given.reason;
    };
    const asked = account.ask(a);
    account.credentials.stop();
    give('right');
    expect(await asked).toMatchObject({ reason: 'ECANCELED' });
    expect(signal?.aborted).toBe(true);
  });

  it('is not begun for a request that is given up already', async () => {
    const account = new Account();
    expect(await account.ask(a, AbortSignal.abort())).toMatchObject({ name: 'AbortError' });
    expect(account.logins).toEqual([]);
  });
});

describe('a password that never comes', () => {
  it('holds up no request that is given up, and is asked for once', async () => {
    const account = new Account();
    let asked = 0;
    account.password = () => {
      asked += 1;
      return never();
    };
    const abort = new AbortController();
    const both = Promise.all([account.ask(a, abort.signal), account.ask(a, abort.signal)]);
    await setImmediate();
    abort.abort();
    expect(await both).toMatchObject([{ name: 'AbortError' }, { name: 'AbortError' }]);
    expect(asked).toBe(1);
  });
});

describe.each([401, 403])('a login that a page with %i answers', status => {
  const error = refusal(0, status);

  /** Asks every five seconds for so long, as many requests would, and returns how many logins that made. */
  async function logins(account: Account, minutes: number): Promise<number> {
    const before = account.logins.length;
    const end = account.now + minutes * minute;
    while (account.now < end) {
      expect(await account.ask(a)).toBe(error);
      account.now += 5_000;
    }
    return account.logins.length - before;
  }

  it('is no failure where a gateway lets no login through: it is tried again and again', async () => {
    const account = new Account();
    account.fail(error);
    account.isBarred = true;
    expect(await logins(account, 2)).toBe(24);
    expect(account.kinds()).toEqual([]);
  });

  it('is tried again once, and no third time within 15 minutes: the third failure bans', async () => {
    const account = new Account();
    account.fail(error);
    expect(await logins(account, 14.9)).toBe(2);
    expect(account.changes).toEqual([
      { kind: 'refused', address: a, error, retryInMs: 15 * minute },
    ]);
    expect(await logins(account, 60)).toBe(4);
  });

  it('is none of the registry when the next login with that password succeeds', async () => {
    const account = new Account();
    const { answer } = account;
    for (let times = 0; times < 5; times += 1) {
      account.fail(error);
      expect(await account.ask(a)).toBe(error);
      account.answer = answer;
      const token = await account.ask(a);
      expect(account.credentials.loginError).toBeUndefined();
      account.now += minute;
      account.credentials.markRefused(a, { Authorization: `Bearer ${String(token)}` });
    }
    account.fail(error);
    expect(await logins(account, 10)).toBe(2);
  });

  it('leaves one failure to a changed password, and then none', async () => {
    const account = new Account();
    account.fail(error);
    await account.ask(a);
    account.fail(refusal(401_202));
    account.password = async () => 'new';
    await account.ask(a);
    account.password = async () => 'newer';
    await account.ask(a);
    expect(account.logins).toHaveLength(2);
  });

  it('is not taken for a refusal after a stop', async () => {
    const account = await Account.aging();
    account.fail(error);
    account.isBarred = true;
    await account.ask(a);
    account.credentials.stop();
    await setImmediate();
    expect(account.kinds()).toEqual(['renewed', 'failed']);
  });
});

describe('a token that is refused', () => {
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

  it('is replaced by one login, for all requests that used it', async () => {
    const account = new Account();
    await account.ask(a);
    account.now += minute;
    for (let time = 0; time < 2; time += 1)
      expect(account.credentials.markRefused(a, bearer('t1'))).toBe(true);
    expect(await Promise.all([account.ask(a), account.ask(a)])).toEqual(['t2', 't2']);
    expect(account.credentials.markRefused(a, bearer('t1'))).toBe(true);
    expect(await account.ask(a)).toBe('t2');
  });

  it('and was never accepted is replaced after a second, then two, four, up to a minute', async () => {
    const account = new Account();
    const pauses: number[] = [];
    for (let login = 1; login <= 9; login += 1) {
      const token = await account.ask(a);
      expect(token).toBe(`t${login}`);
      const since = account.now;
      expect(account.credentials.markRefused(a, bearer(`t${login}`))).toBe(false);
      while ((await account.ask(a)) === token) {
        account.now += 500;
        if (account.credentials.markRefused(a, bearer(`t${login}`))) break;
      }
      pauses.push((account.now - since) / 1_000);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(account.kinds()).not.toContain('refused');
    account.credentials.markAccepted(a, bearer('t10'));
    await account.ask(a);
    account.credentials.markAccepted(a, bearer('t10'));
    account.credentials.markRefused(a, bearer('t10'));
    await account.ask(a);
    expect(account.credentials.markRefused(a, bearer('t11'))).toBe(false);
    account.now += 1_000;
    expect(await account.ask(a)).toBe('t12');
  });

  it('is replaced at once when its login was a second ago, since pauses lie between two logins', async () => {
    const account = new Account();
    await account.ask(a);
    account.now += 1_000;
    expect(account.credentials.markRefused(a, bearer('t1'))).toBe(true);
    expect(await account.ask(a)).toBe('t2');
    account.now += 1_500;
    expect(account.credentials.markRefused(a, bearer('t2'))).toBe(false);
    account.now += 500;
    expect(await account.ask(a)).toBe('t3');
  });

  it('is replaced at once when it was accepted before: the keys have changed', async () => {
    const account = new Account();
    await account.ask(a);
    account.credentials.markAccepted(a, bearer('t1'));
    expect(account.credentials.markRefused(a, bearer('t1'))).toBe(true);
    expect(await account.ask(a)).toBe('t2');
    account.credentials.markAccepted(a, bearer('t1'));
    expect(account.credentials.markRefused(a, bearer('t2'))).toBe(false);
  });

  it('is had at once when there was none: security has been switched on', async () => {
    const account = new Account();
    const { answer } = account;
    account.answer = async () => ({ text: '', lifeMs: hour });
    expect(await account.ask(a)).toBe('');
    account.answer = answer;
    expect(account.credentials.markRefused(a, {})).toBe(true);
    expect(await account.ask(a)).toBe('t2');
  });
});

describe('a token that lacks a permission', () => {
  const right = { Authorization: 'Bearer t1' };

  it('is renewed beside the requests once its roles are 15 minutes old', async () => {
    const account = new Account();
    await account.ask(a);
    account.now += 15 * minute - 1;
    account.credentials.markDenied(a, right);
    await account.ask(a);
    expect(account.logins).toHaveLength(1);
    account.now += 1;
    account.credentials.markDenied(a, { Authorization: 'Bearer t0' });
    await account.ask(a);
    expect(account.logins).toHaveLength(1);
    account.credentials.markDenied(a, right);
    expect(await account.ask(a)).toBe('t1');
    expect(await account.ask(a)).toBe('t2');
  });
});

describe('an account that changes passwords and addresses at random', () => {
  /** The server's count: two failures at once, one more every 15 minutes, over all its nodes. */
  class Bans {
    #taken = 2;
    #countedAt = 0;

    /** Whether a failure at this moment bans the account. */
    fail(now: number): boolean {
      this.#taken = Math.min(2, this.#taken + (now - this.#countedAt) / (15 * minute)) - 1;
      this.#countedAt = now;
      return this.#taken < -1e-9;
    }
  }

  it('is never banned', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const account = new Account();
      const bans = new Bans();
      let state = seed;
      const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      account.answer = async (address, { password }) => {
        if (random() < 0.2) throw new ServiceCenterTimeoutError('login', address, 1);
        if (password === 'right') return { text: 't', lifeMs: (15 + 100 * random()) * minute };
        throw refusal(bans.fail(account.now) ? 403_201 : 401_202);
      };
      let current = 'right';
      account.password = async () => current;
      for (let step = 0; step < 300; step += 1) {
        account.now += random() * 4 * minute;
        const next = Math.floor(random() * 60);
        current = ['one', 'two', 'right'][next] ?? current;
        await account.ask(random() < 0.5 ? a : b);
      }
      const refusals = account.changes.filter(change => change.kind === 'refused');
      expect(refusals.map(({ error }) => error)).not.toContainEqual(refusal(403_201));
      expect(account.logins.length).toBeGreaterThan(10);
    }
  });
});
