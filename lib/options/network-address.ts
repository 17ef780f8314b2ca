import { BlockList, isIP, isIPv6 } from 'node:net';

/** Returns whether only this machine reaches a host: `localhost`, 127.0.0.0/8, `::1` or `[::1]`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  return (
    address === 'localhost' || isWithin(address, '127.0.0.0/8') || isWithin(address, '::1/128')
  );
}

/** Returns whether a server that is bound to a host listens on all addresses. */
export function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || (isIPv6(host) && isWithin(host, '::/128'));
}

/** Returns whether an address is in a CIDR; false if either is invalid or their families differ. */
export function isWithin(address: string, cidr: string): boolean {
  const [, base = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (isIP(address) === 0 || prefix === '' || Number(prefix) > longest) return false;
  const network = new BlockList();
  network.addSubnet(base, Number(prefix), isIPv6(base) ? 'ipv6' : 'ipv4');
  return network.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
