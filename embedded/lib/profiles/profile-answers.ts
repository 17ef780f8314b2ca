import { randomUUID } from 'node:crypto';
import { ErrorCode, invalid } from '../model/registry-error.js';
import type { ErrorBody, RegistryError } from '../model/registry-error.js';
import { done, json, plain } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { ApiRequest } from '../api/call.js';
import type { ProfileSettings } from './profile.js';

/** Adapts an answer of Apache's Service Center to a profile. */
export function adaptAnswer(
  settings: ProfileSettings,
  { method }: ApiRequest,
  answer: Answer,
): Answer {
  const { status, body, error } = answer;
  if (error !== undefined) return withErrorFields(settings, unavailable(settings, error, answer));
  // Only the router answers these in plain text.
  if (settings.gateway && (status === 404 || status === 405)) return unknownRouteAnswer();
  const isSilent = status === 200 && body === '' && (method === 'PUT' || method === 'DELETE');
  return isSilent ? { ...answer, body: settings.successText } : answer;
}

/** Rewrites an error with the field names of a profile; returns any other answer unchanged. */
export function withErrorFields({ errorFields }: ProfileSettings, answer: Answer): Answer {
  const { status, error, headers } = answer;
  if (error === undefined || errorFields === 'errorCode') return answer;
  const { errorCode, errorMessage, detail = '' } = error;
  const body = { errCode: errorCode, errMsg: errorMessage, detail };
  return { ...answer, ...json(body, headers, status) };
}

/** The clouds report an unavailable store with another code and status. */
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

/** Paths for which the server does not require a domain (handler/context/context.go, 1.0.0). */
const ofNobody = /\/(version|health|health\/readiness|metrics)$/;

/** Returns the error for a request without a domain if the profile requires one. */
export function missingDomainError(
  { domainRequired }: ProfileSettings,
  { headers }: ApiRequest,
  path: string,
): RegistryError | undefined {
  if (!domainRequired || headers['x-domain-name'] || ofNobody.test(path)) return undefined;
  return invalid('');
}

const readinessPath = /^\/v4\/[^/]+\/registry\/health\/readiness$/;

/** Returns the answer of a route that only the profile has; undefined for any other path. */
export function extraRouteAnswer(
  { readiness }: ProfileSettings,
  method: string,
  path: string,
): Answer | undefined {
  return readiness && method === 'GET' && readinessPath.test(path) ? done : undefined;
}

/** Returns the answer to a request that exceeds a limit. */
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
