import { Agent as SecureAgent } from 'node:https';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { HttpModule, HttpService } from '@nestjs/axios';
import { describe, expect } from '@jest/globals';
import { type DynamicModule, Inject, Injectable, Module, type Type } from '@nestjs/common';
import axios, { type AxiosRequestConfig } from 'axios';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import {
  candidateOf,
  Discovery,
  DiscoveryHttpModule,
  type DiscoveryHttpOptions,
  type DiscoveryHttpOptionsFactory,
  DiscoveryHttpService,
  RegistryModule,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { concurrently } from '../support/concurrently.js';
import { guarded, root } from '../support/guarded-app.js';
import { Provider, startProvider } from '../support/providers.js';
import { within5s } from '../support/within.js';
import {
  type Cleanup,
  createApp,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
  type TestApp,
} from '../support/test-app.js';

interface Caller extends TestApp {
  readonly registry: EmbeddedServiceCenter;
  readonly http: HttpService;
  readonly get: (url: string, config?: AxiosRequestConfig) => Promise<string>;
  readonly post: (url: string, config?: AxiosRequestConfig) => Promise<string>;
}

/** An application that calls by name; its own lease and watch do not matter, so it only listens. */
async function startCaller(
  cleanup: Cleanup,
  http: DiscoveryHttpOptions = {},
  options: RegistryModuleOptions = {},
): Promise<Caller> {
  const registry = await startRegistry(cleanup);
  // A busy machine keeps it.
  const serviceCenter = { timeoutMs: 5_000 };
  const written = optionsFor(registry.url, { serviceCenter, ...options });
  return { registry, ...(await callerOf(cleanup, written, http)) };
}

async function callerOf(
  cleanup: Cleanup,
  options: RegistryModuleOptions,
  http: DiscoveryHttpOptions = {},
): Promise<Omit<Caller, 'registry'>> {
  const imports = [DiscoveryHttpModule.register(http)];
  const app = await createApp(cleanup, options, { imports });
  await app.app.init();
  const service = app.app.get(HttpService);
  const get = async (url: string, config?: AxiosRequestConfig) =>
    (await firstValueFrom(service.get<string>(url, config))).data;
  const post = async (url: string, config?: AxiosRequestConfig) =>
    (await firstValueFrom(service.post<string>(url, 'body', config))).data;
  return { ...app, http: service, get, post };
}

/** Starts an instance that nothing answers for: its port refuses connections. */
async function startDead(cleanup: Cleanup, registry: EmbeddedServiceCenter): Promise<Provider> {
  const provider = await startProvider(cleanup, registry);
  await provider.stop();
  return provider;
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a request by name', () => {
  concurrently('goes to an instance, with its path, query and body', async cleanup => {
    const { registry, get, post } = await startCaller(cleanup);
    const provider = await startProvider(cleanup, registry);
    expect(await get('http://greeter/hello?a=%2f', { params: { b: 1 } })).toBe(provider.instanceId);
    await post('http://greeter/add');
    expect(provider.received).toMatchObject([
      { method: 'GET', url: '/hello?a=%2f&b=1', body: '' },
      { method: 'POST', url: '/add', body: 'body' },
    ]);
  });

  concurrently('has the prefix that the instance was registered with', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    const provider = await startProvider(cleanup, registry, { query: 'urlPrefix=/api' });
    await get('http://greeter/hello');
    expect(provider.received).toMatchObject([{ url: '/api/hello' }]);
  });

  concurrently('tells names apart that differ in case alone', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    const upper = await startProvider(cleanup, registry, { serviceName: 'Greeter' });
    const lower = await startProvider(cleanup, registry, { serviceName: 'greeter' });
    expect(await get('http://Greeter/')).toBe(upper.instanceId);
    expect(await get('http://greeter/')).toBe(lower.instanceId);
  });

  concurrently('goes on to another instance when none listens at the first', async cleanup => {
    const { registry, http, get, post } = await startCaller(cleanup);
    await startDead(cleanup, registry);
    const alive = await startProvider(cleanup, registry);
    let interceptions = 0;
    http.axiosRef.interceptors.request.use(config => {
      interceptions += 1;
      return config;
    });
    for (const call of [get, post, get, post])
      expect(await call('http://greeter/')).toBe(alive.instanceId);
    expect(interceptions).toBe(4);
    expect(alive.received).toHaveLength(4);
  });

  concurrently('is not repeated once it may have arrived, unless it may be', async cleanup => {
    const { registry, get, post } = await startCaller(
      cleanup,
      {},
      { discovery: { ejection: false } },
    );
    const cutOff = {
      answer: (request: { socket: { destroy(): void } }) => request.socket.destroy(),
    };
    const providers = [
      await startProvider(cleanup, registry, cutOff),
      await startProvider(cleanup, registry, cutOff),
    ];
    const count = () => providers.reduce((sum, { received }) => sum + received.length, 0);
    expect(await thrownBy(post('http://greeter/'))).toMatchObject({ code: 'ECONNRESET' });
    expect(count()).toBe(1);
    expect(await thrownBy(get('http://greeter/'))).toMatchObject({ code: 'ECONNRESET' });
    expect(count()).toBe(3);
    await thrownBy(post('http://greeter/', { byName: { idempotent: true } }));
    expect(count()).toBe(5);
    await thrownBy(get('http://greeter/', { byName: { retries: 0 } }));
    expect(count()).toBe(6);
  });

  concurrently('is sent again where the kept connection had just been closed', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    const served = new WeakSet();
    const provider = await startProvider(cleanup, registry, {
      answer: ({ socket }, response) => {
        if (served.has(socket)) return void socket.destroy();
        served.add(socket);
        response.end('served');
      },
    });
    expect(await get('http://greeter/')).toBe('served');
    expect(await get('http://greeter/')).toBe('served');
    expect(provider.received).toHaveLength(3);
  });

  concurrently('says who calls, and passes on what the context says', async cleanup => {
    const context = () => ({ traceparent: '00-1-2-01' });
    const { registry, get } = await startCaller(cleanup, { context });
    const provider = await startProvider(cleanup, registry);
    await get('http://greeter/');
    const headers = provider.received[0]?.headers;
    expect(JSON.parse(String(headers?.['x-cse-context']))).toEqual({
      'x-cse-src-microservice': 'orders',
    });
    expect(headers?.['traceparent']).toBe('00-1-2-01');
  });

  concurrently('has no credentials of the registry (D17)', async cleanup => {
    const registry = await guarded(cleanup);
    const serviceCenter = {
      auth: root,
      timeoutMs: 5_000,
      axios: { headers: { 'x-gateway': 'secret' } },
    };
    const { get } = await callerOf(cleanup, optionsFor(registry.url, { serviceCenter }));
    const provider = new Provider(registry, {});
    await provider.listen();
    cleanup.add(() => provider.stop());
    const options = optionsFor(registry.url, {
      serviceCenter,
      microservice: { serviceName: 'greeter' },
      instance: { endpoints: [provider.endpoint] },
    });
    await startApp(cleanup, options);
    expect(await get('http://greeter/')).toBe(provider.instanceId);
    const text = JSON.stringify(provider.received);
    expect(registry.requests.some(({ headers }) => headers['x-gateway'] === 'secret')).toBe(true);
    expect(text).not.toMatch(/authorization|x-gateway|secret|password/i);
  });

  concurrently('uses no proxy of the environment', async cleanup => {
    const { registry, http } = await startCaller(cleanup);
    const provider = await startProvider(cleanup, registry);
    const { HTTP_PROXY } = process.env;
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:9';
    try {
      expect((await http.axiosRef.get('http://greeter/')).data).toBe(provider.instanceId);
    } finally {
      if (HTTP_PROXY === undefined) delete process.env['HTTP_PROXY'];
      else process.env['HTTP_PROXY'] = HTTP_PROXY;
    }
  });

  concurrently('of a name that nobody has is no lookup in DNS', async cleanup => {
    const { get } = await startCaller(cleanup);
    const lookups: string[] = [];
    const lookup = (host: string) => void lookups.push(host);
    const error = await thrownBy(get('http://nobody.invalid/', { lookup }));
    expect(error).toMatchObject({
      code: 'ERR_SERVICECOMB_NO_INSTANCE',
      reason: 'unknown-provider',
      message: expect.stringContaining('inject the HttpService of HttpModule'),
    });
    expect(lookups).toEqual([]);
  });

  concurrently('to a host goes to that host', async cleanup => {
    const { registry, http } = await startCaller(cleanup);
    const provider = await new Provider(registry, {}).listen();
    cleanup.add(() => provider.stop());
    const answer = await http.axiosRef.get(`http://localhost:${provider.port}/`);
    expect(answer.data).toBe(provider.instanceId);
    expect(candidateOf(answer)).toBeUndefined();
    expect(provider.received[0]?.headers).not.toHaveProperty('x-cse-context');
  });
});

describe('an error of a request by name', () => {
  concurrently('has the URL as it was written, and who failed', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    const dead = await startDead(cleanup, registry);
    const error = await thrownBy(get('http://greeter/hello', { params: { a: 1 } }));
    expect(axios.isAxiosError(error) ? error.config : undefined).toMatchObject({
      url: 'http://greeter/hello',
      params: { a: 1 },
    });
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(candidateOf(error)?.instance.instanceId).toBe(dead.instanceId);
  });

  concurrently('can be sent again as it is, by name', async cleanup => {
    const { registry, http } = await startCaller(cleanup);
    const dead = await startDead(cleanup, registry);
    const error = await thrownBy(http.axiosRef.get('http://greeter/hello'));
    dead.unregister();
    const alive = await startProvider(cleanup, registry);
    const config = axios.isAxiosError(error) ? error.config : undefined;
    const again = async () => (await http.axiosRef.request(config ?? {})).data;
    expect(await within5s(again)).toBe(alive.instanceId);
  });

  concurrently('is that of axios for a status, of who answered last', async cleanup => {
    const { registry, get, post } = await startCaller(cleanup);
    const busy = await startProvider(cleanup, registry, {
      answer: (_, response) => void response.writeHead(503).end('{"busy":true}'),
    });
    const error = await thrownBy(get('http://greeter/'));
    expect(error).toMatchObject({ response: { status: 503, data: { busy: true } } });
    expect(candidateOf(error)?.instance.instanceId).toBe(busy.instanceId);
    expect(await post('http://greeter/', { validateStatus: () => true })).toEqual({ busy: true });
    expect(busy.received.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  concurrently('is the timeout of axios for all attempts together', async cleanup => {
    const { registry, app, get } = await startCaller(cleanup);
    const silent = await startProvider(cleanup, registry, { answer: () => undefined });
    // The first question is not what is timed here.
    await app.get(Discovery).find('greeter');
    const startedAt = performance.now();
    const error = await thrownBy(get('http://greeter/', { timeout: 1_000 }));
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(error).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 1000ms exceeded' });
    expect(candidateOf(error)?.instance.instanceId).toBe(silent.instanceId);
    expect(silent.received).toHaveLength(1);
  });

  concurrently(
    'of a request that is left early there is none, nor is it a failure',
    async cleanup => {
      const ejection = { failures: 1 };
      const { registry, app, http } = await startCaller(cleanup, {}, { discovery: { ejection } });
      const arrived: Promise<void>[] = [];
      const closed: Promise<void>[] = [];
      const answer: RequestListener = ({ socket }) => {
        closed.push(new Promise(ended => void socket.on('close', () => ended())));
        left.shift()?.();
      };
      const left: (() => void)[] = [];
      for (const _ of [1, 2]) await startProvider(cleanup, registry, { answer });
      for (const _ of [1, 2, 3, 4]) {
        arrived.push(new Promise(resolve => left.push(resolve)));
        const call = http.get('http://greeter/').subscribe();
        await arrived.at(-1);
        call.unsubscribe();
      }
      await Promise.all(closed);
      expect(closed).toHaveLength(4);
      const [known] = app.get(Discovery).snapshot().providers;
      const unharmed = { pending: 0, ejectedForMs: null };
      expect(known?.instances).toMatchObject([unharmed, unharmed]);
    },
  );
});

/** Accepts connections and says nothing. */
async function startSilent(cleanup: Cleanup): Promise<Server> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer(socket => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  return server;
}

/** Answers with a redirect. */
function redirectTo(location: string, status = 302): RequestListener {
  return (_, response) => void response.writeHead(status, { location }).end();
}

describe('a redirect', () => {
  concurrently('is followed at the instance that answered with it', async cleanup => {
    const { registry, http } = await startCaller(cleanup);
    const answer: RequestListener = (request, response) =>
      request.url === '/old' ? redirectTo('/new')(request, response) : response.end('moved');
    const provider = await startProvider(cleanup, registry, { answer });
    const answered = await http.axiosRef.get('http://greeter/old');
    expect(answered.data).toBe('moved');
    expect(answered.config.url).toBe('http://greeter/old');
    expect(candidateOf(answered)?.instance.instanceId).toBe(provider.instanceId);
    const headers = provider.received[1]?.headers;
    expect(headers).toHaveProperty('x-cse-context');
  });

  concurrently('to another host carries nothing that is for instances', async cleanup => {
    const context = () => ({ 'x-tenant': 'a', 'X-Own': 'context' });
    const { registry, get } = await startCaller(cleanup, { context });
    const elsewhere = await new Provider(registry, {}).listen();
    cleanup.add(() => elsewhere.stop());
    const location = `http://localhost:${elsewhere.port}/file`;
    const answer = redirectTo(location);
    await startProvider(cleanup, registry, { answer });
    const seen: unknown[] = [];
    const beforeRedirect = (next: Readonly<Record<string, unknown>>) => seen.push(next['href']);
    const own = { 'x-own': 'request' };
    const headers = { ...own, 'x-cse-context': '{}' };
    expect(await get('http://greeter/', { headers, beforeRedirect })).toBe(elsewhere.instanceId);
    expect(seen).toEqual([location]);
    expect(elsewhere.received[0]?.headers).toMatchObject(own);
    expect(elsewhere.received[0]?.headers).not.toHaveProperty('x-tenant');
    expect(elsewhere.received[0]?.headers).not.toHaveProperty('x-cse-context');
  });

  concurrently(
    'to where nobody listens is not repeated, nor held against who sent it',
    async cleanup => {
      const { registry, app, post } = await startCaller(cleanup);
      const dead = await new Provider(registry, {}).listen();
      const answer = redirectTo(`http://127.0.0.1:${dead.port}/`, 303);
      await dead.stop();
      const providers = [
        await startProvider(cleanup, registry, { answer }),
        await startProvider(cleanup, registry, { answer }),
      ];
      expect(await thrownBy(post('http://greeter/'))).toMatchObject({ code: 'ECONNREFUSED' });
      expect(providers.flatMap(({ received }) => received)).toHaveLength(1);
      const [known] = app.get(Discovery).snapshot().providers;
      expect(known?.instances.map(({ ejectedForMs }) => ejectedForMs)).toEqual([null, null]);
    },
  );

  concurrently('is an answer as any other with maxRedirects: 0', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    await startProvider(cleanup, registry, { answer: redirectTo('/new') });
    expect(await thrownBy(get('http://greeter/', { maxRedirects: 0 }))).toMatchObject({
      response: { status: 302, headers: { location: '/new' } },
    });
  });
});

describe('a connection to an instance', () => {
  concurrently('that does not come about in time is one that was never there', async cleanup => {
    const { registry, post } = await startCaller(cleanup, { connectTimeoutMs: 500 });
    const absent = new Provider(registry, {});
    absent.register(['rest://absent.test:3000']);
    const alive = await startProvider(cleanup, registry);
    // As where packets are dropped: the address is never found.
    const lookup = (): void => undefined;
    for (const _ of [1, 2])
      expect(await post('http://greeter/', { lookup })).toBe(alive.instanceId);
    absent.unregister();
  });

  concurrently('has the same time for the handshake of TLS', async cleanup => {
    const { registry, get } = await startCaller(cleanup, { connectTimeoutMs: 500 });
    const server = await startSilent(cleanup);
    const { port } = server.address() as AddressInfo;
    new Provider(registry, {}).register([`rest://127.0.0.1:${port}?sslEnabled=true`]);
    const error = await thrownBy(get('https://greeter/'));
    expect(error).toMatchObject({ code: 'ETIMEDOUT', cause: { syscall: 'connect' } });
  });

  concurrently('is kept, and closed when the instance is gone', async cleanup => {
    const options = { discovery: { keepMs: 0, pollIntervalMs: 1_000 } };
    const { registry, get, events } = await startCaller(cleanup, {}, options);
    const gone = await new Provider(registry, {}).listen();
    cleanup.add(() => gone.stop());
    // URLs have hosts in lower case.
    gone.register([`rest://LocalHost:${gone.port}`]);
    const other = await startProvider(cleanup, registry);
    for (const _ of [1, 2, 3, 4, 5, 6]) await get('http://greeter/');
    const calledAt = performance.now();
    const counts = () => Promise.all([gone.connections(), other.connections()]);
    expect(await counts()).toEqual([1, 1]);
    gone.unregister();
    await events.nth('servicecomb.discovery.changed', 2);
    await within5s(async () => expect(await counts()).toEqual([0, 1]));
    // An idle one is closed after 4 s.
    expect(performance.now() - calledAt).toBeLessThan(3_500);
  });

  concurrently('is closed at the shutdown, or when its call has ended', async cleanup => {
    const { registry, app, get } = await startCaller(cleanup);
    let answer: (() => void) | undefined;
    const provider = await startProvider(cleanup, registry, {
      answer: ({ url }, response) => {
        if (url === '/idle') response.end();
        else answer = () => response.end('late');
      },
    });
    const call = get('http://greeter/');
    await within5s(async () => expect(answer).toBeDefined());
    await get('http://greeter/idle');
    await app.close();
    const connections = async (count: number) => expect(await provider.connections()).toBe(count);
    const startedAt = performance.now();
    await within5s(() => connections(1));
    answer?.();
    expect(await call).toBe('late');
    await within5s(() => connections(0));
    // An idle one is closed after 4 s.
    expect(performance.now() - startedAt).toBeLessThan(3_500);
  });

  concurrently('is verified by the authorities of Node, or as an own agent says', async cleanup => {
    const authority = certificateAuthority();
    const { cert, key } = authority.issue(['127.0.0.1']);
    const { registry, get } = await startCaller(cleanup);
    const secure = await startProvider(cleanup, registry, { tls: { cert, key } });
    expect(await thrownBy(get('https://greeter/'))).toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/),
    });
    const httpsAgent = new SecureAgent({ ca: authority.cert });
    cleanup.add(async () => httpsAgent.destroy());
    expect(await get('http://greeter/', { httpsAgent })).toBe(secure.instanceId);
  });

  concurrently('goes to secure endpoints alone with https', async cleanup => {
    const { registry, get } = await startCaller(cleanup);
    await startProvider(cleanup, registry);
    expect(await thrownBy(get('https://greeter/'))).toMatchObject({ reason: 'none-of-scheme' });
  });
});

describe('a stream', () => {
  concurrently(
    'is read beyond the deadline of the call, and ends with its signal',
    async cleanup => {
      const { registry, http } = await startCaller(cleanup);
      const provider = await startProvider(cleanup, registry, {
        answer: (_, response) => {
          response.write('first ');
          setTimeout(() => response.write('second'), 1_500);
        },
      });
      const controller = new AbortController();
      const { data } = await firstValueFrom(
        http.get<NodeJS.ReadableStream>('http://greeter/', {
          responseType: 'stream',
          timeout: 1_000,
          signal: controller.signal,
        }),
      );
      let text = '';
      const error = new Promise<unknown>(resolve => void data.on('error', resolve));
      await new Promise<void>(resolve => {
        data.on('data', piece => {
          text += String(piece);
          if (text === 'first second') resolve();
        });
      });
      controller.abort();
      expect(axios.isCancel(await error)).toBe(true);
      expect(provider.received).toHaveLength(1);
    },
  );
});

describe('a stream that nobody gets', () => {
  concurrently(
    'is ended when the request is repeated, so that its connection is free',
    async cleanup => {
      const { registry, http } = await startCaller(cleanup);
      const ended: Promise<void>[] = [];
      const providers = await Promise.all(
        [1, 2].map(() =>
          startProvider(cleanup, registry, {
            answer: (_, response) => {
              ended.push(new Promise(resolve => void response.on('close', () => resolve())));
              response.writeHead(503).write('never ends');
            },
          }),
        ),
      );
      const get = http.axiosRef.get<Readable>('http://greeter/', {
        responseType: 'stream',
        validateStatus: () => true,
      });
      const { data } = await get;
      expect(providers.flatMap(({ received }) => received)).toHaveLength(2);
      await ended[0];
      expect(data.destroyed).toBe(false);
      data.destroy();
    },
  );
});

@Injectable()
class OptionsFactory implements DiscoveryHttpOptionsFactory {
  createHttpOptions(): DiscoveryHttpOptions {
    return { headers: { 'x-made': 'by a class' } };
  }
}

@Module({ providers: [OptionsFactory], exports: [OptionsFactory] })
class OptionsModule {}

/** A feature module that injects the service. */
function feature(http: DynamicModule): {
  readonly module: Type;
  readonly user: Type<{ http: HttpService }>;
} {
  @Injectable()
  class User {
    constructor(@Inject(HttpService) readonly http: HttpService) {}
  }
  @Module({ imports: [http], providers: [User] })
  class FeatureModule {}
  return { module: FeatureModule, user: User };
}

describe('DiscoveryHttpModule', () => {
  concurrently(
    'takes its options from a factory, a class, or a class that exists',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const provider = await startProvider(cleanup, registry);
      const modules = [
        DiscoveryHttpModule.registerAsync({
          extraProviders: [{ provide: 'NAME', useValue: 'by a function' }],
          inject: ['NAME'],
          useFactory: (name: string) => ({ headers: { 'x-made': name } }),
        }),
        DiscoveryHttpModule.registerAsync({ useClass: OptionsFactory }),
        DiscoveryHttpModule.registerAsync({
          imports: [OptionsModule],
          useExisting: OptionsFactory,
        }),
      ].map(feature);
      const imports = modules.map(({ module }) => module);
      const { app } = await createApp(cleanup, optionsFor(registry.url), { imports });
      await app.init();
      for (const { user } of modules)
        await app.get(user, { strict: false }).http.axiosRef.get('http://greeter/');
      expect(provider.received.map(({ headers }) => headers['x-made'])).toEqual([
        'by a function',
        'by a class',
        'by a class',
      ]);
    },
  );

  concurrently(
    'is one for each import, also where Nest compares what they contain',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const provider = await startProvider(cleanup, registry);
      const modules = [DiscoveryHttpModule.register(), DiscoveryHttpModule.register()].map(feature);
      const imports = modules.map(({ module }) => module);
      const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)), { imports });
      const app = await NestFactory.createApplicationContext(root, {
        logger: false,
        moduleIdGeneratorAlgorithm: 'deep-hash',
      });
      cleanup.add(() => app.close());
      const [one, other] = modules.map(({ user }) => app.get(user, { strict: false }).http);
      // Interceptors of one do not reach the other.
      expect(one?.axiosRef).not.toBe(other?.axiosRef);
      expect((await one?.axiosRef.get('http://greeter/'))?.data).toBe(provider.instanceId);
    },
  );

  concurrently('stands beside HttpModule under a name of its own', async cleanup => {
    const registry = await startRegistry(cleanup);
    const provider = await startProvider(cleanup, registry);
    @Injectable()
    class User {
      constructor(
        @Inject(DiscoveryHttpService) readonly byName: DiscoveryHttpService,
        @Inject(HttpService) readonly http: HttpService,
      ) {}
    }
    @Module({ imports: [HttpModule, DiscoveryHttpModule.register()], providers: [User] })
    class FeatureModule {}
    const options = optionsFor(registry.url);
    const { app } = await createApp(cleanup, options, { imports: [FeatureModule] });
    await app.init();
    const { byName, http } = app.get(User, { strict: false });
    expect(byName).not.toBe(http);
    expect((await byName.axiosRef.get('http://greeter/')).data).toBe(provider.instanceId);
  });

  concurrently('can be global', async cleanup => {
    const registry = await startRegistry(cleanup);
    @Injectable()
    class User {
      constructor(@Inject(HttpService) readonly http: HttpService) {}
    }
    @Module({ providers: [User] })
    class FeatureModule {}
    const imports = [FeatureModule, DiscoveryHttpModule.register({ global: true })];
    const { app } = await createApp(cleanup, optionsFor(registry.url), { imports });
    expect(app.get(User, { strict: false }).http).toBeInstanceOf(DiscoveryHttpService);
  });

  concurrently('puts its adapter in place of one that is written', async cleanup => {
    const untyped: object = { adapter: () => Promise.reject(new Error('not called')) };
    const { registry, get } = await startCaller(cleanup, untyped);
    const provider = await startProvider(cleanup, registry);
    expect(await get('http://greeter/')).toBe(provider.instanceId);
  });

  concurrently('refuses a wrong deadline for connections at boot', async cleanup => {
    const options = optionsFor('http://127.0.0.1:1');
    for (const connectTimeoutMs of [49, 60_001, 50.5, NaN]) {
      const imports = [DiscoveryHttpModule.register({ connectTimeoutMs })];
      expect(await thrownBy(createApp(cleanup, options, { imports }))).toMatchObject({
        code: 'ERR_SERVICECOMB_OPTIONS',
        message: expect.stringMatching(
          `connectTimeoutMs must be .* from 50 to 60000, got ${connectTimeoutMs}`,
        ),
      });
    }
  });
});
