import { describe, expect, it } from '@jest/globals';
import { ServiceCenterTimeoutError } from '../../../lib/errors.js';
import type { RegistryFact } from '../../../lib/events/events.js';
import { logLineOf } from '../../../lib/nest/log-line.js';

const error = new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000);
const instance = {
  serviceId: 's',
  instanceId: 'orders-0',
  serviceName: 'orders',
  version: '1.0.0',
  endpoints: ['rest://10.0.0.1:80'],
};

const lines: readonly (readonly [RegistryFact, string | undefined])[] = [
  [
    { name: 'servicecomb.service.registered', payload: { serviceId: 's', created: true } },
    'log Created the service of orders 1.0.0 (orders-0)',
  ],
  [
    { name: 'servicecomb.service.registered', payload: { serviceId: 's', created: false } },
    'log Found the service of orders 1.0.0 (orders-0)',
  ],
  [
    { name: 'servicecomb.instance.registered', payload: { registrations: 1, leaseMs: 60_000 } },
    'log Registered orders 1.0.0 (orders-0) at rest://10.0.0.1:80',
  ],
  [
    {
      name: 'servicecomb.instance.replaced',
      payload: { previous: { hostName: 'old', endpoints: ['rest://old:1'] } },
    },
    'log Replaced a stale record at rest://old:1',
  ],
  [
    { name: 'servicecomb.instance.replaced', payload: { previous: { hostName: 'old' } } },
    'log Replaced a stale record at no endpoint',
  ],
  [
    { name: 'servicecomb.instance.lost', payload: { reason: 'forgotten', error } },
    `warn Lost the lease of orders 1.0.0 (orders-0), forgotten: ${error.message}`,
  ],
  [
    { name: 'servicecomb.instance.lost', payload: { reason: 'expired', error: undefined } },
    'warn Lost the lease of orders 1.0.0 (orders-0), expired',
  ],
  [
    { name: 'servicecomb.instance.unregistered', payload: { confirmed: true } },
    'log Removed orders 1.0.0 (orders-0)',
  ],
  [
    { name: 'servicecomb.instance.unregistered', payload: { confirmed: false } },
    'log Removed orders 1.0.0 (orders-0), unconfirmed',
  ],
  [
    { name: 'servicecomb.instance.unregister-failed', payload: { error } },
    `error orders 1.0.0 (orders-0) stays listed until its lease ends: ${error.message}`,
  ],
  [
    { name: 'servicecomb.registration.failed', payload: { error, failures: 1 } },
    `warn Could not register orders 1.0.0 (orders-0): ${error.message}`,
  ],
  [{ name: 'servicecomb.registration.failed', payload: { error, failures: 2 } }, undefined],
  [
    { name: 'servicecomb.registration.blocked', payload: { error, retryInMs: 60_000 } },
    `error Cannot register orders 1.0.0 (orders-0), trying again in 60000 ms: ${error.message}`,
  ],
  [
    { name: 'servicecomb.registration.blocked', payload: { error, retryInMs: null } },
    `error Cannot register orders 1.0.0 (orders-0), for good: ${error.message}`,
  ],
  [
    { name: 'servicecomb.heartbeat.succeeded', payload: { tookMs: 2.4 } },
    'debug Heartbeat of orders 1.0.0 (orders-0) answered in 2 ms',
  ],
  [
    {
      name: 'servicecomb.heartbeat.failed',
      payload: { error, failures: 1, leaseRemainingMs: 40_000 },
    },
    `warn A heartbeat of orders 1.0.0 (orders-0) failed, 40000 ms of the lease left: ${error.message}`,
  ],
  [
    {
      name: 'servicecomb.heartbeat.failed',
      payload: { error, failures: 2, leaseRemainingMs: 39_000 },
    },
    undefined,
  ],
  [
    { name: 'servicecomb.heartbeat.recovered', payload: { missed: 3 } },
    'log Heartbeats of orders 1.0.0 (orders-0) are answered again, 3 failed',
  ],
  [
    { name: 'servicecomb.lease.at-risk', payload: { leaseRemainingMs: 20_000, failures: 4 } },
    'error The lease of orders 1.0.0 (orders-0) ends in 20000 ms unless a heartbeat gets through',
  ],
  [
    { name: 'servicecomb.drift.repaired', payload: { fields: ['status', 'properties'] } },
    'warn Repaired the record of orders 1.0.0 (orders-0): status, properties',
  ],
  [
    { name: 'servicecomb.address.isolated', payload: { address: 'http://a:1', error } },
    `warn Leaving Service Center at http://a:1 alone: ${error.message}`,
  ],
  [
    { name: 'servicecomb.address.restored', payload: { address: 'http://a:1' } },
    'log Service Center at http://a:1 serves again',
  ],
  [
    {
      name: 'servicecomb.token.renewed',
      payload: { address: 'http://a:1', expiresAt: '2026-11-22T19:00:00.000Z' },
    },
    'log Has a token of http://a:1 until 2026-11-22T19:00:00.000Z',
  ],
  [
    {
      name: 'servicecomb.token.refused',
      payload: { address: 'http://a:1', error, retryInMs: 900_000 },
    },
    `error The login was refused, no other one for 900 s: ${error.message}`,
  ],
  [
    {
      name: 'servicecomb.token.renewal-failed',
      payload: { address: 'http://a:1', error, failures: 1 },
    },
    `warn Could not renew the token of http://a:1, which serves until it ends: ${error.message}`,
  ],
  [
    {
      name: 'servicecomb.token.renewal-failed',
      payload: { address: 'http://a:1', error, failures: 2 },
    },
    undefined,
  ],
  [
    { name: 'servicecomb.event-loop.stalled', payload: { lateMs: 20_000 } },
    'warn The process stood still for 20000 ms',
  ],
  [
    { name: 'servicecomb.status.changed', payload: { from: 'UP', to: 'DOWN' } },
    'log Status of orders 1.0.0 (orders-0) is DOWN, was UP',
  ],
];

describe('the log', () => {
  it.each(lines)('says of %j: %s', (fact, line) => {
    expect(logLineOf(fact, instance)?.join(' ')).toBe(line);
  });

  it('speaks of this instance while the service has no id', () => {
    const fact = {
      name: 'servicecomb.registration.failed',
      payload: { error, failures: 1 },
    } as const;
    expect(logLineOf(fact)?.[1]).toMatch(/^Could not register this instance: /);
  });

  it('says so when an instance has no endpoint', () => {
    const payload = { registrations: 1, leaseMs: 60_000 };
    const fact = { name: 'servicecomb.instance.registered', payload } as const;
    expect(logLineOf(fact, { ...instance, endpoints: [] })?.[1]).toMatch(/ at no endpoint$/);
  });
});
