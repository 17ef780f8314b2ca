import { StructReader } from '../api/struct-reader.js';
import type { Permission } from './permissions.js';

/** An account in a body, field by field (cari rbac/account.go). What is absent or empty is undefined. */
export interface AccountBody {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly password: string | undefined;
  readonly roles: readonly string[] | undefined;
  readonly tokenExpirationTime: string | undefined;
  readonly currentPassword: string | undefined;
  readonly status: string | undefined;
}

/** A role in a body. */
export interface RoleBody {
  readonly name: string | undefined;
  readonly perms: readonly Permission[] | undefined;
}

const goPackage = 'rbac';

/** Body of POST token and of the routes of one account. */
export function readAccount(document: unknown): AccountBody {
  return StructReader.read(document, 'Account', accountIn, goPackage);
}

/** Body of POST accounts/batch-create. */
export function readAccounts(document: unknown): {
  readonly accounts: readonly (AccountBody | null)[] | undefined;
} {
  return StructReader.read(
    document,
    'BatchCreateAccountsRequest',
    body => ({ accounts: body.structs('accounts', 'Account', accountIn) }),
    goPackage,
  );
}

/** Body of POST and PUT roles. */
export function readRole(document: unknown): RoleBody {
  return StructReader.read(
    document,
    'Role',
    body => ({
      name: body.text('name'),
      perms: present(body.structs('perms', 'Permission', permissionIn)),
    }),
    goPackage,
  );
}

function accountIn(body: StructReader): AccountBody {
  return {
    id: body.text('id'),
    name: body.text('name'),
    password: body.text('password'),
    roles: body.texts('roles'),
    tokenExpirationTime: body.text('tokenExpirationTime'),
    currentPassword: body.text('currentPassword'),
    status: body.text('status'),
  };
}

function permissionIn(body: StructReader): Permission {
  return {
    resources: present(
      body.structs('resources', 'Resource', resource => ({
        type: resource.text('type'),
        labels: resource.textMap('labels'),
      })),
    ),
    verbs: body.texts('verbs'),
  };
}

/** The list without its nulls, which the server would die of when it looks at them. */
function present<Item>(items: readonly (Item | null)[] | undefined): readonly Item[] | undefined {
  return items?.filter(item => item !== null);
}
