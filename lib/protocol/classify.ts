import { type Refusal, type ServiceCombError, ServiceCenterResponseError } from '../errors.js';
import { ErrorCode } from './error-codes.js';

/** With RBAC on, a service that does not exist is refused in these words (sic), measured M12. */
export const noScope = 'no valid resouce scope';

/**
 * What a failure means for the one who asked. Decided on the errorCode where there is one: an
 * instance that does not exist is HTTP 400, not 404.
 *
 * - `instance-gone`, `service-gone`: the registry has forgotten it
 * - `refused`: it will be refused again until somebody changes something
 * - `throttled`: asked too often
 * - `busy`: the registry answers, and cannot serve now
 * - `network`: no answer
 * - `protocol`: an answer of something else
 * - `credentials`: nothing was asked, for want of them
 */
export type FailureKind =
  | 'instance-gone'
  | 'service-gone'
  | 'refused'
  | 'throttled'
  | 'busy'
  | 'network'
  | 'protocol'
  | 'credentials';

/** Names what an error means; see {@link FailureKind}. */
export function failureKind(error: ServiceCombError): FailureKind {
  switch (error.code) {
    case 'ERR_SERVICECOMB_UNREACHABLE':
    case 'ERR_SERVICECOMB_TIMEOUT':
      return 'network';
    case 'ERR_SERVICECOMB_PROTOCOL':
      return 'protocol';
    case 'ERR_SERVICECOMB_CREDENTIALS':
      return 'credentials';
    case 'ERR_SERVICECOMB_RESPONSE':
      return responseKind(error);
    case 'ERR_SERVICECOMB_OPTIONS':
      return 'refused';
  }
}

/**
 * Whether asking again, without anybody changing anything, can succeed: true for network failures,
 * foreign answers, throttling, a busy registry and credentials that could not be had.
 */
export function isRetriable(error: ServiceCombError): boolean {
  switch (failureKind(error)) {
    case 'throttled':
    case 'busy':
    case 'network':
    case 'protocol':
    case 'credentials':
      return true;
    case 'instance-gone':
    case 'service-gone':
    case 'refused':
      return false;
  }
}

/** Whether an existence query found no such service, or not in this version. */
export function isNoSuchService(error: unknown): boolean {
  if (!(error instanceof ServiceCenterResponseError)) return false;
  const { errorCode } = error;
  return (
    errorCode === ErrorCode.ServiceNotExists || errorCode === ErrorCode.ServiceVersionNotExists
  );
}

const tokenRefusals: ReadonlySet<number | undefined> = new Set([
  ErrorCode.Unauthorized,
  ErrorCode.NoAuthorizationHeader,
  ErrorCode.TokenExpired,
  ErrorCode.AccountDeleted,
  undefined,
]);

/** Whether the registry refused who asks, and another token may help; not where it is the permission. */
export function isTokenRefused(error: unknown): boolean {
  if (!(error instanceof ServiceCenterResponseError)) return false;
  const { status, errorCode } = error;
  return status === 401 && tokenRefusals.has(errorCode) && failureKind(error) === 'refused';
}

/** Whether the registry knows who asks, and does not let them. */
export function isPermissionRefused(error: unknown): boolean {
  return error instanceof ServiceCenterResponseError && error.errorCode === ErrorCode.NoPermission;
}

/** What a refusal said. Also of one from another copy of this library, which no `instanceof` knows. */
interface Answered extends Partial<Omit<Refusal, 'errorMessage'>> {
  readonly code: ServiceCombError['code'];
}

function responseKind({ status, errorCode, detail }: Answered): FailureKind {
  if (errorCode === ErrorCode.InstanceNotExists) return 'instance-gone';
  if (errorCode === ErrorCode.ServiceNotExists) return 'service-gone';
  if (errorCode === ErrorCode.Unauthorized && detail?.includes(noScope)) return 'service-gone';
  if (status === 429) return 'throttled';
  if (status === 408 || isAtLeast(status, 500)) return 'busy';
  // A status of the backend's own may have been lost on the way; a cloud answers 400 for it.
  if (isAtLeast(errorCode, 500_000)) return 'busy';
  if (errorCode === ErrorCode.BackendUnavailable || errorCode === ErrorCode.ServerUnhealthy)
    return 'busy';
  return 'refused';
}

function isAtLeast(value: number | undefined, least: number): boolean {
  return value !== undefined && value >= least;
}
