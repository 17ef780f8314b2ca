import { isIPv6 } from 'node:net';
import type { NetworkAddress } from './host-facts.js';
import { isWithin } from './network-address.js';
import type { ResolvedOptions } from './resolved-options.js';

/** What decides about the host that consumers are told. */
export interface PublishedHostInput {
  /** Address that the server is bound to, as `server.address()` tells it. */
  readonly boundTo: string;
  readonly instance: Pick<ResolvedOptions['instance'], 'address' | 'preferredNetwork'>;
  readonly networkInterfaces: readonly NetworkAddress[];
}

/** The host to publish. */
export interface PublishedHost {
  /** A name or an IP address, version 6 without brackets. */
  readonly host: string;
  /** Whether only this machine can reach it; a warning is due unless the registry is here too. */
  readonly isLoopback: boolean;
}

/**
 * Chooses the host to publish for a server that listens.
 *
 * A server bound to one address publishes that one. Bound to all, it publishes `instance.address`,
 * else the first address in `instance.preferredNetwork`, else the first IPv4 address that leaves this
 * machine, else such an IPv6 one, else one of a container bridge or a link-local IPv4 one, else a
 * loopback one. A server bound to `0.0.0.0` publishes no IPv6 address of an interface, and no
 * link-local one is published, for it needs a zone.
 */
export function publishedHost(input: PublishedHostInput): PublishedHost {
  const { boundTo, instance } = input;
  const host = isWildcard(boundTo) ? (instance.address ?? ofAnInterface(input)) : boundTo;
  return { host, isLoopback: isLoopback(host) };
}

function ofAnInterface({ boundTo, instance, networkInterfaces }: PublishedHostInput): string {
  const usable = networkInterfaces.filter(
    ({ address, family }) =>
      !isWithin(address, 'fe80::/10') && (family === 'IPv4' || boundTo !== '0.0.0.0'),
  );
  const { preferredNetwork } = instance;
  const preferred = usable.find(candidate => isIn(candidate, preferredNetwork));
  const [best] = usable.toSorted((left, right) => rank(left) - rank(right));
  return (preferred ?? best)?.address ?? '127.0.0.1';
}

function isIn({ name, address }: NetworkAddress, network: string | undefined): boolean {
  return network !== undefined && (name === network || isWithin(address, network));
}

/** The lower, the better; equal ones keep the order of the operating system. */
function rank({ name, address, family, internal }: NetworkAddress): number {
  if (internal) return 3;
  if (isBridge(name) || isWithin(address, '169.254.0.0/16')) return 2;
  return family === 'IPv4' ? 0 : 1;
}

/** Networks inside this machine: of containers and of virtual machines. */
function isBridge(name: string): boolean {
  return /^(docker|br-|veth|cni|flannel|cali|kube-|lxc|podman|virbr|vboxnet|vmnet)/i.test(name);
}

/** Whether a server bound to it listens on all addresses. */
export function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || (isIPv6(host) && isWithin(host, '::/128'));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || isWithin(host, '127.0.0.0/8') || isWithin(host, '::1/128');
}

/** The endpoint of a web server: `rest://10.0.0.7:3000`, `rest://[::1]:3000?sslEnabled=true`. */
export function endpointOf(server: {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}): string {
  const host = isIPv6(server.host) ? `[${server.host}]` : server.host;
  return `rest://${host}:${server.port}${server.tls ? '?sslEnabled=true' : ''}`;
}
