import { describe, expect, it } from '@jest/globals';
import { withoutSecrets } from '../../lib/server/secrets.js';

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
