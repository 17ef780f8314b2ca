import { describe, expect, it } from '@jest/globals';
import {
  answerOf,
  type CredentialHeaders,
  type Credentials,
  providedCredentials,
} from '../../../lib/protocol/credentials.js';
import { clientOf, type FakeAnswer, FakeSend } from '../../support/fake-send.js';

const never = () => new Promise<never>(() => undefined);
const patience = { timeoutMs: 250, delay: never };
const a = 'http://a:1';

describe('what the application gives', () => {
  it('is waited for no longer than the request itself', async () => {
    const credentials = providedCredentials('token', never, patience);
    const abort = new AbortController();
    const asked = credentials.headersFor(a, { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is not asked for by a request that is given up already', async () => {
    let asked = 0;
    const credentials = providedCredentials('token', async () => (asked += 1), patience);
    const headers = credentials.headersFor(a, { signal: AbortSignal.abort() });
    await expect(headers).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toBe(0);
  });

  it('is waited for so long, and the wait ends with the answer', async () => {
    const late = { timeoutMs: 250, delay: async () => undefined };
    await expect(answerOf('headers', never, late)).rejects.toMatchObject({
      source: 'headers',
      reason: 'it gave nothing within 250 ms',
    });
    let wait: AbortSignal | undefined;
    const delay = (_: number, signal: AbortSignal) => {
      wait = signal;
      return never();
    };
    expect(await answerOf('headers', async () => 'given', { timeoutMs: 250, delay })).toBe('given');
    expect(wait?.aborted).toBe(true);
  });

  it.each([
    [new RangeError('s3cr3t'), 'RangeError'],
    [Object.assign(new Error('s3cr3t'), { code: 'EACCES' }), 'EACCES'],
    [Object.assign(new Error('s3cr3t'), { code: 's3cr3t' }), 'Error'],
    [Object.assign(new Error('s3cr3t'), { code: 5 }), 'Error'],
    [{ name: 's3cr3t' }, 'object'],
    ['s3cr3t', 'string'],
    [null, 'object'],
  ])('tells of its failure %# what cannot be a secret', async (error, name) => {
    const fails = async () => {
      throw error;
    };
    const answer = answerOf('password', fails, patience);
    await expect(answer).rejects.toMatchObject({ reason: `it failed with ${name}` });
  });
});

/** Credentials that remember what was noted of them, and have `n` to give. */
class Noting implements Credentials {
  readonly noted: string[] = [];
  readonly trouble = undefined;
  #given = 0;

  onChange(): () => void {
    return () => undefined;
  }

  stop(): void {
    this.noted.push('stopped');
  }

  headersFor(): Promise<CredentialHeaders> {
    this.#given += 1;
    return Promise.resolve({ Authorization: `Bearer t${this.#given}` });
  }

  accepted(_: string, headers: CredentialHeaders): void {
    this.#note('accepted', headers);
  }

  refused(_: string, headers: CredentialHeaders): boolean {
    this.#note('refused', headers);
    return true;
  }

  denied(_: string, headers: CredentialHeaders): void {
    this.#note('denied', headers);
  }

  #note(what: string, { Authorization }: CredentialHeaders): void {
    this.noted.push(`${what} ${Authorization}`);
  }
}

describe('a request with credentials', () => {
  const ok = { body: { instanceId: 'i' } };
  const refusal = (status: number, errorCode: string, detail = '') => ({
    status,
    body: { errorCode, errorMessage: '', detail },
  });

  async function noted(...answers: readonly FakeAnswer[]): Promise<readonly string[]> {
    const http = new FakeSend(...answers);
    const credentials = new Noting();
    const instance = { hostName: 'h', endpoints: [], instanceId: 'i' };
    await clientOf(http.send, { credentials })
      .registerInstance('s', instance)
      .catch(() => undefined);
    const bodies = new Set(http.requests.map(({ body }) => body));
    expect(bodies.size).toBe(1);
    return [...credentials.noted, `${http.requests.length} sent`];
  }

  it('notes that they were accepted', async () => {
    expect(await noted(ok)).toEqual(['accepted Bearer t1', '1 sent']);
  });

  it.each(['401201', '401204', '401205', '401206'])(
    'that is refused with %s is sent once more as it was, a POST, too, with others',
    async code => {
      expect(await noted(refusal(401, code), ok)).toEqual(['refused Bearer t1', '2 sent']);
      const always = await noted(refusal(401, code));
      expect(always).toEqual(['refused Bearer t1', '2 sent']);
    },
  );

  it.each([
    [refusal(401, '401201', 'no valid resouce scope')],
    [refusal(401, '401202')],
    [refusal(403, '403201')],
    [refusal(403, '')],
    [refusal(400, '400001')],
    [refusal(500, '500003')],
  ])('is not sent again for other reasons (%#)', async answer => {
    expect(await noted(answer)).toEqual(['1 sent']);
  });

  it('notes that they lack a permission, and is not sent again', async () => {
    expect(await noted(refusal(403, '403205'))).toEqual(['denied Bearer t1', '1 sent']);
  });
});
