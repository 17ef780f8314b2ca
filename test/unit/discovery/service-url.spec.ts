import { expect, test } from '@jest/globals';
import { serviceUrl } from '../../../lib/discovery/service-url.js';
import { fc } from '../../support/fast-check.js';

test.each([
  ['http://greeter/hello?a=b#c', 'greeter', '/hello?a=b#c', false],
  ['https://greeter/hello', 'greeter', '/hello', true],
  ['HTTPS://greeter', 'greeter', '', true],
  ['cse://greeter/hello', 'greeter', '/hello', false],
  ['servicecomb://greeter/hello', 'greeter', '/hello', false],
  ['http://Rec.Provider_1/A', 'Rec.Provider_1', '/A', false],
  ['http://greeter-1.0?a=/b', 'greeter-1.0', '?a=/b', false],
  ['http://g#fragment', 'g', '#fragment', false],
  ['http://1.2.3.4.5/', '1.2.3.4.5', '/', false],
  ['http://localhosts/', 'localhosts', '/', false],
])('%s calls %s', (text, name, rest, isSecure) => {
  expect(serviceUrl(text)).toEqual({ name, userInfo: '', rest, isSecure });
});

test.each([
  ['http://user@greeter/hello', 'user@'],
  ['http://user:password@greeter/hello', 'user:password@'],
  ['http://a@b:c@greeter/hello', 'a@b:c@'],
])('%s calls a name, with credentials', (text, userInfo) => {
  expect(serviceUrl(text)).toEqual({ name: 'greeter', userInfo, rest: '/hello', isSecure: false });
});

test.each([
  'http://greeter:3000/hello',
  'http://user@greeter:3000/',
  'http://user@10.0.0.7/',
  // Its host is a.
  'http://a\\@greeter/',
  'http://10.0.0.7/',
  'http://127.1/',
  'http://0x7f.0.0.1/',
  'http://2130706433/',
  'http://[::1]/',
  'http://localhost/',
  'http://LocalHost',
  'http://_greeter/',
  'http://greeter./',
  'http:///hello',
  'http://greeter\\hello',
  'ftp://greeter/',
  '//greeter/hello',
  '/hello',
  '',
])('%j is passed on', text => {
  expect(serviceUrl(text)).toBeUndefined();
});

test('no text makes it throw, and what was written is kept (P2)', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom('http', 'https', '://', 'Greeter', '/', '?', '#', ':', '@'),
        fc.string(),
      ),
    )
    .map(pieces => pieces.join(''));
  fc.assert(
    fc.property(text, written => {
      const url = serviceUrl(written);
      return url === undefined || written.endsWith(`://${url.userInfo}${url.name}${url.rest}`);
    }),
    { numRuns: 500 },
  );
});

test('a name, path and query are read as they were written (P2)', () => {
  const inner = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '9', '_', '.', '-'),
    maxLength: 20,
  });
  const name = inner.map(text => `G${text}r`);
  fc.assert(
    fc.property(
      name,
      fc.string({ unit: 'binary' }),
      fc.constantFrom('/', '?', '#'),
      (name, rest, first) => {
        const written = { name, userInfo: '', rest: first + rest, isSecure: false };
        expect(serviceUrl(`http://${name}${first}${rest}`)).toEqual(written);
      },
    ),
  );
});
