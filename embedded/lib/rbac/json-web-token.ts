import {
  constants,
  sign,
  verify,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ErrorCode, catchRegistryError, RegistryError } from '../model/registry-error.js';
import { parseJson, NumberLiteral } from '../api/go-json.js';
import { isObject, kindOf } from '../api/struct-reader.js';

/** The claims of a token by name. */
export type Claims = ReadonlyMap<string, unknown>;

/** RSA signatures with PKCS #1 padding. */
export type TokenAlgorithm = 'RS256' | 'RS384' | 'RS512';

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;

/** Creates a token; claims are sorted like a map in Go. */
export function signToken(
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject,
  algorithm: TokenAlgorithm = 'RS512',
): string {
  const sorted = Object.entries(claims).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const signed = [{ alg: algorithm, typ: 'JWT' }, Object.fromEntries(sorted)]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign(hashIn(algorithm), Buffer.from(signed), key);
  return `${signed}.${signature.toString('base64url')}`;
}

/**
 * Verifies a token like the server's library (golang-jwt 3.2.2): any RSA signature is accepted, and
 * an expired token is reported before a wrong signature.
 *
 * @throws RegistryError 401205 for a token that has expired or is not valid yet, otherwise 401201
 */
export function verifyToken(token: string, key: KeyObject, nowSeconds: number): Claims {
  const [first, second, signature, ...rest] = token.split('.');
  if (first === undefined || second === undefined || signature === undefined || rest.length > 0)
    throw unauthorized('token contains an invalid number of segments');
  const header = objectIn(first, 'map[string]interface {}');
  const claims = objectIn(second, 'jwt.MapClaims');
  const algorithm = algorithmOf(header);
  if (isOutOfTime(claims, nowSeconds)) throw new RegistryError(ErrorCode.TokenExpired, '');
  verifySignature({ algorithm, signed: `${first}.${second}`, signature }, key);
  if (!holds(claims, 'iat', at => nowSeconds >= at)) throw unauthorized('Token used before issued');
  return claims;
}

/** Returns the error for a missing or invalid identity. */
export function unauthorized(detail: string): RegistryError {
  return new RegistryError(ErrorCode.Unauthorized, detail);
}

function algorithmOf(header: Claims): string {
  const algorithm = header.get('alg');
  if (typeof algorithm !== 'string') throw unauthorized('signing method (alg) is unspecified.');
  if (!/^(none|EdDSA|(HS|RS|ES|PS)(256|384|512))$/.test(algorithm))
    throw unauthorized('signing method (alg) is unavailable.');
  return algorithm;
}

function isOutOfTime(claims: Claims, nowSeconds: number): boolean {
  return (
    !holds(claims, 'exp', at => nowSeconds <= at) || !holds(claims, 'nbf', at => nowSeconds >= at)
  );
}

/**
 * Returns whether a time claim fulfils a condition, or is absent or 0. A claim that is not a number
 * does not.
 */
function holds(claims: Claims, name: string, condition: (seconds: number) => boolean): boolean {
  const claim = claims.get(name);
  if (claim === undefined) return true;
  const value = claim instanceof NumberLiteral ? Number(claim.text) : claim;
  if (typeof value !== 'number') return false;
  return Math.trunc(value) === 0 || condition(Math.trunc(value));
}

interface Signed {
  readonly algorithm: string;
  readonly signed: string;
  readonly signature: string;
}

function verifySignature({ algorithm, signed, signature }: Signed, key: KeyObject): void {
  if (algorithm === 'none') throw unauthorized("'none' signature type is not allowed");
  const wrongKind = unauthorized('key is of invalid type');
  if (/^(HS|EdDSA)/.test(algorithm)) throw wrongKind;
  const bytes = bytesOf(signature);
  if (algorithm.startsWith('ES')) throw wrongKind;
  const padding = algorithm.startsWith('PS') ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  if (!verify(hashIn(algorithm), Buffer.from(signed), { key, padding }, bytes))
    throw unauthorized('crypto/rsa: verification error');
}

function hashIn(algorithm: string): string {
  return `sha${algorithm.slice(2)}`;
}

function objectIn(segment: string, goType: string): Claims {
  const text = bytesOf(segment).toString();
  const document = catchRegistryError(() => parseJson(text));
  if (document instanceof RegistryError) throw unauthorized(document.detail);
  if (document === null) return new Map();
  if (!isObject(document))
    throw unauthorized(
      `json: cannot unmarshal ${kindOf(document)} into Go value of type ${goType}`,
    );
  return new Map<string, unknown>(Object.entries(document));
}

/** Go's base64.RawURLEncoding. */
function bytesOf(segment: string): Buffer {
  const stranger = segment.search(/[^\w-]/);
  const lonely = segment.length % 4 === 1 ? segment.length - 1 : -1;
  const at = stranger === -1 ? lonely : stranger;
  if (at !== -1) throw unauthorized(`illegal base64 data at input byte ${at}`);
  return Buffer.from(segment, 'base64url');
}

/** The keys of a server, for signing and verifying tokens. */
export interface TokenKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Returns the keys for a given private key, otherwise a pair that is generated on first use, which
 * takes about 0.1 s.
 *
 * @throws Error if the text is not an RSA key; it does not contain the text
 */
export function tokenKeys(privateKey: string | undefined): () => TokenKeys {
  let keys = privateKey === undefined ? undefined : keysOf(privateKey);
  return () => (keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}

function keysOf(pem: string): TokenKeys {
  const privateKey = readKey(pem);
  if (privateKey?.asymmetricKeyType !== 'rsa')
    throw new Error('rbac.privateKey must be an RSA private key in PEM, not encrypted');
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The original error may contain a part of the key.
    return undefined;
  }
}
