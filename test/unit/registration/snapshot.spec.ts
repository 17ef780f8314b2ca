import { describe, expect, it } from '@jest/globals';
import { leaseFacts, summaryOf } from '../../../lib/registration/snapshot.js';
import { errors, holdingOf, joiningOf } from './parts.js';

describe('the summary of an error', () => {
  it('has the number of the registry when there is one', () => {
    const { message } = errors.instanceGone;
    expect(summaryOf(errors.instanceGone)).toEqual({
      code: 'ERR_SERVICECOMB_RESPONSE',
      errorCode: 400_017,
      message,
    });
  });

  it.each([
    [errors.network, 'ERR_SERVICECOMB_UNREACHABLE'],
    [errors.throttled, 'ERR_SERVICECOMB_RESPONSE'],
  ])('has none when there is none: %p', (error, code) => {
    expect(summaryOf(error)).toEqual({ code, message: error.message });
  });
});

describe('what a snapshot says of the lease', () => {
  it('is its age and its rest, in whole milliseconds', () => {
    expect(leaseFacts(holdingOf(), 1_000.4)).toEqual({
      renewedAgoMs: 1_000,
      leaseRemainingMs: 59_000,
      failures: 0,
      lastError: null,
    });
  });

  it('is that nothing is left when it is over', () => {
    const state = holdingOf({ failures: 4, error: errors.network });
    expect(leaseFacts(state, 90_000)).toEqual({
      renewedAgoMs: 90_000,
      leaseRemainingMs: 0,
      failures: 4,
      lastError: summaryOf(errors.network),
    });
  });

  it('is nothing while there is none, but the failures', () => {
    expect(leaseFacts(joiningOf({ failures: 2, error: errors.refused }), 0)).toEqual({
      renewedAgoMs: null,
      leaseRemainingMs: null,
      failures: 2,
      lastError: {
        code: 'ERR_SERVICECOMB_RESPONSE',
        errorCode: 400_100,
        message: expect.any(String),
      },
    });
  });

  it.each(['idle', 'disabled', 'leaving', 'left'] as const)('is nothing when %s', phase => {
    expect(leaseFacts({ phase }, 0)).toEqual({
      renewedAgoMs: null,
      leaseRemainingMs: null,
      failures: 0,
      lastError: null,
    });
  });
});
