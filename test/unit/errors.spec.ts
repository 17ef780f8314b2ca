import { describe, expect, it } from '@jest/globals';
import {
  callFailureOf,
  isServiceCombError,
  NoInstanceError,
  type NoInstanceReason,
  RegistryOptionsError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
  ServiceCombError,
} from '../../lib/errors.js';

const cause = new Error('connect ECONNREFUSED');
const provider = { environment: '', appId: 'default', serviceName: 'greeter' };
const errors = {
  NoInstanceError: new NoInstanceError(provider, 'none-up', { registered: 3, up: 0, fitting: 0 }),
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
    [
      errors.NoInstanceError,
      'ERR_SERVICECOMB_NO_INSTANCE',
      'No instance of "default/greeter" can be called: 3 are registered, none is UP',
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

describe('NoInstanceError', () => {
  const messageOf = (reason: NoInstanceReason, registered: number, up: number) =>
    new NoInstanceError(provider, reason, { registered, up, fitting: 0 }).message;

  it.each([
    ['unknown-provider', 0, 0, 'the registry does not know this service'],
    ['none-registered', 0, 0, 'none is registered'],
    ['none-up', 1, 0, '1 is registered, none is UP'],
    ['none-of-version', 3, 2, '3 are registered, 2 are UP, none has a version that fits'],
    ['none-of-scheme', 1, 1, '1 is registered, 1 is UP, none has an endpoint with a scheme'],
    ['none-in-zone', 2, 1, '2 are registered, 1 is UP, none is in the zone of this instance'],
  ] as const)('says what is lacking: %s', (reason, registered, up, words) => {
    expect(messageOf(reason, registered, up)).toContain(`can be called: ${words}`);
  });

  it('ends with the advice, and takes no line break from a name', () => {
    const seen = { registered: 0, up: 0, fitting: 0 };
    const name = { ...provider, serviceName: 'a\nb' };
    const error = new NoInstanceError(name, 'unknown-provider', seen, 'Call another');
    expect(error.message).toMatch(/"default\/a\\nb" can be called: [^.]+\. Call another$/);
    expect(error).toMatchObject({ provider: name, reason: 'unknown-provider', seen });
  });
});

describe('callFailureOf', () => {
  it.each([
    [
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED', config: { auth: 'secret' } }),
      { code: 'ECONNREFUSED', message: 'refused' },
    ],
    [
      Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      { code: 'ECONNREFUSED', message: 'ECONNREFUSED' },
    ],
    ['a text', { message: 'no reason given' }],
    [{ code: 1, message: 2 }, { message: 'no reason given' }],
  ])('has code and message of %p, and nothing else', (thrown, failure) => {
    expect(callFailureOf(thrown)).toEqual(failure);
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
