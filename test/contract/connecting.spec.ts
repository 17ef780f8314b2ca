import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificateAuthority } from '../support/certificates.js';
import {
  type ForwardProxy,
  type ForwardProxyBehaviour,
  startForwardProxy,
} from '../support/forward-proxy.js';
import { httpClient } from './registry-under-test.js';

const authority = certificateAuthority();
const closings: (() => void)[] = [];

afterEach(() => {
  for (const close of closings.splice(0)) close();
});

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const serving = async (listener: RequestListener) =>
  `http://127.0.0.1:${await listening(createServer(listener))}`;

const empty: RequestListener = (_, response) => response.end('{}');

async function secure(): Promise<string> {
  const server = createSecureServer(authority.issue(['127.0.0.1']), empty);
  return `https://127.0.0.1:${await listening(server)}`;
}

async function proxy(behaviour?: ForwardProxyBehaviour): Promise<ForwardProxy> {
  const started = await startForwardProxy(behaviour);
  closings.push(() => started.close());
  return started;
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;

describe('through a proxy', () => {
  it('an http address is asked for by its whole URL', async () => {
    const { asked, host } = await proxy();
    const client = httpClient('http://registry.example:30100', {
      proxy: `http://me:s3cret@${host}`,
    });
    expect(await client.listMicroservices()).toEqual([]);
    expect(asked[0]?.url).toBe('http://registry.example:30100/v4/default/registry/microservices');
    expect(asked[0]?.headers['proxy-authorization']).toBe(basic);
  });

  it('an https address is reached by CONNECT, over a connection that is kept', async () => {
    const { asked, host } = await proxy();
    const url = await secure();
    const tls = { ca: authority.cert };
    const client = httpClient(url, { tls, proxy: `http://me:s3cret@${host}` });
    await client.listMicroservices();
    await client.listMicroservices();
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `CONNECT ${new URL(url).host}`,
    ]);
    expect(asked[0]?.headers['proxy-authorization']).toBe(basic);
  });

  it('an http address has a connection that is kept', async () => {
    const through = await proxy();
    const client = httpClient('http://registry.example', { proxy: `http://${through.host}` });
    await client.listMicroservices();
    await client.listMicroservices();
    expect(through.asked).toHaveLength(2);
    expect(through.connections).toBe(1);
  });

  it('any success of CONNECT is one', async () => {
    const { host } = await proxy({ status: 204 });
    const options = { tls: { ca: authority.cert }, proxy: `http://${host}` };
    expect(await httpClient(await secure(), options).listMicroservices()).toEqual([]);
  });

  it('the certificate is that of the address', async () => {
    const { host } = await proxy();
    const error = await failureOf(
      httpClient(await secure(), { proxy: `http://${host}` }).listMicroservices(),
    );
    expect(error).toMatchObject({ reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  it.each([
    [407, /a user and a password/],
    [403, /does not let this client through/],
  ])('a refusal with %i says so, without the password', async (status, advice) => {
    const { host } = await proxy({ status });
    const options = { proxy: `http://me:s3cret@${host}` };
    const error = await failureOf(httpClient(await secure(), options).listMicroservices());
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
      reason: `ERR_PROXY_REFUSED_${status}`,
      advice: expect.stringMatching(advice),
    });
    const shown = inspect(error, { depth: Infinity, showHidden: true });
    expect(shown).not.toContain('s3cret');
    expect(shown).not.toContain(basic);
  });

  it.each(['http', 'https'])('that is not there is told as such for %s', async scheme => {
    const address = `${scheme}://registry.example:30100`;
    const client = httpClient(address, { proxy: 'http://me:s3cret@127.0.0.1:1' });
    const error = await failureOf(client.listMicroservices());
    expect(error).toMatchObject({
      reason: 'ERR_PROXY_UNREACHABLE',
      message:
        `Service Center is unreachable for "listMicroservices" at ${address}: ` +
        'ERR_PROXY_UNREACHABLE. The proxy does not answer, or does not speak HTTP: look at ' +
        'serviceCenter.proxy (proxy 127.0.0.1:1: ECONNREFUSED)',
    });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/s3cret|Basic/);
  });
});

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
        'Service Center\'s answer to "getExistence" is not short enough (serviceCenter.maxAnswerBytes): ' +
        '"ERR_ANSWER_TOO_LONG"',
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
      'user-agent': 'nestjs-servicecomb/test',
    });
  });

  it('does not touch what deadlines, redirects and errors stand on', async () => {
    const url = await serving((_, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const config = {
      baseURL: 'http://127.0.0.1:1',
      maxRedirects: 5,
      timeout: 1,
      signal: AbortSignal.abort(),
      validateStatus: () => false,
    };
    const error = await failureOf(httpClient(url, { axios: config }).listMicroservices());
    expect(error).toMatchObject({ message: expect.stringContaining('redirect') });
  });
});
