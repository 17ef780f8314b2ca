/**
 * The codes of error answers (cari discovery/error.go, rbac/error.go). The HTTP status of an answer is
 * its code divided by 1,000, rounded down.
 */
export const ErrorCode = {
  InvalidParameters: 400_001,
  ServerUnhealthy: 400_002,
  ServiceAlreadyExists: 400_010,
  ServiceNotExists: 400_012,
  ServiceHasInstances: 400_013,
  SchemaNotExists: 400_016,
  InstanceNotExists: 400_017,
  TagNotExists: 400_018,
  ServiceHasConsumers: 400_023,
  ServiceVersionNotExists: 400_026,
  NotEnoughQuota: 400_100,
  AccountNotExists: 400_200,
  RoleNotExists: 400_201,
  InvalidRole: 400_202,
  NoAccountQuota: 400_203,
  NoRoleQuota: 400_204,
  RoleIsBound: 400_205,
  BadNewPassword: 400_206,
  Unauthorized: 401_201,
  WrongPassword: 401_202,
  NoAuthorizationHeader: 401_204,
  TokenExpired: 401_205,
  AccountDeleted: 401_206,
  WrongCurrentPassword: 401_207,
  /** Instead of WrongPassword when RBAC does not protect services. */
  WrongPasswordHalfOpen: 401_302,
  Forbidden: 403_001,
  AccountBlocked: 403_201,
  BuiltInAccount: 403_202,
  BuiltInRole: 403_203,
  OwnAccount: 403_204,
  NoPermission: 403_205,
  AccountConflict: 409_200,
  RoleConflict: 409_201,
  InternalServerError: 500_003,
  RegistryUnavailable: 500_011,
} as const;

/** One of the codes in {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** The JSON of an error answer; `errorCode` is a string on the wire. */
export interface ErrorBody {
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly detail?: string | undefined;
}

/** The message of each code (cari discovery/error.go, server/service/rbac/init.go). */
const messages: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.InvalidParameters, 'Invalid parameter(s)'],
  [ErrorCode.ServerUnhealthy, 'Server is Unhealthy'],
  [ErrorCode.ServiceAlreadyExists, 'Micro-service already exists'],
  [ErrorCode.ServiceNotExists, 'Micro-service does not exist'],
  [ErrorCode.ServiceHasInstances, 'Micro-service has deployed instance(s)'],
  [ErrorCode.SchemaNotExists, 'Schema does not exist'],
  [ErrorCode.InstanceNotExists, 'Instance does not exist'],
  [ErrorCode.TagNotExists, 'Tag does not exist'],
  [ErrorCode.ServiceHasConsumers, 'Consumer(s) depends on this micro-service'],
  [ErrorCode.ServiceVersionNotExists, 'Micro-service version does not exist'],
  [ErrorCode.NotEnoughQuota, 'Not enough quota'],
  [ErrorCode.AccountNotExists, 'Account not exists'],
  [ErrorCode.RoleNotExists, 'Role not exists'],
  [ErrorCode.InvalidRole, 'Account has invalid role(s)'],
  [ErrorCode.NoAccountQuota, 'No quota to create account'],
  [ErrorCode.NoRoleQuota, 'No quota to create role'],
  [ErrorCode.RoleIsBound, 'Role is bound to some user(s)'],
  [ErrorCode.BadNewPassword, 'New password is bad'],
  [ErrorCode.WrongCurrentPassword, 'Password is wrong'],
  [ErrorCode.WrongPasswordHalfOpen, ''],
  [ErrorCode.BuiltInAccount, 'Forbid to operate build-in account(s)'],
  [ErrorCode.BuiltInRole, 'Forbid to operate build-in role(s)'],
  [ErrorCode.OwnAccount, 'Forbid to operate your own account'],
  [ErrorCode.AccountConflict, 'account name is duplicated'],
  [ErrorCode.RoleConflict, 'role name is duplicated'],
  [ErrorCode.Unauthorized, 'Request unauthorized'],
  [ErrorCode.WrongPassword, 'User name or password is wrong'],
  [ErrorCode.NoAuthorizationHeader, 'No authorization header'],
  [ErrorCode.TokenExpired, 'Token is expired'],
  [ErrorCode.AccountDeleted, 'The account that owns the token is deleted'],
  [ErrorCode.Forbidden, 'Forbidden'],
  [ErrorCode.AccountBlocked, 'Account blocked'],
  [ErrorCode.NoPermission, 'No permission(s)'],
  [ErrorCode.InternalServerError, 'Internal server error'],
  [ErrorCode.RegistryUnavailable, 'Registry service is unavailable'],
]);

/** Returns the server's message for a code; the empty string for an unknown code. */
export function messageOf(errorCode: number): string {
  return messages.get(errorCode) ?? '';
}

/** An error answer of the registry. */
export class RegistryError extends Error {
  constructor(
    readonly errorCode: ErrorCode,
    /** The empty string if there is nothing to add to the message. */
    readonly detail: string,
    /** Milliseconds that the client waits for this answer while the store is down. */
    readonly waitMs?: number,
  ) {
    super(messageOf(errorCode) + (detail && `(${detail})`));
    this.name = 'RegistryError';
  }

  /**
   * HTTP status of the answer: the code without its last three digits (cari pkg/errsvc/error.go).
   */
  get status(): number {
    return Math.floor(this.errorCode / 1000);
  }

  /** The error in the body of an answer. */
  get body(): ErrorBody {
    return {
      errorCode: String(this.errorCode),
      errorMessage: messageOf(this.errorCode),
      detail: this.detail || undefined,
    };
  }
}

/** Returns the error for an invalid request. */
export function invalid(detail: string): RegistryError {
  return new RegistryError(ErrorCode.InvalidParameters, detail);
}

/**
 * Returns the result of a function, or the RegistryError that it throws. Any other error is a bug
 * and is not caught.
 */
export function catchRegistryError<Value>(act: () => Value): Value | RegistryError {
  try {
    return act();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

/** Returns the message of the RegistryError that a function throws; undefined if it throws none. */
export function registryErrorMessage(act: () => void): string | undefined {
  const outcome = catchRegistryError(act);
  return outcome instanceof RegistryError ? outcome.message : undefined;
}

/**
 * Thrown where the server panics and recovers: the client gets 200 with an empty body
 * (pkg/rest/handler.go).
 */
export class HandlerPanic extends Error {
  constructor() {
    super('invalid memory address or nil pointer dereference');
    this.name = 'HandlerPanic';
  }
}
