import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import type { ProxyServer } from '../options/proxy-routes.js';
import { proxyRefusal, proxyUnreachable } from './proxy-failure.js';

type OnConnection = (error: Error | null, stream?: Duplex) => void;

/** What a proxy answered to CONNECT, and what came right behind it. */
interface Answer {
  readonly status: number;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Makes connections of TLS through a proxy's CONNECT: the proxy sees none of what goes through it. */
export class TunnelAgent extends Agent {
  constructor(
    options: AgentOptions,
    private readonly proxy: ProxyServer,
    /**
     * Bounds the way to a connection in milliseconds, the handshake included. Node does not tell an
     * agent of a request that was given up before it had one.
     */
    private readonly timeoutMs: number,
  ) {
    super(options);
  }

  /** Fails with `ERR_PROXY_UNREACHABLE`, or `ERR_PROXY_REFUSED_407` by the proxy's status. */
  override createConnection(options: RequestOptions, callback: OnConnection): undefined {
    const signal = AbortSignal.timeout(this.timeoutMs);
    callbackify(() => this.#tunnel(options, signal))(callback);
  }

  /** Resolves after the handshake: before it hands a connection over, Node does not listen to its errors. */
  async #tunnel(options: RequestOptions, signal: AbortSignal): Promise<Duplex | undefined> {
    const socket = await this.#open(options, signal);
    const through: RequestOptions & { socket: Duplex } = { ...options, socket };
    const secure = super.createConnection(through) ?? undefined;
    secure?.on('error', alreadyTold);
    try {
      if (secure) await once(secure, 'secureConnect', { signal });
      return secure;
    } catch (error) {
      secure?.destroy();
      throw error;
    }
  }

  async #open(options: RequestOptions, signal: AbortSignal): Promise<Duplex> {
    const { status, socket, head } = await answerTo(this.#ask(options), signal).catch(cause => {
      throw proxyUnreachable(this.proxy, cause);
    });
    if (status >= 200 && status < 300) {
      socket.unshift(head);
      return socket;
    }
    socket.destroy();
    throw proxyRefusal(this.proxy, status);
  }

  #ask({ host, port }: RequestOptions): ClientRequest {
    const path = `${host?.includes(':') === true ? `[${host}]` : host}:${port ?? 443}`;
    const { credentials, host: proxyHost, port: proxyPort } = this.proxy;
    const where = { host: proxyHost, port: proxyPort, path };
    const headers = { Host: path, ...(credentials && authorization(credentials())) };
    return request({ ...where, method: 'CONNECT', agent: false, headers });
  }
}

function answerTo(asked: ClientRequest, signal: AbortSignal): Promise<Answer> {
  const end = () => asked.destroy();
  signal.addEventListener('abort', end);
  const answer = new Promise<Answer>((resolve, reject) => {
    asked.on(
      'connect',
      ({ statusCode: status = 0 }: IncomingMessage, socket: Duplex, head: Buffer) =>
        resolve({ status, socket, head }),
    );
    asked.on('error', reject);
    asked.end();
  });
  return answer.finally(() => signal.removeEventListener('abort', end));
}

/** Who waits has had the first error; one that follows has nobody to tell. */
function alreadyTold(): void {}

function authorization({ username, password }: { username: string; password: string }): object {
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return { 'Proxy-Authorization': `Basic ${pair}` };
}
