import { describe, expect, it } from '@jest/globals';
import { addressTowards, networkAddresses } from '../../../lib/options/host-addresses.js';

/** Addresses of this machine that other machines may reach, if it has any. */
const own = networkAddresses().addresses.filter(
  ({ internal, address }) => !internal && !address.startsWith('fe80'),
);

describe('networkAddresses', () => {
  it('lists the addresses of this machine', () => {
    expect(networkAddresses().addresses).toContainEqual(
      expect.objectContaining({ address: '127.0.0.1', family: 'IPv4', internal: true }),
    );
  });

  it('lists nothing, and does not throw, where the operating system refuses', () => {
    const error = new Error('A system error occurred: uv_interface_addresses returned Unknown');
    const refuse = () => {
      throw error;
    };
    expect(networkAddresses(refuse)).toEqual({ addresses: [], error });
  });
});

describe('addressTowards', () => {
  it.each(own.map(({ address }) => address))(
    'is the address itself for a registry at %s',
    async address => {
      const host = address.includes(':') ? `[${address}]` : address;
      expect(await addressTowards(`http://${host}:30100`)).toBe(address);
      expect(await addressTowards(`https://${host}`)).toBe(address);
    },
  );

  it.each([
    'http://127.0.0.1:30100',
    'http://127.8.8.8:30100',
    'https://localhost',
    'http://[::1]:30100',
    'http://0.0.0.0:30100',
  ])('says nothing for a registry on this machine: %s', async url => {
    expect(await addressTowards(url)).toBeUndefined();
  });

  it.each(['http://registry.invalid:30100', 'http://255.255.255.255:30100', 'http://a:0'])(
    'says nothing, and does not reject, when there is no way to %s',
    async url => {
      expect(await addressTowards(url)).toBeUndefined();
    },
  );
});
