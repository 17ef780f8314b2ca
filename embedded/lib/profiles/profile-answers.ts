import { randomUUID } from 'node:crypto';
import { ErrorCode, invalid } from '../model/registry-error.js';
import type { ErrorBody, RegistryError } from '../model/registry-error.js';
import { done, json, plain } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { ApiRequest } from '../api/call.js';
import type { ProfileSettings } from './profile.js';

/** Dresses an answer of Apache's Service Center as a form wants it. */
export function adaptAnswer(
  settings: ProfileSettings,
  { method }: ApiRequest,
  answer: Answer,
): Answer {
  const { status, body, error } = answer;
  if (error !== undefined) return withErrorFields(settings, unavailable(settings, error, answer));
  // Nothing but the router answers these in words.
  if (settings.gateway && (status === 404 || status === 405)) return unknownRouteAnswer();
  const isSilent = status === 200 && body === '' && (method === 'PUT' || method === 'DELETE');
  return isSilent ? { ...answer, body: settings.successText } : answer;
}

/** An error in the words of a settings, however it is worded; any other answer as it is. */
export function withErrorFields({ errorFields }: ProfileSettings, answer: Answer): Answer {
  const { status, error, headers } = answer;
  if (error === undefined || errorFields === 'errorCode') return answer;
  const { errorCode, errorMessage, detail = '' } = error;
  const body = { errCode: errorCode, errMsg: errorMessage, detail };
  return { ...answer, ...json(body, headers, status) };
}

/** A store that is away goes by another code and another status at the clouds. */
function unavailable(
  { unavailableCode }: ProfileSettings,
  error: ErrorBody,
  answer: Answer,
): Answer {
  const { RegistryUnavailable } = ErrorCode;
  const isAway = error.errorCode === String(RegistryUnavailable);
  if (!isAway || unavailableCode === RegistryUnavailable) return answer;
  const errorMessage = 'ErrUnavailableBackend';
  const body = { ...error, errorCode: String(unavailableCode), errorMessage };
  const status = Math.floor(unavailableCode / 1000);
  return { ...answer, ...json(body, answer.headers, status), error: body };
}

/** Paths that belong to nobody: the server asked for no domain there (handler/context/context.go, 1.0.0). */
const ofNobody = /\/(version|health|health\/readiness|metrics)$/;

/** What a form refuses before a route is asked: what does not say whose it is. */
export function missingDomainError(
  { domainRequired }: ProfileSettings,
  { headers }: ApiRequest,
  path: string,
): RegistryError | undefined {
  if (!domainRequired || headers['x-domain-name'] || ofNobody.test(path)) return undefined;
  return invalid('');
}

const readinessPath = /^\/v4\/[^/]+\/registry\/health\/readiness$/;

/** What a form answers besides the routes of Apache's Service Center; undefined for none. */
export function extraRouteAnswer(
  { readiness }: ProfileSettings,
  method: string,
  path: string,
): Answer | undefined {
  return readiness && method === 'GET' && readinessPath.test(path) ? done : undefined;
}

/** The answer to a request of which there are too many. */
export function throttledAnswer({ gateway, registrationsPerSecond }: ProfileSettings): Answer {
  if (!gateway) return plain(429, 'Too Many Requests');
  const policy = `policy user over ratelimit,limit:${registrationsPerSecond},time:1 second`;
  return gatewayError(429, 'APIGW.0308', `The throttling threshold has been reached: ${policy}`);
}

function unknownRouteAnswer(): Answer {
  const why = 'The API does not exist or has not been published in the environment';
  return gatewayError(404, 'APIGW.0101', why);
}

function gatewayError(status: number, code: string, message: string): Answer {
  const requestId = randomUUID().replaceAll('-', '');
  return json({ error_code: code, error_msg: message, request_id: requestId }, {}, status);
}
