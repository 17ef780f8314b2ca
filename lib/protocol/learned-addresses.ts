import type { DataCenterInfo, MicroserviceInstance } from './wire.js';

/**
 * The addresses of the registry's own instances, each once: first those of the same zone, then of the
 * same region, then the rest, each in the order of the answer.
 */
export function learnedAddresses(
  nodes: readonly MicroserviceInstance[],
  own: DataCenterInfo | undefined,
): readonly string[] {
  const near = nodes
    .filter(({ status = 'UP' }) => status === 'UP')
    .toSorted((left, right) => distance(left, own) - distance(right, own));
  return [...new Set(near.flatMap(({ endpoints = [] }) => endpoints.flatMap(addressOf)))];
}

function distance(
  { dataCenterInfo: its }: MicroserviceInstance,
  own: DataCenterInfo | undefined,
): number {
  if (its === undefined || own === undefined || its.region !== own.region) return 2;
  return its.availableZone === own.availableZone ? 0 : 1;
}

/** `rest://10.0.0.1:30100?sslEnabled=true` is https; another protocol is none that we speak. */
function addressOf(endpoint: string): readonly string[] {
  const [, authority, query = ''] = /^rest:\/\/([^/?#\s@]+:\d+)\/?(\?\S*)?$/.exec(endpoint) ?? [];
  if (authority === undefined) return [];
  const isSecure = new URLSearchParams(query).get('sslEnabled') === 'true';
  const address = `${isSecure ? 'https' : 'http'}://${authority}`;
  return URL.canParse(address) ? [address] : [];
}
