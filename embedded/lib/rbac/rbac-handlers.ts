import {
  ErrorCode,
  catchRegistryError,
  RegistryError,
  invalid,
  HandlerPanic,
} from '../model/registry-error.js';
import { done, json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { validate } from '../api/validation.js';
import { readAccount, readAccounts, accountRules, readRole } from './account-requests.js';
import type { AccountBody } from './account-requests.js';
import { rootName, randomPassword } from './accounts.js';
import { unauthorized } from './json-web-token.js';
import type { Caller, Rbac } from './rbac.js';
import { adminRole } from './roles.js';
import type { RouteEntry } from '../api/router.js';
import { maxBodyBytes } from '../route-table.js';
import type { Operation } from '../route-table.js';

/** Error detail for a body of the password and role routes that is not the right JSON. */
const invalidJson = 'json is invalid';

/** Lifetime of a token if the request does not contain one. */
const defaultLifetime = '12h';

/** A request about accounts while a handler executes it. */
interface RbacCall {
  readonly rbac: Rbac;
  readonly call: Call;
  /** Absent if no token was required. */
  readonly caller: Caller | undefined;
}

/** POST token. */
function login({ rbac, call }: RbacCall): Answer {
  const body = call.json(readAccount);
  const { name = '', password = '', tokenExpirationTime: lifetime = defaultLifetime } = body;
  validate(accountRules.login, { tokenExpirationTime: lifetime });
  return json({ token: rbac.login(call, { name, password, lifetime }) });
}

/** GET self-perms: the permissions of the account's current roles, not of those in the token. */
function listOwnPermissions({ rbac, caller }: RbacCall): Answer {
  if (caller === undefined) throw unauthorized('list self permissions failed');
  const { roles } = rbac.accounts.get(caller.name);
  return json({ perms: omitEmpty(rbac.roles.permissionsOf(roles)) });
}

/** GET accounts. */
function listAccounts({ rbac }: RbacCall): Answer {
  const accounts = rbac.accounts.list();
  return json({ total: accounts.length, data: accounts });
}

/** GET one account. */
function getAccount({ rbac, call }: RbacCall): Answer {
  return json(rbac.accounts.get(call.parameter('name')));
}

/** POST accounts. */
function createAccount({ rbac, call }: RbacCall): Answer {
  create(rbac, call.json(readAccount));
  return done;
}

/** POST accounts/batch-create; an account without a password gets a random one. */
function createAccounts({ rbac, call }: RbacCall): Answer {
  const { accounts = [] } = call.json(readAccounts);
  validate(accountRules.createMany, { accounts });
  if (accounts.includes(null)) throw new HandlerPanic();
  return json({
    accounts: accounts.flatMap(body => body ?? []).map(body => tryCreate(rbac, body)),
  });
}

function tryCreate(rbac: Rbac, body: AccountBody) {
  const { name = '', password = randomPassword() } = body;
  const outcome = catchRegistryError(() => create(rbac, { ...body, password }));
  return outcome instanceof RegistryError ? { name, ...outcome.body } : { name };
}

function create(rbac: Rbac, body: AccountBody): void {
  rbac.accounts.refuseOverQuota();
  validate(accountRules.create, body);
  const { name = '', password = '', roles = [], ...rest } = body;
  rbac.accounts.create({ ...rest, name, password, roles });
}

/** PUT one account: roles are required, a status is optional. */
function updateAccount({ rbac, call, caller }: RbacCall): Answer {
  const { roles = [], status } = call.json(readAccount);
  validate(accountRules.update, { roles, status });
  const name = call.parameter('name');
  refuseUntouchable(name, caller);
  rbac.accounts.update(name, status === undefined ? { roles } : { roles, status });
  return done;
}

/** DELETE one account; its tokens are no longer accepted. */
function removeAccount({ rbac, call, caller }: RbacCall): Answer {
  const name = call.parameter('name');
  refuseUntouchable(name, caller);
  rbac.accounts.remove(name);
  return done;
}

/** POST password: a user changes their own with the current one, an admin changes any. */
function changePassword({ rbac, call, caller }: RbacCall): Answer {
  const { currentPassword = '', password = '' } = call.json(readAccount, invalidJson);
  const name = call.parameter('name');
  validate(accountRules.changePassword, { name, password });
  if (caller?.name === name) confirmPassword({ rbac, call, caller }, currentPassword, password);
  else if (caller === undefined || !caller.roles.includes(adminRole))
    throw new RegistryError(ErrorCode.Forbidden, 'can not change other account password');
  rbac.accounts.setPassword(name, password);
  return done;
}

function confirmPassword({ rbac, call }: RbacCall, current: string, password: string): void {
  if (current === '') throw invalid('current password should not be empty');
  const name = call.parameter('name');
  const key = rbac.refuseBanned(name, call);
  if (current === password) {
    const detail = 'the password can not be same as old one';
    throw new RegistryError(ErrorCode.BadNewPassword, detail);
  }
  if (rbac.accounts.isPassword(name, current)) return;
  rbac.bans.fail(key);
  throw new RegistryError(ErrorCode.WrongCurrentPassword, '');
}

/** GET account-locks. */
function listLocks({ rbac }: RbacCall): Answer {
  const locks = rbac.bans.list();
  return json({ total: locks.length, data: locks });
}

function refuseUntouchable(name: string, caller: Caller | undefined): void {
  if (name === rootName)
    throw new RegistryError(ErrorCode.BuiltInAccount, 'root can not be operated');
  if (name === caller?.name)
    throw new RegistryError(ErrorCode.OwnAccount, 'your account can not be operated');
}

/** GET roles. */
function listRoles({ rbac }: RbacCall): Answer {
  const roles = rbac.roles.list();
  return json({ total: roles.length, data: roles });
}

/** GET one role. */
function getRole({ rbac, call }: RbacCall): Answer {
  return json(rbac.roles.get(call.parameter('roleName')));
}

/** POST roles; the resources of permissions are not validated. */
function createRole({ rbac, call }: RbacCall): Answer {
  const { name = '', perms } = call.json(readRole, invalidJson);
  validate(accountRules.createRole, { name });
  rbac.roles.create(name, perms);
  return done;
}

/** PUT one role: replaces its permissions. */
function updateRole({ rbac, call }: RbacCall): Answer {
  const { perms } = call.json(readRole, invalidJson);
  rbac.roles.update(call.parameter('roleName'), perms);
  return done;
}

/** DELETE one role. */
function removeRole({ rbac, call }: RbacCall): Answer {
  const name = call.parameter('roleName');
  rbac.roles.remove(name, rbac.accounts.isBound(name));
  return done;
}

type Handle = (call: RbacCall) => Answer;

const routes: readonly (readonly [method: string, path: string, handle: Handle])[] = [
  ['POST', '/v4/token', login],
  ['GET', '/v4/self-perms', listOwnPermissions],
  ['POST', '/v4/accounts', createAccount],
  ['POST', '/v4/accounts/batch-create', createAccounts],
  ['GET', '/v4/accounts', listAccounts],
  ['GET', '/v4/accounts/:name', getAccount],
  ['DELETE', '/v4/accounts/:name', removeAccount],
  ['PUT', '/v4/accounts/:name', updateAccount],
  ['POST', '/v4/accounts/:name/password', changePassword],
  ['GET', '/v4/account-locks', listLocks],
  ['GET', '/v4/roles', listRoles],
  ['POST', '/v4/roles', createRole],
  ['PUT', '/v4/roles/:roleName', updateRole],
  ['GET', '/v4/roles/:roleName', getRole],
  ['DELETE', '/v4/roles/:roleName', removeRole],
];

/** Returns the routes that exist only with RBAC (server/resource/rbac). */
export function rbacRoutes(rbac: Rbac): readonly RouteEntry<Operation>[] {
  return routes.map(([method, path, handle]) => ({
    method,
    path,
    target: {
      handle: (call, caller) => {
        refuseLongBody(call);
        return handle({ rbac, call, caller });
      },
      maxBodyBytes,
    },
  }));
}

/** @throws RegistryError 500003; other routes answer 400001 */
function refuseLongBody(call: Call): void {
  const outcome = catchRegistryError(() => call.refuseLongBody());
  if (outcome instanceof RegistryError)
    throw new RegistryError(ErrorCode.InternalServerError, outcome.detail);
}
