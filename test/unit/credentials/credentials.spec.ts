import { describe, expect, it } from '@jest/globals';
import { createCredentials, providedCredentials } from '../../../lib/credentials/credentials.js';
import type { Credentials } from '../../../lib/protocol/channel.js';
import { FakeSend } from '../../support/fake-send.js';
import { resolve } from '../options/resolving.js';

const never = () => new Promise<never>(() => undefined);
const limit = { timeoutMs: 250, delay: never };
const a = 'http://a:1';

describe('credentials from a function of the application', () => {
  it('are waited for no longer than the request itself', async () => {
    const credentials = providedCredentials('token', never, limit);
    const abort = new AbortController();
    const asked = credentials.headersFor(a, { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('are not asked for by a request that is given up already', async () => {
    let asked = 0;
    const credentials = providedCredentials('token', async () => (asked += 1), limit);
    const headers = credentials.headersFor(a, { signal: AbortSignal.abort() });
    await expect(headers).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toBe(0);
  });

  it('are waited for no longer than the time limit, and the timer ends with the answer', async () => {
    const late = { timeoutMs: 250, delay: async () => undefined };
    const silent = providedCredentials('headers', never, late);
    await expect(silent.headersFor(a, {})).rejects.toMatchObject({
      source: 'headers',
      reason: 'it returned nothing within 250 ms',
    });
    let timer: AbortSignal | undefined;
    const delay = (_: number, signal: AbortSignal) => {
      timer = signal;
      return never();
    };
    const given = providedCredentials('token', async () => 'given', { timeoutMs: 250, delay });
    expect(await given.headersFor(a, {})).toEqual({ Authorization: 'Bearer given' });
    expect(timer?.aborted).toBe(true);
  });

  it.each([
    [new RangeError('s3cr3t'), 'RangeError'],
    [Object.assign(new Error('s3cr3t'), { code: 'EACCES' }), 'EACCES'],
    [Object.assign(new Error('s3cr3t'), { code: 's3cr3t' }), 'Error'],
    [Object.assign(new Error('s3cr3t'), { code: 5 }), 'Error'],
    [{ name: 's3cr3t' }, 'object'],
    ['s3cr3t', 'string'],
    [null, 'object'],
  ])('fail with an error %# that shows only what cannot be a secret', async (error, name) => {
    const fails = async () => {
      throw error;
    };
    const asked = providedCredentials('token', fails, limit).headersFor(a, {});
    await expect(asked).rejects.toMatchObject({ reason: `it failed with ${name}` });
  });

  it.each([
    ['token', 5, 'it returned no text that a header can hold'],
    ['token', 'a\nb', 'it returned no text that a header can hold'],
    ['headers', 'text', 'it returned no object'],
    ['headers', { 'X-Token': 'ü' }, 'it returned no text that a header can hold'],
  ] as const)('cannot be, as %s, %j', async (source, value, reason) => {
    const asked = providedCredentials(source, async () => value, limit).headersFor(a, {});
    await expect(asked).rejects.toMatchObject({ source, reason });
  });
});

describe('the credentials of an account', () => {
  const auth = { username: 'root', password: 'secret' };

  function accountAt(http: FakeSend, timeoutMs: number): Credentials {
    const { serviceCenter } = resolve({ serviceCenter: { auth, timeoutMs } });
    return createCredentials(serviceCenter.auth, {
      send: http.send,
      settings: { ...serviceCenter, clock: { now: () => 0 } },
      clock: { now: () => 0, random: () => 0.5 },
      delay: never,
    });
  }

  it.each([
    [60_000, 10_000],
    [2_000, 2_000],
  ])('with a deadline of %d ms for each request have %d ms for a login', async (timeoutMs, ms) => {
    const http = new FakeSend({ status: 404 });
    expect(await accountAt(http, timeoutMs).headersFor(a, {})).toEqual({});
    expect(http.requests).toMatchObject([{ method: 'POST', timeoutMs: ms }]);
  });

  it('are asked for once at all addresses when the login was refused', async () => {
    const http = new FakeSend({ status: 401, body: { errorCode: '401202' } });
    const credentials = accountAt(http, 1_000);
    for (const address of [a, 'http://b:1'])
      await expect(credentials.headersFor(address, {})).rejects.toMatchObject({
        errorCode: 401_202,
      });
    expect(http.requests).toHaveLength(1);
  });

  describe.each([
    ['a proxy that shows its own page in place of a refusal', 400, 2],
    ['a registry that answers nothing else any more', 500, 2],
    ['a gateway that refuses each login', 401, 20],
  ] as const)('behind %s', (_, statusForNobody, logins) => {
    it(`are sent ${logins} times when a password is wrong and 20 requests are made`, async () => {
      const isOfNobody = ({ body }: { readonly body: string | undefined }) => body === '[]';
      const http = new FakeSend(request => ({
        status: isOfNobody(request) ? statusForNobody : 401,
        body: '<html>No</html>',
      }));
      const credentials = accountAt(http, 1_000);
      for (let times = 0; times < 20; times += 1)
        await expect(credentials.headersFor(a, {})).rejects.toMatchObject({ status: 401 });
      expect(http.requests.filter(request => !isOfNobody(request))).toHaveLength(logins);
    });
  });

  it('belong to one application: another one logs in by itself', async () => {
    const http = new FakeSend({ status: 401, body: { errorCode: '401202' } });
    for (const credentials of [accountAt(http, 1_000), accountAt(http, 1_000)])
      await expect(credentials.headersFor(a, {})).rejects.toMatchObject({ errorCode: 401_202 });
    expect(http.requests).toHaveLength(2);
  });
});
