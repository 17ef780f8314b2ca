import { readFile } from 'node:fs/promises';
import { CredentialsError } from '../errors.js';
import type { ResolvedAuth, ResolvedOptions } from '../options/resolved-options.js';
import { AccountCredentials } from '../protocol/account-credentials.js';
import { AddressBook } from '../protocol/address-book.js';
import { Caller } from '../protocol/call.js';
import type { CallSettings } from '../protocol/request.js';
import {
  answerOf,
  type Credentials,
  keyPairCredentials,
  noCredentials,
  type Patience,
  providedCredentials,
} from '../protocol/credentials.js';
import { login } from '../protocol/login.js';
import { secretsOf } from '../protocol/redact.js';
import type { Send } from '../protocol/send.js';
import { systemClock, waitIdly } from './ticker.js';

/** A login, or what the application gives, holds up a heartbeat: it must not do so for a whole lease. */
const longestWaitMs = 10_000;

/** Makes the credentials that the options ask for. */
export function credentialsOf(
  { auth, addresses }: Pick<ResolvedOptions['serviceCenter'], 'auth' | 'addresses'>,
  send: Send,
  settings: CallSettings,
): Credentials {
  const timeoutMs = Math.min(settings.timeoutMs, longestWaitMs);
  const patience = { timeoutMs, delay: waitIdly };
  switch (auth?.kind) {
    case undefined:
      return noCredentials;
    case 'account':
      return new AccountCredentials({
        addresses,
        username: auth.username,
        password: () => passwordOf(auth, patience),
        login: (address, account, signal) =>
          new Caller(send, new AddressBook([address]), { ...settings, timeoutMs }).call(
            login(account),
            { signal },
          ),
        clock: { now: () => systemClock.now(), random: Math.random },
      });
    case 'keyPair':
      return keyPairCredentials({
        accessKey: auth.accessKey(),
        secretKey: auth.secretKey(),
        project: auth.project,
      });
    case 'token':
      return providedCredentials('token', auth.token, patience);
    case 'headers':
      return providedCredentials('headers', auth.headers, patience);
  }
}

async function passwordOf(
  { password, passwordFile }: Extract<ResolvedAuth, { kind: 'account' }>,
  patience: Patience,
): Promise<string> {
  const source = password === undefined ? 'passwordFile' : 'password';
  const read = password ?? (() => readFile(passwordFile ?? '', 'utf8'));
  const text = await answerOf(source, read, patience);
  if (typeof text !== 'string' || text.trim() === '')
    throw new CredentialsError(source, 'it gave no text');
  return source === 'passwordFile' ? text.replace(/\r?\n$/, '') : text;
}

/** Secrets that are sent besides the credentials: in headers of the application's own, and to a proxy. */
export function secretsBeside({
  axios,
  proxy,
}: Pick<ResolvedOptions['serviceCenter'], 'axios' | 'proxy'>): readonly string[] {
  const texts = Object.entries(axios?.().headers ?? {}).filter(isText);
  const proxies = [proxy?.http?.credentials?.(), proxy?.https?.credentials?.()];
  const sentToProxies = proxies.flatMap(account => (account === undefined ? [] : [basic(account)]));
  return [
    ...secretsOf(Object.fromEntries(texts)),
    ...sentToProxies.flatMap(sent => secretsOf({ sent })),
  ];
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The addresses that credentials would be sent to in the clear, over a network. */
export function unprotectedAddresses({
  addresses,
  auth,
}: Pick<ResolvedOptions['serviceCenter'], 'addresses' | 'auth'>): readonly string[] {
  if (auth === undefined) return [];
  return addresses.filter(address => {
    const { protocol, hostname } = new URL(address);
    const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
    return protocol === 'http:' && !isHere;
  });
}
