import { once } from 'node:events';
import { connect, createServer, isIP, type Server } from 'node:net';
import { late, within } from '../background/clock.js';
import { codeOf } from '../errors.js';
import { type AddressList, addressTowards } from '../options/host-addresses.js';
import { isLoopback } from '../options/network-address.js';
import { type PublishedEndpoints, publishedEndpoints } from '../options/published-address.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { machineClock } from './connection.js';
import { type Check, problem, type Section, warning } from './report.js';

/** What the check of the published endpoint needs. */
export interface PublishedCheckParts {
  readonly options: Pick<ResolvedOptions, 'instance' | 'serviceCenter'>;
  /** The addresses of this machine. */
  readonly machine: AddressList;
  /** Address that the application listens on; undefined for all. */
  readonly host: string | undefined;
  readonly port: number;
  readonly portFrom: string | undefined;
  readonly stopped: AbortSignal;
}

/** How long to wait for a route and for a connection to this machine itself. */
const patienceMs = 2_000;

/** Checks the endpoint that an application would publish from here: listens on its port for a moment, and connects. */
export async function checkPublished(parts: PublishedCheckParts): Promise<Section> {
  const { port, portFrom } = parts;
  const { endpoints, warnings, note } = await endpointsOf(parts);
  const [endpoint = ''] = endpoints;
  const origin = portFrom === undefined ? 'default port' : `port from ${portFrom}`;
  const title = `Published endpoint ${endpoint} (${origin})`;
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
  const choice: readonly Check[] =
    note === undefined ? [] : [{ name: 'choice', status: 'note', text: note }];
  const others = warnings
    .filter(text => !text.includes('can be reached from this machine only'))
    .map((text): Check => ({ name: 'choice', status: 'warning', text }));
  return {
    title,
    checks: [
      addressCheck(endpoint, host, parts),
      ...choice,
      ...others,
      await reachCheck(host, port, parts),
    ],
  };
}

async function endpointsOf(parts: PublishedCheckParts): Promise<PublishedEndpoints> {
  const { options, machine, host = '::', port } = parts;
  const routes = await Promise.all(
    options.serviceCenter.addresses.map(url =>
      within(patienceMs, addressTowards(url), machineClock, parts.stopped),
    ),
  );
  const family = isIP(host) === 4 ? 'IPv4' : 'IPv6';
  const server = { address: () => ({ address: host, family, port }) };
  return publishedEndpoints(server, options, {
    networkInterfaces: machine.addresses,
    routes: routes.filter(route => route !== late && route !== undefined),
  });
}

function addressCheck(
  endpoint: string,
  host: string,
  { options, host: boundTo }: PublishedCheckParts,
): Check {
  const name = 'address';
  const isHere = options.serviceCenter.addresses.some(url => isLoopback(new URL(url).hostname));
  if (!isLoopback(host)) return { name, status: 'ok', text: `${host}, no loopback address` };
  if (isHere)
    return {
      name,
      status: 'note',
      text: `${host} is this machine only, as the address of the registry is`,
    };
  return problem(name, {
    fact: `${endpoint} is published, an address that each machine takes for itself`,
    consequence: 'Consumers on other machines call themselves instead of this application',
    change: changeOf(options.instance.address, boundTo),
  });
}

function changeOf(address: string | undefined, boundTo: string | undefined): string {
  if (address !== undefined)
    return 'Set instance.address (--instance-address) to an address that consumers reach, or remove it';
  if (boundTo !== undefined)
    return "Let the application listen on all interfaces, app.listen(port, '0.0.0.0'), or set instance.address";
  return 'Give this machine or container a network, or set instance.address to an address that consumers reach';
}

const notProved = 'that others reach it is not proved';

async function reachCheck(host: string, port: number, parts: PublishedCheckParts): Promise<Check> {
  const name = 'reachable';
  let server: Server | undefined;
  try {
    server = await listening(port, parts);
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    if (code !== 'EADDRINUSE') return cannotListen(code, parts);
  }
  const failure = await connectionFailure(host, port, parts);
  server?.close();
  const by = server === undefined ? ', by whatever listens on it already' : '';
  if (failure === undefined)
    return { name, status: 'ok', text: `from this machine${by}; ${notProved}` };
  const fact = `${host}:${port} cannot be reached from this machine (${failure})`;
  if (parts.options.instance.address !== undefined)
    return warning(name, {
      fact,
      consequence: 'It may still be reached from elsewhere, as behind a load balancer',
      change:
        'Try it from a machine of a consumer, or correct instance.address (--instance-address)',
    });
  const isElsewhere = server === undefined && failure === 'ECONNREFUSED';
  return problem(name, {
    fact,
    consequence: 'Consumers get no answer from this application',
    change: isElsewhere
      ? "Something listens on this port, and not on this address: let it listen on all interfaces, app.listen(port, '0.0.0.0')"
      : 'Open the port in the firewall of this machine, or set instance.address to an address that consumers reach',
  });
}

async function listening(port: number, { host, stopped }: PublishedCheckParts): Promise<Server> {
  const server = createServer(socket => socket.destroy());
  server.listen({ port, ...(host !== undefined && { host }) });
  await once(server, 'listening', { signal: stopped });
  return server;
}

function cannotListen(code: string, { host, port }: PublishedCheckParts): Check {
  const where = host === undefined ? `port ${port}` : `${host}:${port}`;
  return problem('reachable', {
    fact: `This process cannot listen on ${where} (${code})`,
    consequence: 'An application of this user cannot listen there either',
    change:
      code === 'EACCES'
        ? 'Choose a port from 1024 on, or run the application with the right to use lower ones'
        : 'Correct --host and --port, and what the application listens on',
  });
}

/** Returns why there is no connection; undefined if there is one. */
async function connectionFailure(
  host: string,
  port: number,
  { stopped }: PublishedCheckParts,
): Promise<string | undefined> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(patienceMs)]);
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
    return undefined;
  } catch (error) {
    return signal.aborted ? `no answer within ${patienceMs} ms` : (codeOf(error) ?? String(error));
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}
