import { describe, expect, it } from '@jest/globals';
import { ServiceCenterResponseError, ServiceCenterTimeoutError } from '../../../lib/errors.js';
import { RegistryEvents } from '../../../lib/events.js';
import { healthOf } from '../../../lib/registration/state.js';
import { AccountCredentials } from '../../../lib/credentials/account-credentials.js';
import type { GrantedToken } from '../../../lib/credentials/login.js';
import { CoreHarness } from '../../support/core-harness.js';

const minute = 60_000;
const hour = 60 * minute;
const address = 'http://credentials:1';
const wrong = new ServiceCenterResponseError('login', address, {
  status: 401,
  errorCode: 401_202,
  errorMessage: 'User name or password is wrong',
});

/** A registration with an account, and the registry's answer to its logins. */
class Guarded {
  logins = 0;
  answer: () => Promise<GrantedToken> = async () => ({
    text: `t${this.logins}`,
    lifeMs: 4 * hour,
  });
  readonly harness: CoreHarness;

  constructor(username: string) {
    this.harness = new CoreHarness(
      {},
      {
        addresses: [address],
        credentials: clock =>
          new AccountCredentials({
            username,
            password: async () => 'secret',
            login: () => {
              this.logins += 1;
              return this.answer();
            },
            isBarred: async () => false,
            clock: { now: () => clock.now(), random: () => 0.5 },
            delay: (ms, signal) => clock.delay(ms, signal),
          }),
      },
    );
  }

  told(name: string): readonly unknown[] {
    return this.harness.events.filter(fact => fact.name === name).map(({ payload }) => payload);
  }
}

describe('a registration whose token cannot be renewed', () => {
  it('keeps its heartbeats, tells it each quarter of an hour, and is degraded until it can', async () => {
    const guarded = new Guarded('renewal');
    const { harness } = guarded;
    const { answer } = guarded;
    await harness.register();
    await harness.run(3.3 * hour);
    expect(healthOf(harness.core.snapshot())).toBe('up');
    guarded.answer = () => Promise.reject(wrong);
    await harness.run(25 * minute);
    const snapshot = harness.core.snapshot();
    expect(healthOf(snapshot)).toBe('degraded');
    expect(snapshot).toMatchObject({
      state: 'degraded',
      failures: 0,
      registrations: 1,
      lastError: {
        code: 'ERR_SERVICECOMB_RESPONSE',
        errorCode: 401_202,
        message:
          'Service Center refused "login" at http://credentials:1: HTTP 401, errorCode 401202: User name or password is wrong',
      },
    });
    const retryInMs = 15 * minute;
    expect(guarded.told(RegistryEvents.TokenRefused)).toEqual(
      Array.from({ length: 2 }, () => ({ address, error: wrong, retryInMs })),
    );
    expect(guarded.logins).toBe(1 + 2);
    guarded.answer = answer;
    await harness.run(16 * minute);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', lastError: null });
    expect(guarded.told(RegistryEvents.TokenRenewed)).toHaveLength(2);
    expect(harness.names()).not.toContain('heartbeat.failed');
  });

  it('is degraded, and says why, while nothing answers its logins', async () => {
    const guarded = new Guarded('unanswered');
    const { harness } = guarded;
    const { answer } = guarded;
    await harness.register();
    const error = new ServiceCenterTimeoutError('login', address, 5_000);
    guarded.answer = () => Promise.reject(error);
    await harness.run(3.5 * hour);
    expect(healthOf(harness.core.snapshot())).toBe('degraded');
    expect(harness.core.snapshot()).toMatchObject({
      failures: 0,
      lastError: { code: 'ERR_SERVICECOMB_TIMEOUT' },
    });
    const told = guarded.told(RegistryEvents.TokenRenewalFailed);
    expect(told[0]).toEqual({ address, error, failures: 1 });
    expect(told).toHaveLength(guarded.logins - 1);
    guarded.answer = answer;
    await harness.run(minute);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', lastError: null });
    expect(harness.names()).not.toContain('heartbeat.failed');
  });

  it('loses its lease with the token, is blocked then, and comes back with the next login', async () => {
    const guarded = new Guarded('ended');
    const { harness } = guarded;
    const { answer } = guarded;
    await harness.register();
    guarded.answer = () => Promise.reject(wrong);
    await harness.run(4 * hour + 5 * minute);
    const snapshot = harness.core.snapshot();
    expect(healthOf(snapshot)).toBe('down');
    expect(snapshot).toMatchObject({ state: 'blocked', lastError: { errorCode: 401_202 } });
    expect(guarded.told(RegistryEvents.InstanceLost)).toEqual([
      { reason: 'expired', foundBy: 'clock', error: wrong, retryInMs: 3_750 },
    ]);
    expect(guarded.told(RegistryEvents.RegistrationBlocked)).toContainEqual({
      error: wrong,
      retryInMs: expect.any(Number),
    });
    guarded.answer = answer;
    await harness.run(17 * minute);
    expect(harness.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });
});

describe('a registration whose token is refused', () => {
  const expired = { status: 401, body: { errorCode: '401205', errorMessage: 'Token is expired' } };

  it('keeps its lease although the first logins hang as long as they may', async () => {
    const guarded = new Guarded('hanging');
    const { harness } = guarded;
    const { answer } = guarded;
    await harness.register();
    await harness.run(30_000);
    harness.answers = {
      heartbeat: ({ headers }) => (headers['Authorization'] === 'Bearer t1' ? expired : {}),
    };
    guarded.answer = async () => {
      if (guarded.logins > 3) return answer();
      await harness.clock.delay(10_000);
      throw new ServiceCenterTimeoutError('login', address, 10_000);
    };
    await harness.run(60_000);
    expect(harness.core.snapshot()).toMatchObject({
      state: 'registered',
      registrations: 1,
      lastError: null,
    });
    expect(guarded.logins).toBe(4);
    const hung = { error: { code: 'ERR_SERVICECOMB_TIMEOUT', operation: 'login' } };
    expect(guarded.told(RegistryEvents.HeartbeatFailed)).toMatchObject([hung, hung, hung, hung]);
    expect(harness.names()).not.toContain('instance.lost');
    expect(harness.names()).not.toContain('token.refused');
  });
});
