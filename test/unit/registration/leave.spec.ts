import { describe, expect, it } from '@jest/globals';
import { type PostedRecord, removeInstance } from '../../../lib/registration/leave.js';
import { isTakenOver, type OwnRegistration } from '../../../lib/registration/ownership.js';
import type { MicroserviceInstance } from '../../../lib/protocol/wire.js';
import { AccountCredentials } from '../../../lib/credentials/account-credentials.js';
import { AddressBook } from '../../../lib/protocol/address-book.js';
import { Channel } from '../../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import { FakeClock } from '../../support/fake-clock.js';
import { CoreHarness, forgotten } from '../../support/core-harness.js';
import { clientOf, failing, type FakeAnswer, FakeSend } from '../../support/fake-send.js';
import { paceOf, recordOf, ref } from './parts.js';

const gone = { status: 400, body: { errorCode: '400017' } };
const serviceGone = { status: 400, body: { errorCode: '400012' } };
const quota = { status: 400, body: { errorCode: '400100' } };
const busy = { status: 500, body: { errorCode: '500011' } };

interface Leaving {
  readonly answers: readonly FakeAnswer[];
  readonly addresses?: readonly [string, ...string[]];
  readonly budgetMs?: number;
  readonly own?: OwnRegistration;
  /** @default true */
  readonly isConfirmed?: boolean;
}

const removed = (confirmed: boolean) => ({
  name: 'servicecomb.instance.unregistered',
  payload: { confirmed },
});
const kept = (error: object) => ({
  name: 'servicecomb.instance.unregister-failed',
  payload: { error },
});

function recordRead(own: OwnRegistration | undefined) {
  return { own, isTakenOver: (stored: MicroserviceInstance) => isTakenOver(stored, own) };
}

/** Removes an instance while a clock is moved on: the event, how long it took, and the requests. */
async function leave({
  answers,
  addresses = ['http://a:1'],
  budgetMs = 3_000,
  isConfirmed = true,
  own,
}: Leaving) {
  const clock = new FakeClock();
  const http = new FakeSend(...answers);
  const began = clock.now();
  const sentAfterMs: number[] = [];
  const hanging = new FakeSend(async request => {
    sentAfterMs.push(clock.now() - began);
    const reply = await http.send(request);
    if (reply.body !== 'hang') return reply;
    await clock.delay(request.timeoutMs);
    return failing('', 'TimeoutError')();
  });
  const client = clientOf(hanging.send, { addresses });
  const context = {
    client,
    clock,
    pace: paceOf(),
    deadline: began + budgetMs,
    record: recordRead(own),
  };
  const event = await clock.until(removeInstance({ ref, isConfirmed }, context));
  return { event, tookMs: clock.now() - began, requests: http.requests, sentAfterMs };
}

const hang = { body: 'hang' };
const posted: PostedRecord = { ref, isConfirmed: true };

describe('a removal', () => {
  it('is one DELETE of the instance when the registry takes it', async () => {
    const { event, requests, tookMs } = await leave({ answers: [{}] });
    expect(event).toEqual(removed(true));
    expect(tookMs).toBe(0);
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'DELETE http://a:1/v4/default/registry/microservices/s/instances/i',
    ]);
  });

  it.each([
    ['the instance', gone],
    ['the service', serviceGone],
  ])('is done when the registry does not know %s', async (_, answer) => {
    const { event, requests } = await leave({ answers: [answer] });
    expect(event).toEqual(removed(true));
    expect(requests).toHaveLength(1);
  });

  it('is tried three times', async () => {
    const { event, requests } = await leave({ answers: [busy, failing('ECONNRESET'), {}] });
    expect(event).toEqual(removed(true));
    expect(requests).toHaveLength(3);
  });

  it('is given up after the third failure', async () => {
    const { event, requests, tookMs } = await leave({ answers: [busy] });
    expect(event).toMatchObject(kept({ errorCode: 500_011 }));
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
      const { event, tookMs, requests } = await leave({ answers: [hang], budgetMs, addresses });
      expect(event).toMatchObject(kept({ code: 'ERR_SERVICECOMB_TIMEOUT' }));
      expect(tookMs).toBeLessThanOrEqual(budgetMs);
      expect(Math.max(...requests.map(({ timeoutMs }) => timeoutMs))).toBeLessThanOrEqual(1_500);
      expect(requests.length).toBeLessThanOrEqual(3 * addresses.length);
    },
  );

  it('is tried once when the budget is spent', async () => {
    const { event, requests } = await leave({ answers: [{}], budgetMs: -5 });
    expect(event).toEqual(removed(true));
    expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([1]);
  });

  it('lets a bug surface', async () => {
    const clock = new FakeClock();
    const http = new FakeSend(() => {
      throw new TypeError('bug');
    });
    const context = { client: clientOf(http.send), clock, pace: paceOf(), deadline: 9_000 };
    await expect(removeInstance(posted, context)).rejects.toThrow('bug');
  });
});

describe('a removal whose token is refused', () => {
  const refused = { status: 401, body: { errorCode: '401201' } };

  it('is sent again half-way through the budget and at its end, when another login is possible', async () => {
    const { event, sentAfterMs } = await leave({ answers: [refused, refused, {}] });
    expect(event).toEqual(removed(true));
    expect(sentAfterMs).toEqual([0, 1_500, 2_700]);
  });
});

describe('the removal of what may still land', () => {
  it('is sent again when the registry does not know it yet', async () => {
    const { event, requests } = await leave({ answers: [gone, {}], isConfirmed: false });
    expect(event).toEqual(removed(true));
    expect(requests).toHaveLength(2);
  });

  it('is unconfirmed when the registry never knew it', async () => {
    const { event, requests } = await leave({ answers: [gone], isConfirmed: false });
    expect(event).toEqual(removed(false));
    expect(requests).toHaveLength(3);
  });

  it('is tried last just before the budget ends, when most has landed', async () => {
    const { tookMs } = await leave({ answers: [gone], isConfirmed: false });
    expect(tookMs).toBe(2_700);
  });

  it('is tried half-way through the budget, when a POST has had some time to land', async () => {
    const { requests, sentAfterMs } = await leave({
      answers: [gone, gone, {}],
      isConfirmed: false,
    });
    expect(requests).toHaveLength(3);
    expect(sentAfterMs).toEqual([0, 1_500, 2_700]);
  });

  it('is sent once when the registry removed it', async () => {
    const { event, requests } = await leave({ answers: [{}], isConfirmed: false });
    expect(event).toEqual(removed(true));
    expect(requests).toHaveLength(1);
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
      isBarred: never,
      clock: { now: () => clock.now(), random: () => 0.5 },
      delay: (ms, signal) => clock.delay(ms, signal),
    });
    const settings = {
      project: 'p',
      domain: undefined,
      timeoutMs: 60_000,
      clock,
      maxAnswerBytes: 1_048_576,
    };
    const channel = new Channel(never, new AddressBook(['http://a:1']), settings, credentials);
    const client = new ServiceCenterClient(channel);
    const context = { client, clock, pace: paceOf(), deadline: began + 3_000 };
    const event = await clock.until(removeInstance(posted, context));
    expect(event).toMatchObject(kept({ code: 'ERR_SERVICECOMB_TIMEOUT' }));
    expect(clock.now() - began).toBeLessThanOrEqual(3_100);
    expect(clock.sleepers).toBe(0);
  });
});

describe('leave()', () => {
  it('removes an instance whose registration was refused only when one may be there', async () => {
    const harness = new CoreHarness({ post: quota });
    void harness.core.register().catch(() => undefined);
    await harness.run(10);
    await harness.core.leave();
    expect(harness.count('remove')).toBe(0);
    expect(harness.names()).not.toContain('instance.unregistered');
  });

  it('removes it, unconfirmed, when a registration was never answered', async () => {
    const harness = new CoreHarness({ post: failing('ECONNRESET'), remove: forgotten });
    void harness.core.register().catch(() => undefined);
    await harness.run(10);
    const left = harness.core.leave();
    await harness.clock.advance(3_000);
    await left;
    expect(harness.count('remove')).toBe(3);
    expect(harness.events.at(-1)).toMatchObject({
      name: 'servicecomb.instance.unregistered',
      payload: { confirmed: false },
    });
  });
});

describe('an instance that was registered before', () => {
  it('is removed although its lease was lost and its new registration was refused', async () => {
    const harness = new CoreHarness();
    await harness.register();
    // Its heartbeats fail until the lease ends by our clock: the registry may still list it.
    harness.answers = { heartbeat: failing('ECONNREFUSED'), post: quota };
    await harness.run(90_000);
    expect(harness.core.state).toBe('blocked');
    harness.answers = {};
    await harness.clock.until(harness.core.leave());
    expect(harness.count('remove')).toBe(1);
    expect(harness.names()).toContain('instance.unregistered');
  });
});

describe('an instance that leaves', () => {
  it('can come back even when leaving failed by a bug', async () => {
    const harness = new CoreHarness({
      remove: () => {
        throw new TypeError('a bug');
      },
    });
    await harness.register();
    await expect(harness.core.leave()).rejects.toThrow('a bug');
    expect(harness.core.state).toBe('left');
    expect(await harness.register()).toBe('registered');
  });
});

describe('a removal after a registration that was read', () => {
  const asked = recordOf().instance;
  const own = { asked, stored: { ...asked, timestamp: '100' } };
  const read = (timestamp: string, change = {}) => ({
    body: { instance: { ...asked, ...change, timestamp } },
  });
  const elsewhere = { endpoints: ['rest://b:1'] };

  it.each([
    ['is sent when the record is ours', [read('100'), {}], ['GET', 'DELETE']],
    ['is not sent when it is a successor’s', [read('101', elsewhere)], ['GET']],
    ['is sent when the record is not there', [gone, gone], ['GET', 'DELETE']],
    [
      'is sent when the record is not shown',
      [{ status: 403, body: { errorCode: '403205' } }, {}],
      ['GET', 'DELETE'],
    ],
    [
      'is tried again when the record could not be read',
      [busy, read('100'), {}],
      ['GET', 'GET', 'DELETE'],
    ],
  ] satisfies [string, FakeAnswer[], string[]][])('%s', async (_, answers, methods) => {
    const { event, requests } = await leave({ answers, own });
    expect(event).toEqual(removed(true));
    expect(requests.map(({ method }) => method)).toEqual(methods);
  });
});

describe('a removal before which the registry does not show the record', () => {
  const asked = recordOf().instance;
  const own = { asked, stored: { ...asked, timestamp: '100' } };

  it.each([1_000, 3_000, 10_000])('is sent within its %d ms all the same', async budgetMs => {
    const answers = [({ method }: { readonly method: string }) => (method === 'GET' ? hang : {})];
    const { event, requests, tookMs } = await leave({ answers, own, budgetMs });
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'DELETE']);
    expect(event).toEqual(removed(true));
    expect(tookMs).toBeLessThanOrEqual(budgetMs);
  });
});

describe('an instance whose lease was lost', () => {
  it('is removed by leave() also when its registration was refused since', async () => {
    const harness = new CoreHarness();
    await harness.register();
    harness.answers = { heartbeat: forgotten, read: forgotten, post: quota };
    await harness.run(20_000);
    expect(harness.core.state).toBe('blocked');
    await harness.clock.until(harness.core.leave());
    expect(harness.count('remove')).toBe(1);
  });
});
