import {
  type Refusal,
  type ServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import { adviceOn, speaksTls } from './advice.js';
import { ErrorCode } from './error-codes.js';
import { jsonObject } from './json-object.js';
import { printable } from './printable.js';
import type { Blank } from './redact.js';
import type { HttpReply } from './send.js';

/** Where an answer, or its absence, belongs: the operation and the address that was asked. */
export interface Asked {
  readonly operation: string;
  readonly address: string;
  readonly timeoutMs: number;
}

/**
 * Turns an answer that is no success into its error. Both forms of the body are read,
 * `errorCode/errorMessage/detail` and the older cloud's `errCode/errMsg/detail`, with the code as text
 * or number, and a gateway's `error_code/error_msg`.
 *
 * A status of 500 and above, 401, 403, 408 or 429 is an answer whatever its body (gateways have their
 * own); any other without an error body comes from something that is not a Service Center.
 */
export function refusalOf(
  reply: HttpReply,
  { operation, address }: Asked,
  blank: Blank,
): ServiceCombError {
  const body = jsonObject(reply.body);
  const code = body?.['errorCode'] ?? body?.['errCode'] ?? body?.['error_code'];
  if (code === undefined && !speaksForItself(reply.status))
    return new ServiceCenterProtocolError(
      operation,
      address,
      expectation(reply),
      beginningOf(reply.body, blank),
    );
  const refusal: Refusal = {
    status: reply.status,
    errorCode: numberOf(code),
    errorMessage: textOf(body?.['errorMessage'] ?? body?.['errMsg'] ?? body?.['error_msg'], blank),
    detail: detailOf(body?.['detail'], blank),
    retryAfterMs: retryAfterMs(reply.headers),
  };
  return new ServiceCenterResponseError(operation, address, refusal);
}

/** With RBAC on, a service that does not exist is refused in these words (sic), measured M12. */
const noScope = 'no valid resouce scope';

/** What to do depends on those words: they stay, whatever else is blanked or cut off. */
function detailOf(value: unknown, blank: Blank): string | undefined {
  return typeof value === 'string' && value.includes(noScope) ? noScope : textOf(value, blank);
}

const shortEnough = 'short enough (serviceCenter.maxAnswerBytes)';
const bugs = /^(Type|Range|Reference|Syntax|URI)Error$/;

/**
 * Turns what the HTTP library threw into one of our errors, by its name or code alone: an error of
 * another realm is not `instanceof Error`. Undefined for an abort and for a bug, which must surface.
 */
export function failureOf(error: unknown, asked: Asked): ServiceCombError | undefined {
  const { operation, address, timeoutMs } = asked;
  const name = property(error, 'name');
  const code = property(error, 'code');
  // Some of Node's own TypeErrors have a code, too: a header that cannot be sent, a wrong URL.
  if (name !== undefined && bugs.test(name)) return undefined;
  if (name === 'TimeoutError' || code === 'ECONNABORTED')
    return new ServiceCenterTimeoutError(operation, address, timeoutMs);
  if (code === 'ERR_ANSWER_TOO_LONG')
    return new ServiceCenterProtocolError(operation, address, shortEnough, code);
  if (code === 'ERR_BAD_RESPONSE' || code?.startsWith('HPE_')) {
    const reason = property(causeOf(error).cause, 'code') ?? code;
    return new ServiceCenterProtocolError(operation, address, 'a valid HTTP answer', reason);
  }
  if (code === undefined || code === 'ERR_CANCELED') return undefined;
  // The library's error has the request in it, with its credentials: what it wraps has not.
  const advice = adviceOn(code, error);
  const options = { ...causeOf(error), advice };
  return new ServiceCenterUnreachableError(operation, [address], code, options);
}

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

function speaksForItself(status: number): boolean {
  return status >= 500 || status === 401 || status === 403 || status === 408 || status === 429;
}

function expectation({ status, headers, body }: HttpReply): string {
  return `an answer of the registry (HTTP ${status}${remark(status, headers, body)})`;
}

function remark(status: number, headers: HttpReply['headers'], body: string): string {
  if (headers['location'] !== undefined) return ' is a redirect, which is not followed';
  if (status === 407) return ' is of the proxy: look at user and password in serviceCenter.proxy';
  return speaksTls(body) ? ': this port speaks TLS, so the address must begin with https://' : '';
}

/** The first characters of a body, enough to recognise who is speaking, and harmless in a log. */
export function beginningOf(body: string, blank: Blank): string {
  return printable(cut(blank(body))).trim();
}

function cut(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

function textOf(value: unknown, blank: Blank): string | undefined {
  return typeof value === 'string' ? printable(cut(blank(value))) : undefined;
}

/** Seconds, or a date that is compared with the answer's own, so that no local clock is asked. */
function retryAfterMs(headers: HttpReply['headers']): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
  const wait = Date.parse(value) - Date.parse(headers['date'] ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function causeOf(error: unknown): ErrorOptions {
  const hasCause = typeof error === 'object' && error !== null && 'cause' in error;
  return hasCause ? { cause: error.cause } : {};
}

function property(error: unknown, name: 'name' | 'code'): string | undefined {
  if (typeof error !== 'object' || error === null || !(name in error)) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
