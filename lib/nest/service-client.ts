import { HttpService } from '@nestjs/axios';
import type { FactoryProvider, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { AxiosRequestConfig } from 'axios';
import { type OptionIssue, RegistryOptionsError } from '../errors.js';
import type { ProviderQuery } from '../discovery/provider.js';
import { type ClientRoute, methodsOf, readRoute, requestOf } from './client-route.js';

// By a key that both forms of this library know: a process may load both.
const clientKey = Symbol.for('nestjs-servicecomb.service-client');
const argumentsKey = Symbol.for('nestjs-servicecomb.remote');

/** What the methods of a client have in common. */
export interface ServiceClientOptions {
  /** Put before the path of each method. */
  readonly prefix?: string | undefined;
}

interface Target extends ServiceClientOptions {
  readonly provider: ProviderQuery;
  /** Whether the name alone says who is called. */
  readonly isName: boolean;
}

/**
 * Makes a class a client of a provider: each method is a request, which Nest's own decorators describe, and
 * returns a promise of the answer's data. `DiscoveryHttpModule.forFeature()` provides it.
 *
 * `@Param()`, `@Query()`, `@Headers()` and `@Body()` say where an argument goes. An argument that is undefined is left
 * out; one for the path must not be. A list in the query repeats its name. A method without `@Get()` or the like,
 * and a decorator that only a server can honor, fail the start.
 *
 * @example
 * ```ts
 * @ServiceClient('greeter', { prefix: 'v1' })
 * export class GreeterClient {
 *   @Get('hello/:name')
 *   hello(@Param('name') name: string, @Query('polite') polite = true): Promise<Greeting> {
 *     return remote(name, polite);
 *   }
 * }
 * ```
 */
export function ServiceClient(
  provider: string | ProviderQuery,
  options: ServiceClientOptions = {},
): ClassDecorator {
  const isName = typeof provider === 'string';
  const query = isName ? { serviceName: provider } : provider;
  const target: Target = { ...options, provider: query, isName };
  return client => Reflect.defineMetadata(clientKey, target, client);
}

/**
 * The body of a client's method: sends the request with these arguments, the first one to where the method's first
 * parameter goes.
 * @throws Error in a class that `DiscoveryHttpModule.forFeature()` did not provide
 */
export function remote(...args: readonly unknown[]): never {
  throw new RemoteCall(args);
}

/** Carries the arguments from the body of a method to what sends the request. Nobody else catches it. */
class RemoteCall extends Error {
  readonly [argumentsKey]: readonly unknown[];

  constructor(args: readonly unknown[]) {
    super(
      'remote() was called outside of a service client: put the class into ' +
        'DiscoveryHttpModule.forFeature([…]), inject it rather than create it, ' +
        'and give the method @Get(), @Post() or the like',
    );
    this.name = 'RemoteCall';
    this[argumentsKey] = args;
  }
}

/** @internal Returns the providers of client classes. They need an HttpService that calls by name. */
export function clientProviders(clients: readonly Type<object>[]): readonly FactoryProvider[] {
  // One provider reads them all, so that one error names every mistake.
  const read = { provide: Symbol('service clients'), useFactory: () => readClients(clients) };
  const instances = clients.map(client => ({
    provide: client,
    inject: [HttpService, ModuleRef, read.provide],
    useFactory: async (
      http: HttpService,
      modules: ModuleRef,
      routes: ReadonlyMap<Type<object>, readonly SentMethod[]>,
    ) => connect(await modules.create(client), routes.get(client) ?? [], http),
  }));
  return [read, ...instances];
}

interface SentMethod {
  readonly name: string;
  readonly route: ClientRoute;
  readonly target: Target;
}

function readClients(
  clients: readonly Type<object>[],
): ReadonlyMap<Type<object>, readonly SentMethod[]> {
  const issues: OptionIssue[] = [];
  const read = new Map(clients.map(client => [client, readClient(client, issues)]));
  if (issues.length > 0) throw new RegistryOptionsError(issues, 'service clients');
  return read;
}

function readClient(client: Type<object>, issues: OptionIssue[]): readonly SentMethod[] {
  const target: Target | undefined = Reflect.getMetadata(clientKey, client);
  if (target === undefined) {
    issues.push({ path: client.name, message: 'has no @ServiceClient()' });
    return [];
  }
  if (!/^[a-zA-Z0-9]([\w.-]*[a-zA-Z0-9])?$/.test(target.provider.serviceName)) {
    const name = JSON.stringify(target.provider.serviceName);
    issues.push({ path: client.name, message: `must name a provider, but it names ${name}` });
  }
  return methodsOf(client).flatMap(name => {
    const reject = (message: string) => issues.push({ path: `${client.name}.${name}()`, message });
    const route = readRoute(client, name, target.prefix ?? '', reject);
    return route === undefined ? [] : [{ name, route, target }];
  });
}

/** Makes the methods of an instance send their requests. */
function connect(client: object, methods: readonly SentMethod[], http: HttpService): object {
  for (const { name, route, target } of methods) {
    const body: unknown = Reflect.get(client, name);
    if (typeof body !== 'function') continue;
    const send = async (...args: readonly unknown[]): Promise<unknown> => {
      try {
        return await Reflect.apply(body, client, args);
      } catch (error) {
        const passed = argumentsOf(error);
        if (passed === undefined) throw error;
        const request = addressed(requestOf(route, passed), target);
        return (await http.axiosRef.request<unknown>(request)).data;
      }
    };
    Object.defineProperty(client, name, { value: send, configurable: true, writable: true });
  }
  return client;
}

function argumentsOf(error: unknown): readonly unknown[] | undefined {
  const passed: unknown = Reflect.get(Object(error), argumentsKey);
  return Array.isArray(passed) ? passed : undefined;
}

function addressed(request: AxiosRequestConfig, { provider, isName }: Target): AxiosRequestConfig {
  const url = `http://${provider.serviceName}${request.url}`;
  return isName ? { ...request, url } : { ...request, url, byName: { provider } };
}
