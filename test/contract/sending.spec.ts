import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  isServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../../lib/errors.js';
import { isRetriable } from '../../lib/protocol/failures.js';
import { version } from '../../lib/version.js';
import { httpClient } from './registry-under-test.js';

const ref = { serviceId: 's', instanceId: 'i' };
const closings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of no registry, and what it was asked for. */
async function serving(handle: Handle) {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, requests };
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a request over HTTP', () => {
  it('is on the wire what it is in the port: the heartbeat has no body and a JSON content type', async () => {
    let body = '';
    const { address, requests } = await serving((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => response.end());
    });
    const instanceId = 'com.huawei.instance.InstanceService';
    await httpClient(address, { domain: 'acme' }).sendHeartbeat({ serviceId: 'a b', instanceId });
    const [request] = requests;
    expect(`${request?.method} ${request?.url}`).toBe(
      `PUT /v4/default/registry/microservices/a%20b/instances/${instanceId}/heartbeat`,
    );
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '0',
      accept: 'application/json',
      'user-agent': `nestjs-servicecomb/${version}`,
      'x-domain-name': 'acme',
    });
    expect(body).toBe('');
  });

  it('carries its body as it is, in UTF-8', async () => {
    const chunks: Buffer[] = [];
    const { address } = await serving((request, response) => {
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end());
    });
    await httpClient(address).setInstanceProperties(ref, { city: 'Zürich' });
    expect(Buffer.concat(chunks).toString('utf8')).toBe('{"properties":{"city":"Zürich"}}');
  });
});

describe('the deadline of a request', () => {
  it.each<[string, Handle]>([
    ['is not answered', () => undefined],
    [
      'is answered byte by byte',
      (_, response) => {
        const timer = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(timer));
      },
    ],
    ['is answered by headers alone', (_, response) => response.writeHead(200).flushHeaders()],
  ])('ends one that %s, and frees its socket', async (_, handle) => {
    let closed: Promise<unknown> = Promise.resolve();
    const { address, requests } = await serving((request, response) => {
      closed = once(response, 'close');
      handle(request, response);
    });
    const began = performance.now();
    const error = await errorOf(httpClient(address).sendHeartbeat(ref, { timeoutMs: 150 }));
    const tookMs = performance.now() - began;
    expect(error).toBeInstanceOf(ServiceCenterTimeoutError);
    expect(error).toMatchObject({ address, timeoutMs: 150 });
    expect(tookMs).toBeGreaterThan(140);
    expect(tookMs).toBeLessThan(1_000);
    await closed;
    expect(requests).toHaveLength(1);
  });
});

describe('an abort', () => {
  it('ends a request at once, with its reason, and frees its socket', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let closed: Promise<unknown> = Promise.resolve();
    const { address } = await serving((_, response) => {
      closed = once(response, 'close');
      abort.abort(reason);
    });
    const began = performance.now();
    const error = await errorOf(httpClient(address).sendHeartbeat(ref, { signal: abort.signal }));
    expect(error).toBe(reason);
    expect(performance.now() - began).toBeLessThan(1_000);
    await closed;
  });

  it('that came before sends nothing', async () => {
    const { address, requests } = await serving((_, response) => response.end());
    const signal = AbortSignal.abort();
    expect(await errorOf(httpClient(address).sendHeartbeat(ref, { signal }))).toBe(signal.reason);
    expect(requests).toEqual([]);
  });

  it('by a deadline of the caller’s is told from one of the request', async () => {
    const { address } = await serving(() => undefined);
    const signal = AbortSignal.timeout(50);
    const error = await errorOf(httpClient(address).sendHeartbeat(ref, { signal }));
    expect(error).toBe(signal.reason);
  });
});

describe('an answer that is none', () => {
  it('is a redirect, which is not followed', async () => {
    const { address, requests } = await serving((_, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    const error = await errorOf(httpClient(address).listMicroservices());
    expect(error).toBeInstanceOf(ServiceCenterProtocolError);
    expect(error).toHaveProperty('message', expect.stringContaining('redirect'));
    expect(requests).toHaveLength(1);
  });

  it('is more than a mebibyte', async () => {
    const { address } = await serving((_, response) => {
      response.end(JSON.stringify({ services: [], padding: 'x'.repeat(1_048_576) }));
    });
    const error = await errorOf(httpClient(address).listMicroservices());
    expect(error).toBeInstanceOf(ServiceCenterProtocolError);
  });

  it('may be a mebibyte', async () => {
    const empty = JSON.stringify({ padding: '' }).length;
    const { address } = await serving((_, response) => {
      response.end(JSON.stringify({ padding: 'x'.repeat(1_048_576 - empty) }));
    });
    expect(await httpClient(address).listMicroservices()).toEqual([]);
  });

  it('is no HTTP', async () => {
    const server = createSocketServer((socket: Socket) =>
      socket.resume().end('SSH-2.0-OpenSSH\r\n'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closings.push(async () => {
      server.close();
      await once(server, 'close');
    });
    const { port } = server.address() as AddressInfo;
    const error = await errorOf(httpClient(`http://127.0.0.1:${port}`).sendHeartbeat(ref));
    expect(error).toBeInstanceOf(ServiceCenterProtocolError);
  });

  it('is text where JSON is due', async () => {
    const { address } = await serving((_, response) => response.end('<html>It works!</html>'));
    const error = await errorOf(httpClient(address).listMicroservices());
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
      expected: 'a list of services',
      received: '<html>It works!</html>',
    });
  });
});

describe('no answer', () => {
  it('comes from a port that nobody listens on', async () => {
    const { address } = await serving(() => undefined);
    for (const close of closings.splice(0)) await close();
    const error = await errorOf(httpClient(address).sendHeartbeat(ref));
    expect(error).toBeInstanceOf(ServiceCenterUnreachableError);
    expect(error).toMatchObject({ addresses: [address], reason: 'ECONNREFUSED' });
  });

  it('comes over a connection that is reset', async () => {
    const { address } = await serving(({ socket }) => socket.resetAndDestroy());
    const error = await errorOf(httpClient(address).sendHeartbeat(ref));
    expect(error).toBeInstanceOf(ServiceCenterUnreachableError);
    expect(error).toMatchObject({ reason: 'ECONNRESET' });
  });

  it('in full comes over a connection that is cut in the middle of it', async () => {
    const { address } = await serving((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"services":', () => response.destroy());
    });
    const error = await errorOf(httpClient(address).listMicroservices());
    expect(isServiceCombError(error) && isRetriable(error)).toBe(true);
  });
});

describe('a kept connection', () => {
  it('carries the next request as well', async () => {
    const { address, requests } = await serving((_, response) => response.end());
    const client = httpClient(address);
    await client.sendHeartbeat(ref);
    await client.sendHeartbeat(ref);
    expect(requests[1]?.socket).toBe(requests[0]?.socket);
  });

  it('that the server closes under a request is no failure: the request goes over a new one', async () => {
    const { address, requests } = await serving((request, response) => {
      const isSecond = requests.filter(({ socket }) => socket === request.socket).length > 1;
      if (isSecond) request.socket.resetAndDestroy();
      else response.end();
    });
    const client = httpClient(address);
    await client.sendHeartbeat(ref);
    await client.sendHeartbeat(ref);
    expect(requests).toHaveLength(3);
    expect(requests[2]?.socket).not.toBe(requests[0]?.socket);
  });

  it('that is new and reset is a failure, sent once', async () => {
    const { address, requests } = await serving(request => request.socket.resetAndDestroy());
    expect(await errorOf(httpClient(address).sendHeartbeat(ref))).toBeInstanceOf(
      ServiceCenterUnreachableError,
    );
    expect(requests).toHaveLength(1);
  });

  it('is sent a request a second time only once', async () => {
    let isResetting = false;
    const { address, requests } = await serving((request, response) => {
      if (isResetting) request.socket.resetAndDestroy();
      else response.end();
    });
    const client = httpClient(address);
    await client.sendHeartbeat(ref);
    isResetting = true;
    await expect(client.sendHeartbeat(ref)).rejects.toMatchObject({ reason: 'ECONNRESET' });
    expect(requests).toHaveLength(3);
  });
});
