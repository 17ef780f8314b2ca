import { createServer } from 'node:https';
import { describe, expect, it } from '@jest/globals';
import type { NetworkAddress } from '../../../lib/options/host-addresses.js';
import {
  isHostOpen,
  isServerReplaced,
  endpointOf,
  type ListeningServer,
  type Machine,
  publishedEndpoints,
  publishedHost,
  type PublishedHost,
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

interface Written {
  readonly boundTo?: string;
  readonly address?: string;
  readonly preferredNetwork?: string;
  readonly routes?: readonly string[];
  readonly current?: string;
}

function chosen(networkInterfaces: readonly NetworkAddress[], written: Written): PublishedHost {
  const { boundTo = '::', routes = [], current, ...instance } = written;
  const machine = { networkInterfaces, routes, current };
  return publishedHost({ boundTo, instance: { ...unset, ...instance }, ...machine });
}

function hostOf(networkInterfaces: readonly NetworkAddress[], written: Written): string {
  return chosen(networkInterfaces, written).host;
}

describe('publishedHost', () => {
  it.each(['10.1.1.1', '127.0.0.1', '2001:db8::1'])(
    'is %s when the server is bound to it',
    boundTo => {
      const options = { boundTo, preferredNetwork: 'eth0', routes: ['192.168.1.7'] };
      expect(hostOf([lo, eth0], options)).toBe(boundTo);
    },
  );

  it.each(['127.0.0.1', '::1', '10.1.1.1'])(
    'is instance.address also when the server is bound to %s',
    boundTo => {
      expect(hostOf([lo, eth0], { boundTo, address: '10.9.9.9' })).toBe('10.9.9.9');
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

describe('the address from which this machine reaches the registry', () => {
  it('comes before the names of interfaces', () => {
    expect(hostOf([lo, eth0, eth1], { routes: ['10.0.0.7'] })).toBe('10.0.0.7');
    expect(hostOf([lo, eth0v6, eth0], { routes: ['2001:db8::7'] })).toBe('2001:db8::7');
  });

  it('may be that of a bridge, on which the registry then is', () => {
    expect(hostOf([lo, docker, eth0], { routes: ['172.17.0.1'] })).toBe('172.17.0.1');
  });

  it('is that of the first address of the registry, when they lie on several networks', () => {
    expect(hostOf([eth0, eth1], { routes: ['10.0.0.7', '192.168.1.7'] })).toBe('10.0.0.7');
  });

  it('is enough where the operating system lists no addresses', () => {
    expect(hostOf([], { routes: ['10.0.0.7'] })).toBe('10.0.0.7');
  });

  it('gives way to instance.address and to instance.preferredNetwork', () => {
    const routes = ['10.0.0.7'];
    expect(hostOf([eth0, eth1], { routes, address: 'orders.internal' })).toBe('orders.internal');
    expect(hostOf([eth0, eth1], { routes, preferredNetwork: 'eth0' })).toBe('192.168.1.7');
  });

  it('is the one of two in the preferred network', () => {
    const eth2 = at('eth2', '10.9.0.7');
    const options = { routes: ['10.9.0.7'], preferredNetwork: '10.0.0.0/8' };
    expect(hostOf([eth0, eth1, eth2], options)).toBe('10.9.0.7');
  });

  it.each([
    ['0.0.0.0', '2001:db8::7'],
    ['::', 'fe80::7'],
  ])('says nothing for a server bound to %s when it is %s', (boundTo, route) => {
    expect(hostOf([eth0v6, eth0local, eth0], { boundTo, routes: [route] })).toBe('192.168.1.7');
  });
});

describe('a preferred network that fits nothing', () => {
  it.each(['172.30.0.0/16', 'wlan0', 'fe80::/10'])(
    'is a warning with what there is: %s',
    network => {
      const { warning } = chosen([lo, eth0local, eth0, eth1], { preferredNetwork: network });
      expect(warning).toBe(
        `instance.preferredNetwork "${network}" fits no address of this machine: it has ` +
          '127.0.0.1 (lo), 192.168.1.7 (eth0), 10.0.0.7 (eth1)',
      );
    },
  );

  it('is a warning for a server on IPv4 alone when only an IPv6 address fits', () => {
    const options = { boundTo: '0.0.0.0', preferredNetwork: '2001:db8::/32' };
    expect(chosen([eth0, eth0v6], options).warning).toMatch(/it has 192\.168\.1\.7 \(eth0\)$/);
  });

  it('is a warning where there is no address at all', () => {
    expect(chosen([], { preferredNetwork: 'eth0' }).warning).toMatch(/it has no address at all$/);
  });

  it('does not matter when the host is set, or the server is bound to one', () => {
    const preferredNetwork = 'wlan0';
    expect(chosen([eth0], { preferredNetwork, address: 'a' }).warning).toBeUndefined();
    expect(chosen([eth0], { preferredNetwork, boundTo: '10.1.1.1' }).warning).toBeUndefined();
  });

  it('is none when it fits', () => {
    expect(chosen([eth0], { preferredNetwork: 'eth0' }).warning).toBeUndefined();
  });
});

describe('the note on a choice', () => {
  const remedy = 'set instance.address or instance.preferredNetwork to choose another';

  it.each([
    [
      'the route to the registry',
      { routes: ['10.0.0.7'] },
      'Publishing the address 10.0.0.7 (eth1), from which this machine reaches the registry; ' +
        `this machine also has 192.168.1.7 (eth0): ${remedy}`,
    ],
    [
      'the order of the interfaces',
      {},
      `Publishing the address 192.168.1.7 (eth0); this machine also has 10.0.0.7 (eth1): ${remedy}`,
    ],
    [
      'a network that fits both',
      { preferredNetwork: '0.0.0.0/0' },
      'Publishing the address 192.168.1.7 (eth0), which is in instance.preferredNetwork; ' +
        `this machine also has 10.0.0.7 (eth1), 172.17.0.1 (docker0): ${remedy}`,
    ],
  ])('names the address that was taken by %s, and the others', (_, options, note) => {
    expect(chosen([lo, docker, eth0, eth1], options).note).toBe(note);
  });

  it.each([
    ['there is one address beside the bridges', [lo, docker, eth0], {}],
    ['there is nothing but loopbacks', [lo, lo6], {}],
    ['there is nothing', [], {}],
    ['one fits the preferred network', [eth0, eth1], { preferredNetwork: 'eth1' }],
    ['the host is set', [eth0, eth1], { address: '10.0.0.7' }],
    ['the server is bound to one', [eth0, eth1], { boundTo: '10.0.0.7' }],
  ])('is none when %s', (_, networkInterfaces, options) => {
    expect(chosen(networkInterfaces, options).note).toBeUndefined();
  });
});

describe('a host that was published before', () => {
  const current = '10.0.0.7';

  it.each([
    ['while the machine has it', [eth0, eth1], { current }, current],
    [
      'although the registry is reached from another',
      [eth0, eth1],
      { current, routes: ['192.168.1.7'] },
      current,
    ],
    ['while nothing but a loopback is left', [lo], { current }, current],
    ['while nothing but a bridge is left', [lo, docker], { current }, current],
    ['while the operating system lists nothing', [], { current }, current],
  ])('stays %s', (_, networkInterfaces, options, host) => {
    expect(hostOf(networkInterfaces, options)).toBe(host);
  });

  it.each([
    ['when the machine has lost it', [lo, eth0], { current }, '192.168.1.7'],
    [
      'when it was a bridge and a network is up',
      [docker, eth0],
      { current: '172.17.0.1' },
      '192.168.1.7',
    ],
    [
      'when the preferred network is up',
      [eth0, eth1],
      { current: '192.168.1.7', preferredNetwork: 'eth1' },
      '10.0.0.7',
    ],
  ])('is replaced %s', (_, networkInterfaces, options, host) => {
    expect(hostOf(networkInterfaces, options)).toBe(host);
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
const optionsFor = (address: string, instance: object = {}) =>
  ({
    instance: { ...unset, endpoints: undefined, ...instance },
    serviceCenter: { addresses: [address] },
  }) as unknown as Parameters<typeof publishedEndpoints>[1];
const remote = 'http://registry.example:30100';
const machine: Machine = { networkInterfaces: [ethernet], routes: [] };

function bound(address: string, port = 3_000): ListeningServer {
  return { address: () => ({ address, port, family: 'IPv4' }) };
}

function published(server: ListeningServer | undefined, instance: object = {}, address = remote) {
  return publishedEndpoints(server, optionsFor(address, instance), machine);
}

describe('the published endpoints', () => {
  it('are at an address of this machine for a server that is bound to all', () => {
    expect(published(bound('::'))).toEqual({
      endpoints: ['rest://10.0.0.7:3000'],
      chosen: '10.0.0.7',
      warnings: [],
      note: undefined,
    });
  });

  it('come with a warning when only this machine reaches it and the registry is elsewhere', () => {
    expect(published(bound('127.0.0.1'))).toMatchObject({
      endpoints: ['rest://127.0.0.1:3000'],
      chosen: undefined,
      warnings: [
        'rest://127.0.0.1:3000 can be reached from this machine only: listen on all interfaces, or set ' +
          'instance.address to an address that consumers reach',
      ],
    });
  });

  it('come without one when instance.address is what consumers reach', () => {
    const { endpoints, warnings } = published(bound('127.0.0.1'), { address: 'orders.internal' });
    expect(endpoints).toEqual(['rest://orders.internal:3000']);
    expect(warnings).toEqual([]);
  });

  it.each(['http://localhost.example.com', 'http://127.example.com'])(
    'come with one when the name of the registry only begins like this machine: %s',
    address => {
      expect(published(bound('127.0.0.1'), {}, address).warnings).toHaveLength(1);
    },
  );

  it.each(['http://127.0.0.1:30100', 'https://localhost:30100', 'http://[::1]:30100'])(
    'come without one when the registry is on this machine, at %s',
    address => {
      expect(published(bound('127.0.0.1'), {}, address).warnings).toEqual([]);
    },
  );

  it('say so when the server speaks TLS', () => {
    const secure = Object.assign(createServer(), bound('10.0.0.7'));
    expect(published(secure).endpoints).toEqual(['rest://10.0.0.7:3000?sslEnabled=true']);
  });

  it.each(['/run/orders.sock', null])('do not exist for a server on %j', address => {
    expect(() => published({ address: () => address })).toThrow('instance.endpoints must be set');
  });
});

describe('instance.endpoints that leave the host open', () => {
  const endpoints = ['grpc://:50051', 'tcp://:3002?login=true'];

  it('get the chosen host, and add to the endpoint of the server', () => {
    expect(published(bound('::'), { endpoints }).endpoints).toEqual([
      'rest://10.0.0.7:3000',
      'grpc://10.0.0.7:50051',
      'tcp://10.0.0.7:3002?login=true',
    ]);
  });

  it('get it also without a server', () => {
    expect(published(undefined, { endpoints: ['grpc://:50051'] }).endpoints).toEqual([
      'grpc://10.0.0.7:50051',
    ]);
  });

  it('get instance.address when it is set, in brackets when it is IPv6', () => {
    const instance = { endpoints: ['grpc://:50051'], address: '2001:db8::7' };
    expect(published(undefined, instance).endpoints).toEqual(['grpc://[2001:db8::7]:50051']);
  });

  it('get the chosen host also beside a server that is bound to one', () => {
    expect(published(bound('127.0.0.1'), { endpoints: ['grpc://:50051'] })).toMatchObject({
      endpoints: ['rest://127.0.0.1:3000', 'grpc://10.0.0.7:50051'],
      chosen: '10.0.0.7',
      warnings: [expect.stringMatching(/^rest:\/\/127\.0\.0\.1:3000 can be reached/)],
    });
  });

  it('may name the server itself, which is then listed once', () => {
    expect(published(bound('::'), { endpoints: ['rest://:3000'] }).endpoints).toEqual([
      'rest://10.0.0.7:3000',
    ]);
  });

  it('come without that of the server when one of them has a host', () => {
    const endpoints = ['rest://orders.example:443', 'grpc://:50051'];
    expect(published(bound('::'), { endpoints }).endpoints).toEqual([
      'rest://orders.example:443',
      'grpc://10.0.0.7:50051',
    ]);
  });

  it.each([
    [undefined, { open: true, replaced: false }],
    [[], { open: false, replaced: true }],
    [['grpc://:50051'], { open: true, replaced: false }],
    [['grpc://[::1]:50051'], { open: false, replaced: true }],
    [['rest://orders.example:443', 'grpc://:50051'], { open: true, replaced: true }],
  ])('are told apart from complete ones: %j', (endpoints, { open, replaced }) => {
    expect(isHostOpen({ endpoints })).toBe(open);
    expect(isServerReplaced({ endpoints })).toBe(replaced);
  });
});
