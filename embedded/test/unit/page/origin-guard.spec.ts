import { describe, expect, it } from '@jest/globals';
import { isLoopback, rejectionOf } from '../../../lib/page/origin-guard.js';

const json = { 'content-type': 'application/json' };
const host = '127.0.0.1:30100';

function statusOf(method: string, headers: object, boundTo = '127.0.0.1'): number {
  return rejectionOf({ method, headers: { host, ...headers } }, boundTo)?.status ?? 200;
}

describe('a request to the page', () => {
  it.each([
    ['of a program', 'DELETE', {}, 200],
    ['of a program that posts JSON', 'POST', json, 200],
    [
      'typed into a browser',
      'GET',
      { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
      200,
    ],
    [
      'of the page itself',
      'DELETE',
      { 'sec-fetch-site': 'same-origin', origin: `http://${host}` },
      200,
    ],
    ['of the page itself over TLS', 'DELETE', { origin: `https://${host}` }, 200],
    [
      'that follows a link',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      200,
    ],
    ['of another site', 'DELETE', { 'sec-fetch-site': 'cross-site' }, 403],
    ['of another site that only reads', 'GET', { 'sec-fetch-site': 'cross-site' }, 403],
    ['of another port of this machine', 'DELETE', { 'sec-fetch-site': 'same-site' }, 403],
    [
      'of a form of another site',
      'POST',
      { ...json, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      403,
    ],
    ['of another origin, from an old browser', 'DELETE', { origin: 'http://evil.example' }, 403],
    ['of no origin, from an old browser', 'DELETE', { origin: 'null' }, 403],
    ['of another port, from an old browser', 'DELETE', { origin: 'http://127.0.0.1:80' }, 403],
    ['that posts a form', 'POST', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['that posts text', 'POST', { 'content-type': 'text/plain; application/json' }, 415],
    [
      'that posts JSON with a charset',
      'POST',
      { 'content-type': 'application/json; charset=utf-8' },
      200,
    ],
    ['that posts what it does not name', 'POST', {}, 415],
  ])('%s', (_, method, headers, status) => {
    expect(statusOf(method, headers)).toBe(status);
  });

  it.each([
    ['evil.example', 403],
    ['evil.example:30100', 403],
    ['127.0.0.1.evil.example', 403],
    ['', 403],
    ['localhost:30100', 200],
    ['registry.localhost:30100', 200],
    ['LOCALHOST', 200],
    ['[::1]:30100', 200],
    ['127.9.9.9:1', 200],
  ])('for the host "%s" of a registry that is bound to loopback', (name, status) => {
    expect(statusOf('GET', { host: name })).toBe(status);
    expect(statusOf('GET', { host: name }, '::1')).toBe(status);
  });

  it('may name any host of a registry that all may reach', () => {
    expect(statusOf('GET', { host: 'registry:30100' }, '0.0.0.0')).toBe(200);
  });
});

describe('a loopback address', () => {
  it('is none of another machine', () => {
    expect(
      ['0.0.0.0', '10.0.0.1', '::', 'localhost.example', '127.0.0.1.example'].filter(isLoopback),
    ).toEqual([]);
  });
});
