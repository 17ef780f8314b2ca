import { describe, expect, it } from '@jest/globals';
import { errorType, methodAttributes, urlAttributes } from '../../../lib/tracing/attributes.js';

describe('the attributes of a URL', () => {
  it.each([
    ['http://10.0.0.7:3000/a?b=1', '10.0.0.7', 3000],
    ['http://10.0.0.7/a', '10.0.0.7', 80],
    ['https://greeter.local/a', 'greeter.local', 443],
    ['https://[2001:db8::1]:8443/', '2001:db8::1', 8443],
  ])('have its address and port: %s', (url, address, port) => {
    expect(urlAttributes(url)).toEqual({
      'url.full': url,
      'server.address': address,
      'server.port': port,
    });
  });

  it.each([
    ['http://ann:pw@host/a', 'http://REDACTED:REDACTED@host/a'],
    ['http://ann@host/a', 'http://REDACTED@host/a'],
    ['http://host/?sig=abc&x=1', 'http://host/?sig=REDACTED&x=1'],
    ['http://host/?x=%2f&X-Goog-Signature=abc', 'http://host/?x=%2f&X-Goog-Signature=REDACTED'],
    [
      'http://host/?AWSAccessKeyId=a&Signature=b',
      'http://host/?AWSAccessKeyId=REDACTED&Signature=REDACTED',
    ],
    ['http://host/?access%5Ftoken=abc', 'http://host/?access%5Ftoken=REDACTED'],
    [
      'http://host/?api_key=a&apikey=b&password=c',
      'http://host/?api_key=REDACTED&apikey=REDACTED&password=REDACTED',
    ],
    ['http://host/?%=1&token', 'http://host/?%=1&token'],
    ['http://host/?code=7&postcode=8', 'http://host/?code=REDACTED&postcode=8'],
  ])('contain no secret: %s', (url, shown) => {
    expect(urlAttributes(url)['url.full']).toBe(shown);
  });
});

it('has no attributes of a text that is no URL', () => {
  expect(urlAttributes('http://[fe80::1%25eth0]:80/')).toEqual({});
});

describe('the attributes of a method', () => {
  it('keep those that are known, and no other', () => {
    expect(methodAttributes('PATCH')).toEqual({
      word: 'PATCH',
      attributes: { 'http.request.method': 'PATCH' },
    });
    expect(methodAttributes('BREW')).toEqual({
      word: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    });
  });
});

describe('the word for an error', () => {
  it.each([
    [Object.assign(new Error('no'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [new TypeError('no'), 'TypeError'],
    [new DOMException('late', 'TimeoutError'), 'TimeoutError'],
    ['a text', '_OTHER'],
    [undefined, '_OTHER'],
  ])('is its code, else its name: %s', (error, word) => {
    expect(errorType(error)).toBe(word);
  });
});
