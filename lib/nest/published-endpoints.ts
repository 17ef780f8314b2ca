import type { AddressInfo } from 'node:net';
import { RegistryOptionsError } from '../errors.js';
import type { NetworkAddress } from '../options/host-facts.js';
import { isLoopback } from '../options/network-address.js';
import { endpointOf, publishedHost } from '../options/published-address.js';
import type { ResolvedOptions } from '../options/resolved-options.js';

/** The endpoint of a server that listens, and a warning if there is reason for one. */
export interface PublishedEndpoint {
  readonly endpoint: string;
  /** Why consumers may not be able to connect to it. */
  readonly warning: string | undefined;
}

/**
 * Returns the endpoint of a web server that listens.
 * @throws RegistryOptionsError when it listens on a Unix socket or a pipe, which has no endpoint.
 */
export function publishedEndpoint(
  server: { address(): AddressInfo | string | null },
  { instance, serviceCenter }: Pick<ResolvedOptions, 'instance' | 'serviceCenter'>,
  networkInterfaces: readonly NetworkAddress[],
): PublishedEndpoint {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') {
    const message = `must be set: the server listens on ${JSON.stringify(bound)}, not on a port`;
    throw new RegistryOptionsError([{ path: 'instance.endpoints', message }]);
  }
  const host = publishedHost({ boundTo: bound.address, instance, networkInterfaces });
  // Only TLS servers, and so https servers, have session ticket keys (node:tls).
  const tls = 'getTicketKeys' in server;
  const endpoint = endpointOf({ host, port: bound.port, tls });
  const isUnreachable = isLoopback(host) && !serviceCenter.addresses.some(isOnLoopback);
  return {
    endpoint,
    warning: isUnreachable ? `${endpoint} can be reached from this machine only` : undefined,
  };
}

function isOnLoopback(address: string): boolean {
  return isLoopback(new URL(address).hostname);
}
