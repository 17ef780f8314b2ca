import { createServer } from 'node:https';
import { describe, expect, it } from '@jest/globals';
import type { NetworkAddress } from '../../../lib/options/host-facts.js';
import {
  endpointOf,
  publishedEndpoint,
  publishedHost,
} from '../../../lib/options/published-address.js';

function at(name: string, address: string): NetworkAddress {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  return { name, address, family, internal: name === 'lo' };
}

const lo = at('lo', '127.0.0.1');
const lo6 = at('lo', '::1');
const docker = at('docker0', '172.17.0.1');
const bridge = at('br-1a2b', '172.18.0.1');
const eth0 = at('eth0', '192.168.1.7');
const eth0v6 = at('eth0', '2001:db8::7');
const eth0local = at('eth0', 'fe80::7');
const eth1 = at('eth1', '10.0.0.7');
const unconfigured = at('eth9', '169.254.3.4');

const unset = { address: undefined, preferredNetwork: undefined };

function hostOf(
  networkInterfaces: readonly NetworkAddress[],
  {
    boundTo = '::',
    ...instance
  }: { boundTo?: string; address?: string; preferredNetwork?: string },
): string {
  return publishedHost({ boundTo, instance: { ...unset, ...instance }, networkInterfaces });
}

describe('publishedHost', () => {
  it.each(['10.1.1.1', '127.0.0.1', '2001:db8::1'])(
    'is %s when the server is bound to it',
    boundTo => {
      expect(hostOf([lo, eth0], { boundTo, address: '10.9.9.9' })).toBe(boundTo);
    },
  );

  it.each(['::', '0.0.0.0', '', '0:0:0:0:0:0:0:0'])(
    'is instance.address when bound to %j',
    boundTo => {
      const options = { boundTo, address: 'orders.internal', preferredNetwork: 'eth0' };
      expect(hostOf([eth0], options)).toBe('orders.internal');
    },
  );

  it.each([
    ['10.0.0.0/8', '10.0.0.7'],
    ['2001:db8::/32', '2001:db8::7'],
    ['eth1', '10.0.0.7'],
    ['eth0', '192.168.1.7'],
    ['docker0', '172.17.0.1'],
    ['lo', '127.0.0.1'],
    ['172.30.0.0/16', '192.168.1.7'],
    ['wlan0', '192.168.1.7'],
  ])('is the first address in the preferred network %s', (preferredNetwork, host) => {
    const all = [lo, docker, eth0local, eth0, eth0v6, eth1];
    expect(hostOf(all, { preferredNetwork })).toBe(host);
  });

  it.each([
    ['the first IPv4 address that leaves the machine', [lo, eth0v6, eth0, eth1], '192.168.1.7'],
    ['no bridge while there is another', [lo, docker, bridge, eth1], '10.0.0.7'],
    ['no link-local one while there is another', [lo, unconfigured, eth1], '10.0.0.7'],
    ['an IPv6 one before a bridge', [lo, docker, eth0v6], '2001:db8::7'],
    ['a bridge before a loopback', [lo, bridge, docker], '172.18.0.1'],
    ['a loopback before a link-local IPv6 one', [eth0local, lo6], '::1'],
    ['a loopback when there is nothing', [], '127.0.0.1'],
  ])('is %s', (_, networkInterfaces, host) => {
    expect(hostOf(networkInterfaces, {})).toBe(host);
  });

  it('is no IPv6 address of an interface when the server listens on IPv4 alone', () => {
    const preferredNetwork = '2001:db8::/32';
    expect(hostOf([eth0v6, docker], { boundTo: '0.0.0.0', preferredNetwork })).toBe('172.17.0.1');
  });
});

describe('endpointOf', () => {
  it.each([
    [{ host: '10.0.0.7', port: 3000, tls: false }, 'rest://10.0.0.7:3000'],
    [
      { host: 'orders.internal', port: 443, tls: true },
      'rest://orders.internal:443?sslEnabled=true',
    ],
    [{ host: '::1', port: 3000, tls: false }, 'rest://[::1]:3000'],
    [{ host: '2001:db8::7', port: 1, tls: true }, 'rest://[2001:db8::7]:1?sslEnabled=true'],
  ])('of %j is %s', (server, endpoint) => {
    expect(endpointOf(server)).toBe(endpoint);
  });
});

const ethernet = { name: 'eth0', address: '10.0.0.7', family: 'IPv4', internal: false } as const;
const options = (address: string) =>
  ({
    instance: { address: undefined, preferredNetwork: undefined },
    serviceCenter: { addresses: [address] },
  }) as unknown as Parameters<typeof publishedEndpoint>[1];
const remote = options('http://registry.example:30100');

function bound(address: string, port = 3_000) {
  return { address: () => ({ address, port, family: 'IPv4' }) };
}

describe('the published endpoint', () => {
  it('is an address of this machine for a server that is bound to all', () => {
    expect(publishedEndpoint(bound('::'), remote, [ethernet])).toEqual({
      endpoint: 'rest://10.0.0.7:3000',
      warning: undefined,
    });
  });

  it('comes with a warning when only this machine reaches it and the registry is elsewhere', () => {
    expect(publishedEndpoint(bound('127.0.0.1'), remote, [ethernet])).toEqual({
      endpoint: 'rest://127.0.0.1:3000',
      warning: 'rest://127.0.0.1:3000 can be reached from this machine only',
    });
  });

  it.each(['http://localhost.example.com', 'http://127.example.com'])(
    'comes with one when the name of the registry only begins like this machine: %s',
    address => {
      const { warning } = publishedEndpoint(bound('127.0.0.1'), options(address), [ethernet]);
      expect(warning).toBeDefined();
    },
  );

  it.each(['http://127.0.0.1:30100', 'https://localhost:30100', 'http://[::1]:30100'])(
    'comes without one when the registry is on this machine, at %s',
    address => {
      const { warning } = publishedEndpoint(bound('127.0.0.1'), options(address), [ethernet]);
      expect(warning).toBeUndefined();
    },
  );

  it('says so when the server speaks TLS', () => {
    const server = createServer();
    const secure = Object.assign(server, bound('10.0.0.7'));
    expect(publishedEndpoint(secure, remote, [ethernet]).endpoint).toBe(
      'rest://10.0.0.7:3000?sslEnabled=true',
    );
  });

  it.each(['/run/orders.sock', null])('does not exist for a server on %j', address => {
    expect(() => publishedEndpoint({ address: () => address }, remote, [ethernet])).toThrow(
      'instance.endpoints must be set',
    );
  });
});
