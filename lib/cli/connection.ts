import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../background/clock.js';
import { createCredentials } from '../credentials/credentials.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { AddressBook } from '../protocol/address-book.js';
import { Channel, type Credentials, type Send } from '../protocol/channel.js';
import { ServiceCenterClient } from '../protocol/service-center.client.js';
import { Connections, exchange, type StartTimer } from '../transport/http.js';

/** The clock of this machine. */
export const machineClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  delay: pause,
};

/** Resolves after that many milliseconds, or when aborted. Keeps the process alive: between two requests nothing else does. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}

const startTimer: StartTimer = (ms, onTime) => {
  const ended = new AbortController();
  void wait(ms, undefined, { ref: false, signal: ended.signal }).then(onTime, () => undefined);
  return () => ended.abort();
};

/** A connection to the registry. */
export interface Connection {
  readonly client: ServiceCenterClient;
  /** Those of the options. */
  readonly credentials: Credentials;
  /** By how many milliseconds the registry's clock was ahead in its last answer, to half a second. */
  readonly clockAheadMs: () => number | undefined;
  readonly close: () => void;
}

/** Connects to addresses of the registry as an application with these options does. */
export function connect(
  { serviceCenter }: Pick<ResolvedOptions, 'serviceCenter'>,
  {
    addresses = serviceCenter.addresses,
    auth = serviceCenter.auth,
  }: Partial<Pick<ResolvedOptions['serviceCenter'], 'addresses' | 'auth'>> = {},
): Connection {
  const connections = new Connections(serviceCenter, startTimer);
  let clockAheadMs: number | undefined;
  const send: Send = async request => {
    const sentAt = Date.now();
    const reply = await exchange(request, connections);
    clockAheadMs = aheadMs(reply.headers.date, (sentAt + Date.now()) / 2) ?? clockAheadMs;
    return reply;
  };
  const { project, domain, timeoutMs, maxAnswerBytes } = serviceCenter;
  const settings = {
    project,
    domain,
    timeoutMs,
    maxAnswerBytes,
    clock: machineClock,
  };
  const clock = { now: () => machineClock.now(), random: Math.random };
  const credentials = createCredentials(auth, { send, settings, clock, delay: pause });
  const channel = new Channel(send, new AddressBook(addresses), settings, credentials);
  return {
    client: new ServiceCenterClient(channel),
    credentials,
    clockAheadMs: () => clockAheadMs,
    close: () => {
      credentials.stop();
      connections.closeIdle();
    },
  };
}

/** Connects without credentials, for what needs none. */
export function connectWithout(
  options: Pick<ResolvedOptions, 'serviceCenter'>,
  address: string,
): Connection {
  const serviceCenter = { ...options.serviceCenter, auth: undefined };
  return connect({ serviceCenter }, { addresses: [address] });
}

/** The header Date has whole seconds, rounded down. */
function aheadMs(date: string | undefined, now: number): number | undefined {
  const then = Date.parse(date ?? '') + 500;
  return Number.isNaN(then) ? undefined : Math.round(then - now);
}
