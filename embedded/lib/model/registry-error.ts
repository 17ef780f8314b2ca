import { ErrorCode } from './error-codes.js';
import { rbacMessages } from '../rbac/rbac-error-codes.js';
import type { RbacErrorCode } from '../rbac/rbac-error-codes.js';

/** The JSON of an error answer; `errorCode` is a string on the wire. */
export interface ErrorBody {
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly detail?: string | undefined;
}

/** The sentence that belongs to each code (cari discovery/error.go, server/service/rbac/init.go). */
const messages: ReadonlyMap<number, string> = new Map<number, string>([
  ...rbacMessages,
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

/** The sentence the server answers with a code; the empty string for a code it does not know. */
export function messageOf(errorCode: number): string {
  return messages.get(errorCode) ?? '';
}

/** A refusal of the registry: a code and what the code does not say. */
export class RegistryError extends Error {
  constructor(
    readonly errorCode: ErrorCode | RbacErrorCode,
    /** The empty string where the code says it all. */
    readonly detail: string,
    /** Milliseconds for which the client waits for this answer, while the store does not answer. */
    readonly waitMs?: number,
  ) {
    super(messageOf(errorCode) + (detail && `(${detail})`));
    this.name = 'RegistryError';
  }

  /** HTTP status of the answer: the code without its last three digits (cari pkg/errsvc/error.go). */
  get status(): number {
    return Math.floor(this.errorCode / 1000);
  }

  /** The error as it stands in an answer's body. */
  get body(): ErrorBody {
    return {
      errorCode: String(this.errorCode),
      errorMessage: messageOf(this.errorCode),
      detail: this.detail || undefined,
    };
  }
}

/** A refusal of what a request says. */
export function invalid(detail: string): RegistryError {
  return new RegistryError(ErrorCode.InvalidParameters, detail);
}
