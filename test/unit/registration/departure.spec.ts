import { describe, expect, it } from '@jest/globals';
import {
  depart,
  type DepartureContext,
  departureFact,
} from '../../../lib/registration/departure.js';
import { AccountCredentials } from '../../../lib/credentials/account-credentials.js';
import { AddressBook } from '../../../lib/protocol/address-book.js';
import { Channel } from '../../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import { FakeClock } from '../../support/fake-clock.js';
import { clientOf, failing, type FakeAnswer, FakeSend } from '../../support/fake-send.js';
import { errors, ref } from './parts.js';

const gone = { status: 400, body: { errorCode: '400017' } };
const serviceGone = { status: 400, body: { errorCode: '400012' } };
const busy = { status: 500, body: { errorCode: '500011' } };

interface Leaving {
  readonly answers: readonly FakeAnswer[];
  readonly addresses?: readonly [string, ...string[]];
  readonly budgetMs?: number;
  readonly mayStillLand?: boolean;
}

/** Departs under a clock that is moved on, and tells how it ended, how long it took, and what was sent. */
async function leave({
  answers,
  addresses = ['http://a:1'],
  budgetMs = 3_000,
  mayStillLand = false,
}: Leaving) {
  const clock = new FakeClock();
  const http = new FakeSend(...answers);
  const began = clock.now();
  const hanging = new FakeSend(async request => {
    const reply = await http.send(request);
    if (reply.body !== 'hang') return reply;
    await clock.delay(request.timeoutMs);
    return failing('', 'TimeoutError')();
  });
  const context: DepartureContext = {
    client: clientOf(hanging.send, { addresses }),
    clock,
    deadline: began + budgetMs,
    mayStillLand,
  };
  const departure = await clock.until(depart(ref, context));
  return { departure, tookMs: clock.now() - began, requests: http.requests };
}

const hang = { body: 'hang' };

describe('a removal', () => {
  it('is one DELETE of the instance when the registry takes it', async () => {
    const { departure, requests, tookMs } = await leave({ answers: [{}] });
    expect(departure).toEqual({ kind: 'removed', confirmed: true });
    expect(tookMs).toBe(0);
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'DELETE http://a:1/v4/default/registry/microservices/s/instances/i',
    ]);
  });

  it.each([
    ['the instance', gone],
    ['the service', serviceGone],
  ])('is done when the registry does not know %s', async (_, answer) => {
    const { departure, requests } = await leave({ answers: [answer] });
    expect(departure).toEqual({ kind: 'removed', confirmed: true });
    expect(requests).toHaveLength(1);
  });

  it('is tried three times', async () => {
    const { departure, requests } = await leave({ answers: [busy, failing('ECONNRESET'), {}] });
    expect(departure).toEqual({ kind: 'removed', confirmed: true });
    expect(requests).toHaveLength(3);
  });

  it('is given up after the third failure', async () => {
    const { departure, requests, tookMs } = await leave({ answers: [busy] });
    expect(departure).toMatchObject({ kind: 'kept', error: { errorCode: 500_011 } });
    expect(requests).toHaveLength(3);
    expect(tookMs).toBeLessThan(1_000);
  });

  it.each([
    [3_000, ['http://a:1']],
    [3_000, ['http://a:1', 'http://b:2']],
    [1_000, ['http://a:1', 'http://b:2']],
    [100, ['http://a:1', 'http://b:2']],
    [60_000, ['http://a:1', 'http://b:2']],
  ] satisfies [number, [string, ...string[]]][])(
    'ends within its %i ms when nobody answers at %j',
    async (budgetMs, addresses) => {
      const { departure, tookMs, requests } = await leave({ answers: [hang], budgetMs, addresses });
      expect(departure).toMatchObject({
        kind: 'kept',
        error: { code: 'ERR_SERVICECOMB_TIMEOUT' },
      });
      expect(tookMs).toBeLessThanOrEqual(budgetMs);
      expect(Math.max(...requests.map(({ timeoutMs }) => timeoutMs))).toBeLessThanOrEqual(1_500);
      expect(requests.length).toBeLessThanOrEqual(3 * addresses.length);
    },
  );

  it('is tried once when the budget is spent', async () => {
    const { departure, requests } = await leave({ answers: [{}], budgetMs: -5 });
    expect(departure.kind).toBe('removed');
    expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([1]);
  });

  it('lets a bug surface', async () => {
    const clock = new FakeClock();
    const http = new FakeSend(() => {
      throw new TypeError('bug');
    });
    const context = { client: clientOf(http.send), clock, deadline: 9_000, mayStillLand: false };
    await expect(depart(ref, context)).rejects.toThrow('bug');
  });
});

describe('the removal of what may still land', () => {
  it('is sent again when the registry does not know it yet', async () => {
    const { departure, requests } = await leave({ answers: [gone, {}], mayStillLand: true });
    expect(departure).toEqual({ kind: 'removed', confirmed: true });
    expect(requests).toHaveLength(2);
  });

  it('is unconfirmed when the registry never knew it', async () => {
    const { departure, requests } = await leave({ answers: [gone], mayStillLand: true });
    expect(departure).toEqual({ kind: 'removed', confirmed: false });
    expect(requests).toHaveLength(3);
  });

  it('is tried last just before the budget ends, when most has landed', async () => {
    const { tookMs } = await leave({ answers: [gone], mayStillLand: true });
    expect(tookMs).toBe(2_700);
  });

  it('is sent once when the registry removed it', async () => {
    const { departure, requests } = await leave({ answers: [{}], mayStillLand: true });
    expect(departure).toEqual({ kind: 'removed', confirmed: true });
    expect(requests).toHaveLength(1);
  });
});

describe('the fact that is told of a departure', () => {
  it.each([true, false])('says whether it is confirmed: %p', confirmed => {
    expect(departureFact({ kind: 'removed', confirmed })).toEqual({
      name: 'servicecomb.instance.unregistered',
      payload: { confirmed },
    });
  });

  it('says why the instance was kept', () => {
    expect(departureFact({ kind: 'kept', error: errors.busy })).toEqual({
      name: 'servicecomb.instance.unregister-failed',
      payload: { error: errors.busy },
    });
  });
});

describe('a removal that has to log in first', () => {
  it('ends with its budget when the login hangs', async () => {
    const clock = new FakeClock();
    const began = clock.now();
    const never = () => new Promise<never>(() => undefined);
    const credentials = new AccountCredentials({
      username: 'root',
      password: async () => 'a password of this test',
      login: never,
      clock: { now: () => clock.now(), random: () => 0.5 },
    });
    const settings = {
      project: 'p',
      domain: undefined,
      timeoutMs: 60_000,
      userAgent: 'test',
      maxAnswerBytes: 1_048_576,
    };
    const caller = new Channel(never, new AddressBook(['http://a:1']), settings, credentials);
    const client = new ServiceCenterClient(caller);
    const context = { client, clock, deadline: began + 3_000, mayStillLand: false };
    const departure = await clock.until(depart(ref, context));
    expect(departure).toMatchObject({ kind: 'kept', error: { code: 'ERR_SERVICECOMB_TIMEOUT' } });
    expect(clock.now() - began).toBeLessThanOrEqual(3_100);
    expect(clock.sleepers).toBe(0);
  });
});
