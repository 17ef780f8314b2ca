import type { AddressInfo } from 'node:net';
import { RegistryOptionsError } from '../errors.js';
import type { NetworkAddress } from './host-addresses.js';
import { isLoopback, isWildcard, isWithin } from './network-address.js';
import type { ResolvedOptions } from './resolved-options.js';

/** A server that listens, as far as its endpoint depends on it. */
export interface ListeningServer {
  address(): AddressInfo | string | null;
}

/** The addresses that a host is chosen from. */
export interface Machine {
  readonly networkInterfaces: readonly NetworkAddress[];
  /** Addresses of this machine from which it reaches the registry, best first. */
  readonly routes: readonly string[];
  /** The host that was published last, if any. */
  readonly current?: string | undefined;
}

/** Endpoints, and what to log about them. */
export interface PublishedEndpoints {
  readonly endpoints: readonly string[];
  /** The host that was chosen among the addresses of this machine; undefined when there was no choice. */
  readonly chosen: string | undefined;
  readonly warnings: readonly string[];
  /** Says which address was taken and how to change it, when there were several. */
  readonly note: string | undefined;
}

type Settings = Pick<ResolvedOptions, 'instance' | 'serviceCenter'>;

type Endpoints = Pick<ResolvedOptions['instance'], 'endpoints'>;

/** Returns whether a host has to be chosen before the endpoints are known. */
export function isHostOpen({ endpoints }: Endpoints): boolean {
  return endpoints === undefined || endpoints.some(hasNoHost);
}

/** Returns whether `instance.endpoints` takes the place of the endpoint of the server that listens. */
export function isServerReplaced({ endpoints }: Endpoints): boolean {
  return endpoints !== undefined && (endpoints.length === 0 || !endpoints.every(hasNoHost));
}

/** Returns whether an endpoint leaves the host open: `grpc://:50051`. */
function hasNoHost(endpoint: string): boolean {
  return /^[^:]+:\/\/:/.test(endpoint);
}

/**
 * Returns the endpoints to publish: that of the server, unless there is none or it is replaced, and those of
 * `instance.endpoints`, of which the open ones get the host that is chosen for a server on all interfaces.
 * @throws RegistryOptionsError when the server listens on a Unix socket or a pipe, which has no endpoint.
 */
export function publishedEndpoints(
  server: ListeningServer | undefined,
  { instance, serviceCenter }: Settings,
  machine: Machine,
): PublishedEndpoints {
  const listed = instance.endpoints ?? [];
  const own = server === undefined || isServerReplaced(instance) ? [] : [endpointParts(server)];
  const open = publishedHost({ boundTo: '', instance, ...machine });
  const hosts = own.map(({ boundTo }) => publishedHost({ boundTo, instance, ...machine }));
  const choices = listed.some(hasNoHost) ? [...hosts, open] : hosts;
  const endpoints = [
    ...own.map((parts, index) => endpointOf({ ...parts, host: hosts[index]?.host ?? '' })),
    ...listed.map(endpoint => completed(endpoint, open.host)),
  ];
  const isElsewhere = !serviceCenter.addresses.some(isOnLoopback);
  const isOneOnly = choices.some(({ host }) => isElsewhere && isLoopback(host));
  const warnings = choices.flatMap(({ warning }) => warning ?? []);
  return {
    endpoints: [...new Set(endpoints)],
    chosen: choices.find(({ isChosen }) => isChosen)?.host,
    warnings: [...new Set(isOneOnly ? [...warnings, unreachable(endpoints)] : warnings)],
    note: choices.find(({ note }) => note !== undefined)?.note,
  };
}

function unreachable(endpoints: readonly string[]): string {
  const affected = endpoints.filter(endpoint => isOnLoopback(endpoint));
  return (
    `${affected.join(', ')} can be reached from this machine only: listen on all interfaces, or set ` +
    'instance.address to an address that consumers reach'
  );
}

function isOnLoopback(url: string): boolean {
  return isLoopback(new URL(url).hostname);
}

function endpointParts(server: ListeningServer) {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') {
    const message = `must be set: the server listens on ${JSON.stringify(bound)}, not on a port`;
    throw new RegistryOptionsError([{ path: 'instance.endpoints', message }]);
  }
  // Only TLS servers, and so https servers, have session ticket keys (node:tls).
  return { boundTo: bound.address, port: bound.port, tls: 'getTicketKeys' in server };
}

/** The input for the choice of the host that is published to consumers. */
export interface PublishedHostInput extends Machine {
  /** Address that the server is bound to, as `server.address()` returns it. */
  readonly boundTo: string;
  readonly instance: Pick<ResolvedOptions['instance'], 'address' | 'preferredNetwork'>;
}

/** A host to publish, and what to log about it. */
export interface PublishedHost {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  /** Whether it was chosen among the addresses of this machine. */
  readonly isChosen: boolean;
  readonly warning: string | undefined;
  readonly note: string | undefined;
}

/**
 * Chooses the host to publish for a server that listens. The first of these that exists:
 *
 * 1. `instance.address`
 * 2. the address that the server is bound to, if it is bound to one
 * 3. an address in `instance.preferredNetwork`
 * 4. the address from which this machine reaches the registry
 * 5. an IPv4 address that other machines reach, then such an IPv6 address
 * 6. an address of a container bridge, or a link-local IPv4 address
 * 7. a loopback address
 *
 * A server bound to `0.0.0.0` never gets the IPv6 address of an interface, and link-local IPv6 addresses
 * are never published, because they need a zone. The current host stays while this machine has it and no
 * address of a better grade comes, since each change replaces the record.
 */
export function publishedHost(input: PublishedHostInput): PublishedHost {
  const { boundTo, instance, current } = input;
  const fixed = instance.address ?? (isWildcard(boundTo) ? undefined : boundTo);
  if (fixed !== undefined)
    return { host: fixed, isChosen: false, warning: undefined, note: undefined };
  const candidates = candidatesOf(input);
  const [best] = candidates;
  const isKept = current !== undefined && !isBetter(best, current, candidates);
  return {
    host: (isKept ? current : best?.own.address) ?? '127.0.0.1',
    isChosen: true,
    warning: misfit(input),
    note: isKept && current !== best?.own.address ? undefined : noteOn(candidates),
  };
}

interface Candidate {
  readonly own: NetworkAddress;
  /** 0: in the preferred network; 1: other machines reach it; 2: probably none does. */
  readonly grade: 0 | 1 | 2;
  /** Place in the routes; Infinity for an address that is in none. */
  readonly route: number;
}

/** Returns the addresses to choose from, best first. */
function candidatesOf(input: PublishedHostInput): readonly Candidate[] {
  const { routes, instance } = input;
  return usableAddresses(input)
    .map((own): Candidate => {
      const place = routes.indexOf(own.address);
      const route = place === -1 ? Infinity : place;
      const isReachable = route < Infinity || rank(own) < 2;
      const fits = isPreferred(own, instance.preferredNetwork);
      return { own, grade: fits ? 0 : isReachable ? 1 : 2, route };
    })
    .toSorted(
      (left, right) =>
        left.grade - right.grade ||
        compare(left.route, right.route) ||
        compare(rank(left.own), rank(right.own)),
    );
}

function compare(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

/** A route may lead over an address that the operating system does not list. */
function usableAddresses({ boundTo, networkInterfaces, routes }: PublishedHostInput) {
  const listed = new Set(networkInterfaces.map(({ address }) => address));
  const unlisted = routes.filter(address => !listed.has(address)).map(ofUnknownInterface);
  return [...networkInterfaces, ...unlisted].filter(
    ({ address, family }) =>
      !isWithin(address, 'fe80::/10') && (family === 'IPv4' || boundTo !== '0.0.0.0'),
  );
}

function ofUnknownInterface(address: string): NetworkAddress {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  return { name: 'unknown', address, family, internal: false };
}

function isPreferred({ name, address }: NetworkAddress, network: string | undefined): boolean {
  return network !== undefined && (name === network || isWithin(address, network));
}

/** While no good address is left, as during a change of networks, the current one is no worse. */
function isBetter(
  best: Candidate | undefined,
  current: string,
  candidates: readonly Candidate[],
): boolean {
  if (best === undefined) return false;
  const held = candidates.find(({ own }) => own.address === current);
  return held === undefined ? best.grade < 2 : best.grade < held.grade;
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

function misfit(input: PublishedHostInput): string | undefined {
  const { preferredNetwork } = input.instance;
  const usable = usableAddresses(input);
  if (preferredNetwork === undefined) return undefined;
  if (usable.some(own => isPreferred(own, preferredNetwork))) return undefined;
  const there = usable.length === 0 ? 'no address at all' : usable.map(described).join(', ');
  return `instance.preferredNetwork ${JSON.stringify(preferredNetwork)} fits no address of this machine: it has ${there}`;
}

function noteOn([best, ...rest]: readonly Candidate[]): string | undefined {
  const others = rest.filter(({ own, grade }) => grade <= (best?.grade ?? 0) && !own.internal);
  if (best === undefined || others.length === 0) return undefined;
  return (
    `Publishing the address ${described(best.own)}${reasonFor(best)}; this machine also has ` +
    `${others.map(({ own }) => described(own)).join(', ')}: set instance.address or ` +
    'instance.preferredNetwork to choose another'
  );
}

function reasonFor({ grade, route }: Candidate): string {
  if (grade === 0) return ', which is in instance.preferredNetwork';
  return route < Infinity ? ', from which this machine reaches the registry' : '';
}

function described({ name, address }: NetworkAddress): string {
  return `${address} (${name})`;
}

/** Returns the endpoint of a web server: `rest://10.0.0.7:3000`, `rest://[::1]:3000?sslEnabled=true`. */
export function endpointOf(server: { host: string; port: number; tls: boolean }): string {
  return `rest://${bracketed(server.host)}:${server.port}${server.tls ? '?sslEnabled=true' : ''}`;
}

/** Fills in the host of an endpoint that leaves it open. */
function completed(endpoint: string, host: string): string {
  return hasNoHost(endpoint) ? endpoint.replace('://:', `://${bracketed(host)}:`) : endpoint;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
