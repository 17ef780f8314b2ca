import { describe, expect, it } from '@jest/globals';

import { isLoopback, isWildcard, isWithin } from '../../../lib/options/network-address.js';

describe('isLoopback', () => {
  it.each([
    'localhost',
    '127.0.0.1',
    '127.8.8.8',
    '127.255.255.255',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
  ])('is true for %s', host => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    '10.0.0.7',
    '128.0.0.1',
    '2001:db8::7',
    '[2001:db8::7]',
    '::',
    'orders.internal',
    'localhost.example.com',
    'example.localhost',
    '127.example.com',
    '127.0.0.1.example.com',
    '[::1].example.com',
    '',
  ])('is false for %j', host => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('isWildcard', () => {
  it.each(['', '0.0.0.0', '::', '0:0:0:0:0:0:0:0'])('is true for %j', host => {
    expect(isWildcard(host)).toBe(true);
  });

  it.each(['10.0.0.7', '::1', 'orders.internal'])('is false for %s', host => {
    expect(isWildcard(host)).toBe(false);
  });
});

describe('isWithin', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['2001:db8::7', '2001:db8::/32', true],
    ['2001:db9::7', '2001:db8::/32', false],
    ['10.1.2.3', '2001:db8::/32', false],
    ['10.1.2.3', '10.0.0.0/33', false],
    ['10.1.2.3', '10.0.0.0', false],
    ['orders.internal', '10.0.0.0/8', false],
  ])('says of %s in %s: %j', (address, cidr, expected) => {
    expect(isWithin(address, cidr)).toBe(expected);
  });
});
