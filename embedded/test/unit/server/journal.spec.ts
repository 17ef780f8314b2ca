import { describe, expect, it } from '@jest/globals';
import { Journal, withoutSecrets } from '../../../lib/server/journal.js';

const request = { operation: undefined, method: 'GET', path: '/', headers: {}, body: '' };

describe('the journal', () => {
  it('keeps the last 10,000 requests, oldest first', () => {
    const journal = new Journal();
    for (let at = 0; at < 20_500; at += 1) journal.add({ at, ...request });
    expect(journal.requests).toHaveLength(10_000);
    expect([journal.requests[0]?.at, journal.requests.at(-1)?.at]).toEqual([10_500, 20_499]);
  });

  it('has the status of an answer once it is sent', () => {
    const journal = new Journal();
    const note = journal.add({ at: 0, ...request });
    expect(journal.requests).toEqual([{ at: 0, ...request, status: undefined }]);
    note(404);
    expect(journal.requests).toEqual([{ at: 0, ...request, status: 404 }]);
  });
});

const nothing = { path: '/', headers: {}, body: '' };

describe('what is written down of a request', () => {
  it.each([
    ['authorization', 'Bearer abc', 'Bearer ***'],
    ['authorization', 'abc', '***'],
    ['authorization', 'a b c', 'a ***'],
    ['proxy-authorization', 'Basic abc', 'Basic ***'],
    ['x-authorization', 'Bearer abc', 'Bearer ***'],
    ['x-auth-token', 'abc', '***'],
    ['cookie', 'a=b', '***'],
    ['x-consumerid', 'abc', 'abc'],
  ])('has of the header %s: %s the text %s', (name, value, told) => {
    const { headers } = withoutSecrets({ ...nothing, headers: { [name]: value } });
    expect(headers).toEqual({ [name]: told });
  });

  it.each([
    '/v4/token',
    '/v4//token',
    '/v4/token/',
    '/v4/%74oken',
    '/V4/TOKEN?a=b',
    '/v4/accounts',
    '/v4/accounts/batch-create',
    '/v4/accounts/root/password',
    '/v4/accounts/%zz',
    'http://registry/v4/token',
  ])('has no body of %s', path => {
    expect(withoutSecrets({ ...nothing, path, body: '{"password":"secret"}' }).body).toBe('***');
    expect(withoutSecrets({ ...nothing, path }).body).toBe('');
  });

  it.each(['/v4/default/registry/microservices', '/v4/tokens', '/v4/roles?name=/token'])(
    'has the body of %s',
    path => {
      expect(withoutSecrets({ ...nothing, path, body: '{}' }).body).toBe('{}');
    },
  );

  it('has no token that stands in the query', () => {
    const { path } = withoutSecrets({
      ...nothing,
      path: '/a?token=eyJhbGciOi.eyJhY2Nvd-W_.c2ln&b=1',
    });
    expect(path).toBe('/a?token=***&b=1');
  });
});
