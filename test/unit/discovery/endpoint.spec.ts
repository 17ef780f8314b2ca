import { expect, test } from '@jest/globals';
import { parseEndpoint, speaks, urlOf, withPrefix } from '../../../lib/discovery/endpoint.js';
import { fc } from '../../support/fast-check.js';

test.each([
  ['rest://10.0.0.7:3000', 'http://10.0.0.7:3000'],
  ['REST://Greeter.local:3000/', 'http://Greeter.local:3000'],
  ['rest://10.0.0.7:3000?sslEnabled=true', 'https://10.0.0.7:3000'],
  ['rest://10.0.0.7:3000/?a=b&SSLENABLED=True&c', 'https://10.0.0.7:3000'],
  ['rest://10.0.0.7:3000?sslEnabled=false', 'http://10.0.0.7:3000'],
  ['rest://10.0.0.7:3000?notsslEnabled=true', 'http://10.0.0.7:3000'],
  ['http://10.0.0.7:80', 'http://10.0.0.7:80'],
  ['http://10.0.0.7:443?sslEnabled=true', 'https://10.0.0.7:443'],
  ['https://[::1]:3000', 'https://[::1]:3000'],
  ['grpc://[fe80::1]:50051', 'grpc://[fe80::1]:50051'],
  ['grpc://10.0.0.7:50051?sslEnabled=true', 'grpc://10.0.0.7:50051'],
  ['tcp://a_b.local:65535', 'tcp://a_b.local:65535'],
])('%s is called at %s', (text, url) => {
  const endpoint = parseEndpoint(text);
  expect(endpoint === undefined ? undefined : urlOf(endpoint)).toBe(url);
});

test.each([
  '',
  'rest://10.0.0.7',
  'rest://10.0.0.7:',
  'rest://10.0.0.7:0',
  'rest://10.0.0.7:65536',
  'rest://10.0.0.7:3000x',
  'rest://user:password@10.0.0.7:3000',
  'rest://user@10.0.0.7:3000',
  'rest://300.1.2.3:3000',
  'rest://::1:3000',
  'rest://[1::2::3]:3000',
  'rest://:3000',
  'rest:10.0.0.7:3000',
  '10.0.0.7:3000',
  'rest://10.0.0.7:3000/path',
  ' rest://10.0.0.7:3000',
  'rest://10.0.0.7:3000?urlPrefix=/a%0d%0ab',
  'rest://10.0.0.7:3000?urlPrefix=/a%3Fb',
])('%j is no endpoint', text => {
  expect(parseEndpoint(text)).toBeUndefined();
});

test('a host of IPv6 is without brackets', () => {
  expect(parseEndpoint('rest://[::1]:3000')).toMatchObject({ host: '::1', port: 3000 });
});

test.each([
  ['/api', '/hello?a=b', '/api/hello?a=b'],
  ['/api/', '/hello', '/api/hello'],
  ['api', '/hello', '/api/hello'],
  ['/api', '/api/hello', '/api/hello'],
  ['/api', '/api', '/api'],
  ['/api', '/api?a', '/api?a'],
  ['/api', '/apiary', '/api/apiary'],
  ['/api', '', '/api'],
  ['/api', '?a=b', '/api?a=b'],
  ['/', '/hello', '/hello'],
  ['', '/hello', '/hello'],
  ['%2Fapi%2Fv1', '/hello', '/api/v1/hello'],
])('with urlPrefix=%s, %s is sent as %s', (urlPrefix, path, sent) => {
  const endpoint = parseEndpoint(`rest://10.0.0.7:3000?urlPrefix=${urlPrefix}&other=1`);
  expect(withPrefix(endpoint?.prefix ?? 'none', path)).toBe(sent);
});

test.each([
  ['rest', 'rest://a:1', true],
  ['rest', 'rest://a:1?sslEnabled=true', true],
  ['rest', 'http://a:1', false],
  ['https', 'https://a:1', true],
  ['https', 'rest://a:1?sslEnabled=true', true],
  ['https', 'rest://a:1', false],
  ['grpc', 'grpc://a:1', true],
])('a caller that speaks %s can call %s: %s', (scheme, text, expected) => {
  const endpoint = parseEndpoint(text);
  expect(endpoint !== undefined && speaks(scheme, text)).toBe(expected);
});

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom('rest', '://', '[', ']', ':', '3000', '/', '?', '@', 'sslEnabled=true', '&'),
    fc.constantFrom('urlPrefix=', '%2F', '127.0.0.1', '::1', 'host', '\u0000', 'ß', '\n'),
    fc.string({ unit: 'binary' }),
  ),
  { maxLength: 12 },
);

test('no text makes it throw, and each endpoint has a URL that can be called (P2)', () => {
  fc.assert(
    fc.property(pieces, texts => {
      const endpoint = parseEndpoint(texts.join(''));
      return (
        endpoint === undefined || URL.canParse(urlOf(endpoint) + withPrefix(endpoint.prefix, '/'))
      );
    }),
    { numRuns: 500 },
  );
});

test('an endpoint that is put together is read in its parts (P2)', () => {
  const part = { port: fc.integer({ min: 1, max: 65_535 }), secure: fc.boolean() };
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map(text => `[${text}]`),
    fc.domain(),
  );
  fc.assert(
    fc.property(fc.record({ ...part, host }), ({ host, port, secure }) => {
      const text = `rest://${host}:${port}${secure ? '?sslEnabled=true' : ''}`;
      const read = parseEndpoint(text);
      expect(read).toMatchObject({
        text,
        port,
        isSecure: secure,
        host: host.replace(/[[\]]/g, ''),
      });
    }),
  );
});

test('a prefix leaves the bytes of path and query as they are (P2)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '/api'), (rest, prefix) => {
      const path = `/${rest}`;
      return withPrefix(prefix, path).endsWith(path);
    }),
  );
});
