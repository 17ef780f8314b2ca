import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  RegistryOptionsError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
  type ServiceCombError,
} from '../../../lib/errors.js';
import {
  type Asked,
  failureKind,
  failureOf,
  isNoSuchService,
  isRetriable,
  refusalOf,
} from '../../../lib/protocol/failures.js';
import { type FakeReply, replyOf } from '../../support/fake-send.js';

const asked: Asked = { operation: 'heartbeat', address: 'http://a:1', timeoutMs: 5_000 };

function refusal(reply: FakeReply): ServiceCombError {
  return refusalOf(replyOf(reply), asked, text => text);
}

function response(reply: FakeReply): ServiceCenterResponseError {
  const error = refusal(reply);
  if (error instanceof ServiceCenterResponseError) return error;
  throw error;
}

describe('an answer that is no success', () => {
  it.each([
    [
      'the present form',
      { errorCode: '400017', errorMessage: 'Instance does not exist', detail: 'no lease' },
    ],
    [
      'a number as code',
      { errorCode: 400_017, errorMessage: 'Instance does not exist', detail: 'no lease' },
    ],
    [
      'the older form',
      { errCode: '400017', errMsg: 'Instance does not exist', detail: 'no lease' },
    ],
    [
      'the older form with a number',
      { errCode: 400_017, errMsg: 'Instance does not exist', detail: 'no lease' },
    ],
    [
      'a gateway',
      { error_code: '400017', error_msg: 'Instance does not exist', detail: 'no lease' },
    ],
  ])('is read in %s', (_, body) => {
    const error = response({ status: 400, body });
    expect(error).toMatchObject({ status: 400, errorCode: 400_017, detail: 'no lease' });
    expect(error.message).toBe(
      'Service Center refused "heartbeat" at http://a:1: HTTP 400, errorCode 400017: Instance does not exist - no lease',
    );
  });

  it('is read as the page of the older API shows it, with an empty detail', () => {
    const body = '{"errCode":"400001","errMsg":"Invalid parameter(s)","detail":""}';
    const error = response({ status: 400, body });
    expect(error).toMatchObject({ errorCode: 400_001, detail: '' });
    expect(error.message).toMatch(/errorCode 400001: Invalid parameter\(s\)$/);
  });

  it('keeps the words of a gateway whose code is no number', () => {
    const body = { error_code: 'APIGW.0101', error_msg: 'The API does not exist' };
    const error = response({ status: 404, body });
    expect(error.errorCode).toBeUndefined();
    expect(error.message).toBe(
      'Service Center refused "heartbeat" at http://a:1: HTTP 404: The API does not exist',
    );
  });

  it.each([401, 403, 408, 429, 500, 502, 503, 504])(
    'is an answer at HTTP %i whatever its body',
    status => {
      for (const body of ['', '<html>no</html>', '[]', '{"a":1}', '"text"', 'null'])
        expect(response({ status, body })).toMatchObject({ status, errorCode: undefined });
    },
  );

  it.each([
    [400, ''],
    [400, '<html>Bad Request</html>'],
    [404, '404 page not found\n'],
    [405, 'Method Not Allowed\n'],
    [404, '{"message":"Cannot PUT /"}'],
    [201, '{}'],
  ])('with HTTP %i and the body %j comes from something else', (status, body) => {
    const error = refusal({ status, body });
    expect(error).toBeInstanceOf(ServiceCenterProtocolError);
    expect(error).toMatchObject({
      operation: 'heartbeat',
      address: 'http://a:1',
      expected: `an answer of the registry (HTTP ${status})`,
      received: body.trim(),
    });
  });

  it('says of a redirect that it is not followed', () => {
    expect(refusal({ status: 302, headers: { location: 'http://b' } }).message).toContain(
      'HTTP 302 is a redirect, which is not followed',
    );
  });

  it.each([
    ['a proxy’s page', 400, `<html>${'x'.repeat(100_000)}secret</html>`],
    ['a detail', 400, { errorCode: '400001', detail: `${'x'.repeat(100_000)}secret` }],
    ['a message', 500, { errorCode: '500003', errorMessage: `${'x'.repeat(100_000)}secret` }],
  ])('leaves no more than a cut of %s in the error', (_, status, body) => {
    const error = refusal({ status, body });
    expect(JSON.stringify(error).length).toBeLessThan(1_000);
    expect(`${error.message}${error.stack ?? ''}`).not.toContain('secret');
  });

  it.each([
    ['an object', { errorCode: {}, errorMessage: [], detail: 5 }],
    ['a broken number', { errorCode: 'x' }],
    ['an empty text', { errorCode: '' }],
    ['a fraction', { errorCode: 1.5 }],
  ])('has no errorCode when that is %s', (_, body) => {
    const error = response({ status: 400, body });
    expect(error).toMatchObject({ errorCode: undefined, detail: undefined });
    expect(error.message).toMatch(/: HTTP 400$/);
  });
});

describe('Retry-After', () => {
  const date = 'Sun, 22 Nov 2026 03:00:00 GMT';
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Sun, 22 Nov 2026 03:00:30 GMT', date }, 30_000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 02:00:00 GMT', date }, 0],
    [{ 'retry-after': 'Sun, 22 Nov 2026 03:00:30 GMT' }, undefined],
    [{ 'retry-after': 'soon', date }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{}, undefined],
  ])('of %j is %p ms', (headers: Readonly<Record<string, string>>, ms) => {
    expect(response({ status: 429, headers }).retryAfterMs).toBe(ms);
  });
});

describe('what a failure means', () => {
  it.each([
    ['instance-gone', 400, { errorCode: '400017' }],
    ['instance-gone', 400, { errCode: '400017', errMsg: 'Instance does not exist' }],
    ['instance-gone', 404, { errorCode: 400_017 }],
    ['instance-gone', 500, { errorCode: '400017' }],
    ['service-gone', 400, { errorCode: '400012' }],
    ['service-gone', 401, { errorCode: '401201', detail: 'no valid resouce scope' }],
    ['refused', 401, { errorCode: '401201', detail: 'crypto/rsa: verification error' }],
    ['refused', 401, { errorCode: '401201' }],
    ['unavailable', 401, 'text'],
    ['unavailable', 403, '<html>'],
    ['unavailable', 403, { error_code: 'APIG.0301' }],
    ['refused', 403, { errorCode: '403205' }],
    ['refused', 404, { error_code: 'APIGW.0101' }],
    ['refused', 404, { errorCode: '404001' }],
    ['throttled', 429, ''],
    ['throttled', 429, { error_code: 'APIGW.0308' }],
    ['unavailable', 400, { errorCode: '400011' }],
    ['unavailable', 400, { errorCode: '400002' }],
    ['unavailable', 400, { errorCode: '500011' }],
    ['unavailable', 500, { errorCode: '500003' }],
    ['unavailable', 500, { errorCode: '500011' }],
    ['unavailable', 500, ''],
    ['unavailable', 502, '<html>Bad Gateway</html>'],
    ['unavailable', 503, ''],
    ['unavailable', 504, { error_code: 'APIGW.0201' }],
    ['unavailable', 408, ''],
    ['unavailable', 404, '404 page not found\n'],
    ['unavailable', 301, ''],
  ])('is %s for HTTP %i with %j', (kind, status, body) => {
    expect(failureKind(refusal({ status, body }))).toBe(kind);
  });

  it.each([['scope'], ['no valid resouce scope']])(
    'is service-gone also where %j is a secret that is blanked',
    secret => {
      const body = { errorCode: '401201', detail: 'no valid resouce scope' };
      const error = refusalOf(replyOf({ status: 401, body }), asked, text =>
        text.replaceAll(secret, '***'),
      );
      expect(failureKind(error)).toBe('service-gone');
    },
  );

  const refusedCodes = [
    400_001, 400_010, 400_013, 400_016, 400_018, 400_023, 400_026, 400_100, 401_202, 401_204,
    401_205, 401_206, 401_302, 403_001, 403_201, 403_205, 409_200,
  ];
  it.each(refusedCodes)('is a refusal for errorCode %i', errorCode => {
    const status = Math.floor(errorCode / 1_000);
    expect(failureKind(refusal({ status, body: { errorCode: String(errorCode) } }))).toBe(
      'refused',
    );
  });

  it.each([
    ['unavailable', new ServiceCenterUnreachableError('heartbeat', ['http://a:1'], 'ECONNREFUSED')],
    ['unavailable', new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000)],
    ['unavailable', new ServiceCenterProtocolError('heartbeat', 'http://a:1', 'a list', '<html>')],
    ['refused', new RegistryOptionsError([])],
  ])('is %s for %p', (kind, error) => {
    expect(failureKind(error)).toBe(kind);
  });

  it.each([
    [{ status: 400, body: { errorCode: '400017' } }, false],
    [{ status: 400, body: { errorCode: '400012' } }, false],
    [{ status: 400, body: { errorCode: '400001' } }, false],
    [{ status: 429 }, true],
    [{ status: 503 }, true],
    [{ status: 404, body: 'no' }, true],
  ])('makes %j worth another try: %p', (reply, retriable) => {
    expect(isRetriable(refusal(reply))).toBe(retriable);
  });

  it('makes a failure without an answer worth another try', () => {
    expect(isRetriable(new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000))).toBe(true);
  });

  it('is the same for an error of another copy of this library', () => {
    const foreign: ServiceCombError = Object.assign(
      Object.create(null),
      refusal({ status: 400, body: { errorCode: '400017' } }),
    );
    expect(failureKind(foreign)).toBe('instance-gone');
    expect(isRetriable(foreign)).toBe(false);
  });
});

describe('no such service', () => {
  it.each([
    [{ status: 400, body: { errorCode: '400012' } }, true],
    [{ status: 400, body: { errorCode: '400026' } }, true],
    [{ status: 401, body: { errorCode: '401201', detail: 'no valid resouce scope' } }, false],
    [{ status: 400, body: { errorCode: '400017' } }, false],
    [{ status: 404, body: 'no' }, false],
  ])('is what %j says: %p', (reply, expected) => {
    expect(isNoSuchService(refusal(reply))).toBe(expected);
  });

  it('is nothing that a foreign error says', () => {
    expect(isNoSuchService({ errorCode: 400_012 })).toBe(false);
  });
});

describe('what the HTTP library throws', () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'EPROTO',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('is unreachable for %s, with the cause of that, which has no request in it', code => {
    const cause = Object.assign(new Error('failed'), { code });
    const config = { headers: { Authorization: 'Bearer secret' } };
    const error = failureOf(Object.assign(new Error('failed', { cause }), { code, config }), asked);
    expect(error).toBeInstanceOf(ServiceCenterUnreachableError);
    expect(error).toMatchObject({ addresses: ['http://a:1'], reason: code, cause });
    expect(error?.message).toContain(
      `Service Center is unreachable for "heartbeat" at http://a:1: ${code}`,
    );
  });

  it.each([{ name: 'TimeoutError' }, { name: 'AxiosError', code: 'ECONNABORTED' }])(
    'is a timeout for %j',
    thrown => {
      const error = failureOf(thrown, asked);
      expect(error).toBeInstanceOf(ServiceCenterTimeoutError);
      expect(error?.message).toBe(
        'Service Center did not answer "heartbeat" at http://a:1 within 5000 ms',
      );
    },
  );

  it.each(['ERR_BAD_RESPONSE', 'HPE_INVALID_CONSTANT'])('is a foreign answer for %s', code => {
    const error = failureOf({ name: 'Error', code }, asked);
    expect(error).toBeInstanceOf(ServiceCenterProtocolError);
    expect(error).toMatchObject({ expected: 'a valid HTTP answer', received: code });
  });

  it('is read by name and code, also when it comes from another realm', () => {
    const foreign: unknown = runInNewContext(
      `Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })`,
    );
    expect(foreign).not.toBeInstanceOf(Error);
    expect(failureOf(foreign, asked)).toBeInstanceOf(ServiceCenterUnreachableError);
    const late: unknown = runInNewContext(
      `Object.assign(new Error('late'), { name: 'TimeoutError' })`,
    );
    expect(failureOf(late, asked)).toBeInstanceOf(ServiceCenterTimeoutError);
  });

  it.each([
    ['an abort', new DOMException('aborted', 'AbortError')],
    ['an abort of axios', { name: 'CanceledError', code: 'ERR_CANCELED' }],
    ['a TypeError', new TypeError('x is not a function')],
    [
      'a TypeError of Node itself',
      Object.assign(new TypeError('bad header'), { code: 'ERR_INVALID_CHAR' }),
    ],
    ['an error without a code', new Error('bug')],
    ['a text', 'bug'],
    ['null', null],
    ['undefined', undefined],
    ['a number as code', { code: 5 }],
  ])('surfaces when it is %s', (_, thrown) => {
    expect(failureOf(thrown, asked)).toBeUndefined();
  });
});

describe('the advice on a failure of TLS', () => {
  const adviceOn = (code: string, message = code) => {
    const error = failureOf(Object.assign(new Error(message), { code }), asked);
    return error instanceof ServiceCenterUnreachableError ? error.advice : undefined;
  };

  it.each([
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls.ca or caFile'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls.ca or caFile'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls.ca or caFile'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls.ca or caFile'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another host name'],
    ['CERT_HAS_EXPIRED', 'has expired'],
    ['CERT_NOT_YET_VALID', 'not valid yet'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'certificate of this client'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate of this client'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate of this client'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'of this client has expired'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'begins with http://'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no version of TLS'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'refuses the handshake'],
  ])('of %s says: %s', (code, words) => {
    expect(adviceOn(code)).toContain(words);
  });

  it.each([
    ['sslv3 alert bad certificate:SSL alert number 42', 'certificate of this client'],
    ['tlsv13 alert certificate required:SSL alert number 116', 'certificate of this client'],
    ['sslv3 alert certificate expired:SSL alert number 45', 'of this client has expired'],
    ['ssl3_get_record:wrong version number', 'begins with http://'],
    ['tlsv1 alert protocol version:SSL alert number 70', 'no version of TLS'],
    ['sslv3 alert handshake failure:SSL alert number 40', 'refuses the handshake'],
  ])('of EPROTO goes by its text: %s', (message, words) => {
    expect(adviceOn('EPROTO', `write EPROTO ${message}`)).toContain(words);
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPROTO'])('is none for %s', code => {
    expect(adviceOn(code)).toBeUndefined();
  });
});

describe('an answer that is not from the registry', () => {
  it.each([
    ['Go’s', 400, 'Client sent an HTTP request to an HTTPS server.\n', true],
    ['nginx’s', 400, '<h1>The plain HTTP request was sent to HTTPS port</h1>', true],
    ['no', 400, 'Bad Request', false],
  ])('is known for a port of TLS by %s words', (_, status, body, expected) => {
    expect(refusal({ status, body }).message.includes('must begin with https://')).toBe(expected);
  });

  it('says of a proxy that its user and password are wrong', () => {
    expect(refusal({ status: 407, body: 'no' }).message).toContain(
      'HTTP 407 is from a proxy: give the agent in serviceCenter.axios the right user and password',
    );
  });
});
