import { codeOf, propertyOf } from '../errors.js';

/**
 * The outcome of a call, as far as it matters to the candidate and to a repetition.
 *
 * - `good`: an answer, also one of status 500, 429 or 4xx: a client's bad input is not the instance's fault
 * - `unsent`: there was no connection, so nothing has arrived
 * - `stale`: a connection that was kept from an earlier call turned out to be closed; it may have arrived
 * - `broken`: the connection failed; it may have arrived
 * - `busy`: status 502, 503 or 504
 * - `late`: the time was up
 * - `nothing`: it says nothing about the instance: cancelled, an answer too long, a bug of the caller
 */
export type CallOutcome = 'good' | 'unsent' | 'stale' | 'broken' | 'busy' | 'late' | 'nothing';

/** Reads the outcome from what an action has returned: `good`, unless it is an answer of HTTP that says `busy`. */
export function answerOutcome(answer: unknown): CallOutcome {
  return isAnswer(answer) ? ofStatus(answer.status) : 'good';
}

/**
 * Reads the outcome from whatever was thrown: the errors of Node, of axios and of `fetch`, and an answer of
 * HTTP. By name and code alone, since an error of another realm is not `instanceof Error`.
 */
export function callOutcome(thrown: unknown): CallOutcome {
  if (isAnswer(thrown)) return ofStatus(thrown.status);
  for (const error of chainOf(thrown)) {
    const outcome = ofError(error, thrown);
    if (outcome !== undefined) return outcome;
  }
  const status = statusOf(thrown);
  return status === undefined ? 'nothing' : ofStatus(status);
}

/** An answer of HTTP has headers; a status without them may be part of what an application returns. */
function isAnswer(value: unknown): value is { readonly status: number } {
  return typeof propertyOf(value, 'status') === 'number' && hasHeaders(value);
}

function hasHeaders(value: unknown): boolean {
  return typeof propertyOf(value, 'headers') === 'object';
}

function statusOf(error: unknown): number | undefined {
  const response = propertyOf(error, 'response');
  const status = propertyOf(response, 'status') ?? propertyOf(response, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/** Not 500: some input of one client would take instances away from all (Envoy's gateway errors, too). */
function ofStatus(status: number): CallOutcome {
  return status === 502 || status === 503 || status === 504 ? 'busy' : 'good';
}

/** An error and its causes: axios and `fetch` wrap those of Node. */
function* chainOf(error: unknown): Iterable<unknown> {
  const longest = 5;
  for (let depth = 0; error !== undefined && error !== null && depth < longest; depth++) {
    yield error;
    error = propertyOf(error, 'cause');
  }
}

const unsentCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Certificates that are refused here (docs/registry-behaviour.md, M13), and options that TLS refuses. */
const tlsCodes = /^ERR_TLS_|^CERT_|_CERT(?:_|$)|^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/;

/** Alerts of the peer, and peers that do not speak TLS. */
const handshakeCodes = /^(?:EPROTO$|ERR_SSL_)/;

const brokenCodes = /^(?:ECONNRESET|EPIPE|ETIMEDOUT|UND_ERR_SOCKET|HPE_.*)$/;

const lateCodes: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Reads one error of a chain; undefined when its cause decides. */
function ofError(error: unknown, thrown: unknown): CallOutcome | undefined {
  const name = propertyOf(error, 'name');
  const code = codeOf(error);
  if (name === 'AbortError' || code === 'ERR_CANCELED' || code === 'ABORT_ERR') return 'nothing';
  if (name === 'TimeoutError' || (code !== undefined && lateCodes.has(code))) return 'late';
  if (code === 'ERR_BAD_RESPONSE') return ofBadResponse(error);
  if (code === undefined) return undefined;
  if (unsentCodes.has(code) || tlsCodes.test(code)) return 'unsent';
  if (handshakeCodes.test(code)) return isOnReusedSocket(thrown) ? 'broken' : 'unsent';
  if (!brokenCodes.test(code)) return undefined;
  if (isConnecting(error, thrown, code)) return 'unsent';
  return code === 'ECONNRESET' && isOnReusedSocket(thrown) ? 'stale' : 'broken';
}

/** axios has one code for an answer that was cut off, one that is too long, and one that it cannot read. */
function ofBadResponse(error: unknown): CallOutcome | undefined {
  const message = String(propertyOf(error, 'message'));
  if (message === 'stream has been aborted') return 'broken';
  return message.startsWith('maxContentLength') ? 'nothing' : undefined;
}

/**
 * Returns whether a connection failed before it was there. The error of several addresses that were tried at
 * a time is an AggregateError without `syscall`. axios repeats the code, and has the error as its cause.
 */
function isConnecting(error: unknown, thrown: unknown, code: string): boolean {
  const reasons = [error, ...chainOf(thrown)].filter(reason => codeOf(reason) === code);
  if (code === 'ETIMEDOUT')
    return reasons.some(
      reason =>
        propertyOf(reason, 'syscall') === 'connect' || Array.isArray(propertyOf(reason, 'errors')),
    );
  // Node's words for a peer that closes during the handshake; the code says no more than "reset".
  return reasons.some(reason =>
    String(propertyOf(reason, 'message')).includes('before secure TLS connection'),
  );
}

/** Node says it of its request; axios has that one, or the one of follow-redirects around it. */
function isOnReusedSocket(error: unknown): boolean {
  const request = propertyOf(error, 'request');
  const inner = propertyOf(request, '_currentRequest') ?? request;
  return propertyOf(inner, 'reusedSocket') === true;
}
