import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { ServiceCenterClient } from '../../lib/index.js';
import { certificateAuthority } from '../support/certificates.js';
import {
  type ForwardProxy,
  type ForwardProxyBehaviour,
  startForwardProxy,
} from '../support/forward-proxy.js';
import { registryProxyAgent } from '../support/registry-proxy-agent.js';
import { httpClient } from './registry-under-test.js';

const authority = certificateAuthority();
const closings: (() => void)[] = [];

afterEach(() => {
  for (const close of closings.splice(0)) close();
});

/** A registry that is reached by a name which only the proxy resolves. */
async function secureRegistry(): Promise<string> {
  const certificate = authority.issue(['registry.example']);
  const server = createServer(certificate, (_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://registry.example:${(server.address() as AddressInfo).port}`;
}

async function proxy(behaviour?: ForwardProxyBehaviour): Promise<ForwardProxy> {
  const started = await startForwardProxy(behaviour);
  closings.push(() => started.close());
  return started;
}

/** A client that reaches the registry through a proxy, as the documentation shows it. */
function throughProxy(address: string, host: string, timeoutMs = 5_000): ServiceCenterClient {
  const tls = { ca: authority.cert };
  const httpsAgent = registryProxyAgent(`http://me:s3cret@${host}`, tls);
  closings.push(() => httpsAgent.destroy());
  return httpClient(address, { timeoutMs, axios: { httpsAgent } });
}

const failureOf = async (client: ServiceCenterClient): Promise<unknown> =>
  client.listMicroservices().then(
    () => undefined,
    (error: unknown) => error,
  );

const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;

describe('a proxy agent in serviceCenter.axios', () => {
  it('reaches an https address by CONNECT, with user and password, over one connection', async () => {
    const { asked, host } = await proxy();
    const address = await secureRegistry();
    const client = throughProxy(address, host);
    expect(await client.listMicroservices()).toEqual([]);
    expect(await client.listMicroservices()).toEqual([]);
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `CONNECT ${new URL(address).host}`,
    ]);
    expect(asked[0]?.headers['proxy-authorization']).toBe(basic);
  });

  it('verifies the certificate of the registry', async () => {
    const { host } = await proxy();
    const httpsAgent = new HttpsProxyAgent(`http://${host}`);
    const client = httpClient(await secureRegistry(), { axios: { httpsAgent } });
    expect(await failureOf(client)).toMatchObject({
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      advice: expect.stringContaining('serviceCenter.tls.ca'),
    });
  });

  it.each([
    [407, 'ERR_SERVICECOMB_PROTOCOL', /HTTP 407 is from a proxy: .* the right user and password/],
    [403, 'ERR_SERVICECOMB_RESPONSE', /HTTP 403/],
    [502, 'ERR_SERVICECOMB_RESPONSE', /HTTP 502/],
  ])('of a proxy that refuses with %i fails with its answer', async (status, code, message) => {
    const { host } = await proxy({ status });
    const error = await failureOf(throughProxy(await secureRegistry(), host));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/s3cret|Basic/);
  });

  it('of a proxy that is not there fails with the address of the proxy as the cause', async () => {
    const error = await failureOf(throughProxy('https://registry.example', '127.0.0.1:1'));
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
      reason: 'ECONNREFUSED',
      cause: { message: 'connect ECONNREFUSED 127.0.0.1:1' },
    });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/s3cret|Basic/);
  });

  it('of a proxy that closes the connection fails as unreachable', async () => {
    const server = createSocketServer(socket => socket.resume().end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closings.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    expect(
      await failureOf(throughProxy('https://registry.example', `127.0.0.1:${port}`)),
    ).toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE', reason: 'ERR_NETWORK' });
  });

  it('of a proxy that is silent fails at the deadline', async () => {
    const server = createSocketServer(socket => {
      closings.push(() => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closings.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const client = throughProxy('https://registry.example', `127.0.0.1:${port}`, 200);
    expect(await failureOf(client)).toMatchObject({ code: 'ERR_SERVICECOMB_TIMEOUT' });
  });

  it('is the one of the documentation', () => {
    const page = readFileSync('docs/credentials-and-tls.md', 'utf8');
    const recipe = readFileSync('test/support/registry-proxy-agent.ts', 'utf8');
    const [lines = ''] = /  const httpsAgent =[^]*?true \}\);\n.*?(?=  return)/s.exec(recipe) ?? [];
    expect(lines.split('\n')).toHaveLength(4);
    expect(page).toContain(lines.replaceAll(/^  /gm, ''));
  });
});

describe('a proxy in the environment', () => {
  it('is not used', async () => {
    const { asked, host } = await proxy();
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) {
      process.env[name] = `http://${host}`;
      closings.push(() => delete process.env[name]);
    }
    for (const scheme of ['http', 'https'])
      expect(await failureOf(httpClient(`${scheme}://127.0.0.1:1`))).toMatchObject({
        cause: { message: 'connect ECONNREFUSED 127.0.0.1:1' },
      });
    expect(asked).toEqual([]);
  });
});
