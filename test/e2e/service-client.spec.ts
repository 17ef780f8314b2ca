import 'reflect-metadata';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import {
  Body,
  Delete,
  Get,
  Head,
  Headers,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Param,
  Post,
  Query,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AxiosError } from 'axios';
import {
  DiscoveryHttpModule,
  DiscoveryHttpService,
  isServiceCombError,
  remote,
  ServiceCenterClient,
  ServiceClient,
} from '../../lib/index.js';
import { clientProviders } from '../../lib/nest/service-client.js';
import { httpProvider, publish } from '../recipes/providers.js';
import { fc } from '../support/fast-check.js';
import { Cleanup, optionsFor, startApp, startRegistry } from '../support/test-app.js';

/** A request as a server sees it. */
interface Received {
  readonly method: string | undefined;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

let port: number;
beforeEach(async () => {
  const server = createServer((request, response) => {
    void text(request).then(body => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://provider');
      const { method, headers } = request;
      const received: Received = {
        method,
        path: pathname,
        query: [...searchParams],
        headers,
        body,
      };
      response.statusCode = pathname === '/missing' ? 404 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(received));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  ({ port } = server.address() as AddressInfo);
});

/** In place of calls by name: sends what goes to a name to the one server, and keeps the configuration. */
@Injectable()
class ByName {
  readonly sent: { readonly url: string | undefined; readonly byName: unknown }[] = [];

  constructor(@Inject(HttpService) { axiosRef }: HttpService) {
    axiosRef.interceptors.request.use(config => {
      this.sent.push({ url: config.url, byName: Reflect.get(config, 'byName') });
      config.url = (config.url ?? '').replace(/^http:\/\/[^/]+/, `http://127.0.0.1:${port}`);
      return config;
    });
  }
}

async function start(...clients: readonly Type<object>[]) {
  const module = await testingModule(...clients).compile();
  cleanup.add(() => module.close());
  return module;
}

function testingModule(...clients: readonly Type<object>[]) {
  return Test.createTestingModule({
    // An axios of its own: without options HttpModule gives everyone the same one.
    imports: [HttpModule.register({})],
    providers: [ByName, ...clientProviders(clients)],
  });
}

@ServiceClient('greeter', { prefix: 'v1' })
class GreeterClient {
  @Get('hello/:name')
  hello(@Param('name') name: string, @Query('polite') polite = true): Promise<Received> {
    return remote(name, polite);
  }

  @Post('greetings')
  add(@Body() greeting: object): Promise<Received> {
    return remote(greeting);
  }

  @Delete('greetings/:id')
  async remove(@Param('id') id: number): Promise<Received> {
    return remote(id);
  }

  @Head('greetings')
  check(): Promise<unknown> {
    return remote();
  }

  @Get('any/:a/:b')
  any(
    @Param('a') a: string,
    @Param() params: object,
    @Query('c') c: unknown,
    @Query() query: object,
    @Headers('x-d') d: string,
    @Headers() headers: object,
  ): Promise<Received> {
    return remote(a, params, c, query, d, headers);
  }

  @Post('fields')
  fields(@Body('a') a: unknown, @Body('b') b: unknown): Promise<Received> {
    return remote(a, b);
  }
}

describe('a service client', () => {
  it('sends what its decorators say, and returns the data of the answer', async () => {
    const module = await start(GreeterClient);
    const received = await module.get(GreeterClient).hello('Ada Lovelace', false);
    expect(received).toMatchObject({
      method: 'GET',
      path: '/v1/hello/Ada%20Lovelace',
      query: [['polite', 'false']],
      body: '',
    });
    expect(module.get(ByName).sent).toEqual([
      { url: 'http://greeter/v1/hello/Ada%20Lovelace', byName: undefined },
    ]);
  });

  it('sends defaults of its parameters', async () => {
    const module = await start(GreeterClient);
    const { query } = await module.get(GreeterClient).hello('Ada');
    expect(query).toEqual([['polite', 'true']]);
  });

  it('sends a body as JSON', async () => {
    const module = await start(GreeterClient);
    const { body, headers } = await module.get(GreeterClient).add({ text: 'Hi' });
    expect([body, headers['content-type']]).toEqual(['{"text":"Hi"}', 'application/json']);
  });

  it('may have methods that are async', async () => {
    const module = await start(GreeterClient);
    expect(await module.get(GreeterClient).remove(7)).toMatchObject({
      method: 'DELETE',
      path: '/v1/greetings/7',
    });
  });

  it('returns nothing of an answer without a body', async () => {
    const module = await start(GreeterClient);
    expect(await module.get(GreeterClient).check()).toBe('');
  });

  it('says who is called when the provider is a query', async () => {
    const provider = { serviceName: 'billing', appId: 'finance', versionRule: '1.0.0+' };
    @ServiceClient(provider)
    class BillingClient {
      @Get('prices') prices(): Promise<Received> {
        return remote();
      }
    }
    const module = await start(BillingClient);
    await module.get(BillingClient).prices();
    expect(module.get(ByName).sent).toEqual([
      { url: 'http://billing/prices', byName: { provider } },
    ]);
  });

  it('rejects with the AxiosError of a refused request', async () => {
    @ServiceClient('greeter')
    class MissingClient {
      @Get('missing') get(): Promise<Received> {
        return remote();
      }
    }
    const module = await start(MissingClient);
    const error: unknown = await module
      .get(MissingClient)
      .get()
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toMatchObject({ response: { status: 404 } });
  });

  it('rejects before it sends when an argument cannot go where it belongs', async () => {
    const module = await start(GreeterClient);
    await expect(module.get(GreeterClient).hello('..')).rejects.toThrow(TypeError);
    expect(module.get(ByName).sent).toEqual([]);
  });

  it('inherits methods, overrides them, and calls those of its parent', async () => {
    @ServiceClient('parent', { prefix: 'a' })
    class Parent {
      @Get('one/:id') one(@Param('id') id: string): Promise<Received> {
        return remote(id);
      }
      @Get('two') two(): Promise<Received> {
        return remote();
      }
      @Get('three') three(@Query('x') x: string): Promise<Received> {
        return remote(x);
      }
    }
    @ServiceClient('child', { prefix: 'b' })
    class Child extends Parent {
      @Post('two') override two(): Promise<Received> {
        return remote();
      }
      @Get('three') override three(@Query('y') y: string): Promise<Received> {
        return super.three(y.trim());
      }
    }
    const module = await start(Parent, Child);
    const child = module.get(Child);
    expect(await child.one('x')).toMatchObject({ method: 'GET', path: '/b/one/x' });
    expect(await child.two()).toMatchObject({ method: 'POST', path: '/b/two' });
    expect(await child.three(' z ')).toMatchObject({ path: '/b/three', query: [['y', 'z']] });
    expect(await module.get(Parent).two()).toMatchObject({ method: 'GET', path: '/a/two' });
  });

  it('is injected by its class, and may have dependencies itself', async () => {
    @ServiceClient('greeter')
    class PrefixedClient {
      constructor(@Inject('PREFIX') readonly prefix: string) {}

      @Get(':path') get(@Param('path') path: string): Promise<Received> {
        return remote(this.prefix + path);
      }
    }
    @Module({ providers: [{ provide: 'PREFIX', useValue: 'pre-' }], exports: ['PREFIX'] })
    class PrefixModule {}
    @Module({
      imports: [HttpModule.register({}), PrefixModule],
      providers: [ByName, ...clientProviders([PrefixedClient])],
      exports: [PrefixedClient],
    })
    class ClientModule {}
    @Injectable()
    class Caller {
      constructor(@Inject(PrefixedClient) readonly client: PrefixedClient) {}
    }
    const module = await Test.createTestingModule({
      imports: [ClientModule],
      providers: [Caller],
    }).compile();
    cleanup.add(() => module.close());
    const { client } = module.get(Caller);
    expect(client).toBeInstanceOf(PrefixedClient);
    expect(await client.get('fix')).toMatchObject({ path: '/pre-fix' });
  });

  it('is replaced in a test like any provider', async () => {
    const greeter = { hello: async () => ({ text: 'hi' }) };
    const module = await testingModule(GreeterClient)
      .overrideProvider(GreeterClient)
      .useValue(greeter)
      .compile();
    expect(module.get(GreeterClient)).toBe(greeter);
  });

  it('fails the start with one error that names every wrong method of all clients', async () => {
    class Undecorated {}
    @ServiceClient('')
    class Nameless {}
    @ServiceClient('greeter')
    class Wrong {
      hello(): Promise<void> {
        return remote();
      }
      @Get(':id') get(): Promise<void> {
        return remote();
      }
    }
    const started = start(GreeterClient, Undecorated, Nameless, Wrong);
    const error: unknown = await started.catch((error: unknown) => error);
    expect(isServiceCombError(error) && error.code).toBe('ERR_SERVICECOMB_OPTIONS');
    expect(String(error)).toBe(
      'RegistryOptionsError: Invalid service clients: Undecorated has no @ServiceClient(); ' +
        'Nameless must name a provider, but it names ""; ' +
        'Wrong.hello() has no @Get(), @Post(), @Put() or the like; ' +
        `Wrong.get() has :id in its path, but no @Param('id')`,
    );
  });

  it('says what to do when the class was not provided by forFeature()', () => {
    expect(() => new GreeterClient().hello('Ada')).toThrow(
      'put the class into DiscoveryHttpModule.forFeature([…]), inject it rather than create it',
    );
  });

  it('passes on the errors of its own code', async () => {
    @ServiceClient('greeter')
    class ThrowingClient {
      @Get() get(): Promise<Received> {
        throw new RangeError('mine');
      }
    }
    const module = await start(ThrowingClient);
    await expect(module.get(ThrowingClient).get()).rejects.toThrow(new RangeError('mine'));
  });
});

describe('a client that forFeature() provides', () => {
  @ServiceClient('greeter', { prefix: 'v1' })
  class NamedClient {
    @Get('who/:id') who(@Param('id') id: string): Promise<string> {
      return remote(id);
    }
  }
  const provider = { serviceName: 'billing', appId: 'finance', versionRule: '1.0.0' };
  @ServiceClient(provider)
  class BillingClient {
    @Post('charges') charge(@Body() charge: object): Promise<string> {
      return remote(charge);
    }
  }

  async function startCaller(metadata: ModuleMetadata) {
    const { url } = await startRegistry(cleanup);
    const options = optionsFor(url, { microservice: { serviceName: 'caller' } });
    const { app } = await startApp(cleanup, options, metadata);
    return { app, registry: app.get(ServiceCenterClient) };
  }

  function answering(name: string) {
    return httpProvider(cleanup, (request, response) => {
      void text(request).then(body => response.end([name, request.url, body].join(' ').trim()));
    });
  }

  it('calls the instances that are registered under the name', async () => {
    const { app, registry } = await startCaller({
      imports: [DiscoveryHttpModule.forFeature([NamedClient])],
    });
    await publish(registry, 'greeter', await answering('one'));
    await publish(registry, 'greeter', await answering('two'));
    const client = app.get(NamedClient, { strict: false });
    const answers = [await client.who('a/b'), await client.who('a/b')];
    expect(answers.toSorted()).toEqual(['one /v1/who/a%2Fb', 'two /v1/who/a%2Fb']);
  });

  it('calls a provider of another application, in the version that it names', async () => {
    const { app, registry } = await startCaller({
      imports: [DiscoveryHttpModule.forFeature([NamedClient, BillingClient])],
    });
    const shared = { appId: 'finance', properties: { allowCrossApp: 'true' } };
    await publish(registry, 'billing', await answering('own application'));
    await publish(registry, 'billing', await answering('1.0.0'), shared);
    await publish(registry, 'billing', await answering('2.0.0'), { ...shared, version: '2.0.0' });
    const client = app.get(BillingClient, { strict: false });
    for (let turn = 0; turn < 4; turn += 1)
      expect(await client.charge({ turn })).toBe(`1.0.0 /charges {"turn":${turn}}`);
  });

  it('has the options of its module', async () => {
    const { app, registry } = await startCaller({
      imports: [DiscoveryHttpModule.forFeature([NamedClient], { timeout: 50 })],
    });
    await publish(registry, 'greeter', await httpProvider(cleanup, () => undefined));
    const answer = app.get(NamedClient, { strict: false }).who('a');
    await expect(answer).rejects.toThrow('timeout of 50ms exceeded');
  });

  it('leaves HttpService to whom else the module imports', async () => {
    @Injectable()
    class Caller {
      constructor(@Inject(HttpService) readonly http: HttpService) {}
    }
    const { app } = await startCaller({
      imports: [DiscoveryHttpModule.forFeature([NamedClient]), HttpModule],
      providers: [Caller],
    });
    expect(app.get(Caller).http).not.toBeInstanceOf(DiscoveryHttpService);
  });

  it('is exported with DiscoveryHttpModule', async () => {
    @Module({
      imports: [DiscoveryHttpModule.forFeature([NamedClient])],
      exports: [DiscoveryHttpModule],
    })
    class GreeterModule {}
    @Injectable()
    class Caller {
      constructor(@Inject(NamedClient) readonly client: NamedClient) {}
    }
    const { app } = await startCaller({ imports: [GreeterModule], providers: [Caller] });
    expect(app.get(Caller).client).toBeInstanceOf(NamedClient);
  });
});

describe('any argument', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !/^\.\.?$/.test(text));
  const queried = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean());
  const visible = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/);

  it('lands where its decorator says', async () => {
    const client = (await start(GreeterClient)).get(GreeterClient);
    const property = fc.asyncProperty(
      fc.record({ a: word, b: word, c: fc.array(queried), e: queried, d: visible, f: visible }),
      async ({ a, b, c, e, d, f }) => {
        const received = await client.any(a, { b }, c, { e }, d, { 'x-f': f });
        const [, version, any, ...segments] = received.path.split('/');
        expect([version, any, ...segments.map(decodeURIComponent)]).toEqual(['v1', 'any', a, b]);
        const query = [['e', String(e)], ...c.map(value => ['c', String(value)])];
        expect(received.query).toEqual(query);
        expect(received.headers).toMatchObject({ 'x-d': d, 'x-f': f });
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it('lands in the body as JSON', async () => {
    const client = (await start(GreeterClient)).get(GreeterClient);
    const property = fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (a, b) => {
      const whole = await client.add(Object(a) === a ? Object(a) : { a });
      expect(JSON.parse(whole.body)).toEqual(
        JSON.parse(JSON.stringify(Object(a) === a ? a : { a })),
      );
      const { body } = await client.fields(a, b);
      expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify({ a, b })));
    });
    await fc.assert(property, { numRuns: 100 });
  });
});
