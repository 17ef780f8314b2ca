import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { late, within } from '../background/clock.js';
import {
  codeOf,
  isServiceCombError,
  type ServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { isGatewayRefusal, isTokenRefused, unknownAuthority } from '../protocol/failures.js';
import { flagFor } from './arguments.js';
import { connectWithout, machineClock } from './connection.js';
import { type Check, problem, type Section, warning } from './report.js';

/** What the check of an address needs. */
export interface AddressCheckParts {
  readonly options: Pick<ResolvedOptions, 'serviceCenter'>;
  readonly stopped: AbortSignal;
}

/** The checks of an address, and whether it can be asked for more. */
export interface CheckedAddress {
  readonly section: Section;
  readonly isServing: boolean;
}

interface Target extends AddressCheckParts {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`, for people. */
  readonly where: string;
  /** The flag or variable to correct. */
  readonly from: string;
}

const unusable = 'No application registers or finds others through this address';

/** Checks an address from the bottom up: name, connection, certificate, registry, clock. Ends at the first problem. */
export async function checkAddress(
  address: string,
  parts: AddressCheckParts,
): Promise<CheckedAddress> {
  const { hostname, host: where, port, protocol } = new URL(address);
  const origin = flagFor(parts.options.serviceCenter.addressesFrom);
  const isDefault = origin.startsWith('the default');
  const target = {
    ...parts,
    address,
    from: isDefault ? 'SERVICE_CENTER_ADDRESS or --address' : origin,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? { 'http:': 80, 'https:': 443 }[protocol] : port),
    where: port === '' ? `${where}:${protocol === 'https:' ? 443 : 80}` : where,
  };
  const checks: Check[] = [];
  const isSecure = protocol === 'https:';
  const steps = [
    checkName,
    checkConnection,
    ...(isSecure ? [checkCertificate] : []),
    checkRegistry,
  ];
  for (const step of steps) {
    checks.push(...(await step(target)));
    if (checks.some(({ status, name }) => status === 'problem' && name !== 'clock')) break;
  }
  const isServing = checks.some(({ name, status }) => name === 'registry' && status !== 'problem');
  return {
    section: { title: `Registry ${address} (${isDefault ? 'the default' : origin})`, checks },
    isServing,
  };
}

/** Bounds a wait by the time of one operation, and by Ctrl-C. */
function boundOf({ options, stopped }: AddressCheckParts): AbortSignal {
  return AbortSignal.any([stopped, AbortSignal.timeout(options.serviceCenter.timeoutMs)]);
}

async function checkName(target: Target): Promise<readonly Check[]> {
  const { host, from, options } = target;
  if (isIP(host) !== 0) return [];
  const { timeoutMs } = options.serviceCenter;
  const found = await within(
    timeoutMs,
    lookup(host, { all: true }).catch((error: unknown) => codeOf(error) ?? 'unknown reason'),
    machineClock,
    target.stopped,
  );
  if (Array.isArray(found))
    return [
      {
        name: 'name',
        status: 'ok',
        text: `resolves to ${found.map(({ address }) => address).join(', ')}`,
      },
    ];
  const reason = found === late ? `no answer within ${timeoutMs} ms` : found;
  return [
    problem('name', {
      fact: `The name ${host} cannot be resolved (${reason})`,
      consequence: unusable,
      change: `Set the right name in ${from}, or the DNS settings of this machine or container`,
    }),
  ];
}

async function checkConnection(target: Target): Promise<readonly Check[]> {
  const { where, from } = target;
  const startedAt = performance.now();
  const failure = await failureOf(connectPlain(target), 'connect', target);
  const tookMs = Math.round(performance.now() - startedAt);
  if (failure === undefined)
    return [{ name: 'connection', status: 'ok', text: `${where} accepts it in ${tookMs} ms` }];
  const isRefused = failure === 'ECONNREFUSED';
  return [
    problem('connection', {
      fact: isRefused
        ? `Nothing listens on ${where} (${failure})`
        : `${where} cannot be reached (${failure})`,
      consequence: unusable,
      change: isRefused
        ? `Set the right host and port in ${from}, or start the registry there; its usual port is 30100`
        : `Set the right address in ${from}, or let this machine through the firewall or security group before it`,
    }),
  ];
}

/** Opens a socket and closes it again. Returns why it did not open; undefined if it did. */
async function failureOf(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  parts: AddressCheckParts,
): Promise<string | undefined> {
  const signal = boundOf(parts);
  try {
    await once(socket, event, { signal });
    return undefined;
  } catch (error) {
    if (signal.aborted) return `no answer within ${parts.options.serviceCenter.timeoutMs} ms`;
    return codeOf(error) ?? String(error);
  } finally {
    // Closing it may emit an error that nobody waits for any more.
    socket.on('error', () => undefined).destroy();
  }
}

/** Opens a connection of TLS whatever the certificate, and sends nothing over it. */
function openTls(target: Target): TLSSocket {
  const { host, port, options } = target;
  const { material, servername, minVersion } = options.serviceCenter.tls;
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  return connectTls({
    ...material?.(),
    ...(name !== undefined && { servername: name }),
    host,
    port,
    minVersion,
    rejectUnauthorized: false,
  });
}

async function checkCertificate(target: Target): Promise<readonly Check[]> {
  const { where, address, from } = target;
  const socket = openTls(target);
  // Read at once: the certificate is gone when the socket is closed.
  const seen = once(socket, 'secureConnect').then(
    () => ({
      certificate: socket.getPeerCertificate(),
      refusal: codeIn(socket.authorizationError),
    }),
    () => undefined,
  );
  const failure = await failureOf(socket, 'secureConnect', target);
  const handshake = failure === undefined ? await seen : undefined;
  if (handshake !== undefined) return [certificateCheck(handshake, target)];
  const plain = address.replace(/^https:/, 'http:');
  if (await answersHttp(plain, target))
    return [
      problem('certificate', {
        fact: `${where} answers plain HTTP, and the address begins with https://`,
        consequence: unusable,
        change: `Write ${plain} in ${from}, or the port at which the registry speaks TLS`,
      }),
    ];
  // The library's own request says best what is wrong with the handshake.
  return [];
}

interface Handshake {
  readonly certificate: ReturnType<TLSSocket['getPeerCertificate']>;
  /** Why the certificate is not trusted. */
  readonly refusal: string | undefined;
}

/** Node sets a code, and an error for a wrong host name; the types know only of an error. */
function codeIn(error: unknown): string | undefined {
  return typeof error === 'string' ? error : codeOf(error);
}

const dayMs = 86_400_000;
const soonDays = 14;

function certificateCheck({ certificate, refusal }: Handshake, target: Target): Check {
  const { where, options } = target;
  const name = 'certificate';
  const endsAt = Date.parse(certificate.valid_to);
  const leftDays = (endsAt - Date.now()) / dayMs;
  const until = Number.isNaN(endsAt)
    ? 'an unknown day'
    : new Date(endsAt).toISOString().slice(0, 10);
  const consequence = 'Every request fails before it is sent';
  if (leftDays < 0)
    return problem(name, {
      fact: `The certificate of ${where} expired on ${until}`,
      consequence,
      change: `Renew it at the registry; if today is not ${today()}, set the clock of this machine`,
    });
  if (refusal === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    return problem(name, {
      fact: `The certificate of ${where} is signed by itself, and not trusted here (${refusal})`,
      consequence,
      change: 'Name this certificate: --ca-file here, serviceCenter.tls.caFile in the application',
    });
  if (refusal !== undefined && unknownAuthority.test(refusal))
    return problem(name, {
      fact: `The certificate of ${where} is from ${issuerOf(certificate)}, which is not trusted here (${refusal})`,
      consequence,
      change:
        options.serviceCenter.tls.material?.().ca === undefined
          ? 'Name the certificate of its authority: --ca-file here, serviceCenter.tls.caFile in the application'
          : 'Put the certificate of its authority into the file of --ca-file: the ones in it have not signed this one',
    });
  const text = `valid for ${Math.floor(leftDays)} days, until ${until}`;
  // Another host name, a revocation, …: the library's own request follows and says it in full.
  if (refusal !== undefined)
    return { name, status: 'note', text: `${text}; not accepted: ${refusal}` };
  if (leftDays >= soonDays) return { name, status: 'ok', text };
  return warning(name, {
    fact: `The certificate of ${where} expires on ${until}`,
    consequence: 'From then on every request fails before it is sent',
    change: 'Renew it at the registry',
  });
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function issuerOf({ issuer }: Handshake['certificate']): string {
  return JSON.stringify(issuer.CN ?? issuer.O ?? 'an authority without a name');
}

/** Returns whether there is an answer to plain HTTP, of whatever kind. */
async function answersHttp(address: string, target: Target): Promise<boolean> {
  const { client, close } = connectWithout(target.options, address);
  try {
    await client.getVersion({ signal: target.stopped });
    return true;
  } catch (error) {
    return isServiceCombError(error) && isAnswer(error);
  } finally {
    close();
  }
}

function isAnswer({ code }: ServiceCombError): boolean {
  return code === 'ERR_SERVICECOMB_RESPONSE' || code === 'ERR_SERVICECOMB_PROTOCOL';
}

async function checkRegistry(target: Target): Promise<readonly Check[]> {
  const { client, clockAheadMs, close } = connectWithout(target.options, target.address);
  const startedAt = performance.now();
  try {
    // The first exchange includes the connection: it does not count.
    await client.getVersion({ signal: target.stopped });
    const sentAt = performance.now();
    const { version, apiVersion } = await client.getVersion({ signal: target.stopped });
    const tookMs = Math.round(performance.now() - sentAt);
    const versions = `version ${version ?? 'unknown'}, API ${apiVersion ?? 'unknown'}`;
    const text = `${versions}, answers in ${tookMs} ms`;
    return [{ name: 'registry', status: 'ok', text }, ...clockCheck(clockAheadMs(), target)];
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    if (isGatewayRefusal(error) || isTokenRefused(error)) {
      const tookMs = Math.round(performance.now() - startedAt);
      const text = `asks for credentials before it tells its version, answers in ${tookMs} ms`;
      return [{ name: 'registry', status: 'note', text }, ...clockCheck(clockAheadMs(), target)];
    }
    return [await refusalOf(error, target)];
  } finally {
    close();
  }
}

async function refusalOf(error: ServiceCombError, target: Target): Promise<Check> {
  const { where, from, address } = target;
  const name = 'registry';
  const speaksTls =
    address.startsWith('http:') &&
    (await failureOf(openTls(target), 'secureConnect', target)) === undefined;
  if (speaksTls)
    return problem(name, {
      fact: `${where} speaks TLS, and the address begins with http://`,
      consequence: unusable,
      change: `Write ${address.replace(/^http:/, 'https:')} in ${from}`,
    });
  if (error instanceof ServiceCenterProtocolError)
    return problem(name, {
      fact: `${where} answers, and not as a registry: ${JSON.stringify(error.received)}`,
      consequence: unusable,
      change: `Set the right host, port and path in ${from}: another server listens there; the usual port of the registry is 30100`,
    });
  const advice = error instanceof ServiceCenterUnreachableError ? error.advice : undefined;
  return problem(name, {
    fact: `${where} does not tell its version: ${error.message}`,
    consequence: unusable,
    change:
      advice ?? `Look at the log of the registry, and at what stands between it and this machine`,
  });
}

/** More than answers take, and less than what a token or a certificate can be wrong by. */
const tolerableMs = 30_000;

function clockCheck(aheadMs: number | undefined, { where }: Target): readonly Check[] {
  if (aheadMs === undefined)
    return [{ name: 'clock', status: 'note', text: 'unknown: the answer has no Date' }];
  const offMs = Math.abs(aheadMs);
  const direction = aheadMs > 0 ? 'ahead of' : 'behind';
  const by = offMs < 1_000 ? 'less than 1 s off' : `${durationOf(offMs)} ${direction} this machine`;
  if (offMs <= tolerableMs) return [{ name: 'clock', status: 'ok', text: by }];
  return [
    problem('clock', {
      fact: `The clock of ${where} is ${durationOf(offMs)} ${direction} the clock of this machine`,
      consequence:
        'Certificates and tokens are judged by a wrong time, and times in logs do not match',
      change: `Set the wrong one of the two, such as with NTP: this machine says ${new Date().toISOString().slice(0, 19)}Z`,
    }),
  ];
}

/** Returns a duration as people say it: `59 s`, `3 min`, `2 h`, `4 days`. */
export function durationOf(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} days`;
}
