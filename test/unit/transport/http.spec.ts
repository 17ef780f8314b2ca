import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { HttpService } from '@nestjs/axios';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Connections,
  createPrivateAxios,
  secretsBeside,
  sendThrough,
} from '../../../lib/transport/http.js';
import { certificateAuthority } from '../../support/certificates.js';
import { resolve } from '../options/resolving.js';

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

const request = {
  method: 'PUT',
  headers: {},
  body: undefined,
  timeoutMs: 5_000,
  maxAnswerBytes: 1_048_576,
  signal: undefined,
} as const;

async function closeOf(socket: Socket | undefined): Promise<void> {
  if (socket !== undefined) await once(socket, 'close');
}

describe('connections whose certificates are renewed', () => {
  const authority = certificateAuthority();
  const own = { ca: authority.cert };

  /** A server that keeps its answers until a test sends them, and the connections that it has had. */
  async function serving() {
    const waiting: ServerResponse[] = [];
    const sockets: Socket[] = [];
    const server = createServer(authority.issue(['127.0.0.1']), (_, response) => {
      waiting.push(response);
      server.emit('waiting');
    });
    // The client alone closes a connection.
    server.keepAliveTimeout = 0;
    server.on('secureConnection', (socket: Socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closings.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { serviceCenter } = resolve({ serviceCenter: { tls: own } });
    const connections = new Connections(serviceCenter);
    closings.push(() => connections.closeIdle());
    const http = new HttpService(createPrivateAxios(connections, serviceCenter));
    const send = sendThrough(http);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    /** Begins a request, and returns what ends it. */
    const begin = async () => {
      const isWaiting = once(server, 'waiting');
      const reply = send({ ...request, url });
      await isWaiting;
      return async () => {
        waiting.shift()?.end();
        await reply;
      };
    };
    return { begin, connections, sockets };
  }

  it('are closed if they are idle, and the next request makes a new one', async () => {
    const { begin, connections, sockets } = await serving();
    await (
      await begin()
    )();
    const closed = closeOf(sockets[0]);
    connections.renew(own);
    await closed;
    await (
      await begin()
    )();
    expect(sockets).toHaveLength(2);
  });

  it('are closed as soon as they are free if they are in use', async () => {
    const { begin, connections, sockets } = await serving();
    const end = await begin();
    const closed = closeOf(sockets[0]);
    connections.renew(own);
    await end();
    await closed;
    await (
      await begin()
    )();
    expect(sockets).toHaveLength(2);
  });
});

describe('the secrets in the headers of serviceCenter.axios', () => {
  it('are their texts', () => {
    const headers = { 'X-Key': 'secret', 'X-On': true, 'X-None': undefined, common: {} };
    const { serviceCenter } = resolve({ serviceCenter: { axios: { headers } } });
    expect(secretsBeside(serviceCenter)).toEqual(['secret']);
    expect(secretsBeside(resolve({}).serviceCenter)).toEqual([]);
  });
});
