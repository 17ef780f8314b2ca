import {
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../../../lib/errors.js';
import type { PendingEvent } from '../../../lib/events.js';
import type { RegistryRecord } from '../../../lib/registration/record.js';
import type { Context } from '../../../lib/registration/outcome.js';
import { Pace, type PaceSettings } from '../../../lib/registration/pace.js';
import {
  type InnerState,
  type Lease,
  nextRequest,
  noRepairs,
  type Registered,
  type Registering,
  registering,
} from '../../../lib/registration/state.js';

/** Draws that are as low and as high as they can be, and one in the middle. */
export const draws = [0, 0.5, 1 - Number.EPSILON] as const;

/** A pace at the default settings, whose every draw is the given one. */
export function paceOf({
  intervalMs = 15_000,
  jitter = 0.1,
  neverEarly = false,
  retry = { initialMs: 1_000, maxMs: 30_000, factor: 2 },
  random = () => 0.5,
  verifyEvery = 10,
}: Partial<PaceSettings['heartbeat'] & PaceSettings['registration']> & {
  readonly random?: () => number;
} = {}): Pace {
  const heartbeat = { intervalMs, jitter, neverEarly, verifyEvery };
  return new Pace({ heartbeat, registration: { retry } }, random);
}

/** An error of each kind that decides something. */
export const errors = {
  network: new ServiceCenterUnreachableError('heartbeat', ['http://a:1'], 'ECONNREFUSED'),
  timeout: new ServiceCenterTimeoutError('heartbeat', 'http://a:1', 5_000),
  protocol: new ServiceCenterProtocolError('heartbeat', 'http://a:1', 'an answer', '<html>'),
  busy: refusal(500, 500_003),
  throttled: refusal(429, undefined, 45_000),
  instanceGone: refusal(400, 400_017),
  serviceGone: refusal(400, 400_012),
  refused: refusal(400, 400_100),
  gateway: refusal(403),
};

function refusal(status: number, errorCode?: number, retryAfterMs?: number) {
  return new ServiceCenterResponseError('heartbeat', 'http://a:1', {
    status,
    errorCode,
    retryAfterMs,
  });
}

export const ref = { serviceId: 's', instanceId: 'i' };

/** A lease of a minute that began at 0. */
export const lease: Lease = { ref, renewedAt: 0, lengthMs: 60_000 };

/** A registration that holds a lease of a minute since 0 and beats next at 15 s. */
export function registeredOf(change: Partial<Registered> = {}): Registered {
  return {
    kind: 'registered',
    lease,
    heartbeatAt: 15_000,
    readBackAt: Infinity,
    doubtEndsAt: -Infinity,
    heartbeatsUntilReadBack: 10,
    repairs: noRepairs,
    failures: 0,
    error: undefined,
    isRiskEmitted: false,
    wasContradicted: false,
    ...change,
  };
}

/** A registration that is due at 0 and posts next. */
export function registeringOf(change: Partial<Registering> = {}): Registering {
  return { ...registering(0, 's'), ...change };
}

/** What a transition is decided with, at the moment 0 and the default pace. */
export function contextOf(change: Partial<Context> = {}): Context {
  return { now: 0, pace: paceOf(), registrations: 0, isDraining: false, ...change };
}

/** The names of events, without what they all begin with. */
export function namesOf(events: readonly PendingEvent[]): readonly string[] {
  return events.map(({ name }) => name.slice('servicecomb.'.length));
}

/** A listing of one instance with one endpoint. */
export function recordOf(change: Partial<RegistryRecord['instance']> = {}): RegistryRecord {
  return {
    microservice: { serviceName: 'orders', version: '1.2.3' },
    tags: {},
    instance: {
      instanceId: 'i',
      hostName: 'host',
      endpoints: ['rest://10.0.0.7:3000'],
      status: 'UP',
      properties: { zone: 'a' },
      healthCheck: { mode: 'push', interval: 15, times: 3 },
      ...change,
    },
  };
}

/** When the next request of a state is due; undefined when it makes none. */
export function dueAt(state: InnerState): number | undefined {
  return nextRequest(state)?.dueAt;
}
