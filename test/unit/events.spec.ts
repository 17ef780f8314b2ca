import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  type ServiceCombError,
} from '../../lib/errors.js';
import { EventPublisher, type PendingEvent, RegistryEvents } from '../../lib/events.js';
import type { PendingNote } from '../../lib/notes.js';
import { LogLines } from '../support/test-app.js';

const error = new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000);
const login = (status: number, errorCode?: number) =>
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

  it('logs the first heartbeat of a registration alone: Nest shows every level by default', () => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    const payload = { registrations: 2, leaseMs: 60_000 };
    const again = { name: RegistryEvents.InstanceRegistered, payload } as const;
    for (const event of [heartbeat, heartbeat, again, heartbeat, heartbeat])
      publisher.publish(event, base);
    expect(log.lines.map(line => line.split(' ')[0])).toEqual(['verbose', 'log', 'verbose']);
  });

  it('calls the parts of the library that follow an event, and with no other event', () => {
    const publisher = new EventPublisher(new LogLines());
    const seen: string[] = [];
    publisher.follow([RegistryEvents.RegistrationBlocked], () => seen.push('one'));
    publisher.follow(
      [RegistryEvents.RegistrationBlocked, RegistryEvents.AddressRestored],
      ({ name }, { at }) => seen.push(`${name} ${at}`),
    );
    for (const event of [heartbeat, blocked]) publisher.publish(event, base);
    expect(seen).toEqual(['one', `${blocked.name} ${base.at}`]);
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

const provider = { environment: '', appId: 'default', serviceName: 'greeter' };
const listed = { instanceId: 'greeter-0', endpoints: ['rest://10.0.0.7:3000'] };

type Level = 'log' | 'warn' | 'error' | 'debug' | 'verbose';

/** Every event, and who should read its line: `error` is for what somebody has to act on. */
const levels: readonly (readonly [Level, PendingEvent])[] = [
  ['log', { name: RegistryEvents.ServiceRegistered, payload: { serviceId: 's', created: true } }],
  [
    'log',
    { name: RegistryEvents.InstanceRegistered, payload: { registrations: 1, leaseMs: 60_000 } },
  ],
  ['log', { name: RegistryEvents.InstanceReplaced, payload: { previous: { hostName: 'old' } } }],
  [
    'error',
    { name: RegistryEvents.InstanceTakenOver, payload: { error, holder: { hostName: 'other' } } },
  ],
  ['warn', { name: RegistryEvents.RecordRewritten, payload: { stored: { hostName: 'host' } } }],
  [
    'warn',
    {
      name: RegistryEvents.InstanceLost,
      payload: { reason: 'forgotten', foundBy: 'read-back', retryInMs: 1, error },
    },
  ],
  ['log', { name: RegistryEvents.InstanceUnregistered, payload: { confirmed: false } }],
  ['error', { name: RegistryEvents.InstanceUnregisterFailed, payload: { error } }],
  [
    'warn',
    { name: RegistryEvents.RegistrationFailed, payload: { error, failures: 1, retryInMs: 1 } },
  ],
  ['error', { name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs: 60_000 } }],
  ['verbose', { name: RegistryEvents.HeartbeatSucceeded, payload: { tookMs: 2.4 } }],
  [
    'warn',
    {
      name: RegistryEvents.HeartbeatFailed,
      payload: { error, failures: 1, leaseRemainingMs: 40_000, retryInMs: 1_000 },
    },
  ],
  ['log', { name: RegistryEvents.HeartbeatRecovered, payload: { missed: 3 } }],
  [
    'error',
    { name: RegistryEvents.LeaseAtRisk, payload: { leaseRemainingMs: 20_000, failures: 4 } },
  ],
  ['warn', { name: RegistryEvents.DriftRepaired, payload: { fields: ['status'] } }],
  [
    'warn',
    {
      name: RegistryEvents.AddressIsolated,
      payload: { address: 'http://a:1', error, isLast: false },
    },
  ],
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
  [
    'log',
    { name: RegistryEvents.SchemasUploaded, payload: { uploaded: ['a'], kept: ['b'], count: 3 } },
  ],
  [
    'warn',
    { name: RegistryEvents.SchemasFailed, payload: { error, failures: 1, retryInMs: 1_000 } },
  ],
  ['warn', { name: RegistryEvents.EventLoopStalled, payload: { lateMs: 20_000 } }],
  [
    'log',
    { name: RegistryEvents.StatusChanged, payload: { from: 'UP', to: 'DOWN', by: 'application' } },
  ],
  [
    'log',
    {
      name: RegistryEvents.PropertiesChanged,
      payload: { from: { zone: 'a' }, to: {}, by: 'registry' },
    },
  ],
  [
    'log',
    {
      name: RegistryEvents.DiscoveryChanged,
      payload: { provider, added: [listed], removed: [], updated: [listed] },
    },
  ],
  [
    'warn',
    {
      name: RegistryEvents.DiscoveryEmptied,
      payload: { provider, kept: [listed], keptForMs: 120_000, reason: 'empty' },
    },
  ],
  ['warn', { name: RegistryEvents.DiscoveryFailed, payload: { provider, error, failures: 1 } }],
  ['log', { name: RegistryEvents.DiscoveryRecovered, payload: { provider, failures: 2 } }],
  ['log', { name: RegistryEvents.WatchOpened, payload: { address: 'http://a:1' } }],
  [
    'warn',
    {
      name: RegistryEvents.WatchLost,
      payload: { address: 'http://a:1', error, retryInMs: 1_000 },
    },
  ],
  [
    'warn',
    {
      name: RegistryEvents.EndpointEjected,
      payload: {
        provider,
        instanceId: 'greeter-0',
        endpoint: 'rest://10.0.0.7:3000',
        error: { message: error.message },
        failures: 5,
        forMs: 5_000,
      },
    },
  ],
  [
    'log',
    {
      name: RegistryEvents.EndpointRestored,
      payload: {
        provider,
        instanceId: 'greeter-0',
        endpoint: 'rest://10.0.0.7:3000',
        afterMs: 10_000,
      },
    },
  ],
];

/** The lines that events leave in the log, one after the other. */
function linesOf(events: readonly PendingEvent[], about: object = { instance }, origin?: string) {
  const log = new LogLines();
  const publisher = new EventPublisher(log, origin);
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

  it.each(levels)('has the reason of a failure: %s %j', (_, event) => {
    const reason = 'error' in event.payload ? `: ${error.message}` : '';
    expect(linesOf([event])[0]).toContain(reason);
  });

  const failed = (failures: number, cause: ServiceCombError = error, retryInMs = 2_000) => ({
    name: RegistryEvents.RegistrationFailed,
    payload: { error: cause, failures, retryInMs },
  });
  const refused = (errorCode: number) =>
    new ServiceCenterResponseError('heartbeat', 'http://a:1', { status: 400, errorCode });
  const levelsOf = (events: readonly PendingEvent[]) =>
    linesOf(events).map(line => line.split(' ')[0]);

  it('has the first of failures in a row, and the others at debug', () => {
    const address = 'http://a:1';
    const rows = [1, 2, 3].map(failures => {
      return { address, leaseRemainingMs: 9_000, retryInMs: 1, error, failures };
    });
    for (const row of [
      rows.map(payload => ({ name: RegistryEvents.RegistrationFailed, payload })),
      rows.map(payload => ({ name: RegistryEvents.HeartbeatFailed, payload })),
      rows.map(payload => ({ name: RegistryEvents.TokenRenewalFailed, payload })),
    ])
      expect(levelsOf(row)).toEqual(['warn', 'debug', 'debug']);
  });

  it('has each failed attempt to register with the pause until the next', () => {
    expect(linesOf([failed(1), failed(2, error, 30_000)])).toEqual([
      expect.stringMatching(/^warn Could not register .* \(failure 1\); next attempt in 2000 ms,/),
      expect.stringMatching(/^debug Could not register .* \(failure 2\); next attempt in 30 s,/),
    ]);
  });

  it('has each failed heartbeat with the pause until the next, or with the end of the lease', () => {
    const payload = { error, failures: 1, leaseRemainingMs: 9_000 };
    const lineOf = (retryInMs: number) =>
      linesOf([{ name: RegistryEvents.HeartbeatFailed, payload: { ...payload, retryInMs } }])[0];
    expect(lineOf(1_000)).toMatch(/; next one in 1000 ms, 9000 ms of the lease left: /);
    expect(lineOf(9_000)).toMatch(/; its lease ends in 9000 ms, and it is registered again then: /);
  });

  it('has a failure of another reason in the same row, once: a missing service hides no other one', () => {
    const gone = refused(400_012);
    const row = [failed(1, gone), failed(2), failed(3, gone), failed(4)];
    expect(levelsOf(row)).toEqual(['warn', 'warn', 'debug', 'debug']);
  });

  it('has a failure after a refusal, and refusals once', () => {
    const payload = { error: refused(400_100), retryInMs: 60_000 };
    const refusal = { name: RegistryEvents.RegistrationBlocked, payload };
    const row = [refusal, failed(2), refusal, failed(4)];
    expect(levelsOf(row)).toEqual(['error', 'warn', 'debug', 'debug']);
  });

  it.each<PendingEvent>([
    { name: RegistryEvents.InstanceRegistered, payload: { registrations: 1, leaseMs: 60_000 } },
    {
      name: RegistryEvents.InstanceLost,
      payload: { reason: 'expired', foundBy: 'clock', retryInMs: 1, error },
    },
  ])('has the same refusal again after %j', event => {
    const payload = { error: refused(400_100), retryInMs: 60_000 };
    const refusal = { name: RegistryEvents.RegistrationBlocked, payload };
    expect(levelsOf([refusal, refusal, event, refusal]).filter(it => it === 'error')).toHaveLength(
      2,
    );
  });

  it.each([
    ['heartbeat', /forgotten .*, as a heartbeat found out; registering it again in 500 ms: /],
    ['read-back', /forgotten .*, as a read-back found out; registering it again in 500 ms: /],
  ] as const)('says that a %s found out that the instance is lost', (foundBy, expected) => {
    const payload = { reason: 'forgotten', foundBy, retryInMs: 500, error } as const;
    expect(linesOf([{ name: RegistryEvents.InstanceLost, payload }])[0]).toMatch(expected);
  });

  it('has the answer "no such instance" that could not be confirmed', () => {
    const payload = { error, failures: 1, leaseRemainingMs: 9_000, retryInMs: 1_000 };
    const unconfirmed = refused(400_017);
    const event = { name: RegistryEvents.HeartbeatFailed, payload: { ...payload, unconfirmed } };
    expect(linesOf([event])[0]).toMatch(/errorCode 400017$/);
  });

  it('says of an address that failed whether it is still asked, as the only one is', () => {
    const lineOf = (isLast: boolean) =>
      linesOf([
        { name: RegistryEvents.AddressIsolated, payload: { address: 'http://a:1', error, isLast } },
      ])[0];
    expect(lineOf(true)).toMatch(/no other address serves, so requests still go to it: /);
    expect(lineOf(false)).toMatch(/requests go to another address until it answers a probe: /);
  });

  it('says where the address comes from that does not answer a registration', () => {
    const lineOf = (cause: ServiceCombError) =>
      linesOf([failed(1, cause)], { instance }, 'SERVICE_CENTER_ADDRESS')[0];
    expect(lineOf(error)).toMatch(/and so on until it succeeds: .*SERVICE_CENTER_ADDRESS$/);
    expect(lineOf(refused(400_100))).not.toMatch(/SERVICE_CENTER_ADDRESS/);
    expect(linesOf([failed(1)])[0]).toMatch(
      /comes from serviceCenter.addresses or SERVICE_CENTER_ADDRESS$/,
    );
  });

  it('names the instance and its endpoints', () => {
    const payload = { registrations: 1, leaseMs: 60_000 };
    const event = { name: RegistryEvents.InstanceRegistered, payload };
    expect(linesOf([event])).toEqual([
      'log Registered orders 1.0.0 (orders-0) at rest://10.0.0.1:80 with a lease of 60 s',
    ]);
    expect(linesOf([event], { instance: { ...instance, endpoints: [] } })).toEqual([
      expect.stringMatching(/^warn .* at no endpoint, .*set instance.endpoints/),
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
      /this password is not sent again for 900 s, so that the account is not banned/,
    );
  });

  it('says when a registration that is blocked is tried again, if at all', () => {
    const lineOf = (retryInMs: number | null) =>
      linesOf([{ name: RegistryEvents.RegistrationBlocked, payload: { error, retryInMs } }])[0];
    expect(lineOf(60_000)).toMatch(/next attempt in 60 s/);
    const payload = { error: login(401, 401_202), retryInMs: 63_000 };
    const [barred] = linesOf([{ name: RegistryEvents.RegistrationBlocked, payload }]);
    expect(barred).toMatch(/next look for another password in 63 s/);
    const page = { error: login(403), retryInMs: 63_000 };
    const [ofGateway] = linesOf([{ name: RegistryEvents.RegistrationBlocked, payload: page }]);
    expect(ofGateway).toMatch(/next attempt in 63 s/);
    const invalid = { error: login(400, 400_001), retryInMs: 63_000 };
    const [tried] = linesOf([{ name: RegistryEvents.RegistrationBlocked, payload: invalid }]);
    expect(tried).toMatch(/next attempt in 63 s/);
    expect(lineOf(null)).toMatch(/not tried again before a restart/);
  });
});

describe('the log of discovery', () => {
  const greeter = `"default/greeter"`;
  const other = { ...listed, instanceId: 'greeter-1' };

  it('says who came, left and changed, and nothing of the others', () => {
    const payload = { provider, added: [other], removed: [listed] };
    const event = { name: RegistryEvents.DiscoveryChanged, payload: { ...payload, updated: [] } };
    expect(linesOf([event])).toEqual([
      `log Instances of ${greeter} changed: added greeter-1 at rest://10.0.0.7:3000; ` +
        'removed greeter-0 at rest://10.0.0.7:3000',
    ]);
  });

  it.each([
    ['empty', 'suddenly lists no instance'],
    ['absent', 'suddenly does not know the service'],
    ['shrunk', 'suddenly lacks most instances'],
    ['after-outage', 'lacks instances after an outage'],
  ] as const)('says why an answer is not believed: %s', (reason, words) => {
    const payload = { provider, kept: [listed, listed], keptForMs: 120_000, reason };
    expect(linesOf([{ name: RegistryEvents.DiscoveryEmptied, payload }])).toEqual([
      `warn Service Center ${words} of ${greeter}; 2 instances that it does not list may be called ` +
        'until a call fails, for 120 s at most',
    ]);
  });

  it('says that no provider could be asked for', () => {
    const payload = { error, failures: 1 };
    expect(linesOf([{ name: RegistryEvents.DiscoveryFailed, payload }])[0]).toMatch(
      /of any provider; the known ones are called meanwhile/,
    );
  });

  it('cannot be forged by the records of providers', () => {
    const forged = { instanceId: 'x\nERROR', endpoints: ['rest://x:1\nERROR'] };
    const events: PendingEvent[] = [
      {
        name: RegistryEvents.DiscoveryChanged,
        payload: { provider, added: [forged], removed: [], updated: [] },
      },
      {
        name: RegistryEvents.EndpointRestored,
        payload: { provider, instanceId: 'x\nERROR', endpoint: 'a\nERROR', afterMs: 1 },
      },
    ];
    for (const line of linesOf(events)) expect(line).not.toMatch(/\n/);
  });
});

/** Every note, and the level of its line: `debug` for a failure that repeats itself. */
const notes: readonly (readonly [Level, PendingNote])[] = [
  ['debug', { kind: 'contradicted', error, retryInMs: 1_500 }],
  ['debug', { kind: 'unchecked', error, retryInMs: 15_000 }],
  ['log', { kind: 'removing', stored: { hostName: 'old', endpoints: ['rest://old:1'] } }],
  ['debug', { kind: 'silent', address: 'http://a:1', retryInMs: 10_000 }],
  ['warn', { kind: 'unreadable', provider, endpoint: 'greeter:3000' }],
  ['warn', { kind: 'unwatchable', address: 'http://a:1', error, retryInMs: 10_000 }],
];

describe('a note', () => {
  it.each(notes)('is a line at level %s each time: %j', (level, note) => {
    const log = new LogLines();
    const publisher = new EventPublisher(log);
    for (const _ of [1, 2]) publisher.note(note, { ...base, instance });
    const [line = '', ...more] = log.lines;
    expect(more).toEqual([line]);
    expect(line.split(' ')[0]).toBe(level);
    if ('retryInMs' in note) expect(line).toMatch(/ in (1500 ms|15 s|10 s)/);
    if ('error' in note) expect(line.endsWith(`: ${error.message}`)).toBe(true);
  });
});
