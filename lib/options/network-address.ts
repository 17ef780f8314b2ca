import { BlockList, isIP, isIPv6 } from 'node:net';

/** Returns whether an address is in a CIDR; false if it is no IP address or of another family. */
export function isWithin(address: string, cidr: string): boolean {
  const [, base = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (isIP(address) === 0 || prefix === '' || Number(prefix) > longest) return false;
  const network = new BlockList();
  network.addSubnet(base, Number(prefix), isIPv6(base) ? 'ipv6' : 'ipv4');
  return network.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * Returns whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1, the latter with or without the
 * brackets of a URL.
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return name === 'localhost' || isWithin(name, '127.0.0.0/8') || isWithin(name, '::1/128');
}
