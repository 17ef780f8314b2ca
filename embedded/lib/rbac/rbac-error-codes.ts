/** The codes of accounts and roles (cari rbac/error.go). */
export const RbacErrorCode = {
  AccountNotExists: 400_200,
  RoleNotExists: 400_201,
  InvalidRole: 400_202,
  NoAccountQuota: 400_203,
  NoRoleQuota: 400_204,
  RoleIsBound: 400_205,
  BadNewPassword: 400_206,
  WrongCurrentPassword: 401_207,
  /** {@link ErrorCode.WrongPassword} of a server that protects a part of its API only. */
  WrongPasswordHalfOpen: 401_302,
  BuiltInAccount: 403_202,
  BuiltInRole: 403_203,
  OwnAccount: 403_204,
  AccountConflict: 409_200,
  RoleConflict: 409_201,
} as const;

/** One of the codes of {@link RbacErrorCode}. */
export type RbacErrorCode = (typeof RbacErrorCode)[keyof typeof RbacErrorCode];

/** The sentence that belongs to each code; 401302 has none. */
export const rbacMessages: readonly (readonly [RbacErrorCode, string])[] = [
  [RbacErrorCode.AccountNotExists, 'Account not exists'],
  [RbacErrorCode.RoleNotExists, 'Role not exists'],
  [RbacErrorCode.InvalidRole, 'Account has invalid role(s)'],
  [RbacErrorCode.NoAccountQuota, 'No quota to create account'],
  [RbacErrorCode.NoRoleQuota, 'No quota to create role'],
  [RbacErrorCode.RoleIsBound, 'Role is bound to some user(s)'],
  [RbacErrorCode.BadNewPassword, 'New password is bad'],
  [RbacErrorCode.WrongCurrentPassword, 'Password is wrong'],
  [RbacErrorCode.WrongPasswordHalfOpen, ''],
  [RbacErrorCode.BuiltInAccount, 'Forbid to operate build-in account(s)'],
  [RbacErrorCode.BuiltInRole, 'Forbid to operate build-in role(s)'],
  [RbacErrorCode.OwnAccount, 'Forbid to operate your own account'],
  [RbacErrorCode.AccountConflict, 'account name is duplicated'],
  [RbacErrorCode.RoleConflict, 'role name is duplicated'],
];
