import { createServer } from 'node:https';
import { describe, expect, it } from '@jest/globals';
import { publishedEndpoint } from '../../../lib/nest/published-endpoints.js';

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
