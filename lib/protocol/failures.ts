import {
  codeOf,
  propertyOf,
  type Refusal,
  type ServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import { ErrorCode } from './error-codes.js';
import { printable } from './printable.js';
import type { Blank } from './redact.js';
import { type HttpReply, jsonObject } from './wire.js';

/**
 * The meaning of a failure for the sender. Decided by the errorCode where there is one: an instance that
 * does not exist is HTTP 400, not 404.
 *
 * - `instance-gone`, `service-gone`: the registry has forgotten it
 * - `refused`: it will be refused again until somebody changes something
 * - `throttled`: requests come too often
 * - `unavailable`: no answer, an answer of some other server, or a registry that cannot serve now
 * - `credentials`: no request was sent, because there were no credentials
 */
export type FailureKind =
  'instance-gone' | 'service-gone' | 'refused' | 'throttled' | 'unavailable' | 'credentials';

/** Returns the meaning of an error; see {@link FailureKind}. */
export function failureKind(error: ServiceCombError): FailureKind {
  switch (error.code) {
    case 'ERR_SERVICECOMB_UNREACHABLE':
    case 'ERR_SERVICECOMB_TIMEOUT':
    case 'ERR_SERVICECOMB_PROTOCOL':
    case 'ERR_SERVICECOMB_NO_INSTANCE':
      return 'unavailable';
    case 'ERR_SERVICECOMB_TAKEN_OVER':
    case 'ERR_SERVICECOMB_SCHEMA_MISMATCH':
      return 'refused';
    case 'ERR_SERVICECOMB_CREDENTIALS':
      return 'credentials';
    case 'ERR_SERVICECOMB_RESPONSE':
      return responseKind(error);
    case 'ERR_SERVICECOMB_OPTIONS':
      return 'refused';
  }
}

/** The fields of a response error. Also of one from another copy of this library: `instanceof` is false. */
interface ResponseFields extends Partial<Omit<Refusal, 'errorMessage'>> {
  readonly code: ServiceCombError['code'];
}

/** With RBAC on, a missing service is refused in these words (docs/registry-behaviour.md, M12). */
export const noScope = 'no valid resouce scope';

function responseKind({ status = 0, errorCode = 0, detail }: ResponseFields): FailureKind {
  if (errorCode === ErrorCode.InstanceNotExists) return 'instance-gone';
  if (errorCode === ErrorCode.ServiceNotExists) return 'service-gone';
  if (errorCode === ErrorCode.Unauthorized && detail?.includes(noScope)) return 'service-gone';
  if (status === 429) return 'throttled';
  if (isOfGateway({ status, errorCode })) return 'unavailable';
  // A backend's own status may have been lost on the way: a cloud answers 400 for it.
  if (status === 408 || status >= 500 || errorCode >= 500_000) return 'unavailable';
  const isUnhealthy =
    errorCode === ErrorCode.BackendUnavailable || errorCode === ErrorCode.ServerUnhealthy;
  return isUnhealthy ? 'unavailable' : 'refused';
}

/**
 * Returns whether the same request can succeed later without anybody changing anything: true for network
 * failures, answers of other servers, throttling, a busy registry and missing credentials.
 */
export function isRetriable(error: ServiceCombError): boolean {
  switch (failureKind(error)) {
    case 'throttled':
    case 'unavailable':
    case 'credentials':
      return true;
    case 'instance-gone':
    case 'service-gone':
    case 'refused':
      return false;
  }
}

/** A refusal of these kinds is one node's word: it counts if another node agrees, or if none can be asked. */
export const refusals: readonly FailureKind[] = ['instance-gone', 'service-gone', 'refused'];

/** Returns whether the registry has forgotten the instance, or its service. */
export function isGone(error: ServiceCombError): boolean {
  const kind = failureKind(error);
  return kind === 'instance-gone' || kind === 'service-gone';
}

/** Returns whether an existence query found no such service, or not in this version. */
export function isNoSuchService(error: unknown): boolean {
  if (!(error instanceof ServiceCenterResponseError)) return false;
  const { errorCode } = error;
  return (
    errorCode === ErrorCode.ServiceNotExists || errorCode === ErrorCode.ServiceVersionNotExists
  );
}

/**
 * Returns whether a gateway refused: HTTP 401 or 403 without an errorCode of a Service Center. It says
 * nothing about the registry, nor about its accounts.
 */
export function isGatewayRefusal(error: unknown): boolean {
  return error instanceof ServiceCenterResponseError && isOfGateway(error);
}

function isOfGateway({ status, errorCode = 0 }: Partial<Refusal>): boolean {
  return (status === 401 || status === 403) && errorCode < 400_000;
}

/** Returns whether the registry refused the account of a login: another failure may ban it. */
export function isLoginRefused(error: unknown): boolean {
  if (!(error instanceof ServiceCenterResponseError) || failureKind(error) !== 'refused')
    return false;
  // The status may have been lost on the way, as above.
  const { errorCode = 0 } = error;
  return [401, 403].includes(error.status) || [401, 403].includes(Math.floor(errorCode / 1_000));
}

const tokenRefusals: ReadonlySet<number | undefined> = new Set([
  ErrorCode.Unauthorized,
  ErrorCode.NoAuthorizationHeader,
  ErrorCode.TokenExpired,
  ErrorCode.AccountDeleted,
  undefined,
]);

/** Returns whether the registry refused the token, so that a new one may help; false for permissions. */
export function isTokenRefused(error: unknown): boolean {
  if (!(error instanceof ServiceCenterResponseError)) return false;
  const { status, errorCode } = error;
  if (status !== 401 || !tokenRefusals.has(errorCode)) return false;
  return failureKind(error) === 'refused' || isGatewayRefusal(error);
}

/** Returns whether the registry knows the account and does not permit the request. */
export function isPermissionRefused(error: unknown): boolean {
  return error instanceof ServiceCenterResponseError && error.errorCode === ErrorCode.NoPermission;
}

/** The request that an answer, or its absence, belongs to. */
export interface Asked {
  readonly operation: string;
  readonly address: string;
  readonly timeoutMs: number;
}

/**
 * Turns an answer that is not a success into an error. Reads both forms of the body,
 * `errorCode/errorMessage/detail` and the older cloud's `errCode/errMsg/detail`, with the code as text
 * or number, and a gateway's `error_code/error_msg`.
 *
 * A status of 500 and above, 401, 403, 408 or 429 is an answer whatever its body: gateways send their
 * own. Any other status without an error body comes from something that is not a Service Center.
 */
export function refusalOf(
  reply: HttpReply,
  { operation, address }: Asked,
  blank: Blank,
): ServiceCombError {
  const { status, headers } = reply;
  const body = jsonObject(reply.body);
  const code = body?.['errorCode'] ?? body?.['errCode'] ?? body?.['error_code'];
  if (code === undefined && status < 500 && ![401, 403, 408, 429].includes(status)) {
    const expected = `an answer of the registry (HTTP ${status}${remarkOn(reply)})`;
    return unexpectedAnswer(reply, { operation, address }, { expected, blank });
  }
  const text = (value: unknown) =>
    typeof value === 'string' ? shortened(value, blank) : undefined;
  const detail = body?.['detail'];
  // The meaning of the refusal depends on these words: they stay, whatever else is blanked or cut off.
  const isNoScope = typeof detail === 'string' && detail.includes(noScope);
  return new ServiceCenterResponseError(operation, address, {
    status,
    errorCode: numberOf(code),
    errorMessage: text(body?.['errorMessage'] ?? body?.['errMsg'] ?? body?.['error_msg']),
    detail: isNoScope ? noScope : text(detail),
    retryAfterMs: retryAfterMs(headers),
  });
}

/** Makes the error of an answer that is not what was expected; shows the beginning of its body. */
export function unexpectedAnswer(
  { body }: HttpReply,
  { operation, address }: Pick<Asked, 'operation' | 'address'>,
  { expected, blank }: { readonly expected: string; readonly blank: Blank },
): ServiceCombError {
  const beginning = shortened(body, blank).trim();
  return new ServiceCenterProtocolError(operation, address, expected, beginning);
}

function remarkOn({ status, headers, body }: HttpReply): string {
  if (headers['location'] !== undefined) return ' is a redirect, which is not followed';
  if (status === 407)
    return ' is from a proxy: give the agent in serviceCenter.axios the right user and password';
  // Go's words, and nginx's.
  return /HTTP request (to an|was sent to) HTTPS (server|port)/.test(body)
    ? ': this port speaks TLS, so the address must begin with https://'
    : '';
}

/** Returns the first characters of a text: enough to recognize its source, and safe to log. */
function shortened(text: string, blank: Blank): string {
  const blanked = blank(text);
  return printable(blanked.length <= 80 ? blanked : `${blanked.slice(0, 80)}…`);
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** Reads seconds, or a date; a date is compared with the answer's own, so no local clock is needed. */
function retryAfterMs(headers: HttpReply['headers']): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
  const wait = Date.parse(value) - Date.parse(headers['date'] ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/**
 * Turns an error of the HTTP library into one of ours, by its name or code alone: an error of another
 * realm is not `instanceof Error`. Returns undefined for an abort and for a bug, which must surface.
 */
export function failureOf(error: unknown, asked: Asked): ServiceCombError | undefined {
  const { operation, address, timeoutMs } = asked;
  const name = propertyOf(error, 'name');
  const code = codeOf(error);
  // Some of Node's own TypeErrors have a code, too: a header that cannot be sent, a wrong URL.
  if (/^(Type|Range|Reference|Syntax|URI)Error$/.test(String(name))) return undefined;
  if (name === 'TimeoutError' || code === 'ECONNABORTED')
    return new ServiceCenterTimeoutError(operation, address, timeoutMs);
  const cause = propertyOf(error, 'cause');
  const badAnswer = (expected: string, received: string) =>
    new ServiceCenterProtocolError(operation, address, expected, received);
  if (code === 'ERR_ANSWER_TOO_LONG') return badAnswer(shortEnough, code);
  if (code === 'ERR_BAD_RESPONSE' || code?.startsWith('HPE_'))
    return badAnswer('a valid HTTP answer', codeOf(cause) ?? code);
  if (code === undefined || code === 'ERR_CANCELED') return undefined;
  // The library's error has the request in it, with its credentials; its cause does not.
  const options = { advice: adviceOn(code, error), ...(cause !== undefined && { cause }) };
  return new ServiceCenterUnreachableError(operation, [address], code, options);
}

const shortEnough = 'short enough (serviceCenter.maxAnswerBytes)';

const clientCertificate = 'set serviceCenter.tls.cert and key, or certFile and keyFile';

/** Node's codes of a certificate that no trusted authority has signed. */
export const unknownAuthority =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_(UNTRUSTED|SIGNATURE_FAILURE))$/;

/**
 * Advice by Node's code of a failure of TLS (docs/registry-behaviour.md, M13). Versions of Node and OpenSSL
 * name the same alert differently, and `EPROTO` names none: there the text of the error decides.
 */
const advices: readonly (readonly [advice: string, codes: RegExp, texts?: RegExp])[] = [
  [
    'No authority that is trusted here has signed its certificate: set serviceCenter.tls.ca or caFile to ' +
      'the certificate of its authority',
    unknownAuthority,
  ],
  [
    'Its certificate is for another host name: use a name of the certificate in serviceCenter.addresses, ' +
      'or set serviceCenter.tls.servername',
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
  ],
  [
    'Its certificate, or that of its authority, has expired: replace it, or correct the clock of this machine',
    /^CERT_HAS_EXPIRED$/,
  ],
  [
    'Its certificate is not valid yet: correct the clock of this machine, or replace the certificate',
    /^CERT_NOT_YET_VALID$/,
  ],
  [
    'The certificate of this client has expired: replace the one in serviceCenter.tls.cert or certFile',
    /ALERT_CERTIFICATE_EXPIRED$/,
    /alert certificate expired|alert number 45\b/,
  ],
  [
    `It demands a certificate of this client that it accepts: ${clientCertificate}`,
    /ALERT_(NO_CERTIFICATE|(BAD_|UNSUPPORTED_)?CERTIFICATE(_REQUIRED|_UNKNOWN|_REVOKED)?|UNKNOWN_CA)$/,
    /alert (bad certificate|certificate (required|unknown|revoked)|unknown ca)|alert number (4[1-46]|48|116)\b/,
  ],
  [
    'That port does not speak TLS: if it is the registry, its address begins with http://',
    /(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    /wrong version number|packet length/,
  ],
  [
    'It supports no version of TLS that is allowed here: the oldest is TLSv1.2, or serviceCenter.tls.minVersion',
    /(UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION)$/,
    /unsupported protocol|alert protocol version|alert number 70\b/,
  ],
  [
    `It refuses the handshake. If it demands a certificate of this client, ${clientCertificate}; otherwise ` +
      'compare TLS versions, ciphers and the type of its key',
    /ALERT_HANDSHAKE_FAILURE$/,
    /handshake failure|alert number 40\b/,
  ],
];

/** Returns a sentence that says what to do about a failure; undefined where the code says it all. */
function adviceOn(code: string, error: unknown): string | undefined {
  const text = code === 'EPROTO' ? String(propertyOf(error, 'message')) : '';
  return advices.find(([, codes, texts]) => codes.test(code) || texts?.test(text))?.[0];
}
