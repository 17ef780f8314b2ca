import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { codeOf, CredentialsError, isServiceCombError } from '../errors.js';
import type { ResolvedAuth } from '../options/resolved-options.js';
import { AddressBook } from '../protocol/address-book.js';
import {
  Channel,
  type ChannelSettings,
  type CredentialHeaders,
  type Credentials,
  noCredentials,
  type Send,
} from '../protocol/channel.js';
import { isGatewayRefusal } from '../protocol/failures.js';
import { AccountCredentials, type TokenClock } from './account-credentials.js';
import { boundedWait, type Delay } from './bounded-wait.js';
import { login, loginOfNobody } from './login.js';

/** A heartbeat waits for a login or for the application's answer: not for a whole lease. */
const longestWaitMs = 10_000;

/** How long to wait for the application. */
export interface TimeLimit {
  readonly timeoutMs: number;
  readonly delay: Delay;
}

/** The parts that credentials work with. */
export interface CredentialsParts extends Pick<TimeLimit, 'delay'> {
  readonly send: Send;
  readonly settings: ChannelSettings;
  readonly clock: TokenClock;
}

/** Creates the credentials of the option `serviceCenter.auth`. */
export function createCredentials(
  auth: ResolvedAuth | undefined,
  { send, settings, clock, delay }: CredentialsParts,
): Credentials {
  const timeoutMs = Math.min(settings.timeoutMs, longestWaitMs);
  const limit = { timeoutMs, delay };
  switch (auth?.kind) {
    case undefined:
      return noCredentials;
    case 'account': {
      const channelAt = (address: string) =>
        new Channel(send, new AddressBook([address]), { ...settings, timeoutMs });
      return new AccountCredentials({
        username: auth.username,
        password: () => passwordOf(auth, limit),
        login: (address, account, signal) => channelAt(address).call(login(account), { signal }),
        isBarred: (address, signal) => isBarred(channelAt(address), signal),
        clock,
        delay,
      });
    }
    case 'keyPair':
      return keyPairCredentials(auth);
    case 'token':
      return providedCredentials('token', auth.token, limit);
    case 'headers':
      return providedCredentials('headers', auth.headers, limit);
  }
}

/** Returns whether a gateway answers a login without an account in place of the registry; false when in doubt. */
async function isBarred(channel: Channel, signal: AbortSignal): Promise<boolean> {
  try {
    await channel.call(loginOfNobody, { signal });
    return false;
  } catch (error) {
    if (!signal.aborted && !isServiceCombError(error)) throw error;
    return isGatewayRefusal(error);
  }
}

/** A text that the registry would take for a wrong password is not sent: the third one bans the account. */
async function passwordOf(
  { password, passwordFile = '' }: Extract<ResolvedAuth, { kind: 'account' }>,
  limit: TimeLimit,
): Promise<string> {
  const source = password === undefined ? 'passwordFile' : 'password';
  const who = password === undefined ? `the file ${JSON.stringify(passwordFile)}` : 'it';
  const read = password ?? (() => readPassword(passwordFile));
  const text = await provided(source, read, { limit });
  if (typeof text !== 'string' || text.trim() === '')
    throw new CredentialsError(source, password ? 'it returned no text' : `${who} is empty`);
  if (/[\p{Cc}\ufeff]/u.test(text))
    throw new CredentialsError(
      source,
      `${who} has a line break or another control character in it`,
    );
  return text;
}

/** Editors and shells end a file with line breaks, and some begin it with a byte order mark. */
async function readPassword(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\ufeff|[\r\n]+$/g, '');
  } catch (error) {
    const reason = `the file ${JSON.stringify(path)} cannot be read: ${nameOf(error)}`;
    throw new CredentialsError('passwordFile', reason);
  }
}

/** Signs the access key with the secret key, as the older clouds require; the secret key is not sent. */
function keyPairCredentials(auth: Extract<ResolvedAuth, { kind: 'keyPair' }>): Credentials {
  const { accessKey, secretKey, project } = auth;
  const signature = createHmac('sha256', secretKey()).update(accessKey()).digest('hex');
  const headers = {
    'X-Service-AK': accessKey(),
    'X-Service-ShaAKSK': signature,
    ...(project === undefined ? {} : { 'X-Service-Project': encodeURIComponent(project) }),
  };
  return { ...noCredentials, headersFor: () => Promise.resolve(headers) };
}

/** Creates credentials that ask a function of the application before each request. */
export function providedCredentials(
  source: 'token' | 'headers',
  provide: () => Promise<unknown>,
  limit: TimeLimit,
): Credentials {
  return {
    ...noCredentials,
    headersFor: async (_, { signal, timeoutMs = Infinity }): Promise<CredentialHeaders> => {
      signal?.throwIfAborted();
      const bound = { ...limit, timeoutMs: Math.min(limit.timeoutMs, timeoutMs) };
      const value = await provided(source, provide, { signal, limit: bound });
      if (source === 'token') return { Authorization: `Bearer ${headerText(source, value)}` };
      if (typeof value !== 'object' || value === null)
        throw new CredentialsError(source, 'it returned no object');
      const headers = Object.entries(value).map(([name, text]) => [name, headerText(source, text)]);
      return Object.fromEntries(headers);
    },
  };
}

/**
 * Waits for a value of the application. Its own error is shown by its name, or by the code of the file
 * system, alone: the message may contain a secret.
 */
async function provided(
  source: CredentialsError['source'],
  provide: () => Promise<unknown>,
  { signal, limit }: { readonly signal?: AbortSignal | undefined; readonly limit: TimeLimit },
): Promise<unknown> {
  const { timeoutMs, delay } = limit;
  const value = provide().catch((error: unknown) => {
    if (error instanceof CredentialsError) throw error;
    throw new CredentialsError(source, `it failed with ${nameOf(error)}`);
  });
  const timer = async (ended: AbortSignal): Promise<never> => {
    await delay(timeoutMs, ended);
    throw new CredentialsError(source, `it returned nothing within ${timeoutMs} ms`);
  };
  return boundedWait(value, { signal, timer });
}

function nameOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined && /^E[A-Z]{2,15}$/.test(code)) return code;
  return error instanceof Error ? error.name : typeof error;
}

/** Node refuses a header with a line break or beyond Latin-1, and its error shows the value. */
function headerText(source: CredentialsError['source'], value: unknown): string {
  if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value))
    throw new CredentialsError(source, 'it returned no text that a header can hold');
  return value;
}
