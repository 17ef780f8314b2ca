import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Call } from '../api/call.js';

/** Addresses that no client beyond a proxy has (Go's net.IP.IsGlobalUnicast). */
const notGlobal = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 32],
  ['255.255.255.255', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const)
  notGlobal.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notGlobal.addSubnet(network, prefix, 'ipv6');

/**
 * Where a request comes from: the first address of `X-Forwarded-For`, else of `X-Real-IP`, that is a
 * global one, else the other end of the connection. The server believes whoever says so
 * (pkg/util/net.go).
 */
export function clientAddress(call: Call): string {
  const told = ['x-forwarded-for', 'x-real-ip']
    .flatMap(name => call.header(name).split(','))
    .map(address => address.trim())
    .find(isGlobal);
  return told ?? call.remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isGlobal(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  return !notGlobal.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
