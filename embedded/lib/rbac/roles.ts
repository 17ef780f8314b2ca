import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { RegistryError, ErrorCode } from '../model/registry-error.js';
import { rbacResources } from './permissions.js';
import type { Permission } from './permissions.js';

/** A role as the API tells it. */
export interface Role {
  readonly id: string;
  readonly name: string;
  readonly perms?: readonly Permission[] | undefined;
  /** Seconds since 1970, in decimal. */
  readonly createTime: string;
  readonly updateTime: string;
}

/** The role that may do everything, whatever its permissions say. */
export const adminRole = 'admin';

/** Roles that nobody can change. */
const builtIn: readonly (readonly [name: string, exceptions: readonly string[]])[] = [
  [adminRole, []],
  ['developer', ['account', 'role']],
];

/** The roles of a server, by name. */
export class Roles {
  readonly #clock: Clock;
  readonly #quota: number;
  readonly #roles = new Map<string, Role>();

  /** @param quota how many there may be, those that are built in included */
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

  /** Roles by their names. */
  list(): readonly Role[] {
    return [...this.#roles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws RegistryError 400201 */
  get(name: string): Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw new RegistryError(ErrorCode.RoleNotExists, '');
    return role;
  }

  /** All that some roles allow; a role that is unknown allows nothing. */
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

/** Now, as accounts and roles carry it. */
export function timestamp(clock: Clock): string {
  return String(Math.floor(clock.now() / 1000));
}

/** An id for what has none. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

/** @throws RegistryError when there is no room for one more */
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
