import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  CredentialsError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
} from '../../../lib/errors.js';
import type { GivenToken } from '../../../lib/protocol/access-token.js';
import {
  AccountCredentials,
  type AccountParts,
} from '../../../lib/protocol/account-credentials.js';
import type { TokenChange } from '../../../lib/protocol/credentials.js';

const minute = 60_000;
const hour = 60 * minute;
const never = () => new Promise<never>(() => undefined);

function refusal(errorCode: number, status = Math.floor(errorCode / 1_000)) {
  return new ServiceCenterResponseError('login', 'http://a', { status, errorCode });
}

/** What a process shares, it shares by the address: each test has its own. */
let tests = 0;

/** A registry with one account, and registrations that use it. */
class Process {
  now = 1_000;
  password = 'right';
  readonly logins: string[] = [];
  readonly a: string;
  readonly b: string;
  answer: AccountParts['login'] = async (_, { password }) => {
    if (password !== 'right') throw refusal(401_202);
    return { text: `t${this.logins.length}`, lifeMs: 10 * hour };
  };

  constructor() {
    tests += 1;
    [this.a, this.b] = [`http://a:${tests}`, `http://b:${tests}`];
  }

  /** A registration whose token is due to be renewed: it has nine of its ten hours behind it. */
  async aging(): Promise<Registered> {
    const one = this.registration();
    await one.ask(this.a);
    this.now += 9 * hour;
    return one;
  }

  registration({
    username = 'root',
    password = async () => this.password,
    addresses = [this.a, this.b],
  }: Partial<Pick<AccountParts, 'username' | 'password' | 'addresses'>> = {}): Registered {
    return new Registered(
      new AccountCredentials({
        addresses,
        username,
        password,
        clock: { now: () => this.now, random: () => 0.5 },
        login: (address, account, signal) => {
          this.logins.push(`${account.password} at ${address.slice(7, 8)}`);
          return this.answer(address, account, signal);
        },
      }),
    );
  }
}

class Registered {
  readonly changes: TokenChange[] = [];

  constructor(readonly credentials: AccountCredentials) {
    credentials.onChange(change => this.changes.push(change));
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

  kinds(): readonly string[] {
    return this.changes.map(({ kind }) => kind);
  }
}

describe('an account', () => {
  it('has one token for all registrations, each of which is told what is left of it', async () => {
    const process = new Process();
    const { a } = process;
    const [one, other] = [process.registration(), process.registration()];
    expect(await Promise.all([one.ask(a), one.ask(a), other.ask(a)])).toEqual(['t1', 't1', 't1']);
    process.now += 2 * hour;
    const late = process.registration();
    expect(await late.ask(a)).toBe('t1');
    expect(late.changes).toEqual([{ kind: 'renewed', address: a, lifeMs: 8 * hour }]);
    expect(one.changes).toEqual([{ kind: 'renewed', address: a, lifeMs: 10 * hour }]);
    expect(process.logins).toHaveLength(1);
  });

  it('renews its token beside the requests, before it ends', async () => {
    const process = new Process();
    const one = process.registration();
    await one.ask(process.a);
    process.now += 8.5 * hour - 10;
    await one.ask(process.a);
    expect(process.logins).toHaveLength(1);
    process.now += 20;
    expect(await one.ask(process.a)).toBe('t1');
    expect(await one.ask(process.a)).toBe('t2');
    expect(process.logins).toHaveLength(2);
    expect(one.kinds()).toEqual(['renewed', 'renewed']);
  });

  it('has a token of its own at each address', async () => {
    const process = new Process();
    const one = process.registration();
    expect([await one.ask(process.a), await one.ask(process.b)]).toEqual(['t1', 't2']);
  });

  it('has nothing to do with another one at the same address', async () => {
    const process = new Process();
    process.password = 'wrong';
    await process.registration().ask(process.a);
    process.password = 'right';
    const other = process.registration({ username: 'other' });
    expect(await other.ask(process.a)).toBe('t2');
    expect(other.kinds()).toEqual(['renewed']);
  });
});

describe.each([
  ['a wrong password', refusal(401_202)],
  ['a ban', refusal(403_201)],
  ['a wrong password, where services need no account', refusal(401_302)],
  ['a gateway', new ServiceCenterResponseError('login', 'http://a', { status: 403 })],
] as const)('a login that is refused (%s)', (...[, error]) => {
  it('is not repeated for 15 minutes, by whomever, and told to each', async () => {
    const process = new Process();
    const { a } = process;
    process.answer = () => Promise.reject(error);
    const all = [process.registration(), process.registration(), process.registration()];
    for (const each of all) expect(await each.ask(a)).toBe(error);
    for (const each of all) expect(await each.ask(a)).toBe(error);
    process.now += 15 * minute - 1;
    const late = process.registration();
    expect(await late.ask(a)).toBe(error);
    expect(process.logins).toHaveLength(1);
    for (const { changes } of all)
      expect(changes).toEqual([{ kind: 'refused', address: a, error, retryInMs: 15 * minute }]);
    expect(late.changes).toEqual([{ kind: 'refused', address: a, error, retryInMs: 1 }]);
    process.now += 1;
    for (const each of all) await each.ask(a);
    expect(process.logins).toHaveLength(2);
    expect(all[0]?.kinds()).toEqual(['refused', 'refused']);
  });

  it('is not repeated at another address either: it is the same registry', async () => {
    const process = new Process();
    process.answer = () => Promise.reject(error);
    const one = process.registration();
    expect(await one.ask(process.a)).toBe(error);
    expect(await one.ask(process.b)).toBe(error);
    process.now += 15 * minute - 1;
    expect(await one.ask(process.b)).toBe(error);
    expect(process.logins).toHaveLength(1);
    expect(one.changes).toMatchObject([{ kind: 'refused', address: process.a }]);
  });

  it('is not repeated by another registration at another address of both', async () => {
    const process = new Process();
    process.answer = () => Promise.reject(error);
    const [one, other] = [process.registration(), process.registration()];
    expect(await one.ask(process.a)).toBe(error);
    expect(await other.ask(process.b)).toBe(error);
    expect(process.logins).toHaveLength(1);
  });

  it('is not repeated at an address that was learned since', async () => {
    const process = new Process();
    process.answer = () => Promise.reject(error);
    const one = process.registration({ addresses: [process.a] });
    expect(await one.ask(process.a)).toBe(error);
    expect(await one.ask(process.b)).toBe(error);
    expect(process.logins).toHaveLength(1);
  });

  it('leaves the token at hand to serve, and is known until a login succeeds', async () => {
    const process = new Process();
    const { a } = process;
    const { answer } = process;
    const one = await process.aging();
    process.answer = () => Promise.reject(error);
    for (let quarter = 0; quarter < 3; quarter += 1) {
      for (let beat = 0; beat < 4; beat += 1) expect(await one.ask(a)).toBe('t1');
      expect(one.credentials.trouble).toBe(error);
      process.now += 15 * minute;
    }
    expect(process.logins).toHaveLength(4);
    expect(one.kinds()).toEqual(['renewed', 'refused', 'refused', 'refused']);
    process.answer = () => Promise.reject(new ServiceCenterTimeoutError('login', a, 1));
    await one.ask(a);
    expect(one.credentials.trouble).toBe(error);
    process.answer = answer;
    await one.ask(a);
    expect(await one.ask(a)).toBe('t6');
    expect(one.credentials.trouble).toBeUndefined();
    expect(one.kinds().at(-1)).toBe('renewed');
  });
});

describe('a password that has changed', () => {
  it('is tried at once', async () => {
    const process = new Process();
    process.password = 'old';
    const one = process.registration();
    await one.ask(process.a);
    process.password = 'right';
    expect(await one.ask(process.a)).toBe('t2');
    expect(process.logins).toEqual(['old at a', 'right at a']);
    expect(one.kinds()).toEqual(['refused', 'renewed']);
    expect(one.credentials.trouble).toBeUndefined();
  });

  it('is tried at once while a token of the old one still serves', async () => {
    const process = new Process();
    const one = process.registration();
    await one.ask(process.a);
    const { answer } = process;
    process.answer = (address, account, signal) => {
      if (account.password !== 'new') throw refusal(401_202);
      return answer(address, { ...account, password: 'right' }, signal);
    };
    process.now += 9 * hour;
    await one.ask(process.a);
    expect(one.credentials.trouble).toMatchObject({ errorCode: 401_202 });
    process.password = 'new';
    expect(await one.ask(process.a)).toBe('t1');
    expect(await one.ask(process.a)).toBe('t3');
    expect(one.credentials.trouble).toBeUndefined();
    expect(process.logins).toEqual(['right at a', 'right at a', 'new at a']);
  });

  it('makes no third failure, even if it changes each time', async () => {
    const process = new Process();
    let times = 0;
    const one = process.registration({ password: async () => `one-time ${(times += 1)}` });
    for (let minutes = 0; minutes < 60; minutes += 1) {
      await one.ask(process.a);
      await one.ask(process.b);
      process.now += minute;
    }
    expect(process.logins).toHaveLength(2 + 3);
  });
});

describe('a login without an answer', () => {
  it.each([
    ['none at all', new ServiceCenterTimeoutError('login', 'http://a', 1)],
    ['busy', refusal(500_003)],
    ['throttled', refusal(0, 429)],
    ['a password that cannot be had', new CredentialsError('password', 'it failed with Error')],
  ])('(%s) is asked again at once', async (_, error) => {
    const process = new Process();
    const one = process.registration();
    const { answer } = process;
    process.answer = () => Promise.reject(error);
    expect(await one.ask(process.a)).toBe(error);
    process.answer = answer;
    expect(await one.ask(process.a)).toBe('t2');
    expect(one.kinds()).toEqual(['renewed']);
  });

  it('of a renewal is told each time, once however many wait, and known until one succeeds', async () => {
    const process = new Process();
    const { a } = process;
    const { answer } = process;
    const one = await process.aging();
    const error = new ServiceCenterTimeoutError('login', a, 1);
    process.answer = () => Promise.reject(error);
    expect(await Promise.all([one.ask(a), one.ask(a)])).toEqual(['t1', 't1']);
    expect(await one.ask(a)).toBe('t1');
    expect(one.changes.slice(1)).toEqual([
      { kind: 'failed', address: a, error, failures: 1 },
      { kind: 'failed', address: a, error, failures: 2 },
    ]);
    expect(one.credentials.trouble).toBe(error);
    process.answer = answer;
    await one.ask(a);
    expect(one.credentials.trouble).toBeUndefined();
    process.now += 9 * hour;
    process.answer = () => Promise.reject(error);
    await one.ask(a);
    expect(one.changes.at(-1)).toMatchObject({ kind: 'failed', failures: 1 });
  });

  it('of a renewal is told once, though many requests come while it hangs', async () => {
    const process = new Process();
    const { a } = process;
    const one = await process.aging();
    let fail: (error: Error) => void = () => undefined;
    process.answer = () => new Promise((_, reject) => (fail = reject));
    for (let beat = 0; beat < 4; beat += 1) expect(await one.ask(a)).toBe('t1');
    fail(new ServiceCenterTimeoutError('login', a, 1));
    await setImmediate();
    expect(one.kinds()).toEqual(['renewed', 'failed']);
    expect(process.logins).toHaveLength(2);
  });

  it('of a renewal is no trouble once another address serves, whose token is good', async () => {
    const process = new Process();
    const { a, b } = process;
    const one = process.registration();
    await one.ask(a);
    process.now += 2 * hour;
    await one.ask(b);
    process.now += 7 * hour;
    process.answer = () => Promise.reject(new ServiceCenterTimeoutError('login', a, 1));
    await one.ask(a);
    expect(one.credentials.trouble).toBeDefined();
    expect(await one.ask(b)).toBe('t2');
    expect(one.credentials.trouble).toBeUndefined();
  });

  it('of a renewal is told to nobody who has stopped', async () => {
    const process = new Process();
    const one = await process.aging();
    process.answer = (_address, _account, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    await one.ask(process.a);
    one.credentials.stop();
    await setImmediate();
    expect(one.kinds()).toEqual(['renewed']);
  });

  it('is waited for until the request is given up, and serves the next one', async () => {
    const process = new Process();
    const one = process.registration();
    let give: (token: GivenToken) => void = () => undefined;
    process.answer = () => new Promise(resolve => (give = resolve));
    const abort = new AbortController();
    const asked = one.ask(process.a, abort.signal);
    await setImmediate();
    abort.abort();
    expect(await asked).toMatchObject({ name: 'AbortError' });
    give({ text: 'late', lifeMs: hour });
    expect(await one.ask(process.a)).toBe('late');
    expect(process.logins).toHaveLength(1);
  });

  it('is ended with the registration that began it; others ask again', async () => {
    const process = new Process();
    const [one, other] = [process.registration(), process.registration()];
    const { answer } = process;
    process.answer = (_address, _account, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const asked = Promise.all([one.ask(process.a), other.ask(process.a)]);
    await setImmediate();
    one.credentials.stop();
    const unanswered = { code: 'ERR_SERVICECOMB_UNREACHABLE', reason: 'ECANCELED' };
    expect(await asked).toMatchObject([unanswered, unanswered]);
    process.answer = answer;
    expect(await other.ask(process.a)).toBe('t2');
    expect(other.kinds()).toEqual(['renewed']);
  });

  it('is not begun for a request that is given up already', async () => {
    const process = new Process();
    const asked = await process.registration().ask(process.a, AbortSignal.abort());
    expect(asked).toMatchObject({ name: 'AbortError' });
    expect(process.logins).toEqual([]);
  });
});

describe('a password that is never given', () => {
  it('holds nobody who is given up, and is asked for once', async () => {
    const process = new Process();
    let asked = 0;
    const password = () => {
      asked += 1;
      return never();
    };
    const one = process.registration({ password });
    const abort = new AbortController();
    const both = Promise.all([one.ask(process.a, abort.signal), one.ask(process.a, abort.signal)]);
    await setImmediate();
    abort.abort();
    expect(await both).toMatchObject([{ name: 'AbortError' }, { name: 'AbortError' }]);
    expect(asked).toBe(1);
  });
});

describe('a token', () => {
  const right = { Authorization: 'Bearer t1' };

  it('that is refused is replaced by one login, for all who had it', async () => {
    const process = new Process();
    const { a } = process;
    const [one, other] = [process.registration(), process.registration()];
    await one.ask(a);
    await other.ask(a);
    one.credentials.accepted(a, right);
    for (const each of [one, other]) expect(each.credentials.refused(a, right)).toBe(true);
    expect(await Promise.all([one.ask(a), other.ask(a)])).toEqual(['t2', 't2']);
    expect(one.credentials.refused(a, { Authorization: 'Bearer t2' })).toBe(false);
  });

  it('that lacks a permission is replaced once its roles are old, beside the requests', async () => {
    const process = new Process();
    const { a } = process;
    const one = process.registration();
    await one.ask(a);
    one.credentials.denied(a, right);
    await one.ask(a);
    expect(process.logins).toHaveLength(1);
    process.now += 15 * minute;
    one.credentials.denied(a, right);
    expect(await one.ask(a)).toBe('t1');
    expect(await one.ask(a)).toBe('t2');
  });
});

describe('three registrations that change passwords and addresses as they like', () => {
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

  it('are never banned', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const process = new Process();
      const bans = new Bans();
      let state = seed;
      const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      process.answer = async (address, { password }) => {
        if (random() < 0.2) throw new ServiceCenterTimeoutError('login', address, 1);
        if (password === 'right') return { text: 't', lifeMs: (15 + 100 * random()) * minute };
        throw refusal(bans.fail(process.now) ? 403_201 : 401_202);
      };
      const all = [process.registration(), process.registration(), process.registration()];
      for (let step = 0; step < 300; step += 1) {
        process.now += random() * 4 * minute;
        const [which, password] = [Math.floor(random() * 3), Math.floor(random() * 60)];
        process.password = ['one', 'two', 'right'][password] ?? process.password;
        await all[which]?.ask(random() < 0.5 ? process.a : process.b);
      }
      const refusals = all.flatMap(({ changes }) =>
        changes.filter(change => change.kind === 'refused').map(({ error }) => error),
      );
      expect(refusals).not.toContainEqual(refusal(403_201));
      expect(process.logins.length).toBeGreaterThan(10);
    }
  });
});
