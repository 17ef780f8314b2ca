import { afterEach, describe, expect, it } from '@jest/globals';
import * as api from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { NoInstanceError, type RegistrationState } from '../../../lib/index.js';
import { Registration } from '../../../lib/nest/registration.js';
import type { TracedAttempt } from '../../../lib/nest/tracing.js';
import { RegistrationSpans } from '../../../lib/tracing/registration-spans.js';
import { OpenTelemetryTracer } from '../../../lib/tracing/tracer.js';
import { CoreHarness } from '../../support/core-harness.js';
import { TraceRecorder } from '../../support/trace-recorder.js';

const recorder = new TraceRecorder();
afterEach(() => recorder.forget());

/** A tracer, and the registration whose states a test enters. */
function traced({ heartbeats = false } = {}) {
  const tracer = api.trace.getTracer('nestjs-servicecomb');
  const registration = new Registration(new CoreHarness().core, { lateMs: 0 });
  const spans = new RegistrationSpans(api, tracer, registration);
  const enter = (...states: readonly RegistrationState[]) =>
    states.forEach(state => spans.enter(state));
  const settings = { heartbeats, calls: true };
  return { enter, tracer: new OpenTelemetryTracer(api, tracer, spans, settings) };
}

function requestOf(operation: string) {
  return { operation, method: 'GET', url: 'http://127.0.0.1:30100/v4' };
}

const greet = { serviceName: 'greeter', method: 'GET', headers: { has: () => false } };

const greeter = {
  candidate: {
    instance: { instanceId: 'greeter-0' },
    endpoint: {},
  } as unknown as TracedAttempt['candidate'],
  attempt: {
    number: 1,
    signal: new AbortController().signal,
    remainingMs: 1_000,
    needsNewConnection: false,
  },
  url: 'http://127.0.0.1:3000/',
};

/** The context in which something is sent, and an answer. */
function sending(status = 200) {
  const seen = { spanId: '', isSuppressed: false };
  const send = async () => {
    seen.spanId = api.trace.getActiveSpan()?.spanContext().spanId ?? '';
    seen.isSuppressed = isTracingSuppressed(api.context.active());
    return { status };
  };
  return { seen, send };
}

const names = () => recorder.spans.map(({ name }) => name);

describe('a request to the registry', () => {
  it('belongs to the application within its span, also while a registration is under way', async () => {
    const { enter, tracer } = traced();
    enter('registering');
    const { seen, send } = sending();
    await recorder.within('request', async span => {
      await tracer.request(requestOf('setInstanceStatus'), send);
      expect(seen).toEqual({ spanId: span.spanContext().spanId, isSuppressed: false });
    });
    enter('registered');
    expect(names()).toEqual(['request', 'servicecomb register']);
  });

  it('of a registration is a span, and is sent outside of every one', async () => {
    const { enter, tracer } = traced();
    enter('registering');
    const { seen, send } = sending();
    await tracer.request(requestOf('getExistence'), send);
    enter('registered');
    expect(seen).toEqual({ spanId: '', isSuppressed: true });
    expect(names()).toEqual(['GET getExistence', 'servicecomb register']);
    expect(recorder.spans[0]).toMatchObject({ parent: 'servicecomb register' });
  });

  it.each(['findInstances', 'queryInstances', 'getHealth', 'getReadiness', 'getVersion'])(
    'that is made beside a registration is no part of it: %s',
    async operation => {
      const { enter, tracer } = traced({ heartbeats: true });
      enter('registering');
      const { seen, send } = sending();
      await tracer.request(requestOf(operation), send);
      enter('registered');
      expect(seen).toEqual({ spanId: '', isSuppressed: true });
      expect(names()).toEqual(['servicecomb register']);
    },
  );

  it('that is refused or fails is an error, and so is a phase that ends with it', async () => {
    const { enter, tracer } = traced();
    enter('registering');
    await tracer.request(requestOf('getExistence'), sending(404).send);
    enter('left');
    enter('leaving');
    const failure = Object.assign(new Error('connect to 10.0.0.7'), { code: 'ECONNREFUSED' });
    await expect(
      tracer.request(requestOf('unregisterInstance'), () => Promise.reject(failure)),
    ).rejects.toBe(failure);
    enter('left');
    expect(recorder.spans).toMatchObject([
      { attributes: { 'http.response.status_code': 404, 'error.type': '404' }, status: 'ERROR' },
      { name: 'servicecomb register', status: 'ERROR' },
      { attributes: { 'error.type': 'ECONNREFUSED' }, status: 'ERROR' },
      { name: 'servicecomb unregister', status: 'ERROR' },
    ]);
    // Only messages of this library are known to contain no secret.
    expect(recorder.spans[2]?.message).toBeUndefined();
  });
});

describe('the phases of a registration', () => {
  it('go on while it is refused, and end with the lease', () => {
    const { enter } = traced();
    enter('idle', 'registering', 'blocked', 'registering', 'registered', 'degraded', 'at-risk');
    expect(names()).toEqual(['servicecomb register']);
    enter('lost', 'blocked', 'registered', 'leaving', 'left', 'registering', 'leaving', 'left');
    expect(names()).toEqual([
      'servicecomb register',
      'servicecomb recover',
      'servicecomb unregister',
      'servicecomb register',
      'servicecomb unregister',
    ]);
    const ends = recorder.spans.map(({ attributes }) => attributes['servicecomb.state']);
    expect(ends).toEqual(['registered', 'registered', 'left', 'leaving', 'left']);
  });
});

describe('a call by name', () => {
  it('is sent in the context of its caller, in which tracing is suppressed', async () => {
    const { tracer } = traced();
    const { seen, send } = sending();
    await recorder.within('request', async span => {
      await tracer.call(greet)?.attempt(greeter, send);
      expect(seen).toEqual({ spanId: span.spanContext().spanId, isSuppressed: true });
    });
  });

  it('that was never sent begins when it was called', async () => {
    const { tracer } = traced();
    const before = Date.now();
    const call = tracer.call(greet);
    const after = Date.now();
    while (Date.now() === after) await new Promise(setImmediate);
    const provider = { environment: '', appId: 'default', serviceName: 'greeter' };
    const seen = { registered: 0, up: 0, fitting: 0 };
    call?.unsent(new NoInstanceError(provider, 'none-registered', seen));
    const [span] = recorder.spans;
    expect(span?.startMs).toBeGreaterThanOrEqual(before);
    expect(span?.startMs).toBeLessThanOrEqual(after);
    expect(span?.message).toContain('No instance of "default/greeter"');
  });

  it('that ended from outside says why, whatever its client makes of it', async () => {
    const { tracer } = traced();
    const controller = new AbortController();
    const attempt = { ...greeter.attempt, signal: controller.signal };
    const send = async () => {
      controller.abort(new DOMException('The time is up', 'TimeoutError'));
      throw Object.assign(new Error('canceled'), { code: 'ERR_CANCELED' });
    };
    const sent = tracer.call(greet)?.attempt({ ...greeter, attempt }, send);
    await expect(sent).rejects.toThrow('canceled');
    expect(recorder.spans).toMatchObject([{ attributes: { 'error.type': 'TimeoutError' } }]);
  });
});
