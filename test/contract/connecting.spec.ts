import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { version } from '../../lib/version.js';
import { httpClient } from './registry-under-test.js';

const closings: (() => void)[] = [];

afterEach(() => {
  for (const close of closings.splice(0)) close();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an answer that is too much', () => {
  it('is measured after decompression', async () => {
    const bomb = gzipSync(`{"services":[],"padding":"${'x'.repeat(50_000_000)}"}`);
    expect(bomb.length).toBeLessThan(100_000);
    const url = await serving((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const error = await failureOf(httpClient(url).listMicroservices());
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
      received: 'ERR_ANSWER_TOO_LONG',
    });
  });

  it('is what serviceCenter.maxAnswerBytes says', async () => {
    const url = await serving((_, response) =>
      response.end(`{"services":[],"padding":"${'x'.repeat(2_000)}"}`),
    );
    const small = httpClient(url, { maxAnswerBytes: 1_024 }).listMicroservices();
    await expect(small).rejects.toMatchObject({ code: 'ERR_SERVICECOMB_PROTOCOL' });
    expect(await httpClient(url, { maxAnswerBytes: 4_096 }).listMicroservices()).toEqual([]);
  });

  it('is one of more than a mebibyte where a short one is due, whatever is said of lists', async () => {
    const url = await serving((_, response) => {
      response.end(JSON.stringify({ serviceId: 's', padding: 'x'.repeat(1_048_576) }));
    });
    const client = httpClient(url, { maxAnswerBytes: 4_194_304 });
    expect(await client.listMicroservices()).toEqual([]);
    expect(
      await failureOf(client.findServiceId({ appId: 'a', serviceName: 's', version: '1.0.0' })),
    ).toMatchObject({
      message:
        `Service Center's answer to "getExistence" at ${url} is not short enough ` +
        '(serviceCenter.maxAnswerBytes): "ERR_ANSWER_TOO_LONG"',
    });
  });

  it('is one with headers of more than 16 KiB', async () => {
    const url = await serving((_, response) =>
      response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end('{}'),
    );
    const error = await failureOf(httpClient(url).listMicroservices());
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
      received: 'HPE_HEADER_OVERFLOW',
    });
  });
});

describe('serviceCenter.axios', () => {
  it('may bring an agent whose failures have no code, and which show no header', async () => {
    class FailingAgent extends Agent {
      override createConnection(
        _: object,
        done?: (error: Error, stream: Socket) => void,
      ): undefined {
        setImmediate(() => done?.(new Error('The proxy had enough'), new Socket()));
      }
    }
    const httpAgent = new FailingAgent();
    const secret = { 'X-Key': 'CANARY-7f3a' };
    const error = await failureOf(
      httpClient('http://127.0.0.1:9', {
        axios: { httpAgent, headers: secret },
      }).listMicroservices(),
    );
    expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE', reason: 'ERR_NETWORK' });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('CANARY');
  });

  it('adds headers, which ours win over', async () => {
    const seen: IncomingMessage[] = [];
    const url = await serving((request, response) => {
      seen.push(request);
      response.end('{}');
    });
    const headers = { 'X-Gateway': 'blue', 'user-agent': 'other' };
    await httpClient(url, { axios: { headers } }).listMicroservices();
    expect(seen[0]?.headers).toMatchObject({
      'x-gateway': 'blue',
      'user-agent': `nestjs-servicecomb/${version}`,
    });
  });
});
