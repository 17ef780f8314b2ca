import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import { Controller, Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import {
  Discovery,
  DiscoveryHttpModule,
  Registration,
  RegistryHealthIndicator,
  RegistryModule,
} from '../../lib/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { startProvider } from '../support/providers.js';
import {
  Cleanup,
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startRegistry,
} from '../support/test-app.js';
import { createUnheard } from '../support/unheard-app.js';

// Warnings go to the log of the whole process, so these tests run one after the other.

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const registered = 'servicecomb.instance.registered';
const endpoints = ['rest://10.0.0.7:3000'];
const silent = /^warn Nothing is registered, .* call app\.listen\(\), or set instance\.endpoints/;

describe('an application after app.init()', () => {
  it('is registered when its server listens by itself, at the port that it got', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.init();
    const server: Server = app.getHttpServer();
    server.listen(0, '127.0.0.1');
    await events.nth(registered);
    const { port } = server.address() as AddressInfo;
    expect(registry.instances()).toMatchObject([{ endpoints: [`rest://127.0.0.1:${port}`] }]);
  });

  it('sends nothing for a server that listens for a single request, as tests have it', async () => {
    const registry = await startRegistry(cleanup);
    const clock = new FakeClock();
    const { app, core } = await createUnheard(cleanup, clock, optionsFor(registry.url));
    await app.init();
    const server: Server = app.getHttpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    await clock.advance(2_000);
    await core.tick(0);
    expect(registry.requests).toEqual([]);
  });

  it('warns once after 10 s that nothing listens, and its health is degraded with the reason', async () => {
    const registry = await startRegistry(cleanup);
    const clock = new FakeClock();
    const { app, core, log } = await createUnheard(cleanup, clock, optionsFor(registry.url));
    await app.init();
    const own = createServer(app.getHttpAdapter().getInstance()).listen(0, '127.0.0.1');
    cleanup.add(async () => own.close());
    await clock.advance(9_900);
    await core.tick(0);
    expect(log.matching(silent)).toEqual([]);
    await clock.advance(100);
    await core.tick(0);
    await clock.advance(60_000);
    await core.tick(0);
    expect(log.matching(silent)).toHaveLength(1);
    expect(await app.get(RegistryHealthIndicator).isHealthy('registry')).toMatchObject({
      registry: {
        status: 'up',
        degraded: true,
        state: 'idle',
        problem: expect.stringContaining('call app.listen()'),
      },
    });
  });

  it('is registered when it listens after the warning, and its health is up', async () => {
    const registry = await startRegistry(cleanup);
    const clock = new FakeClock();
    const { app, core, registration } = await createUnheard(
      cleanup,
      clock,
      optionsFor(registry.url),
    );
    await app.init();
    await clock.advance(10_000);
    await core.tick(0);
    await app.listen(0, '127.0.0.1');
    await core.tick(0);
    expect(registration.snapshot()).toMatchObject({ state: 'registered', problem: null });
  });

  it('is registered without a server that listens when instance.endpoints is set', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { instance: { endpoints } });
    const { app, events, log } = await createApp(cleanup, options);
    await app.init();
    await events.nth(registered);
    expect(registry.instances()).toMatchObject([{ endpoints }]);
    expect(log.matching(silent)).toEqual([]);
  });

  it('is registered at endpoints that leave the host open, and at its server once that listens', async () => {
    const registry = await startRegistry(cleanup);
    const instance = { address: 'orders.internal', endpoints: ['grpc://:50051'] };
    const options = optionsFor(registry.url, { instance });
    const { app, events, log } = await createApp(cleanup, options);
    await app.init();
    await events.nth(registered);
    const open = 'grpc://orders.internal:50051';
    expect(registry.instances()).toMatchObject([{ endpoints: [open] }]);
    await app.listen(0, '127.0.0.1');
    await events.nth(registered, 2);
    const server: Server = app.getHttpServer();
    const { port } = server.address() as AddressInfo;
    expect(registry.instances()).toMatchObject([
      { endpoints: [`rest://orders.internal:${port}`, open] },
    ]);
    expect(log.matching(silent)).toEqual([]);
  });
});

describe('an application context', () => {
  const settings = { logger: false, abortOnError: false } as const;

  it('does not register by itself, so that a script does not join the pool', async () => {
    const registry = await startRegistry(cleanup);
    const failFast = { failFast: true };
    const options = optionsFor(registry.url, { registration: failFast });
    const root = rootModule(RegistryModule.forRoot(options));
    const app = await NestFactory.createApplicationContext(root, settings);
    cleanup.add(() => app.close());
    expect(app.get(Registration).state).toBe('idle');
    expect(registry.requests).toEqual([]);
  });

  it("registers with registration.when: 'bootstrap'", async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { registration: { when: 'bootstrap' } });
    const root = rootModule(RegistryModule.forRoot(options));
    const app = await NestFactory.createApplicationContext(root, settings);
    cleanup.add(() => app.close());
    await app.get(Registration).register();
    expect(registry.instances()).toHaveLength(1);
  });
});

describe('a microservice without endpoints', () => {
  it('is registered, with a warning that says what to set', async () => {
    const registry = await startRegistry(cleanup);
    const logger = new LogLines();
    const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)));
    const tcp = { transport: Transport.TCP, options: { port: 0 } } as const;
    const app = await NestFactory.createMicroservice(root, { logger, ...tcp });
    cleanup.add(() => app.close());
    await app.listen();
    await app.get(Registration).register();
    expect(logger.matching(/^warn .* set instance\.endpoints, such as/)).toHaveLength(1);
  });
});

@Controller()
class RelayController {
  constructor(@Inject(HttpService) private readonly http: HttpService) {}

  @MessagePattern('relay')
  async relay(path: string): Promise<unknown> {
    const answer = await this.http.axiosRef.get<unknown>(`http://greeter/${path}`);
    return answer.data;
  }
}

describe('a hybrid application', () => {
  it('is registered once, calls by name for a message, and follows changes', async () => {
    const registry = await startRegistry(cleanup);
    const greeter = await startProvider(cleanup, registry);
    const { app, events } = await createApp(cleanup, optionsFor(registry.url), {
      imports: [DiscoveryHttpModule.register()],
      controllers: [RelayController],
    });
    const tcp = { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } } as const;
    const microservice = app.connectMicroservice(tcp);
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    await events.nth(registered);
    const { port } = microservice.unwrap<Server>().address() as AddressInfo;
    const client = ClientProxyFactory.create({ ...tcp, options: { ...tcp.options, port } });
    cleanup.add(async () => client.close());
    expect(await firstValueFrom(client.send('relay', 'hello'))).toBe(greeter.instanceId);
    await events.nth('servicecomb.watch.opened');
    const newcomer = await startProvider(cleanup, registry);
    const { added } = await events.nth('servicecomb.discovery.changed', 2);
    expect(added).toMatchObject([{ instanceId: newcomer.instanceId }]);
    expect(app.get(Discovery).snapshot().providers).toHaveLength(1);
    expect(events.of(registered)).toHaveLength(1);
    await app.close();
    const names = registry.instances().map(({ instanceId }) => instanceId);
    expect(names.toSorted()).toEqual([greeter, newcomer].map(each => each.instanceId).toSorted());
  });
});
