import { expect, test } from '@jest/globals';
import { AxiosError, AxiosHeaders } from 'axios';
import { answerOutcome, callOutcome } from '../../../lib/discovery/call-outcome.js';
import { nodeError } from '../../support/balancing.js';

/** As axios wraps an error of Node: the code is repeated, `syscall` is not. */
function ofAxios(cause: Error & { readonly code?: string }, request?: object): AxiosError {
  return AxiosError.from(cause, undefined, undefined, request);
}

/** As `fetch` wraps an error of undici or Node. */
function ofFetch(cause: Error): TypeError {
  return new TypeError('fetch failed', { cause });
}

function refusal(status: number): AxiosError {
  const config = { headers: new AxiosHeaders() };
  const answer = { status, statusText: '', headers: {}, data: '', config };
  const code = status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  return new AxiosError(`status ${status}`, code, config, undefined, answer);
}

test.each([200, 204, 301, 400, 401, 404, 408, 429, 500, 501, 505])('%d is an answer', status => {
  expect(answerOutcome({ status, headers: {} })).toBe('good');
  expect(callOutcome(refusal(status))).toBe('good');
});

test.each([502, 503, 504])('%d is busy', status => {
  expect(answerOutcome({ status, headers: {} })).toBe('busy');
  expect(answerOutcome(new Response('', { status }))).toBe('busy');
  expect(callOutcome(new Response('', { status }))).toBe('busy');
  expect(callOutcome(refusal(status))).toBe('busy');
  expect(callOutcome({ response: { statusCode: status } })).toBe('busy');
});

const unsent = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
];

test.each([
  ...unsent,
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])('%s was not sent', code => {
  expect(callOutcome(nodeError(code))).toBe('unsent');
  expect(callOutcome(ofAxios(nodeError(code)))).toBe('unsent');
  expect(callOutcome(ofFetch(nodeError(code)))).toBe('unsent');
});

test('a connection that took too long was not sent', () => {
  const error = nodeError('ETIMEDOUT', { syscall: 'connect' });
  expect(callOutcome(error)).toBe('unsent');
  expect(callOutcome(ofAxios(error))).toBe('unsent');
  expect(callOutcome(ofFetch(nodeError('UND_ERR_CONNECT_TIMEOUT')))).toBe('unsent');
});

test.each(['ECONNREFUSED', 'ETIMEDOUT'])('%s at each of several addresses was not sent', code => {
  const errors = [nodeError(code, { syscall: 'connect' })];
  const error = Object.assign(new AggregateError(errors), { code });
  expect(callOutcome(error)).toBe('unsent');
  expect(callOutcome(ofAxios(error))).toBe('unsent');
  expect(callOutcome(ofFetch(error))).toBe('unsent');
});

test('a peer that closes during the handshake of TLS has received nothing', () => {
  const words = 'Client network socket disconnected before secure TLS connection was established';
  const error = Object.assign(new Error(words), { code: 'ECONNRESET' });
  expect(callOutcome(error)).toBe('unsent');
  expect(callOutcome(ofAxios(error))).toBe('unsent');
  expect(callOutcome(ofFetch(error))).toBe('unsent');
});

test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'HPE_INVALID_VERSION'])(
  '%s on a connection may have arrived',
  code => {
    expect(callOutcome(nodeError(code, { syscall: 'read' }))).toBe('broken');
    expect(callOutcome(ofAxios(nodeError(code)))).toBe('broken');
    expect(callOutcome(ofFetch(nodeError(code)))).toBe('broken');
  },
);

test('an answer that is cut off is broken, whatever its status', () => {
  const config = { headers: new AxiosHeaders() };
  const answer = { status: 200, statusText: '', headers: {}, data: '', config };
  const aborted = AxiosError.ERR_BAD_RESPONSE;
  const error = new AxiosError('stream has been aborted', aborted, config, undefined, answer);
  expect(callOutcome(error)).toBe('broken');
  expect(callOutcome(new TypeError('terminated', { cause: nodeError('UND_ERR_SOCKET') }))).toBe(
    'broken',
  );
});

test('a reset of a reused connection is stale, with and without redirects', () => {
  const error = nodeError('ECONNRESET');
  expect(callOutcome(ofAxios(error, { reusedSocket: true }))).toBe('stale');
  expect(callOutcome(ofAxios(error, { _currentRequest: { reusedSocket: true } }))).toBe('stale');
  expect(callOutcome(ofAxios(error, { reusedSocket: false }))).toBe('broken');
  expect(callOutcome(ofAxios(nodeError('EPIPE'), { reusedSocket: true }))).toBe('broken');
});

test('an alert of TLS on a reused connection may have arrived', () => {
  expect(callOutcome(ofAxios(nodeError('EPROTO'), { reusedSocket: true }))).toBe('broken');
});

test.each([
  nodeError('ECONNABORTED'),
  new DOMException('late', 'TimeoutError'),
  ofFetch(nodeError('UND_ERR_HEADERS_TIMEOUT')),
  ofFetch(nodeError('UND_ERR_BODY_TIMEOUT')),
])('%s is late', error => {
  expect(callOutcome(error)).toBe('late');
});

test.each([
  ['cancelled', new AxiosError('canceled', AxiosError.ERR_CANCELED)],
  ['aborted', new DOMException('aborted', 'AbortError')],
  ['too long', new AxiosError('maxContentLength size of 3 exceeded', AxiosError.ERR_BAD_RESPONSE)],
  ['a body too long', nodeError('ERR_FR_MAX_BODY_LENGTH_EXCEEDED')],
  ['a bad option', new AxiosError('no such option', AxiosError.ERR_BAD_OPTION)],
  ['a bug', new TypeError('x is not a function')],
  ['nothing at all', undefined],
  ['a text', 'ECONNREFUSED'],
  ['part of what an application returns', { status: 503 }],
])('%s says nothing about the instance', (_, error) => {
  expect(callOutcome(error)).toBe('nothing');
});

test('a circle of causes is read to its end', () => {
  const error = new Error('circle');
  error.cause = error;
  expect(callOutcome(error)).toBe('nothing');
});

test.each([undefined, 'text', { status: 503 }, { status: 'UP' }])(
  'what an application returns is a good answer: %j',
  answer => {
    expect(answerOutcome(answer)).toBe('good');
  },
);
