/**
 * The registry's error codes: strings on the wire. An answer's HTTP status is its code divided by 1,000.
 *
 * Compare `ServiceCenterResponseError.errorCode` with these rather than the HTTP status: an instance
 * that does not exist is HTTP 400, not 404.
 */
export const ErrorCode = {
  InvalidParameters: 400_001,
  ServerUnhealthy: 400_002,
  ServiceAlreadyExists: 400_010,
  /** The backend is unavailable, as documented by Huawei Cloud CSE. */
  BackendUnavailable: 400_011,
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

/** One of the codes of {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
