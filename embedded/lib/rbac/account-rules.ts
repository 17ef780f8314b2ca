import { list, text } from '../api/field-rules.js';
import { goPattern } from '../api/rule.js';
import type { StructRules } from '../api/validation.js';
import { durationMs } from './go-duration.js';
import { isStrong } from './password.js';

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

/** How the requests about accounts and roles are checked (server/service/validator/rbac_validator.go). */
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
