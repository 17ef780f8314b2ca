import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The two keys of a server: one signs tokens, the other tells whether a token is its own. */
export interface TokenKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The keys of a server that was given its private one, else a pair that is made when it is first
 * needed: that takes about a tenth of a second.
 *
 * @throws Error when the text holds no RSA key; it does not show the text
 */
export function tokenKeys(privateKey: string | undefined): () => TokenKeys {
  let keys = privateKey === undefined ? undefined : keysOf(privateKey);
  return () => (keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}

function keysOf(pem: string): TokenKeys {
  const privateKey = readKey(pem);
  if (privateKey?.asymmetricKeyType !== 'rsa')
    throw new Error('rbac.privateKey must be the private key of RSA, in PEM and not encrypted');
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // What was wrong with it may hold a part of it.
    return undefined;
  }
}
