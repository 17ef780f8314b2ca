import { afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { Registration, RegistryModule, type RegistryModuleOptions } from '../../lib/index.js';
import { networkAddresses } from '../../lib/options/host-addresses.js';
import {
  Cleanup,
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
  track,
} from '../support/test-app.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const registered = 'servicecomb.instance.registered';

function portOf(app: INestApplication): number {
  const address: AddressInfo = app.getHttpServer().address();
  return address.port;
}

function requestsOf(registry: EmbeddedServiceCenter): readonly string[] {
  return registry.requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
}

describe('an HTTP application', () => {
  it('publishes the port that listen(0) really got', async () => {
    const registry = await startRegistry(cleanup);
    const { app } = await startApp(cleanup, optionsFor(registry.url));
    const endpoints = [`rest://127.0.0.1:${portOf(app)}`];
    expect(registry.instances()).toMatchObject([{ endpoints, status: 'UP' }]);
  });

  it('finds or creates the service, posts the instance and reads it back, in that order', async () => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    const { serviceId, instanceId } = registration.snapshot();
    const instances = `/v4/default/registry/microservices/${serviceId}/instances`;
    expect(requestsOf(registry)).toEqual([
      'GET /v4/default/registry/existence',
      'POST /v4/default/registry/microservices',
      `POST ${instances}`,
      `GET ${instances}/${instanceId}`,
    ]);
  });

  it('does not create a service that exists', async () => {
    const registry = await startRegistry(cleanup);
    const first = await startApp(cleanup, optionsFor(registry.url));
    const second = await startApp(cleanup, optionsFor(registry.url));
    expect(first.events.of('servicecomb.service.registered')).toMatchObject([{ created: true }]);
    expect(second.events.of('servicecomb.service.registered')).toMatchObject([{ created: false }]);
    const created = requestsOf(registry).filter(line => line.endsWith('registry/microservices'));
    expect(created).toHaveLength(1);
  });

  it('sends nothing before it listens', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await createApp(cleanup, optionsFor(registry.url));
    await app.init();
    expect(registration.state).toBe('idle');
    expect(registry.requests).toEqual([]);
  });

  it('asks for the lease that the options describe', async () => {
    const registry = await startRegistry(cleanup);
    const heartbeat = { intervalMs: 2_000, times: 4 };
    await startApp(cleanup, optionsFor(registry.url, { heartbeat }));
    const healthCheck = { mode: 'push', interval: 2, times: 4 };
    expect(registry.instances()).toMatchObject([{ healthCheck }]);
  });

  it('takes the length of the lease from what the registry stored', async () => {
    const registry = await startRegistry(cleanup);
    const heartbeat = { intervalMs: 1_000, times: 1 };
    const { events } = await startApp(cleanup, optionsFor(registry.url, { heartbeat }));
    expect(events.of(registered)).toMatchObject([{ leaseMs: 4_000, registrations: 1 }]);
  });

  it('works on Fastify', async () => {
    const registry = await startRegistry(cleanup);
    const log = new LogLines();
    const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)));
    const app = await NestFactory.create(root, new FastifyAdapter(), { logger: log });
    const { events } = track(cleanup, app, log);
    await app.listen(0, '127.0.0.1');
    await events.nth(registered);
    const endpoints = [`rest://127.0.0.1:${portOf(app)}`];
    expect(registry.instances()).toMatchObject([{ endpoints }]);
  });

  it('says that its endpoint uses TLS when the server does', async () => {
    const registry = await startRegistry(cleanup);
    const log = new LogLines();
    const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)));
    const app = await NestFactory.create(root, { logger: log, httpsOptions: {} });
    const { events } = track(cleanup, app, log);
    await app.listen(0, '127.0.0.1');
    await events.nth(registered);
    const endpoints = [`rest://127.0.0.1:${portOf(app)}?sslEnabled=true`];
    expect(registry.instances()).toMatchObject([{ endpoints }]);
  });

  it('is blocked, and says which option to set, when it listens on a Unix socket', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(`\0nestjs-servicecomb-${process.pid}-${Date.now()}`);
    expect(registration.snapshot()).toMatchObject({
      state: 'blocked',
      lastError: { message: expect.stringContaining('instance.endpoints must be set') },
    });
    expect(events.of('servicecomb.registration.blocked')).toMatchObject([{ retryInMs: null }]);
    expect(registry.requests).toEqual([]);
  });

  it('publishes instance.endpoints instead of its own when they are set', async () => {
    const registry = await startRegistry(cleanup);
    const endpoints = ['rest://orders.example:443?sslEnabled=true', 'grpc://orders.example:444'];
    await startApp(cleanup, optionsFor(registry.url, { instance: { endpoints } }));
    expect(registry.instances()).toMatchObject([{ endpoints }]);
  });

  it('publishes instance.address although it listens on a loopback address', async () => {
    const registry = await startRegistry(cleanup);
    const instance = { address: 'orders.internal' };
    const { app } = await startApp(cleanup, optionsFor(registry.url, { instance }));
    const endpoints = [`rest://orders.internal:${portOf(app)}`];
    expect(registry.instances()).toMatchObject([{ endpoints }]);
  });

  it('adds the endpoints of instance.endpoints that leave the host open to its own', async () => {
    const registry = await startRegistry(cleanup);
    const instance = { address: 'orders.internal', endpoints: ['grpc://:50051', 'tcp://:3002'] };
    const { app } = await startApp(cleanup, optionsFor(registry.url, { instance }));
    const hosts = [`rest://orders.internal:${portOf(app)}`, 'grpc://orders.internal:50051'];
    expect(registry.instances()).toMatchObject([
      { endpoints: [...hosts, 'tcp://orders.internal:3002'] },
    ]);
  });

  it('publishes no endpoint of its own beside one of instance.endpoints that is complete', async () => {
    const registry = await startRegistry(cleanup);
    const endpoints = ['rest://orders.example:443', 'grpc://:50051'];
    const instance = { address: 'orders.internal', endpoints };
    await startApp(cleanup, optionsFor(registry.url, { instance }));
    expect(registry.instances()).toMatchObject([
      { endpoints: ['rest://orders.example:443', 'grpc://orders.internal:50051'] },
    ]);
  });

  it('publishes an address of this machine when it listens on all, and registers once', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0);
    await events.nth(registered);
    const own = networkAddresses().addresses.map(({ address }) => address);
    const [endpoint = ''] = registry.instances()[0]?.endpoints ?? [];
    expect(own).toContain(new URL(endpoint).hostname.replace(/^\[(.*)\]$/, '$1'));
    expect(Number(new URL(endpoint).port)).toBe(portOf(app));
    expect(events.of('servicecomb.instance.replaced')).toEqual([]);
  });

  it('waits for register() when registration.when is manual', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { registration: { when: 'manual' } });
    const { app, registration } = await createApp(cleanup, options);
    await app.listen(0, '127.0.0.1');
    expect(registration.state).toBe('idle');
    await registration.register();
    expect(registration.state).toBe('registered');
    expect(registry.instances()).toMatchObject([
      { endpoints: [`rest://127.0.0.1:${portOf(app)}`] },
    ]);
  });

  it('that calls register() before it listens is listed at endpoints that leave the host open', async () => {
    const registry = await startRegistry(cleanup);
    const instance = { address: 'orders.internal', endpoints: ['grpc://:50051'] };
    const options = optionsFor(registry.url, { instance, registration: { when: 'manual' } });
    const { app, registration } = await createApp(cleanup, options);
    await app.init();
    await registration.register();
    expect(registry.instances()).toMatchObject([{ endpoints: ['grpc://orders.internal:50051'] }]);
  });

  it('that calls register() before it listens is listed where it listens in the end', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.init();
    const early = registration.register();
    await events.nth(registered);
    await early;
    await app.listen(0, '127.0.0.1');
    await events.nth(registered, 2);
    expect(registry.instances()).toMatchObject([
      { endpoints: [`rest://127.0.0.1:${portOf(app)}`] },
    ]);
  });

  it('registers before it listens when registration.when is bootstrap', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, {
      registration: { when: 'bootstrap' },
      instance: { endpoints: ['rest://10.0.0.1:80'] },
    });
    const { app, events } = await createApp(cleanup, options);
    await app.init();
    await events.nth(registered);
    expect(registry.instances()).toMatchObject([{ endpoints: ['rest://10.0.0.1:80'] }]);
  });

  it.each([undefined, ['grpc://:50051']])(
    'fails to start at bootstrap when instance.endpoints is %j, without a host',
    async endpoints => {
      const registry = await startRegistry(cleanup);
      const options = optionsFor(registry.url, {
        registration: { when: 'bootstrap' },
        instance: { endpoints },
      });
      const { app } = await createApp(cleanup, options);
      await expect(app.init()).rejects.toThrow('instance.endpoints must be set, with a host');
    },
  );

  it('registers with the status and properties that were set before', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await registration.setStatus('STARTING');
    await registration.setProperties({ zone: 'north' });
    await app.listen(0, '127.0.0.1');
    await events.nth(registered);
    const properties = { zone: 'north' };
    expect(registry.instances()).toMatchObject([{ status: 'STARTING', properties }]);
  });
});

describe('an application without an HTTP server', () => {
  const options = (url: string): RegistryModuleOptions =>
    optionsFor(url, { instance: { endpoints: ['highway://10.0.0.1:7070'] } });

  it('registers at bootstrap as an application context', async () => {
    const registry = await startRegistry(cleanup);
    const log = new LogLines();
    const root = rootModule(RegistryModule.forRoot(options(registry.url)));
    const app = await NestFactory.createApplicationContext(root, { logger: log });
    const { registration } = track(cleanup, app, log);
    await registration.register();
    expect(registry.instances()).toMatchObject([{ endpoints: ['highway://10.0.0.1:7070'] }]);
  });

  it('registers as a pure microservice', async () => {
    const registry = await startRegistry(cleanup);
    const root = rootModule(RegistryModule.forRoot(options(registry.url)));
    const app = await NestFactory.createMicroservice(root, {
      logger: false,
      transport: Transport.TCP,
      options: { port: 0 },
    });
    cleanup.add(() => app.close());
    await app.listen();
    await app.get(Registration).register();
    expect(registry.instances()).toMatchObject([{ endpoints: ['highway://10.0.0.1:7070'] }]);
    await app.close();
    expect(registry.instances()).toEqual([]);
  });

  it.each(['bootstrap', 'manual'] as const)(
    'registers with the chosen host where instance.endpoints leaves it open, when %s',
    async when => {
      const registry = await startRegistry(cleanup);
      const log = new LogLines();
      const instance = { address: 'orders.internal', endpoints: ['grpc://:50051'] };
      const options = optionsFor(registry.url, { instance, registration: { when } });
      const root = rootModule(RegistryModule.forRoot(options));
      const app = await NestFactory.createApplicationContext(root, { logger: log });
      const { registration } = track(cleanup, app, log);
      await registration.register();
      expect(registry.instances()).toMatchObject([{ endpoints: ['grpc://orders.internal:50051'] }]);
    },
  );

  it('fails to start when told to wait for a server', async () => {
    const registry = await startRegistry(cleanup);
    const when = optionsFor(registry.url, { registration: { when: 'listen' } });
    const root = rootModule(RegistryModule.forRoot(when));
    const start = NestFactory.createApplicationContext(root, {
      logger: false,
      abortOnError: false,
    });
    await expect(start).rejects.toThrow(
      'Invalid registry options: registration.when must not be "listen": no HTTP server will listen',
    );
  });
});

describe('a registry that is down when the application starts', () => {
  it('does not keep the application from starting, and gets the instance once it is up', async () => {
    const registry = await startRegistry(cleanup);
    const recover = await registry.faults.refuse();
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0, '127.0.0.1');
    const { error, failures } = await events.nth('servicecomb.registration.failed', 2);
    expect(failures).toBe(2);
    expect(error.code).toBe('ERR_SERVICECOMB_UNREACHABLE');
    expect(registration.state).toBe('registering');
    await recover();
    await events.nth(registered);
    expect(registry.instances()).toHaveLength(1);
  });

  it('does not keep the application from stopping', async () => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const { app, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.registration.failed');
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('fails the start with failFast', async () => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const options = optionsFor(registry.url, { registration: { failFast: true } });
    const { app } = await createApp(cleanup, options);
    await expect(app.listen(0, '127.0.0.1')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_UNREACHABLE',
    });
  });
});

describe('a refusal', () => {
  const quota = { errorCode: 400_100, detail: 'no quota to create SERVICE' };

  it('is told, blocks the registration, and is repeated on a slow clock', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(400, quota, { operation: 'registerMicroservice' });
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0, '127.0.0.1');
    const { error, retryInMs } = await events.nth('servicecomb.registration.blocked');
    expect(error).toMatchObject({ errorCode: 400_100 });
    expect(retryInMs).toBeGreaterThanOrEqual(54_000);
    expect(registration.snapshot()).toMatchObject({
      state: 'blocked',
      lastError: { errorCode: 400_100 },
    });
  });

  it('is tried again at once when register() is called', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(400, quota, { operation: 'registerMicroservice', times: 1 });
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.registration.blocked');
    await registration.register();
    expect(registration.state).toBe('registered');
  });

  it('fails the start with failFast', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(400, quota, { operation: 'registerMicroservice' });
    const options = optionsFor(registry.url, { registration: { failFast: true } });
    const { app } = await createApp(cleanup, options);
    await expect(app.listen(0, '127.0.0.1')).rejects.toMatchObject({ errorCode: 400_100 });
  });

  it('of the instance, with failFast, blocks a started application and rejects register()', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(400, quota, { operation: 'registerInstance' });
    const options = optionsFor(registry.url, { registration: { failFast: true } });
    const { app, registration } = await createApp(cleanup, options);
    await app.listen(0, '127.0.0.1');
    await expect(registration.register()).rejects.toMatchObject({ errorCode: 400_100 });
    expect(registration.state).toBe('blocked');
  });
});

describe('a stable instanceId', () => {
  const instance = { instanceId: 'orders-0', endpoints: ['rest://10.0.0.9:80'] };

  it('replaces the record that a predecessor left behind', async () => {
    const registry = await startRegistry(cleanup);
    const client = await startApp(cleanup, optionsFor(registry.url));
    const { serviceId } = client.registration.snapshot();
    await fetch(`${registry.url}/v4/default/registry/microservices/${serviceId}/instances`, {
      method: 'POST',
      body: JSON.stringify({
        instance: { ...instance, hostName: 'old', endpoints: ['rest://old:1'] },
      }),
    });
    const { events } = await startApp(cleanup, optionsFor(registry.url, { instance }));
    expect(events.of('servicecomb.instance.replaced')).toMatchObject([
      { previous: { endpoints: ['rest://old:1'] } },
    ]);
    const record = registry.instances().find(({ instanceId }) => instanceId === 'orders-0');
    expect(record?.endpoints).toEqual(instance.endpoints);
  });
});
