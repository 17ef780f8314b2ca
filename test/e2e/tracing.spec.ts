import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import { trace } from '@opentelemetry/api';
import type { AxiosRequestConfig } from 'axios';
import { lastValueFrom } from 'rxjs';
import { DiscoveryHttpModule, type DiscoveryHttpOptions, Tracing } from '../../lib/index.js';
import { RegistryTracingModule, type RegistryTracingOptions } from '../../lib/tracing/index.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { Cleanup, createApp } from '../support/test-app.js';

const recorder = new TraceRecorder();
const cleanup = new Cleanup();
afterEach(async () => {
  await cleanup.run();
  recorder.forget();
});

async function startServer(answer: RequestListener) {
  const received: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, received, endpoint: `rest://127.0.0.1:${port}` };
}

interface CallerOptions extends RegistryTracingOptions {
  readonly http?: DiscoveryHttpOptions;
}

/** Starts an application that calls a greeter at these endpoints, and no registry. */
async function startCaller(endpoints: readonly string[], { http, ...tracing }: CallerOptions = {}) {
  const providers = { greeter: { endpoints } };
  const imports = [DiscoveryHttpModule.register(http), RegistryTracingModule.forRoot(tracing)];
  const { app } = await createApp(
    cleanup,
    { enabled: false, discovery: { providers } },
    { imports },
  );
  await app.init();
  const service = app.get(HttpService);
  const get = async <T>(path: string, config?: AxiosRequestConfig): Promise<T> =>
    (await lastValueFrom(service.get<T>(path, config))).data;
  return { app, get };
}

const greet: RequestListener = (_, response) => response.end('hello');

describe('the span of a call by name', () => {
  it('has the attributes of HTTP and of the provider, and is a child of the caller', async () => {
    const { port, endpoint } = await startServer(greet);
    const { get } = await startCaller([endpoint]);
    const params = { name: 'Ada', access_token: 'hush' };
    await recorder.within('request', () => get('http://greeter/hello', { params }));
    const [span, request] = recorder.spans;
    expect(span).toMatchObject({
      name: 'GET',
      by: 'nestjs-servicecomb',
      kind: 'CLIENT',
      parent: 'request',
      traceId: request?.traceId,
      status: 'UNSET',
      attributes: {
        'http.request.method': 'GET',
        'url.full': `http://127.0.0.1:${port}/hello?name=Ada&access_token=REDACTED`,
        'server.address': '127.0.0.1',
        'server.port': port,
        'http.response.status_code': 200,
        'service.peer.name': 'greeter',
        'peer.service': 'greeter',
        'servicecomb.provider.instance_id': expect.any(String),
      },
    });
    expect(span?.attributes).not.toHaveProperty('http.request.resend_count');
    expect(recorder.spans).toHaveLength(2);
  });

  it('is the parent of what the provider does', async () => {
    const { received, endpoint } = await startServer(greet);
    const { get } = await startCaller([endpoint]);
    await recorder.within('request', () => get('http://greeter/hello'));
    const [span] = recorder.spans;
    expect(received).toMatchObject([{ traceparent: `00-${span?.traceId}-${span?.spanId}-01` }]);
  });

  it('leaves headers alone that the call carries on by itself', async () => {
    const { received, endpoint } = await startServer(greet);
    const own = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const context = () => ({ traceparent: own });
    const { get } = await startCaller([endpoint], { http: { context } });
    await get('http://greeter/hello');
    expect(received).toMatchObject([{ traceparent: own }]);
    expect(received[0]).not.toHaveProperty('tracestate');
  });

  it('is one for each attempt, with what became of it', async () => {
    const busy = await startServer((_, response) => response.writeHead(503).end());
    const { get } = await startCaller([busy.endpoint, 'rest://127.0.0.1:1']);
    await recorder.within('request', () => get('http://greeter/').catch(() => undefined));
    const attempts = recorder.spans.filter(({ kind }) => kind === 'CLIENT');
    expect(new Set(attempts.map(({ parent }) => parent))).toEqual(new Set(['request']));
    const seen = attempts.map(({ attributes, status }) => [attributes['error.type'], status]);
    expect(seen).toContainEqual(['503', 'ERROR']);
    expect(seen).toContainEqual(['ECONNREFUSED', 'ERROR']);
    const resends = attempts.map(({ attributes }) => attributes['http.request.resend_count']);
    expect(resends).toEqual([undefined, ...attempts.slice(1).map((_, index) => index + 1)]);
    expect(attempts.length).toBeGreaterThan(1);
    expect(busy.received.length).toBeLessThanOrEqual(attempts.length);
  });

  it('says that the time was up', async () => {
    const { endpoint } = await startServer(() => undefined);
    const { get } = await startCaller([endpoint]);
    const call = get('http://greeter/', { timeout: 50, byName: { retries: 0 } });
    await expect(call).rejects.toMatchObject({ code: 'ECONNABORTED' });
    expect(recorder.spans).toMatchObject([
      { attributes: { 'error.type': 'TimeoutError' }, status: 'ERROR' },
    ]);
  });

  it('is none of HTTP when nobody can be called, and says why', async () => {
    const { get } = await startCaller([]);
    const call = recorder.within('request', () => get('http://nobody/secret'));
    await expect(call).rejects.toMatchObject({ code: 'ERR_SERVICECOMB_NO_INSTANCE' });
    expect(recorder.spans[0]).toMatchObject({
      name: 'servicecomb call',
      kind: 'INTERNAL',
      parent: 'request',
      attributes: {
        'http.request.method': 'GET',
        'service.peer.name': 'nobody',
        'error.type': 'ERR_SERVICECOMB_NO_INSTANCE',
      },
      status: 'ERROR',
      message: expect.stringContaining('No instance of "default/nobody"'),
    });
  });

  it.each([200, 404])('is no parent of what is done with a stream, status %s', async status => {
    let end = (): void => undefined;
    const { endpoint } = await startServer((_, response) => {
      response.writeHead(status).write('one');
      end = () => response.end('two');
    });
    const { get } = await startCaller([endpoint]);
    await recorder.within('request', async () => {
      const stream = await get<Readable>('http://greeter/', { responseType: 'stream' }).catch(
        (error: unknown): Readable => Object(error).response.data,
      );
      await new Promise<void>(resolve => {
        stream.on('data', (piece: Buffer) => {
          trace.getTracer('application').startSpan(`piece ${piece.toString()}`).end();
          end();
        });
        stream.on('end', resolve);
      });
    });
    expect(recorder.spans).toMatchObject([
      { name: 'GET', parent: 'request' },
      { name: 'piece one', parent: 'request' },
      { name: 'piece two', parent: 'request' },
      { name: 'request' },
    ]);
  });

  it('is left out on wish', async () => {
    const { received, endpoint } = await startServer(greet);
    const { get } = await startCaller([endpoint], { calls: false });
    await recorder.within('request', () => get('http://greeter/hello'));
    expect(recorder.spans.map(({ name }) => name)).toEqual(['request']);
    expect(received[0]).not.toHaveProperty('traceparent');
  });

  it('does not survive the application', async () => {
    const { app } = await startCaller([]);
    const tracing = app.get(Tracing);
    expect(tracing.tracer).toBeDefined();
    await app.close();
    expect(tracing.tracer).toBeUndefined();
  });
});
