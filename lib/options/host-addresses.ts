import { createSocket, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { isLoopback, isWildcard } from './network-address.js';

/** One address of one network interface. */
export interface NetworkAddress {
  /** Name of the interface, such as `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  /** Whether it is a loopback interface. */
  readonly internal: boolean;
}

/** The addresses of this machine, or the reason why the operating system does not list them. */
export interface AddressList {
  readonly addresses: readonly NetworkAddress[];
  readonly error?: unknown;
}

/** Returns the current addresses of this machine, in the order of the operating system. Never throws. */
export function networkAddresses(list: typeof networkInterfaces = networkInterfaces): AddressList {
  try {
    const addresses = Object.entries(list()).flatMap(([name, addresses = []]) =>
      addresses.map(({ address, family, internal }) => ({ name, address, family, internal })),
    );
    return { addresses };
  } catch (error) {
    // Android, gVisor and hardened containers refuse it.
    return { addresses: [], error };
  }
}

/**
 * Resolves with the address of this machine from which it reaches a URL, as the routes of the operating
 * system have it: a UDP socket that is connected has a local address, and nothing is sent. Resolves with
 * undefined when there is no route, when the host name has no address, and for a host on this machine,
 * which says nothing about the way to others. Never rejects.
 */
export async function addressTowards(url: string): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isLoopback(host)) return undefined;
  const remotePort = port === '' ? defaultPorts[protocol] : Number(port);
  return (await localAddress('udp4', host, remotePort)) ?? localAddress('udp6', host, remotePort);
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

async function localAddress(type: SocketType, host: string, port = 0): Promise<string | undefined> {
  let socket: Socket | undefined;
  try {
    socket = createSocket(type).unref();
    socket.connect(port, host);
    await once(socket, 'connect');
    const { address } = socket.address();
    return isLoopback(address) || isWildcard(address) ? undefined : address;
  } catch {
    return undefined; // No such host, no route, no socket: the other ways to choose an address remain.
  } finally {
    socket?.close();
  }
}
