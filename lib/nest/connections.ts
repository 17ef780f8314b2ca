import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { AxiosProxyConfig, AxiosRequestConfig } from 'axios';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { proxyFor, type ProxyServer } from '../options/proxy-routes.js';
import type { TlsMaterial } from '../options/tls-material.js';
import { TunnelAgent } from './tunnel.agent.js';

/** The options that connections are made by. */
export type ConnectionSettings = Pick<
  ResolvedOptions['serviceCenter'],
  'tls' | 'proxy' | 'axios' | 'timeoutMs' | 'maxAnswerBytes'
>;

/** How one request travels, in the words of axios. */
type Way = Pick<AxiosRequestConfig, 'httpAgent' | 'httpsAgent' | 'proxy'>;

/** An idle connection is given up after 50 s: the server closes its own after 60 s (etc/conf/app.yaml). */
const kept = { keepAlive: true, timeout: 50_000, maxFreeSockets: 4 };

/**
 * Connections of our own, kept from one heartbeat to the next. Their number has no bound, so that no
 * heartbeat waits behind an application's slow reads. Agents of the user's take the place of ours.
 */
export class Connections {
  readonly #plain = new Agent(kept);
  #direct: SecureAgent;
  #tunnel: SecureAgent | undefined;

  constructor(private readonly settings: ConnectionSettings) {
    [this.#direct, this.#tunnel] = this.#secureAgents(settings.tls.material?.());
  }

  /** The way to a URL: the same for every request to that address, whatever it is for. */
  wayTo(url: string): Way {
    const { protocol } = new URL(url);
    const { httpAgent, httpsAgent }: Way = this.settings.axios?.() ?? {};
    if (protocol === 'https:' && httpsAgent !== undefined) return { httpsAgent, proxy: false };
    if (protocol !== 'https:' && httpAgent !== undefined) return { httpAgent, proxy: false };
    const server = proxyFor(new URL(url), this.settings.proxy);
    if (protocol === 'https:')
      return { httpsAgent: server === undefined ? this.#direct : this.#tunnel, proxy: false };
    return { httpAgent: this.#plain, proxy: server === undefined ? false : proxyConfig(server) };
  }

  /** Makes new connections with this from now on; a request under way ends on its own. */
  renew(material: TlsMaterial): void {
    for (const agent of this.#secure) retire(agent);
    [this.#direct, this.#tunnel] = this.#secureAgents(material);
  }

  /** Closes those that are not in use. */
  closeIdle(): void {
    for (const agent of [this.#plain, ...this.#secure]) closeIdle(agent);
  }

  get #secure(): readonly SecureAgent[] {
    return this.#tunnel === undefined ? [this.#direct] : [this.#direct, this.#tunnel];
  }

  /**
   * `rejectUnauthorized` is always said, so that no variable of the environment decides it. What the
   * connections share is made once: to open a key or to read a long list of authorities takes a while.
   */
  #secureAgents(material: TlsMaterial | undefined): [SecureAgent, SecureAgent | undefined] {
    const { tls, proxy, timeoutMs } = this.settings;
    const { servername, rejectUnauthorized, minVersion } = tls;
    const secureContext = material && createSecureContext({ ...material, minVersion });
    const options = { ...kept, servername, rejectUnauthorized, minVersion, secureContext };
    const server = proxy?.https;
    return [new SecureAgent(options), server && new TunnelAgent(options, server, timeoutMs)];
  }
}

/** Those in use are closed as soon as they are free. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  closeIdle(agent);
}

function closeIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

function proxyConfig({ host, port, credentials }: ProxyServer): AxiosProxyConfig {
  return { protocol: 'http', host, port, ...(credentials && { auth: credentials() }) };
}
