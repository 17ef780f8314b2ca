import { describe, expect, it } from '@jest/globals';
import { isLoopback, isWithin } from '../../../lib/options/network-address.js';

describe('a host', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.0.7', '::1', '[::1]'])(
    '%s is this machine',
    host => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  it.each([
    'localhost.example.com',
    '127.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1',
    '::2',
    '[::2]',
    '0.0.0.0',
    'registry',
    '',
  ])('%j is another one', host => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('an address', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['fd00::7', 'fd00::/8', true],
    ['fe80::7', 'fd00::/8', false],
    ['10.1.2.3', 'fd00::/8', false],
    ['ten.example', '10.0.0.0/8', false],
    ['10.0.0.0', '10.0.0.0/99', false],
    ['fd00::7', 'fd00::/129', false],
    ['10.0.0.0', '10.0.0.0', false],
    ['10.0.0.0', 'x/8', false],
  ])('%s is within %s: %s', (address, cidr, expected) => {
    expect(isWithin(address, cidr)).toBe(expected);
  });
});
