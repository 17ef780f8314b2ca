import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Watcher, type WatcherParts } from '../../../lib/discovery/watcher.js';
import {
  CredentialsError,
  type ServiceCombError,
  ServiceCenterUnreachableError,
} from '../../../lib/errors.js';
import type { SocketEnd, WatchRequest } from '../../../lib/protocol/open-socket.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeSockets } from '../../support/fake-sockets.js';
import { fc } from '../../support/fast-check.js';

const frame = (serviceName: string) =>
  JSON.stringify({ action: 'UPDATE', key: { appId: 'app', serviceName, version: '1.0.0' } });
const refused: SocketEnd = {
  kind: 'failed',
  error: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
};
const closed: SocketEnd = { kind: 'closed', code: 1006 };

/** A watcher, the port it opens sockets with, and what it told. */
class Harness {
  readonly clock = new FakeClock();
  readonly sockets = new FakeSockets();
  readonly told: (readonly [name: string, ...details: unknown[]])[] = [];
  /** Whom a request was made for, and beside which address. */
  readonly asked: (readonly [consumerId: string, beside: string | undefined])[] = [];
  readonly waits: number[] = [];
  readonly credentials: string[] = [];
  /** Whether credentials that were refused can be renewed. */
  renews = false;
  random = () => 1;
  address = 'http://a:1';
  makeRequest: (consumerId: string) => Promise<WatchRequest> = async () => this.request();
  dueCalls = 0;
  readonly watcher: Watcher;

  constructor() {
    const request: WatcherParts['request'] = (consumerId, { beside }) => {
      this.asked.push([consumerId, beside]);
      return this.makeRequest(consumerId);
    };
    const tell =
      (name: string) =>
      (address: string | undefined, error: ServiceCombError, retryInMs: number) => {
        this.told.push([name, address, error.code]);
        this.waits.push(retryInMs);
      };
    this.watcher = new Watcher(
      this.sockets.open,
      { clock: this.clock, random: () => this.random(), request },
      {
        hint: provider =>
          this.told.push(['hint', provider === 'all' ? 'all' : provider.serviceName]),
        opened: address => this.told.push(['opened', address]),
        lost: tell('lost'),
        failed: tell('failed'),
        silentRegistry: address => this.told.push(['silent', address]),
        unavailable: error => this.told.push(['unavailable', error]),
        due: () => {
          this.dueCalls += 1;
        },
      },
    );
  }

  request(): WatchRequest {
    return {
      address: this.address,
      url: `${this.address}/watcher`,
      headers: {},
      maxMessageBytes: 9,
      accepted: () => this.credentials.push('accepted'),
      refused: () => {
        this.credentials.push('refused');
        return this.renews;
      },
    };
  }

  /** Makes what is due happen, and resolves when the socket is being opened. */
  async tick(): Promise<number> {
    const dueAt = this.watcher.tick();
    await setImmediate();
    return dueAt;
  }

  /** Moves on to when something is due, and makes it happen. */
  async next(): Promise<void> {
    const dueAt = this.watcher.tick();
    await this.clock.advance(Math.max(0, dueAt - this.clock.now()));
    await this.tick();
  }

  async after(ms: number): Promise<number> {
    await this.clock.advance(ms);
    return this.tick();
  }

  async opened(): Promise<this> {
    this.watcher.want('me');
    await this.tick();
    this.sockets.last.open();
    this.told.length = 0;
    this.watcher.tick();
    return this;
  }
}

describe('a watcher that has nothing to watch', () => {
  it('opens nothing, and nothing is due', async () => {
    const { watcher, sockets } = new Harness();
    expect(watcher.tick()).toBe(Number.POSITIVE_INFINITY);
    expect(watcher.isOpen).toBe(false);
    expect(sockets.all).toEqual([]);
  });
});

describe('a watcher that connects', () => {
  it('opens one socket with the request for the consumer, and tells when it is open', async () => {
    const test = new Harness();
    test.watcher.want('me');
    expect(await test.tick()).toBe(test.clock.now() + 5_000);
    await test.tick();
    expect(test.asked).toEqual([['me', undefined]]);
    expect(test.sockets.all).toHaveLength(1);
    expect(test.sockets.last.handshake.url).toBe('http://a:1/watcher');
    expect(test.watcher.isOpen).toBe(false);
    test.sockets.last.open();
    expect(test.watcher.isOpen).toBe(true);
    expect(test.told).toEqual([['opened', 'http://a:1']]);
    expect(test.credentials).toEqual(['accepted']);
    expect(test.dueCalls).toBe(1);
  });

  it('gives up after five seconds, credentials included', async () => {
    const test = new Harness();
    test.watcher.want('me');
    await test.tick();
    await test.after(4_999);
    expect(test.sockets.live).toHaveLength(1);
    await test.after(1);
    expect(test.sockets.last.done).toEqual(['terminate']);
    expect(test.told).toEqual([['failed', 'http://a:1', 'ERR_SERVICECOMB_TIMEOUT']]);
    test.sockets.last.open();
    expect(test.watcher.isOpen).toBe(false);
  });

  it('opens nothing with credentials that come too late, or when nothing is wanted any more', async () => {
    const test = new Harness();
    let come: (request: WatchRequest) => void = () => undefined;
    test.makeRequest = () => new Promise(resolve => (come = resolve));
    test.watcher.want('me');
    await test.tick();
    await test.after(5_000);
    expect(test.told).toEqual([['failed', undefined, 'ERR_SERVICECOMB_TIMEOUT']]);
    come(test.request());
    await test.next();
    test.watcher.want(undefined);
    come(test.request());
    await test.tick();
    expect(test.sockets.all).toEqual([]);
  });

  it('fails once, although the credentials fail after it has given up', async () => {
    const test = new Harness();
    let fail: (error: Error) => void = () => undefined;
    test.makeRequest = () => new Promise((_, reject) => (fail = reject));
    test.watcher.want('me');
    await test.tick();
    await test.after(5_000);
    fail(new CredentialsError('token', 'none'));
    await test.tick();
    expect(test.told).toHaveLength(1);
  });

  it('waits when there are no credentials', async () => {
    const test = new Harness();
    test.makeRequest = () => Promise.reject(new CredentialsError('token', 'none'));
    test.watcher.want('me');
    await test.tick();
    expect(test.told).toEqual([['failed', undefined, 'ERR_SERVICECOMB_CREDENTIALS']]);
    expect(await test.tick()).toBe(test.clock.now() + 1_000);
  });

  it('throws a bug at the next tick', async () => {
    const test = new Harness();
    test.makeRequest = () => Promise.reject(new TypeError('a bug'));
    test.watcher.want('me');
    await test.tick();
    expect(() => test.watcher.tick()).toThrow('a bug');
  });

  it('throws what is no failure of a socket at the next tick', async () => {
    const test = new Harness();
    test.watcher.want('me');
    await test.tick();
    test.sockets.last.end({ kind: 'failed', error: new TypeError('a bug') });
    await setImmediate();
    expect(() => test.watcher.tick()).toThrow('a bug');
  });

  it('tries no more when there is no WebSocket client, and tells it once', async () => {
    const test = new Harness();
    test.watcher.want('me');
    await test.tick();
    const error = new Error('no ws');
    test.sockets.last.end({ kind: 'unavailable', error });
    test.watcher.want(undefined);
    test.watcher.want('me');
    expect(await test.tick()).toBe(Number.POSITIVE_INFINITY);
    expect(test.told).toEqual([['unavailable', error]]);
    expect(test.sockets.all).toHaveLength(1);
  });
});

describe('a watcher whose handshake is answered 200 or 401', () => {
  it.each([200, 401])('renews the credentials once, and asks again at once: %i', async status => {
    const test = new Harness();
    test.renews = true;
    test.watcher.want('me');
    await test.tick();
    test.sockets.last.end({ kind: 'refused', status });
    await test.tick();
    expect(test.sockets.all).toHaveLength(2);
    expect(test.told).toEqual([]);
    test.sockets.last.end({ kind: 'refused', status });
    await test.tick();
    expect(test.told).toEqual([['failed', 'http://a:1', 'ERR_SERVICECOMB_PROTOCOL']]);
    // A service that is missing is answered like a bad token: no login follows for that.
    await test.next();
    test.sockets.last.end({ kind: 'refused', status });
    expect(test.credentials).toEqual(['refused']);
  });

  it('renews them again once a connection was open', async () => {
    const test = await new Harness().opened();
    test.renews = true;
    test.sockets.last.end(closed);
    for (const _ of [1, 2]) {
      await test.next();
      test.sockets.last.end({ kind: 'refused', status: 200 });
      await test.tick();
      test.sockets.last.open();
      test.sockets.last.end(closed);
    }
    expect(test.credentials.filter(each => each === 'refused')).toHaveLength(2);
  });

  it('fails where there are no credentials', async () => {
    const test = new Harness();
    test.watcher.want('me');
    await test.tick();
    test.sockets.last.end({ kind: 'refused', status: 200 });
    await test.tick();
    expect(test.told).toEqual([['failed', 'http://a:1', 'ERR_SERVICECOMB_PROTOCOL']]);
    expect(test.sockets.all).toHaveLength(1);
  });

  it('fails at once for any other status', async () => {
    const test = new Harness();
    test.renews = true;
    test.watcher.want('me');
    await test.tick();
    test.sockets.last.end({ kind: 'refused', status: 404 });
    expect(test.credentials).toEqual([]);
    expect(test.told).toEqual([['failed', 'http://a:1', 'ERR_SERVICECOMB_PROTOCOL']]);
  });
});

describe('a watcher that is open', () => {
  it('takes frames for hints', async () => {
    const test = await new Harness().opened();
    test.sockets.last.receive(frame('orders'));
    test.sockets.last.receive('{"action":"EXPIRE"}');
    test.sockets.last.receive('<html>');
    expect(test.told).toEqual([
      ['hint', 'orders'],
      ['hint', 'all'],
      ['hint', 'all'],
    ]);
    expect(test.sockets.live).toHaveLength(1);
  });

  it('pings 30 s after its last ping, whatever it hears', async () => {
    const test = await new Harness().opened();
    const openedAt = test.clock.now();
    await test.after(29_999);
    test.sockets.last.hear();
    expect(test.sockets.last.done).toEqual([]);
    expect(await test.after(1)).toBe(openedAt + 60_000);
    expect(test.sockets.last.done).toEqual(['ping']);
    await test.after(30_000);
    expect(test.sockets.last.done).toEqual(['ping', 'ping']);
  });

  it.each([
    ['a ping or pong', (test: Harness) => test.sockets.last.hear()],
    ['a frame', (test: Harness) => test.sockets.last.receive(frame('orders'))],
  ])('counts 90 s of silence from %s', async (_, hear) => {
    const test = await new Harness().opened();
    await test.after(20_000);
    hear(test);
    test.told.length = 0;
    for (const ms of [10_000, 30_000, 30_000, 19_999]) await test.after(ms);
    expect(test.watcher.isOpen).toBe(true);
    await test.after(1);
    expect(test.told).toEqual([['lost', 'http://a:1', 'ERR_SERVICECOMB_TIMEOUT']]);
    expect(test.sockets.last.done.at(-1)).toBe('terminate');
  });

  it('asks first when the process has stood still: an answer may be waiting', async () => {
    const test = await new Harness().opened();
    const dueAt = await test.after(200_000);
    expect(test.watcher.isOpen).toBe(true);
    expect(test.sockets.last.done).toEqual(['ping']);
    expect(dueAt).toBe(test.clock.now() + 5_000);
    test.sockets.last.hear();
    await test.after(5_000);
    expect(test.watcher.isOpen).toBe(true);
  });

  it('is lost when nothing comes within 5 s of being asked for a sign', async () => {
    const test = await new Harness().opened();
    test.watcher.probe();
    expect(test.sockets.last.done).toEqual(['ping']);
    await test.after(4_999);
    expect(test.watcher.isOpen).toBe(true);
    await test.after(1);
    expect(test.told).toEqual([['lost', 'http://a:1', 'ERR_SERVICECOMB_TIMEOUT']]);
  });

  it('is lost when it is closed, and opened again', async () => {
    const test = await new Harness().opened();
    test.sockets.last.end(closed);
    expect(test.watcher.isOpen).toBe(false);
    expect(test.told).toEqual([['lost', 'http://a:1', 'ERR_SERVICECOMB_UNREACHABLE']]);
    await test.next();
    test.sockets.last.open();
    expect(test.watcher.isOpen).toBe(true);
    expect(test.sockets.all).toHaveLength(2);
  });

  it('is lost when its address is isolated, and no other', async () => {
    const test = await new Harness().opened();
    const error = new ServiceCenterUnreachableError('heartbeat', ['http://a:1'], 'ECONNRESET');
    test.watcher.isolated('http://b:2', error);
    expect(test.watcher.isOpen).toBe(true);
    test.watcher.isolated('http://a:1', error);
    expect(test.sockets.last.done).toEqual(['terminate']);
    expect(test.told).toEqual([['lost', 'http://a:1', 'ERR_SERVICECOMB_UNREACHABLE']]);
  });

  it('is closed for another consumer, and opened for that one', async () => {
    const test = await new Harness().opened();
    const [first] = test.sockets.all;
    test.watcher.want('me');
    expect(first?.done).toEqual([]);
    test.watcher.want('other');
    expect(first?.done).toEqual(['close']);
    await test.tick();
    expect(test.asked.at(-1)).toEqual(['other', undefined]);
    expect(test.sockets.live).toHaveLength(1);
    test.watcher.want(undefined);
    expect(test.sockets.live).toEqual([]);
    expect(await test.tick()).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes nothing from a connection before it', async () => {
    const test = await new Harness().opened();
    const [old] = test.sockets.all;
    test.watcher.want('other');
    await test.tick();
    old?.open();
    expect(test.watcher.isOpen).toBe(false);
    test.sockets.last.open();
    test.told.length = 0;
    old?.receive(frame('orders'));
    old?.end(closed);
    expect(test.watcher.isOpen).toBe(true);
    expect(test.told).toEqual([]);
  });

  it('is closed when it is stopped, and never opened again', async () => {
    const test = await new Harness().opened();
    test.watcher.stop();
    test.watcher.stop();
    expect(test.sockets.last.done).toEqual(['close']);
    test.watcher.want('me');
    expect(await test.tick()).toBe(Number.POSITIVE_INFINITY);
    expect(test.sockets.all).toHaveLength(1);
    expect(test.told).toEqual([]);
  });
});

describe('a watcher whose consumer the registry does not know', () => {
  const gone = async () => {
    const test = await new Harness().opened();
    test.sockets.last.receive('service does not exist');
    return test;
  };

  it('lets everything be asked for, and waits up to ten minutes', async () => {
    const test = await gone();
    expect(test.told).toEqual([
      ['lost', 'http://a:1', 'ERR_SERVICECOMB_RESPONSE'],
      ['hint', 'all'],
    ]);
    expect(test.waits).toEqual([600_000]);
  });

  it('starts anew for a consumer that is registered again, also under its old id', async () => {
    const test = await gone();
    test.watcher.want(undefined);
    test.watcher.want('me');
    await test.tick();
    expect(test.sockets.live).toHaveLength(1);
  });
});

describe('a watcher that fails', () => {
  it('waits up to twice as long after each failure, at most 30 s, once it was open', async () => {
    const test = await new Harness().opened();
    test.sockets.last.end(closed);
    for (let failures = 1; failures < 8; failures += 1) {
      await test.next();
      test.sockets.last.end(refused);
    }
    expect(test.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('waits anything from nothing to that', async () => {
    const test = await new Harness().opened();
    test.random = () => 0.25;
    test.sockets.last.end(closed);
    expect(test.waits).toEqual([250]);
  });

  it('begins again with a second only after a connection that has lasted', async () => {
    const test = await new Harness().opened();
    test.sockets.last.end(closed);
    await test.next();
    test.sockets.last.open();
    test.sockets.last.end(closed);
    await test.next();
    test.sockets.last.open();
    await test.after(30_000);
    test.sockets.last.end(closed);
    expect(test.waits).toEqual([1_000, 2_000, 1_000]);
  });

  it('begins again with a second, and with new credentials, for another consumer', async () => {
    const test = new Harness();
    test.renews = true;
    for (const consumerId of ['me', 'other']) {
      test.watcher.want(consumerId);
      await test.tick();
      for (const _ of [1, 2]) {
        test.sockets.last.end({ kind: 'refused', status: 200 });
        await test.tick();
      }
    }
    expect(test.waits).toEqual([1_000, 1_000]);
    expect(test.credentials).toEqual(['refused', 'refused']);
  });

  it('asks for another address than the last that failed', async () => {
    const test = await new Harness().opened();
    test.sockets.last.end(closed);
    test.address = 'http://b:2';
    await test.next();
    test.sockets.last.end(refused);
    await test.next();
    test.sockets.last.open();
    test.sockets.last.end(closed);
    await test.next();
    expect(test.asked.map(([, beside]) => beside)).toEqual([
      undefined,
      'http://a:1',
      'http://b:2',
      'http://b:2',
    ]);
  });

  it('says once that this registry does not push, after three failures without a success ever', async () => {
    const test = new Harness();
    test.watcher.want('me');
    await test.tick();
    for (let failures = 1; failures < 6; failures += 1) {
      test.sockets.last.end({ kind: 'refused', status: 404 });
      await test.next();
    }
    expect(test.waits).toEqual([1_000, 2_000, 600_000, 600_000, 600_000]);
    expect(test.told.filter(([name]) => name === 'silent')).toEqual([['silent', 'http://a:1']]);
  });
});

describe('whatever happens', () => {
  const action = fc.oneof(
    fc
      .constantFrom('me', 'other', undefined)
      .map(consumerId => ({ do: 'want' as const, consumerId })),
    fc.nat(100_000).map(ms => ({ do: 'wait' as const, ms })),
    fc
      .constantFrom('tick', 'open', 'hear', 'frame', 'gone', 'probe', 'isolated')
      .map(name => ({ do: name })),
    fc
      .constantFrom(refused, closed, { kind: 'refused' as const, status: 200 })
      .map(end => ({ do: 'end' as const, end })),
  );

  async function perform(test: Harness, step: { readonly do: string; readonly ms?: number }) {
    const socket = test.sockets.live[0];
    if ('consumerId' in step) test.watcher.want(step.consumerId as string | undefined);
    else if ('end' in step) socket?.end(step.end as SocketEnd);
    else if (step.ms !== undefined) await test.clock.advance(step.ms);
    else if (step.do === 'open') socket?.open();
    else if (step.do === 'hear') socket?.hear();
    else if (step.do === 'frame') socket?.receive(frame('orders'));
    else if (step.do === 'gone') socket?.receive('service does not exist');
    else if (step.do === 'probe') test.watcher.probe();
    else if (step.do === 'isolated')
      test.watcher.isolated('http://a:1', new ServiceCenterUnreachableError('x', [], 'x'));
    else await test.tick();
    await setImmediate();
  }

  it('there is one socket at most, none after it is stopped, and waits stay within bounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.boolean(),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (steps, renews, numbers) => {
          const test = new Harness();
          test.renews = renews;
          test.random = () => numbers.next().value ?? 0;
          let wanted: string | undefined;
          for (const step of steps) {
            if ('consumerId' in step) wanted = step.consumerId;
            await perform(test, step);
            expect(test.sockets.live.length).toBeLessThanOrEqual(wanted === undefined ? 0 : 1);
            const dueInMs = test.watcher.tick() - test.clock.now();
            await setImmediate();
            if (wanted === undefined) expect(dueInMs).toBe(Number.POSITIVE_INFINITY);
            else expect(dueInMs).toBeLessThanOrEqual(test.watcher.isOpen ? 30_000 : 600_000);
          }
          const hasOpened = test.told.some(([name]) => name === 'opened');
          for (const waitMs of test.waits) {
            expect(waitMs).toBeGreaterThanOrEqual(0);
            expect(waitMs).toBeLessThanOrEqual(600_000);
          }
          if (!hasOpened) expect(test.waits.slice(0, 2).every(ms => ms <= 2_000)).toBe(true);
          test.watcher.stop();
          const opened = test.sockets.all.length;
          for (const step of steps) await perform(test, step);
          expect(test.watcher.tick()).toBe(Number.POSITIVE_INFINITY);
          expect(test.sockets.live).toEqual([]);
          expect(test.sockets.all).toHaveLength(opened);
        },
      ),
      { numRuns: 200 },
    );
  });
});
