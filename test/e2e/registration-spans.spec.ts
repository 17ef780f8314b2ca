import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { RegistryTracingModule, type RegistryTracingOptions } from '../../lib/tracing/index.js';
import { concurrently } from '../support/concurrently.js';
import { type Cleanup, optionsFor, startApp, startRegistry } from '../support/test-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';

/** Of all applications of this file: each test looks for the spans of its own. */
const recorder = new TraceRecorder();

/** Starts an application on a registry, which may have faults; with what finds its spans. */
async function startTraced(
  cleanup: Cleanup,
  options: RegistryTracingOptions = {},
  prepare: (registry: EmbeddedServiceCenter) => void = () => undefined,
) {
  const registry = await startRegistry(cleanup);
  prepare(registry);
  const imports = [RegistryTracingModule.forRoot(options)];
  const app = await startApp(cleanup, optionsFor(registry.url), { imports });
  const { instanceId } = app.registration.snapshot();
  const port = Number(new URL(registry.url).port);
  /** The span of a phase, and the requests in it. */
  const traceOf = (name: string) => {
    const root = recorder.spans.find(
      span => span.name === name && span.attributes['servicecomb.instance.id'] === instanceId,
    );
    const children = recorder.spans.filter(({ parentId }) => parentId === root?.spanId);
    const operations = children.map(span => span.attributes['servicecomb.operation']);
    return { root, children, operations };
  };
  /** The spans of requests to the registry. */
  const requests = () =>
    recorder.spans.filter(({ attributes }) => attributes['server.port'] === port);
  return { ...app, registry, port, traceOf, requests };
}

describe('the spans of a registration', () => {
  concurrently(
    'hold the requests that lead to the lease, in a trace of their own',
    async cleanup => {
      await recorder.within('start', async () => {
        const { registration, registry, port, traceOf } = await startTraced(cleanup);
        const { serviceId, instanceId } = registration.snapshot();
        const { root, children, operations } = traceOf('servicecomb register');
        expect(root).toMatchObject({
          kind: 'INTERNAL',
          parent: undefined,
          status: 'UNSET',
          attributes: {
            'servicecomb.registrations': 0,
            'servicecomb.state': 'registered',
            'servicecomb.service.id': serviceId,
            'servicecomb.instance.id': instanceId,
          },
        });
        expect(root?.links).toHaveLength(1);
        expect(operations).toEqual(expect.arrayContaining(['getExistence', 'registerInstance']));
        expect(children.find(({ name }) => name === 'POST registerInstance')).toMatchObject({
          kind: 'CLIENT',
          attributes: {
            'http.request.method': 'POST',
            'http.response.status_code': 200,
            'server.address': '127.0.0.1',
            'server.port': port,
            'url.full': expect.stringContaining(`${registry.url}/v4/default/registry/`),
            'service.peer.name': 'SERVICECENTER',
          },
        });
      });
    },
  );

  concurrently('show each attempt that failed', async cleanup => {
    const { traceOf } = await startTraced(cleanup, {}, registry =>
      registry.faults.answer(500, 'away', { operation: 'registerInstance', times: 2 }),
    );
    const posts = traceOf('servicecomb register').children.filter(
      ({ name }) => name === 'POST registerInstance',
    );
    expect(posts.map(({ status }) => status)).toEqual(['ERROR', 'ERROR', 'UNSET']);
    expect(posts[0]?.attributes).toMatchObject({ 'error.type': '500' });
  });

  concurrently('show a loss and its recovery, and the removal', async cleanup => {
    const { app, events, registry, traceOf } = await startTraced(cleanup);
    for (const { serviceId, instanceId } of registry.instances())
      registry.answer({
        method: 'DELETE',
        target: `/v4/default/registry/microservices/${serviceId}/instances/${instanceId}`,
        headers: {},
        body: Buffer.alloc(0),
      });
    await events.nth('servicecomb.instance.registered', 2);
    const recovery = traceOf('servicecomb recover');
    expect(recovery.root).toMatchObject({
      parent: undefined,
      status: 'UNSET',
      attributes: {
        'servicecomb.registrations': 1,
        'error.type': 'ERR_SERVICECOMB_RESPONSE',
        'servicecomb.state': 'registered',
      },
    });
    expect(recovery.operations).toContain('registerInstance');
    await app.close();
    const removal = traceOf('servicecomb unregister');
    expect(removal.root).toMatchObject({
      parent: undefined,
      status: 'UNSET',
      attributes: { 'servicecomb.state': 'left' },
    });
    expect(removal.operations).toContain('unregisterInstance');
  });

  concurrently('say that the removal failed', async cleanup => {
    const { app, registry, traceOf } = await startTraced(cleanup);
    registry.faults.answer(500, 'away', { operation: 'unregisterInstance' });
    await app.close();
    expect(traceOf('servicecomb unregister').root).toMatchObject({ status: 'ERROR' });
  });

  concurrently('hold no heartbeat unless heartbeats are wanted', async cleanup => {
    const { events, requests } = await startTraced(cleanup);
    await events.nth('servicecomb.heartbeat.succeeded');
    expect(requests().filter(({ name }) => /heartbeat/.test(name))).toEqual([]);
  });

  concurrently('have heartbeats beside them on wish, each a trace of its own', async cleanup => {
    const { events, requests } = await startTraced(cleanup, { heartbeats: true });
    await events.nth('servicecomb.heartbeat.succeeded', 2);
    const beats = requests().filter(({ name }) => name === 'PUT heartbeat');
    const answered = {
      parent: undefined,
      kind: 'CLIENT',
      attributes: { 'http.response.status_code': 200 },
    };
    expect(beats).toMatchObject([answered, answered]);
    expect(new Set(beats.map(({ traceId }) => traceId)).size).toBe(2);
  });

  concurrently('leave a change of the status to the request that asks for it', async cleanup => {
    const { registration, requests } = await startTraced(cleanup);
    const before = requests().length;
    await recorder.within('request', () => registration.setStatus('OUTOFSERVICE'));
    expect(requests()).toHaveLength(before);
  });
});
