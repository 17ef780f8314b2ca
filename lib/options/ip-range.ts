import { BlockList, isIP, isIPv6 } from 'node:net';

/** Whether an address is in a CIDR. False for what is no IP address, no CIDR, or of another family. */
export function isWithin(address: string, cidr: string): boolean {
  const [, base = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (isIP(address) === 0 || prefix === '' || Number(prefix) > longest) return false;
  const network = new BlockList();
  network.addSubnet(base, Number(prefix), isIPv6(base) ? 'ipv6' : 'ipv4');
  return network.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
