import { ErrorCode } from '../model/error-codes.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import type { RouteEntry } from '../api/router.js';
import { attempt } from '../model/attempt.js';
import { RegistryError } from '../model/registry-error.js';
import { maxBodyBytes } from '../route-table.js';
import type { Operation } from '../route-table.js';
import * as accounts from './rbac-handlers.js';
import type { RbacCall } from './rbac-handlers.js';
import type { Rbac } from './rbac.js';
import * as roles from './role-handlers.js';

type Handle = (call: RbacCall) => Answer;

const routes: readonly (readonly [method: string, path: string, handle: Handle])[] = [
  ['POST', '/v4/token', accounts.login],
  ['GET', '/v4/self-perms', accounts.listOwnPermissions],
  ['POST', '/v4/accounts', accounts.createAccount],
  ['POST', '/v4/accounts/batch-create', accounts.createAccounts],
  ['GET', '/v4/accounts', accounts.listAccounts],
  ['GET', '/v4/accounts/:name', accounts.getAccount],
  ['DELETE', '/v4/accounts/:name', accounts.removeAccount],
  ['PUT', '/v4/accounts/:name', accounts.updateAccount],
  ['POST', '/v4/accounts/:name/password', accounts.changePassword],
  ['GET', '/v4/account-locks', accounts.listLocks],
  ['GET', '/v4/roles', roles.listRoles],
  ['POST', '/v4/roles', roles.createRole],
  ['PUT', '/v4/roles/:roleName', roles.updateRole],
  ['GET', '/v4/roles/:roleName', roles.getRole],
  ['DELETE', '/v4/roles/:roleName', roles.removeRole],
];

/** The routes that a server has only with RBAC (server/resource/rbac). */
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

/** @throws RegistryError 500003, where other routes answer 400001 */
function refuseLongBody(call: Call): void {
  const outcome = attempt(() => call.refuseLongBody());
  if (outcome instanceof RegistryError)
    throw new RegistryError(ErrorCode.InternalServerError, outcome.detail);
}
