import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ServiceCenterResponseError, ServiceCenterTimeoutError } from '../../lib/errors.js';
import { EventPublisher, type PendingEvent, RegistryEvents } from '../../lib/events.js';
import { LogLines } from '../support/test-app.js';

const error = new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000);
const login = (status: number, errorCode: number) =>
  new ServiceCenterResponseError('login', 'http://a:1', { status, errorCode });
const base = { at: '2026-01-01T00:00:00.000Z' };
const heartbeat = { name: 'servicecomb.heartbeat.succeeded', payload: { tookMs: 1 } } as const;
const blocked = {
  name: 'servicecomb.registration.blocked',
  payload: { error, retryInMs: 60_000 },
} as const;

describe('EventPublisher', () => {
  it('logs without an emitter', () => {
    const log = new LogLines();
    new EventPublisher(log).publish(heartbeat, base);
    expect(log.lines).toHaveLength(1);
  });

  it('logs a refusal once, however often it is repeated', () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    for (let attempt = 0; attempt < 3; attempt += 1) publisher.publish(blocked, base);
    expect(log.matching(/^error Cannot register/)).toHaveLength(1);
  });

  it('logs a listener that throws again once it has behaved in between, whatever it throws', async () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    let throws = true;
    emitter.on(heartbeat.name, () => {
      if (throws) throw 'a text';
    });
    for (const now of [true, true, false, true]) {
      throws = now;
      publisher.publish(heartbeat, base);
      await setImmediate();
    }
    expect(log.matching(/threw: 'a text'/)).toHaveLength(2);
  });

  it('logs a listener that rejects, which nobody else would wait for', async () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    const rejecting = (): unknown => Promise.reject(new Error('later'));
    emitter.on(heartbeat.name, rejecting);
    publisher.publish(heartbeat, base);
    await setImmediate();
    expect(log.matching(/threw: Error: later/)).toHaveLength(1);
  });

  it('has called the listeners when it returns', () => {
    const publisher = new EventPublisher(new LogLines());
    const emitter = new EventEmitter2();
    publisher.connect(emitter);
    const seen: unknown[] = [];
    emitter.on(heartbeat.name, event => seen.push(event));
    publisher.publish(heartbeat, base);
    expect(seen).toEqual([{ name: heartbeat.name, ...base, tookMs: 1 }]);
  });
});

const instance = {
  serviceId: 's',
  instanceId: 'orders-0',
  serviceName: 'orders',
  version: '1.0.0',
  endpoints: ['rest://10.0.0.1:80'],
};

type Level = 'log' | 'warn' | 'error' | 'debug';

/** Every event, and who should read its line: `error` is for what somebody has to act on. */
const levels: readonly (readonly [Level, PendingEvent])[] = [
  ['log', { name: RegistryEvents.ServiceRegistered, payload: { serviceId: 's', created: true } }],
  [
    'log',
    { name: RegistryEvents.InstanceRegistered, payload: { registrations: 1, leaseMs: 60_000 } },
  ],
  ['log', { name: RegistryEvents.InstanceReplaced, payload: { previous: { hostName: 'old' } } }],
  ['warn', { name: RegistryEvents.InstanceLost, payload: { reason: 'forgotten', error } }],
  ['log', { name: RegistryEvents.InstanceUnregistered, payload: { confirmed: false } }],
  ['error', { name: RegistryEvents.InstanceUnregisterFailed, payload: { error } }],
  ['warn', { name: RegistryEvents.RegistrationFailed, payload: { error, failures: 1 } }],
  ['error', { name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs: 60_000 } }],
  ['debug', { name: RegistryEvents.HeartbeatSucceeded, payload: { tookMs: 2.4 } }],
  [
    'warn',
    {
      name: RegistryEvents.HeartbeatFailed,
      payload: { error, failures: 1, leaseRemainingMs: 40_000 },
    },
  ],
  ['log', { name: RegistryEvents.HeartbeatRecovered, payload: { missed: 3 } }],
  [
    'error',
    { name: RegistryEvents.LeaseAtRisk, payload: { leaseRemainingMs: 20_000, failures: 4 } },
  ],
  ['warn', { name: RegistryEvents.DriftRepaired, payload: { fields: ['status'] } }],
  ['warn', { name: RegistryEvents.AddressIsolated, payload: { address: 'http://a:1', error } }],
  ['log', { name: RegistryEvents.AddressRestored, payload: { address: 'http://a:1' } }],
  [
    'log',
    {
      name: RegistryEvents.TokenRenewed,
      payload: { address: 'http://a:1', expiresAt: '2026-11-22T19:00:00.000Z' },
    },
  ],
  [
    'error',
    {
      name: RegistryEvents.TokenRefused,
      payload: { address: 'http://a:1', error, retryInMs: 900_000 },
    },
  ],
  [
    'warn',
    {
      name: RegistryEvents.TokenRenewalFailed,
      payload: { address: 'http://a:1', error, failures: 1 },
    },
  ],
  ['warn', { name: RegistryEvents.EventLoopStalled, payload: { lateMs: 20_000 } }],
  ['log', { name: RegistryEvents.StatusChanged, payload: { from: 'UP', to: 'DOWN' } }],
];

/** The lines that events leave in the log, one after the other. */
function linesOf(events: readonly PendingEvent[], about: object = { instance }) {
  const log = new LogLines();
  const publisher = new EventPublisher(log);
  for (const event of events) publisher.publish(event, { ...base, ...about });
  return log.lines;
}

describe('the log', () => {
  it('is tested for every event', () => {
    const tested = levels.map(([, { name }]) => name);
    expect(tested.toSorted()).toEqual(Object.values(RegistryEvents).toSorted());
  });

  it.each(levels)('has one line, at level %s, for %j', (level, event) => {
    const [line = '', ...more] = linesOf([event]);
    expect(more).toEqual([]);
    expect(line.split(' ')[0]).toBe(level);
    expect(line).not.toMatch(/undefined|null|NaN|\n/);
  });

  it.each(levels)('has the reason of a failure at the end of the line: %s %j', (_, event) => {
    const reason = 'error' in event.payload ? `: ${error.message}` : '';
    expect(linesOf([event])[0]?.endsWith(reason)).toBe(true);
  });

  it('has the first of failures in a row, and not the others', () => {
    const rest = { address: 'http://a:1', leaseRemainingMs: 1, error };
    for (const name of [
      RegistryEvents.RegistrationFailed,
      RegistryEvents.HeartbeatFailed,
      RegistryEvents.TokenRenewalFailed,
    ])
      expect(
        linesOf([1, 2, 3].map(failures => ({ name, payload: { ...rest, failures } }))),
      ).toHaveLength(1);
  });

  it('names the instance and its endpoints', () => {
    const payload = { registrations: 1, leaseMs: 60_000 };
    const event = { name: RegistryEvents.InstanceRegistered, payload };
    expect(linesOf([event])).toEqual([
      'log Registered orders 1.0.0 (orders-0) at rest://10.0.0.1:80 with a lease of 60 s',
    ]);
    expect(linesOf([event], { instance: { ...instance, endpoints: [] } })).toEqual([
      expect.stringContaining(' at no endpoint '),
    ]);
    expect(linesOf([event], {})).toEqual([expect.stringContaining('Registered this instance ')]);
  });

  it('cannot be forged by a record that something else has stored', () => {
    const previous = { hostName: 'old', endpoints: ['rest://old:1\nERROR a line of its own'] };
    const [line] = linesOf([{ name: RegistryEvents.InstanceReplaced, payload: { previous } }]);
    expect(line).toMatch(/rest:\/\/old:1 ERROR/);
  });

  it('says that a refused login is not repeated at once, and why', () => {
    const payload = { address: 'http://a:1', error, retryInMs: 900_000 };
    expect(linesOf([{ name: RegistryEvents.TokenRefused, payload }])[0]).toMatch(
      /not tried again for 900 s, so as not to be banned; another one is tried as soon/,
    );
  });

  it('says when a registration that is blocked is tried again, if at all', () => {
    const lineOf = (retryInMs: number | null) =>
      linesOf([{ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs } }])[0];
    expect(lineOf(60_000)).toMatch(/next attempt in 60 s/);
    const payload = { error: login(401, 401_202), retryInMs: 63_000 };
    const [barred] = linesOf([{ name: RegistryEvents.RegistrationBlocked, payload }]);
    expect(barred).toMatch(/next look for another password in 63 s/);
    const invalid = { error: login(400, 400_001), retryInMs: 63_000 };
    const [tried] = linesOf([{ name: RegistryEvents.RegistrationBlocked, payload: invalid }]);
    expect(tried).toMatch(/next attempt in 63 s/);
    expect(lineOf(null)).toMatch(/not tried again before a restart/);
  });
});
