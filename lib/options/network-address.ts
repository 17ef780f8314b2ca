import { BlockList, isIP } from 'node:net';

/** Returns whether only this machine reaches a host: `localhost`, 127.0.0.0/8, `::1` or `[::1]`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  return (
    address === 'localhost' || isWithin(address, '127.0.0.0/8') || isWithin(address, '::1/128')
  );
}

/** Returns whether a server that is bound to a host listens on all addresses. */
export function isWildcard(host: string): boolean {
  return ['', '0.0.0.0', '::'].includes(host) || isWithin(host, '::/128');
}

/** Returns whether an address is in a CIDR; false if either is invalid or their families differ. */
export function isWithin(address: string, cidr: string): boolean {
  const [, base = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(cidr) ?? [];
  // Node compiles its pattern of IPv6 at the first use, which takes 5 ms; it is seldom needed.
  if (address.includes(':') !== base.includes(':')) return false;
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (isIP(address) === 0 || prefix === '' || Number(prefix) > longest) return false;
  const network = new BlockList();
  const family = base.includes(':') ? 'ipv6' : 'ipv4';
  network.addSubnet(base, Number(prefix), family);
  return network.check(address, family);
}
