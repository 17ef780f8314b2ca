import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { RegistryError, ErrorCode } from '../model/registry-error.js';
import { rbacResources } from './permissions.js';
import type { Permission } from './permissions.js';

/** A role in an answer. */
export interface Role {
  readonly id: string;
  readonly name: string;
  readonly perms?: readonly Permission[] | undefined;
  /** Seconds since 1970, in decimal digits. */
  readonly createTime: string;
  readonly updateTime: string;
}

/** The role that has all permissions, whatever its record says. */
export const adminRole = 'admin';

/** Built-in roles, which cannot be changed, with the resources that they do not cover. */
const builtIn: readonly (readonly [name: string, exceptions: readonly string[]])[] = [
  [adminRole, []],
  ['developer', ['account', 'role']],
];

/** The roles of a server by name. */
export class Roles {
  readonly #clock: Clock;
  readonly #quota: number;
  readonly #roles = new Map<string, Role>();

  /** @param quota maximum number of roles, including the built-in ones */
  constructor(clock: Clock, quota: number) {
    this.#clock = clock;
    this.#quota = quota;
    for (const [name, exceptions] of builtIn) {
      const types = rbacResources.filter(type => !exceptions.includes(type));
      this.#add(name, [{ resources: types.map(type => ({ type })), verbs: ['*'] }]);
    }
  }

  has(name: string): boolean {
    return this.#roles.has(name);
  }

  /** Returns all roles by name. */
  list(): readonly Role[] {
    return [...this.#roles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws RegistryError 400201 */
  get(name: string): Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw new RegistryError(ErrorCode.RoleNotExists, '');
    return role;
  }

  /** Returns the permissions of some roles; an unknown role has none. */
  permissionsOf(names: readonly string[]): readonly Permission[] {
    return names.flatMap(name => this.#roles.get(name)?.perms ?? []);
  }

  /** @throws RegistryError 400204, 409201 */
  create(name: string, perms: readonly Permission[] | undefined): void {
    refuseOver('ROLE', ErrorCode.NoRoleQuota, { max: this.#quota, current: this.#roles.size });
    if (this.#roles.has(name))
      throw new RegistryError(ErrorCode.RoleConflict, 'role is duplicated');
    this.#add(name, perms);
  }

  /** @throws RegistryError 403203, 400201 */
  update(name: string, perms: readonly Permission[] | undefined): void {
    refuseBuiltIn(name);
    const role = this.get(name);
    this.#roles.set(name, { ...role, perms, updateTime: timestamp(this.#clock) });
  }

  /**
   * @param isBound whether an account has the role
   * @throws RegistryError 403203, 400201, 400205
   */
  remove(name: string, isBound: boolean): void {
    refuseBuiltIn(name);
    this.get(name);
    if (isBound) throw new RegistryError(ErrorCode.RoleIsBound, '');
    this.#roles.delete(name);
  }

  #add(name: string, perms: readonly Permission[] | undefined): void {
    const createTime = timestamp(this.#clock);
    this.#roles.set(name, { id: newId(), name, perms, createTime, updateTime: createTime });
  }
}

/** Returns the current time as in accounts and roles. */
export function timestamp(clock: Clock): string {
  return String(Math.floor(clock.now() / 1000));
}

/** Returns a new random id. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

/** @throws RegistryError if the quota is used up */
export function refuseOver(
  resource: string,
  errorCode: ErrorCode,
  { max, current }: { readonly max: number; readonly current: number },
): void {
  if (current + 1 <= max) return;
  const quota = `max num is ${max}, curNum is ${current}, apply num is 1`;
  throw new RegistryError(errorCode, `Not enough quota(no quota to create ${resource}, ${quota})`);
}

function refuseBuiltIn(name: string): void {
  if (builtIn.some(([each]) => each === name))
    throw new RegistryError(ErrorCode.BuiltInRole, 'build-in role can not be operated');
}
