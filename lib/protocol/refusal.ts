import {
  type Refusal,
  type ServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import { adviceOn, speaksTls } from './advice.js';
import { noScope } from './classify.js';
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
