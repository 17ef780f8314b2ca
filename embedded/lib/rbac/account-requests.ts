import { StructReader } from '../api/struct-reader.js';
import type { Permission } from './permissions.js';
import { list, text } from '../api/request-rules.js';
import { goPattern } from '../api/validation.js';
import type { StructRules } from '../api/validation.js';
import { isStrong } from './accounts.js';

/**
 * An account in a body, field by field (cari rbac/account.go). A field that is absent or empty is
 * undefined.
 */
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

/** Removes nulls, on which the server would panic. */
function present<Item>(items: readonly (Item | null)[] | undefined): readonly Item[] | undefined {
  return items?.filter(item => item !== null);
}

const name = goPattern(String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`);
const status = { pattern: goPattern('^(active|inactive)$|^$') };
const roles = { min: 1, max: 5, pattern: name };
const password = { pattern: { text: 'password', test: isStrong } };

/** From 15 minutes to 24 hours. */
const tokenExpirationTime = {
  pattern: {
    text: 'TokenExpirationTime',
    test: (value: string) => {
      const ms = durationMs(value) ?? 0;
      return ms >= 15 * 60_000 && ms <= 24 * 3_600_000;
    },
  },
};

/** Rules of the requests about accounts and roles (server/service/validator/rbac_validator.go). */
export const accountRules = {
  login: {
    type: 'Account',
    fields: [text('TokenExpirationTime', tokenExpirationTime)],
  },
  create: {
    type: 'Account',
    fields: [
      text('Name', { min: 1, max: 64, pattern: name }),
      text('Password', password),
      list('Roles', roles),
      text('Status', status),
    ],
  },
  createMany: {
    type: 'BatchCreateAccountsRequest',
    fields: [list('Accounts', { min: 1, max: 20 })],
  },
  update: { type: 'Account', fields: [list('Roles', roles), text('Status', status)] },
  changePassword: {
    type: 'Account',
    fields: [text('Name', { pattern: name }), text('Password', password)],
  },
  createRole: { type: 'Role', fields: [text('Name', { min: 1, max: 64, pattern: name })] },
} as const satisfies Record<string, StructRules>;

/** Milliseconds per unit of a Go duration (time.ParseDuration). */
const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const whole = new RegExp(`^[+-]?(?:${part.source})+$`);

/**
 * Returns the milliseconds of a Go duration such as `1h30m` or `900s`; undefined if it is not
 * valid.
 */
export function durationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!whole.test(text)) return undefined;
  const ms = [...text.matchAll(part)]
    .map(([, amount, unit]) => Number(amount) * (unitsMs.get(unit ?? '') ?? Number.NaN))
    .reduce((sum, each) => sum + each, 0);
  return text.startsWith('-') ? -ms : ms;
}
