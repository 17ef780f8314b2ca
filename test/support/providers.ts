import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import type { Cleanup } from './test-app.js';

/** A request that a provider received. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** How a provider is started. */
export interface ProviderOptions {
  readonly serviceName?: string;
  readonly version?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly query?: string;
  /** Answers a request; by default with the name of the instance. */
  readonly answer?: RequestListener;
}

let started = 0;

/** An instance of a service: a real server, and a record of it in an embedded registry. */
export class Provider {
  readonly instanceId = `provider-${(started += 1)}`;
  readonly received: Received[] = [];
  readonly #serviceId: string;
  readonly #server: Server;
  #port = 0;

  constructor(
    private readonly registry: EmbeddedServiceCenter,
    private readonly options: ProviderOptions,
  ) {
    const { serviceName = 'greeter', version = '1.0.0', tls, answer } = options;
    this.#serviceId = `${serviceName}-${version}`;
    const listener: RequestListener = (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        this.received.push({ method, url, headers, body: Buffer.concat(pieces).toString() });
        if (answer === undefined) response.end(this.instanceId);
        else answer(request, response);
      });
    };
    this.#server =
      tls === undefined ? createServer(listener) : createSecureServer({ ...tls }, listener);
  }

  /** Where it listens, or did. */
  get port(): number {
    return this.#port;
  }

  get endpoint(): string {
    const query = [this.options.tls && 'sslEnabled=true', this.options.query].filter(Boolean);
    return `rest://127.0.0.1:${this.port}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  }

  /** Listens, without being registered. */
  async listen(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Registers the instance, at this endpoint or its own. */
  register(endpoints: readonly string[] = [this.endpoint], status = 'UP'): this {
    const { serviceName = 'greeter', version = '1.0.0' } = this.options;
    const service = { serviceId: this.#serviceId, serviceName, appId: 'default', version };
    this.#ask('POST', '/microservices', { service });
    const healthCheck = { mode: 'push', interval: 60, times: 3 };
    const record = { hostName: 'host', endpoints, status, healthCheck };
    const instance = { instanceId: this.instanceId, ...record };
    this.#ask('POST', `/microservices/${this.#serviceId}/instances`, { instance });
    return this;
  }

  /** Takes the instance off the registry; its server goes on. */
  unregister(): void {
    this.#ask('DELETE', `/microservices/${this.#serviceId}/instances/${this.instanceId}`);
  }

  /** Replaces the properties of the instance in the registry. */
  change(properties: Readonly<Record<string, string>>): void {
    const path = `/microservices/${this.#serviceId}/instances/${this.instanceId}/properties`;
    this.#ask('PUT', path, { properties });
  }

  /** Ends the server and all its connections. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  /** The number of connections that are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  #ask(method: string, path: string, body?: object): void {
    const target = `/v4/default/registry${path}`;
    const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const { status } = this.registry.answer({ method, target, headers: {}, body: bytes });
    if (status !== 200) throw new Error(`${method} ${target} was answered ${status}`);
  }
}

/** Starts an instance of a service, and registers it. */
export async function startProvider(
  cleanup: Cleanup,
  registry: EmbeddedServiceCenter,
  options: ProviderOptions = {},
): Promise<Provider> {
  const provider = await new Provider(registry, options).listen();
  cleanup.add(() => provider.stop());
  return provider.register();
}
