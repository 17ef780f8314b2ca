import { HttpService } from '@nestjs/axios';
import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Module,
  type Provider,
  type Type,
} from '@nestjs/common';
import axios, { type AxiosAdapter, type AxiosRequestConfig } from 'axios';
import { DiscoveryCore } from '../discovery/core.js';
import { RegistryOptionsError } from '../errors.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { byNameAdapter } from './by-name.adapter.js';
import { EndpointAgents } from './endpoint-agents.js';
import { RemovedEndpoints } from './removed-endpoints.js';
import { clientProviders } from './service-client.js';
import { DISCOVERY_HTTP_OPTIONS, REGISTRY_OPTIONS } from './tokens.js';
import { Tracing } from './tracing.js';

/** Options of `DiscoveryHttpModule`: those of axios, except `adapter`, and what calls by name need. */
export interface DiscoveryHttpOptions extends Omit<AxiosRequestConfig, 'adapter'> {
  /**
   * How long a connection to an instance, and the handshake of TLS on it, may take: 50 to 60,000 milliseconds. After
   * that the call goes to another instance.
   * @default 1000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Returns headers to pass on from what came in, such as `traceparent`. Called once for each request by name; headers
   * of the request win over them. An error that it throws fails the request.
   * @default none
   */
  readonly context?: (() => Readonly<Record<string, string>> | undefined) | undefined;
}

/** Settings that Nest needs before the options are made. */
export interface DiscoveryHttpExtras {
  /** Whether the HttpService can be injected without importing the module. @default false */
  readonly global?: boolean | undefined;
}

/** A class that creates the options, for `useClass` and `useExisting`. */
export interface DiscoveryHttpOptionsFactory {
  /** Returns the options, or a promise of them. Called once, at the start. */
  createHttpOptions(): DiscoveryHttpOptions | Promise<DiscoveryHttpOptions>;
}

/** Argument of `DiscoveryHttpModule.registerAsync()`. */
export interface DiscoveryHttpAsyncOptions
  extends
    ConfigurableModuleAsyncOptions<DiscoveryHttpOptions, 'createHttpOptions'>,
    DiscoveryHttpExtras {
  /** Providers that the factory needs and no imported module exports. */
  readonly extraProviders?: Provider[] | undefined;
}

/**
 * The HttpService that calls providers by name. The same object as the `HttpService` of the module: inject it
 * where HttpModule is imported as well.
 */
export class DiscoveryHttpService extends HttpService {}

// Each import is a module of its own, so that interceptors of one do not reach another.
const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<DiscoveryHttpOptions>({
  moduleName: 'DiscoveryHttp',
  optionsInjectionToken: DISCOVERY_HTTP_OPTIONS,
  alwaysTransient: true,
})
  .setClassMethodName('register')
  .setFactoryMethodName('createHttpOptions')
  .build();

/**
 * Provides an `HttpService` that calls other services by their names: `http://greeter/hello` goes to an instance of
 * `greeter` that is UP, and to another one when that cannot be reached. It takes the place of `HttpModule`, and
 * needs `RegistryModule` in the root module. A URL with a port, an IP address or `localhost` is sent as it is.
 * Import it by `register()`: the class alone provides nothing.
 *
 * @example
 * ```ts
 * @Module({ imports: [DiscoveryHttpModule.register()], providers: [HelloService] })
 * export class HelloModule {}
 *
 * @Injectable()
 * export class HelloService {
 *   constructor(private readonly http: HttpService) {}
 *
 *   hello(name: string): Observable<AxiosResponse<string>> {
 *     return this.http.get<string>('http://greeter/hello', { params: { name } });
 *   }
 * }
 * ```
 */
@Module({
  providers: [
    {
      provide: EndpointAgents,
      inject: [DISCOVERY_HTTP_OPTIONS, RemovedEndpoints],
      useFactory: (options: DiscoveryHttpOptions, removed: RemovedEndpoints) =>
        createAgents(options, removed),
    },
    {
      provide: DiscoveryHttpService,
      inject: [DISCOVERY_HTTP_OPTIONS, REGISTRY_OPTIONS, DiscoveryCore, EndpointAgents, Tracing],
      useFactory: createService,
    },
    { provide: HttpService, useExisting: DiscoveryHttpService },
  ],
})
export class DiscoveryHttpModule {
  /**
   * Returns the module with the given options; each has a default.
   * @throws RegistryOptionsError at boot, when an option is not valid
   */
  static register(options: DiscoveryHttpOptions & DiscoveryHttpExtras = {}): DynamicModule {
    const { global = false, ...rest } = options;
    const registered = ConfigurableModuleClass.register(rest);
    return { ...registered, module: DiscoveryHttpModule, global, exports: services };
  }

  /** Returns the module with options from a factory, such as one that reads a ConfigService. */
  static registerAsync(options: DiscoveryHttpAsyncOptions): DynamicModule {
    const { global = false, extraProviders = [], ...rest } = options;
    const registered = ConfigurableModuleClass.registerAsync(rest);
    const providers = [...(registered.providers ?? []), ...extraProviders];
    return { ...registered, module: DiscoveryHttpModule, global, providers, exports: services };
  }

  /**
   * Returns the module that provides clients: classes with `@ServiceClient()`. They have an HttpService of their own,
   * with these options, which nobody else gets.
   * @throws RegistryOptionsError at boot, with every method that cannot be sent as it is written
   */
  static forFeature(
    clients: readonly Type<object>[],
    options: DiscoveryHttpOptions & DiscoveryHttpExtras = {},
  ): DynamicModule {
    const registered = this.register(options);
    const providers = [...(registered.providers ?? []), ...clientProviders(clients)];
    return { ...registered, providers, exports: [...clients] };
  }
}

/** Not in the decorator: a module that imports `forFeature()` may have another HttpService. */
const services = [HttpService, DiscoveryHttpService];

function createAgents(options: DiscoveryHttpOptions, removed: RemovedEndpoints): EndpointAgents {
  const { connectTimeoutMs = 1_000 } = options;
  if (!Number.isInteger(connectTimeoutMs) || connectTimeoutMs < 50 || connectTimeoutMs > 60_000)
    throw new RegistryOptionsError([
      {
        path: 'DiscoveryHttpModule: connectTimeoutMs',
        message: `must be a whole number of milliseconds from 50 to 60000, got ${String(connectTimeoutMs)}`,
      },
    ]);
  const agents = new EndpointAgents(connectTimeoutMs);
  removed.listen(({ host, port }) => agents.closeIdleTo(host, port));
  return agents;
}

function createService(
  options: DiscoveryHttpOptions,
  { microservice }: ResolvedOptions,
  core: DiscoveryCore,
  agents: EndpointAgents,
  tracing: Tracing,
): DiscoveryHttpService {
  const { connectTimeoutMs: _, context, ...config } = options;
  const ownName = microservice.serviceName;
  const parts = { core, send: httpAdapter(), agents, ownName, context, tracing };
  const adapter = byNameAdapter(parts);
  return new DiscoveryHttpService(axios.create({ ...config, adapter }));
}

function httpAdapter(): AxiosAdapter {
  return axios.getAdapter('http');
}
