import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** A password as it is kept: nothing leads back to it. */
export interface PasswordHash {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** The server's own costs (pkg/privacy/password.go): cheap, and fit for accounts of a test only. */
const scryptCosts = { N: 1024, r: 8, p: 1 };
const keyBytes = 32;

/** Hashes a password with a salt of its own. */
export function hashOf(password: string): PasswordHash {
  const salt = randomBytes(8);
  return { salt, key: scryptSync(password, salt, keyBytes, scryptCosts) };
}

/** True for the password that was hashed. */
export function isSame({ salt, key }: PasswordHash, password: string): boolean {
  return timingSafeEqual(key, scryptSync(password, salt, keyBytes, scryptCosts));
}

/** What every password of the server must have (pkg/validate/matcher.go). */
export const passwordRule =
  '8 to 32 bytes with an upper-case letter, a lower-case letter, a digit and a special character';

/** True for a password that the server takes. */
export function isStrong(password: string): boolean {
  const { length } = Buffer.from(password);
  const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{N}/u, /[\p{P}\p{S}]/u];
  return length >= 8 && length <= 32 && kinds.every(kind => kind.test(password));
}

/** A password that the server takes and nobody knows. */
export function randomPassword(): string {
  return `Aa1!${randomBytes(18).toString('base64url')}`;
}
