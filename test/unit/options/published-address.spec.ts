import { describe, expect, it } from '@jest/globals';

import type { NetworkAddress } from '../../../lib/options/host-facts.js';
import { endpointOf, publishedHost } from '../../../lib/options/published-address.js';

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
