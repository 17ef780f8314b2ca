import { ErrorCode, RegistryError } from '../model/registry-error.js';
import type { Call } from '../api/call.js';
import type { Clock } from '../clock.js';
import type { Quotas } from '../model/quotas.js';
import { Accounts, rootName, isStrong, passwordRule } from './accounts.js';
import { Bans, banKeyOf, clientAddress } from './bans.js';
import { durationMs } from './account-requests.js';
import { signToken, unauthorized, verifyToken, tokenKeys } from './json-web-token.js';
import type { Claims, TokenAlgorithm, TokenKeys } from './json-web-token.js';
import { protectionOf } from './permissions.js';
import type { Protection, RbacResource } from './permissions.js';
import { Roles, adminRole } from './roles.js';

/** Options of access control. */
export interface RbacOptions {
  /**
   * Password of the account `root`, which has all permissions: 8 to 32 bytes with an upper-case
   * letter, a lower-case letter, a digit and a special character.
   */
  readonly rootPassword: string;
  /**
   * RSA private key in PEM, not encrypted, for signing tokens.
   *
   * @default a key that is generated when the first token is
   */
  readonly privateKey?: string | undefined;
  /**
   * Protected resources; accounts and roles are always protected.
   *
   * @default everything
   */
  readonly scope?: readonly RbacResource[] | undefined;
  /**
   * Milliseconds for which a name is banned at an address after its third failed login.
   *
   * @default 900000
   */
  readonly banMs?: number | undefined;
  /**
   * Milliseconds for which a failed login is listed under `/v4/account-locks`.
   *
   * @default 1200000
   */
  readonly lockHistoryMs?: number | undefined;
}

/**
 * Creates tokens without a login, **for tests only**: it can impersonate any account with any role.
 *
 * @example
 * ```ts
 * const expired = registry.rbac?.sign({ account: 'root', roles: ['admin'], exp: 1 });
 * ```
 */
export interface TokenSigner {
  /** Public key in PEM, to verify tokens of the embedded Service Center. */
  readonly publicKey: string;
  /**
   * Signs a token with the key of the embedded Service Center, without any checks.
   *
   * @param claims relevant are `account`, `roles` (a list of names), `exp` and `nbf` (seconds since
   * 1970)
   * @param algorithm @default 'RS512'
   */
  sign(claims: Readonly<Record<string, unknown>>, algorithm?: TokenAlgorithm): string;
}

/** The sender of a request, identified by its token. */
export interface Caller {
  readonly name: string;
  readonly roles: readonly string[];
}

/** Accounts, roles, tokens and bans of one server. */
export class Rbac implements TokenSigner {
  readonly accounts: Accounts;
  readonly roles: Roles;
  readonly bans: Bans;
  readonly protection: Protection;
  readonly #clock: Clock;
  readonly #keys: () => TokenKeys;

  /** @throws Error if the password of root or the key is not valid; it contains neither */
  constructor(options: RbacOptions, clock: Clock, quotas: Quotas) {
    const { rootPassword, banMs = 15 * 60_000, lockHistoryMs = 20 * 60_000 } = options;
    if (typeof rootPassword !== 'string' || !isStrong(rootPassword))
      throw new Error(`rbac.rootPassword must be ${passwordRule}`);
    this.#clock = clock;
    this.#keys = tokenKeys(options.privateKey);
    this.protection = protectionOf(options.scope);
    this.roles = new Roles(clock, quotas.roles);
    this.accounts = new Accounts(clock, this.roles, quotas.accounts);
    this.bans = new Bans(clock, { banMs, historyMs: lockHistoryMs });
    this.accounts.create({ name: rootName, password: rootPassword, roles: [adminRole] });
  }

  get publicKey(): string {
    return this.#keys().publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  sign(claims: Readonly<Record<string, unknown>>, algorithm?: TokenAlgorithm): string {
    return signToken(claims, this.#keys().privateKey, algorithm);
  }

  /**
   * Checks a password and returns a token.
   *
   * @param lifetime a valid Go duration
   * @throws RegistryError 403201, 401202, and 401302 if services are not protected
   */
  login(call: Call, { name, password, lifetime }: Credentials): string {
    const key = this.refuseBanned(name, call);
    if (!this.accounts.isPassword(name, password)) {
      this.bans.fail(key);
      throw this.#wrongPassword();
    }
    const exp = Math.floor((this.#clock.now() + (durationMs(lifetime) ?? 0)) / 1000);
    return this.sign({ account: name, exp, roles: this.accounts.get(name).roles });
  }

  /**
   * Returns the key under which failures of a name at the client's address are counted.
   *
   * @throws RegistryError 403201 if it is banned
   */
  refuseBanned(name: string, call: Call): string {
    const key = banKeyOf(name, clientAddress(call));
    if (this.bans.isBanned(key)) throw new RegistryError(ErrorCode.AccountBlocked, '');
    return key;
  }

  /**
   * Identifies the sender of a request by its token. Any word may precede the token.
   *
   * @throws RegistryError 401201, 401204, 401205, 401206
   */
  callerOf(call: Call): Caller {
    const header = call.header('authorization');
    if (header === '') throw new RegistryError(ErrorCode.NoAuthorizationHeader, '');
    const [, token, ...rest] = header.split(' ');
    if (token === undefined || rest.length > 0) throw unauthorized('invalid auth header');
    const nowSeconds = Math.floor(this.#clock.now() / 1000);
    const caller = callerIn(verifyToken(token, this.#keys().publicKey, nowSeconds));
    if (caller.name !== rootName && !this.accounts.has(caller.name))
      throw new RegistryError(ErrorCode.AccountDeleted, `account [${caller.name}] is deleted`);
    return caller;
  }

  #wrongPassword(): RegistryError {
    if (this.protection.coversServices) return new RegistryError(ErrorCode.WrongPassword, '');
    const detail = 'User name or password is wrong, RBAC system is half opening';
    return new RegistryError(ErrorCode.WrongPasswordHalfOpen, detail);
  }
}

interface Credentials {
  readonly name: string;
  readonly password: string;
  readonly lifetime: string;
}

function callerIn(claims: Claims): Caller {
  const name = claims.get('account');
  if (typeof name !== 'string') throw unauthorized('type convert error');
  const roles = rolesIn(claims);
  if (roles.length === 0) throw unauthorized('no role found in token');
  return { name, roles };
}

/** Old tokens have a single `role`, which takes precedence. */
function rolesIn(claims: Claims): readonly string[] {
  if (claims.has('role')) {
    const role = claims.get('role');
    if (typeof role !== 'string') throw unauthorized('convert role to string failed');
    return [role];
  }
  if (!claims.has('roles')) throw unauthorized('token contains no valid roles');
  const roles = claims.get('roles');
  const isList = Array.isArray(roles) && roles.every(role => typeof role === 'string');
  if (!isList) throw unauthorized('type convert error');
  return roles;
}
