import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.js';
import { RegistryError, invalid, ErrorCode } from '../model/registry-error.js';
import { newId, refuseOver, timestamp } from './roles.js';
import type { Roles } from './roles.js';

/** An account in an answer. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** Stored as requested; has no effect. */
  readonly tokenExpirationTime?: string | undefined;
  /** Has no effect: an inactive account can log in. */
  readonly status: string;
  /** Seconds since 1970, in decimal digits. */
  readonly createTime: string;
  readonly updateTime: string;
}

/** An account to create. */
export interface NewAccount {
  readonly id?: string | undefined;
  readonly name: string;
  readonly password: string;
  readonly roles: readonly string[];
  readonly tokenExpirationTime?: string | undefined;
  readonly status?: string | undefined;
}

interface StoredAccount {
  readonly account: Account;
  readonly password: PasswordHash;
}

/** The account that cannot be removed. */
export const rootName = 'root';

/** The accounts of a server by name, with passwords stored as salted hashes. */
export class Accounts {
  readonly #clock: Clock;
  readonly #roles: Roles;
  readonly #quota: number;
  readonly #accounts = new Map<string, StoredAccount>();

  /** @param quota maximum number of accounts, including `root` */
  constructor(clock: Clock, roles: Roles, quota: number) {
    this.#clock = clock;
    this.#roles = roles;
    this.#quota = quota;
  }

  has(name: string): boolean {
    return this.#accounts.has(name);
  }

  /** Returns all accounts by name. */
  list(): readonly Account[] {
    return [...this.#accounts.values()]
      .map(({ account }) => account)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws RegistryError 400200 */
  get(name: string): Account {
    return this.#stored(name).account;
  }

  /** @throws RegistryError 400203 */
  refuseOverQuota(): void {
    const usage = { max: this.#quota, current: this.#accounts.size };
    refuseOver('ACCOUNT', ErrorCode.NoAccountQuota, usage);
  }

  /**
   * @throws RegistryError 400001 for a password that equals the name or its reverse, 400202, 409200
   */
  create({ id = newId(), name, password, status = 'active', ...rest }: NewAccount): void {
    refuseNamePassword(name, password);
    this.#refuseUnknownRoles(rest.roles);
    if (this.#accounts.has(name))
      throw new RegistryError(ErrorCode.AccountConflict, 'account is duplicated');
    const { roles, tokenExpirationTime } = rest;
    const createTime = timestamp(this.#clock);
    const times = { createTime, updateTime: createTime };
    const account = { id, name, roles, tokenExpirationTime, status, ...times };
    this.#accounts.set(name, { account, password: hashOf(password) });
  }

  /** @throws RegistryError 400200, 400202 */
  update(name: string, changes: Pick<Account, 'roles'> & Partial<Pick<Account, 'status'>>): void {
    const { account, password } = this.#stored(name);
    this.#refuseUnknownRoles(changes.roles);
    this.#replace({ account: { ...account, ...changes }, password });
  }

  /** @throws RegistryError 400200 */
  remove(name: string): void {
    this.#stored(name);
    this.#accounts.delete(name);
  }

  /** Returns whether an account has a role. */
  isBound(role: string): boolean {
    return this.list().some(({ roles }) => roles.includes(role));
  }

  /** Returns false for a wrong password, and for an unknown account. */
  isPassword(name: string, password: string): boolean {
    const stored = this.#accounts.get(name);
    return stored !== undefined && isSame(stored.password, password);
  }

  /** @throws RegistryError 400200 */
  setPassword(name: string, password: string): void {
    const { account } = this.#stored(name);
    this.#replace({ account, password: hashOf(password) });
  }

  #replace({ account, password }: StoredAccount): void {
    const updateTime = timestamp(this.#clock);
    this.#accounts.set(account.name, { account: { ...account, updateTime }, password });
  }

  #stored(name: string): StoredAccount {
    const stored = this.#accounts.get(name);
    if (stored === undefined)
      throw new RegistryError(ErrorCode.AccountNotExists, `account [${name}] not exist`);
    return stored;
  }

  #refuseUnknownRoles(roles: readonly string[]): void {
    if (!roles.every(role => this.#roles.has(role)))
      throw new RegistryError(ErrorCode.InvalidRole, 'role not exist');
  }
}

function refuseNamePassword(name: string, password: string): void {
  if (name === password) throw invalid('account name and password MUST NOT be same');
  if (Array.from(name).toReversed().join('') === password)
    throw invalid('password MUST NOT be the revered account name');
}

/** A stored password, which cannot be recovered. */
interface PasswordHash {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/**
 * The server's own cost parameters (pkg/privacy/password.go): low, and good enough for tests only.
 */
const scryptCosts = { N: 1024, r: 8, p: 1 };
const keyBytes = 32;

/** Hashes a password with a random salt. */
function hashOf(password: string): PasswordHash {
  const salt = randomBytes(8);
  return { salt, key: scryptSync(password, salt, keyBytes, scryptCosts) };
}

/** Returns whether a password is the hashed one. */
function isSame({ salt, key }: PasswordHash, password: string): boolean {
  return timingSafeEqual(key, scryptSync(password, salt, keyBytes, scryptCosts));
}

/** Requirements of the server for passwords (pkg/validate/matcher.go). */
export const passwordRule =
  '8 to 32 bytes with an upper-case letter, a lower-case letter, a digit and a special character';

/** Returns whether the server accepts a password. */
export function isStrong(password: string): boolean {
  const { length } = Buffer.from(password);
  const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{N}/u, /[\p{P}\p{S}]/u];
  return length >= 8 && length <= 32 && kinds.every(kind => kind.test(password));
}

/** Returns a valid random password. */
export function randomPassword(): string {
  return `Aa1!${randomBytes(18).toString('base64url')}`;
}
