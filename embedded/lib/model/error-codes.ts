/**
 * The codes that the registry puts into an error answer (cari discovery/error.go). The HTTP status of
 * the answer is the code divided by 1,000, rounded down. Codes of accounts and roles are in rbac/.
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
  Unauthorized: 401_201,
  WrongPassword: 401_202,
  NoAuthorizationHeader: 401_204,
  TokenExpired: 401_205,
  AccountDeleted: 401_206,
  Forbidden: 403_001,
  AccountBlocked: 403_201,
  NoPermission: 403_205,
  InternalServerError: 500_003,
  RegistryUnavailable: 500_011,
} as const;

/** One of the codes in {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
