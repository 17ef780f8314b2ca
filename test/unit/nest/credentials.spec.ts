import { describe, expect, it } from '@jest/globals';
import { credentialsOf, unprotectedAddresses } from '../../../lib/nest/credentials.js';
import { resolve } from '../options/resolving.js';
import { FakeSend } from '../../support/fake-send.js';

const auth = { username: 'root', password: 'secret' };

function warnedOf(addresses: readonly string[], withAuth = true): readonly string[] {
  const { serviceCenter } = resolve({
    serviceCenter: { addresses, ...(withAuth ? { auth } : {}) },
  });
  return unprotectedAddresses(serviceCenter);
}

describe('credentials in the clear', () => {
  it('are warned of for each plain http address beyond this machine', () => {
    const plain = ['http://10.0.0.5:30100', 'http://registry:30100', 'http://127.example.com:1'];
    expect(warnedOf([...plain, 'https://10.0.0.6:30100'])).toEqual(plain);
  });

  it('are nobody’s business on this machine', () => {
    expect(warnedOf(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1'])).toEqual([]);
  });

  it('are none where there are none', () => {
    expect(warnedOf(['http://10.0.0.5:30100'], false)).toEqual([]);
  });
});

describe('a login', () => {
  it.each([
    [60_000, 10_000],
    [2_000, 2_000],
  ])('with a deadline of %d ms for each request gets %d ms', async (timeoutMs, allowedMs) => {
    const http = new FakeSend({ status: 404 });
    const settings = {
      project: 'p',
      domain: undefined,
      timeoutMs,
      userAgent: 'test',
      maxAnswerBytes: 1_048_576,
    };
    const { serviceCenter } = resolve({ serviceCenter: { auth } });
    const credentials = credentialsOf(serviceCenter, http.send, settings);
    expect(await credentials.headersFor(`http://login:${timeoutMs}`, {})).toEqual({});
    expect(http.requests).toMatchObject([{ method: 'POST', timeoutMs: allowedMs }]);
  });

  it('that was refused is not repeated at another configured address, by whomever', async () => {
    const http = new FakeSend({ status: 401, body: { errorCode: '401202' } });
    const settings = {
      project: 'p',
      domain: undefined,
      timeoutMs: 1_000,
      userAgent: 'test',
      maxAnswerBytes: 1_048_576,
    };
    const [one, other] = ['http://refused:1', 'http://refused:2'] as const;
    const { serviceCenter } = resolve({ serviceCenter: { auth, addresses: [one, other] } });
    for (const address of [one, other]) {
      const credentials = credentialsOf(serviceCenter, http.send, settings);
      const refused = { errorCode: 401_202 };
      await expect(credentials.headersFor(address, {})).rejects.toMatchObject(refused);
    }
    expect(http.requests).toHaveLength(1);
  });
});
