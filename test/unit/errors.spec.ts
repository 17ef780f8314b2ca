import { describe, expect, it } from '@jest/globals';
import {
  isServiceCombError,
  RegistryOptionsError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
  ServiceCombError,
} from '../../lib/errors.js';

const cause = new Error('connect ECONNREFUSED');
const errors = {
  RegistryOptionsError: new RegistryOptionsError([
    { path: 'heartbeat.intervalMs', message: 'must be more, got 1' },
    { path: 'microservice.serviceName', message: 'must be set' },
  ]),
  ServiceCenterUnreachableError: new ServiceCenterUnreachableError(
    'heartbeat',
    ['http://a:1', 'http://b:2'],
    'ECONNREFUSED',
    { cause },
  ),
  ServiceCenterTimeoutError: new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000),
  ServiceCenterResponseError: new ServiceCenterResponseError('heartbeat', 'http://a:1', {
    status: 400,
    errorCode: 400_017,
    errorMessage: 'Instance does not exist',
    detail: 'leaseId not exist',
    retryAfterMs: 1_000,
  }),
  ServiceCenterProtocolError: new ServiceCenterProtocolError(
    'listInstances',
    'http://a:1',
    'a list of instances',
    '<html>\n',
  ),
};

describe('an error', () => {
  it.each(Object.entries(errors))(
    'of class %s bears its name and is one of ours',
    (name, error) => {
      expect(error).toBeInstanceOf(ServiceCombError);
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe(name);
      expect(isServiceCombError(error)).toBe(true);
      expect(error.stack).toContain(`${name}: ${error.message}`);
    },
  );

  it.each([
    [
      errors.RegistryOptionsError,
      'ERR_SERVICECOMB_OPTIONS',
      'Invalid registry options: heartbeat.intervalMs must be more, got 1; microservice.serviceName must be set',
    ],
    [
      errors.ServiceCenterUnreachableError,
      'ERR_SERVICECOMB_UNREACHABLE',
      'Service Center is unreachable for "heartbeat" at http://a:1, http://b:2: ECONNREFUSED',
    ],
    [
      errors.ServiceCenterTimeoutError,
      'ERR_SERVICECOMB_TIMEOUT',
      'Service Center did not answer "heartbeat" at http://a:1 within 5000 ms',
    ],
    [
      errors.ServiceCenterResponseError,
      'ERR_SERVICECOMB_RESPONSE',
      'Service Center refused "heartbeat" at http://a:1: HTTP 400, errorCode 400017: Instance does not exist - leaseId not exist',
    ],
    [
      errors.ServiceCenterProtocolError,
      'ERR_SERVICECOMB_PROTOCOL',
      `Service Center's answer to "listInstances" at http://a:1 is not a list of instances: "<html>\\n"`,
    ],
  ])('says in one sentence what happened: %p', (error, code, message) => {
    expect(error).toMatchObject({ code, message });
  });

  it.each([
    [{ status: 502 }, 'HTTP 502'],
    [{ status: 500, errorCode: 500_003 }, 'HTTP 500, errorCode 500003'],
    [{ status: 401, detail: 'token' }, 'HTTP 401: token'],
    [{ status: 400, errorMessage: 'No', detail: '' }, 'HTTP 400: No'],
  ])('says of a refusal what there is: %j', (refusal, text) => {
    expect(new ServiceCenterResponseError('heartbeat', 'http://a:1', refusal).message).toBe(
      `Service Center refused "heartbeat" at http://a:1: ${text}`,
    );
  });

  it('keeps the cause', () => {
    expect(errors.ServiceCenterUnreachableError.cause).toBe(cause);
  });

  it('reads well in a JSON log, without stack and cause', () => {
    expect(JSON.parse(JSON.stringify(errors.ServiceCenterUnreachableError))).toEqual({
      name: 'ServiceCenterUnreachableError',
      code: 'ERR_SERVICECOMB_UNREACHABLE',
      message:
        'Service Center is unreachable for "heartbeat" at http://a:1, http://b:2: ECONNREFUSED',
      operation: 'heartbeat',
      addresses: ['http://a:1', 'http://b:2'],
      reason: 'ECONNREFUSED',
    });
    expect(JSON.parse(JSON.stringify(errors.ServiceCenterResponseError))).toEqual({
      name: 'ServiceCenterResponseError',
      code: 'ERR_SERVICECOMB_RESPONSE',
      message: errors.ServiceCenterResponseError.message,
      operation: 'heartbeat',
      address: 'http://a:1',
      status: 400,
      errorCode: 400_017,
      detail: 'leaseId not exist',
      retryAfterMs: 1_000,
    });
  });
});

describe('isServiceCombError', () => {
  it('knows an error of another copy of this library by its brand', () => {
    expect(isServiceCombError({ [Symbol.for('nestjs-servicecomb.error')]: true })).toBe(true);
  });

  it.each([
    ['an error of others', new Error('x')],
    [
      'one that looks alike',
      { code: 'ERR_SERVICECOMB_TIMEOUT', name: 'ServiceCenterTimeoutError' },
    ],
    ['null', null],
    ['undefined', undefined],
    ['a text', 'nestjs-servicecomb.error'],
  ])('is false for %s', (_, value) => {
    expect(isServiceCombError(value)).toBe(false);
  });
});
