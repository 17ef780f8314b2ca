import { done, json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { validate } from '../api/validation.js';
import { readRole } from './account-bodies.js';
import { accountRules } from './account-rules.js';
import { invalidJson } from './rbac-handlers.js';
import type { RbacCall } from './rbac-handlers.js';

/** GET roles */
export function listRoles({ rbac }: RbacCall): Answer {
  const roles = rbac.roles.list();
  return json({ total: roles.length, data: roles });
}

/** GET one role */
export function getRole({ rbac, call }: RbacCall): Answer {
  return json(rbac.roles.get(call.parameter('roleName')));
}

/** POST roles; whether what a permission names exists is not checked. */
export function createRole({ rbac, call }: RbacCall): Answer {
  const { name = '', perms } = call.json(readRole, invalidJson);
  validate(accountRules.createRole, { name });
  rbac.roles.create(name, perms);
  return done;
}

/** PUT one role: its permissions are replaced, its name is kept. */
export function updateRole({ rbac, call }: RbacCall): Answer {
  const { perms } = call.json(readRole, invalidJson);
  rbac.roles.update(call.parameter('roleName'), perms);
  return done;
}

/** DELETE one role */
export function removeRole({ rbac, call }: RbacCall): Answer {
  const name = call.parameter('roleName');
  rbac.roles.remove(name, rbac.accounts.isBound(name));
  return done;
}
