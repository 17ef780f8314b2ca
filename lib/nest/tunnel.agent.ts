import { type IncomingMessage, request, type ClientRequest } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ProxyServer } from '../options/proxy-routes.js';

type OnConnection = (error: Error | null, stream?: Duplex) => void;

/** Makes connections of TLS through a proxy's CONNECT: the proxy sees none of what goes through it. */
export class TunnelAgent extends Agent {
  constructor(
    options: AgentOptions,
    private readonly proxy: ProxyServer,
    /** Bounds the proxy's silence in milliseconds. */
    private readonly timeoutMs: number,
  ) {
    super(options);
  }

  /** Fails with `ERR_PROXY_UNREACHABLE`, or `ERR_PROXY_REFUSED_407` by the proxy's status. */
  override createConnection(options: RequestOptions, callback: OnConnection): undefined {
    const asked = this.#ask(options);
    asked.on('connect', ({ statusCode = 0 }: IncomingMessage, socket: Duplex) => {
      if (statusCode === 200) {
        const through: RequestOptions & { socket: Duplex } = { ...options, socket };
        callback(null, super.createConnection(through) ?? undefined);
        return;
      }
      socket.destroy();
      callback(failure(`ERR_PROXY_REFUSED_${statusCode}`));
    });
    asked.on('error', cause => callback(failure('ERR_PROXY_UNREACHABLE', cause)));
    asked.on('timeout', () => asked.destroy(new Error('The proxy is silent')));
    asked.end();
  }

  #ask({ host, port }: RequestOptions): ClientRequest {
    const path = `${host?.includes(':') === true ? `[${host}]` : host}:${port ?? 443}`;
    const { credentials, host: proxyHost, port: proxyPort } = this.proxy;
    const where = { host: proxyHost, port: proxyPort, path, timeout: this.timeoutMs };
    const headers = { Host: path, ...(credentials && authorization(credentials())) };
    return request({ ...where, method: 'CONNECT', agent: false, headers });
  }
}

function authorization({ username, password }: { username: string; password: string }): object {
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return { 'Proxy-Authorization': `Basic ${pair}` };
}

function failure(code: string, cause?: Error): Error {
  return Object.assign(new Error('No tunnel through the proxy', { cause }), { code });
}
