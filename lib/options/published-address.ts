import type { AddressInfo } from 'node:net';
import { RegistryOptionsError } from '../errors.js';
import type { NetworkAddress } from './host-facts.js';
import { isLoopback, isWildcard, isWithin } from './network-address.js';
import type { ResolvedOptions } from './resolved-options.js';

/**
 * Returns the endpoint of a web server that listens, and why consumers may not be able to connect to it.
 * @throws RegistryOptionsError when it listens on a Unix socket or a pipe, which has no endpoint.
 */
export function publishedEndpoint(
  server: { address(): AddressInfo | string | null },
  { instance, serviceCenter }: Pick<ResolvedOptions, 'instance' | 'serviceCenter'>,
  networkInterfaces: readonly NetworkAddress[],
): { readonly endpoint: string; readonly warning: string | undefined } {
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

/** The input for the choice of the host that is published to consumers. */
export interface PublishedHostInput {
  /** Address that the server is bound to, as `server.address()` returns it. */
  readonly boundTo: string;
  readonly instance: Pick<ResolvedOptions['instance'], 'address' | 'preferredNetwork'>;
  readonly networkInterfaces: readonly NetworkAddress[];
}

/**
 * Chooses the host to publish for a server that listens: a name, or an IP address without brackets.
 *
 * For a server that is bound to one address, that is the host. For one bound to all addresses it is
 * the first of these that exists:
 *
 * 1. `instance.address`
 * 2. an address in `instance.preferredNetwork`
 * 3. an IPv4 address that other machines reach, then such an IPv6 address
 * 4. an address of a container bridge, or a link-local IPv4 address
 * 5. a loopback address
 *
 * A server bound to `0.0.0.0` never gets the IPv6 address of an interface, and link-local IPv6
 * addresses are never published, because they need a zone.
 */
export function publishedHost(input: PublishedHostInput): string {
  const { boundTo, instance } = input;
  return isWildcard(boundTo) ? (instance.address ?? ofAnInterface(input)) : boundTo;
}

function ofAnInterface({ boundTo, instance, networkInterfaces }: PublishedHostInput): string {
  const usable = networkInterfaces.filter(
    ({ address, family }) =>
      !isWithin(address, 'fe80::/10') && (family === 'IPv4' || boundTo !== '0.0.0.0'),
  );
  const { preferredNetwork = '' } = instance;
  const preferred = usable.find(
    ({ name, address }) => name === preferredNetwork || isWithin(address, preferredNetwork),
  );
  const [best] = usable.toSorted((left, right) => rank(left) - rank(right));
  return (preferred ?? best)?.address ?? '127.0.0.1';
}

/** Lower is better; equal ranks keep the order of the operating system. */
function rank({ name, address, family, internal }: NetworkAddress): number {
  if (internal) return 3;
  if (isBridge(name) || isWithin(address, '169.254.0.0/16')) return 2;
  return family === 'IPv4' ? 0 : 1;
}

/** True for networks of containers and virtual machines inside this machine. */
function isBridge(name: string): boolean {
  return /^(docker|br-|veth|cni|flannel|cali|kube-|lxc|podman|virbr|vboxnet|vmnet)/i.test(name);
}

/** Returns the endpoint of a web server: `rest://10.0.0.7:3000`, `rest://[::1]:3000?sslEnabled=true`. */
export function endpointOf(server: { host: string; port: number; tls: boolean }): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `rest://${host}:${server.port}${server.tls ? '?sslEnabled=true' : ''}`;
}
