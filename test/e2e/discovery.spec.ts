import { describe, expect } from '@jest/globals';
import { Inject, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import {
  Discovery,
  DiscoveryHttpModule,
  NoInstanceError,
  type ProviderChange,
  RegistryModule,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { Provider, startProvider } from '../support/providers.js';
import {
  type Cleanup,
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
  type TestApp,
} from '../support/test-app.js';

/** An application that has registered, and an instance that it may call. */
async function started(cleanup: Cleanup, options: RegistryModuleOptions = {}) {
  const registry = await startRegistry(cleanup);
  const provider = await startProvider(cleanup, registry);
  const app = await startApp(cleanup, optionsFor(registry.url, options));
  return { registry, provider, ...app, discovery: app.app.get(Discovery) };
}

function questionsTo(registry: EmbeddedServiceCenter) {
  return registry.requests.filter(({ path }) => /\/instances\?/.test(path));
}

/** The ids in each change, as they come. */
function idsOf(discovery: Discovery, provider: string) {
  const seen: (readonly string[])[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    discovery.watch(provider).subscribe({
      next: ({ instances }: ProviderChange) =>
        seen.push(instances.map(({ instanceId }) => instanceId)),
      error: reject,
      complete: resolve,
    });
  });
  return { seen, ended };
}

describe('Discovery', () => {
  concurrently('finds, picks and calls, and says what it knows', async cleanup => {
    const { provider, discovery } = await started(cleanup);
    const { instanceId, endpoint, port } = provider;
    expect(await discovery.find('greeter')).toMatchObject([{ instanceId }]);
    expect(await discovery.pick('greeter')).toMatchObject({
      instance: { instanceId },
      url: `http://127.0.0.1:${port}`,
    });
    const answer = await discovery.call('greeter', async ({ url }, { signal }) =>
      (await fetch(`${url}/hello`, { signal })).text(),
    );
    expect(answer).toBe(instanceId);
    expect(discovery.snapshot()).toMatchObject({
      providers: [
        {
          provider: { appId: 'default', serviceName: 'greeter', environment: '' },
          state: 'known',
          instances: [{ instanceId, endpoints: [endpoint], kept: false }],
        },
      ],
    });
  });

  concurrently('follows changes that the registry pushes, until the shutdown', async cleanup => {
    const { registry, provider, discovery, app, events } = await started(cleanup);
    const { seen, ended } = idsOf(discovery, 'greeter');
    await events.nth('servicecomb.watch.opened');
    const second = await startProvider(cleanup, registry);
    await events.nth('servicecomb.discovery.changed', 2);
    expect(seen.at(-1)).toEqual([provider.instanceId, second.instanceId].toSorted());
    expect(discovery.snapshot().watching).toBe(true);
    await app.close();
    await ended;
    expect(discovery.snapshot().watching).toBe(false);
    // Asked for by a hook that runs later.
    await idsOf(discovery, 'greeter').ended;
  });

  concurrently('says that the registry does not know a name', async cleanup => {
    const { discovery } = await started(cleanup);
    const found = discovery.find('nobody');
    await expect(found).rejects.toBeInstanceOf(NoInstanceError);
    await expect(found).rejects.toMatchObject({ reason: 'unknown-provider' });
  });

  concurrently('knows a provider under another name by its options', async cleanup => {
    const providers = { hello: { serviceName: 'greeter', versionRule: '1.0.0+' } };
    const { provider, discovery } = await started(cleanup, { discovery: { providers } });
    const found = await discovery.find('hello');
    expect(found.map(({ instanceId }) => instanceId)).toEqual([provider.instanceId]);
  });
});

describe('an application that uses discovery before it is registered', () => {
  @Injectable()
  class AtBoot implements OnModuleInit {
    found: readonly unknown[] = [];

    constructor(@Inject(Discovery) private readonly discovery: Discovery) {}

    async onModuleInit(): Promise<void> {
      this.found = await this.discovery.find('greeter');
    }
  }

  concurrently('is answered, and asks again as a consumer once it has an id', async cleanup => {
    const registry = await startRegistry(cleanup);
    await startProvider(cleanup, registry);
    const started = await startApp(cleanup, optionsFor(registry.url), { providers: [AtBoot] });
    expect(started.app.get(AtBoot).found).toHaveLength(1);
    await started.events.nth('servicecomb.watch.opened');
    const asked = questionsTo(registry).map(({ headers }) => headers['x-consumerid']);
    expect(asked[0]).toBeUndefined();
    expect(asked.slice(1)).toContain(
      started.events.of('servicecomb.service.registered')[0]?.serviceId,
    );
  });
});

describe('discovery.warmUp', () => {
  concurrently('is known before the server listens', async cleanup => {
    const registry = await startRegistry(cleanup);
    await startProvider(cleanup, registry);
    registry.faults.delay(150, { operation: 'findInstances' });
    const options = optionsFor(registry.url, { discovery: { warmUp: ['greeter', 'nobody'] } });
    const { app } = await createApp(cleanup, options);
    await app.init();
    const states = app
      .get(Discovery)
      .snapshot()
      .providers.map(({ state }) => state);
    expect(states).toEqual(['known', 'absent']);
  });

  concurrently('ends with serviceCenter.timeoutMs, and fails no start', async cleanup => {
    const registry = await startRegistry(cleanup);
    registry.faults.hang({ operation: 'findInstances' });
    const serviceCenter = { timeoutMs: 200 };
    const written = { serviceCenter: { addresses: [registry.url], ...serviceCenter } };
    const options = { ...written, discovery: { warmUp: ['greeter'] } };
    const { app } = await createApp(cleanup, optionsFor(registry.url, options));
    const startedAt = performance.now();
    await app.listen(0, '127.0.0.1');
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

describe('an application that closes', () => {
  concurrently('ends calls as they end, and asks the registry nothing any more', async cleanup => {
    const shutdown = { drainMs: 300 };
    const { registry, discovery, app, provider, events } = await started(cleanup, { shutdown });
    await discovery.find('greeter');
    await events.nth('servicecomb.watch.opened');
    let answer: (text: string) => void = () => undefined;
    const answered = new Promise<string>(resolve => (answer = resolve));
    const calls = Array.from({ length: 50 }, () => discovery.call('greeter', () => answered));
    const closed = app.close();
    await events.nth('servicecomb.instance.unregistered');
    // What is known serves while the application drains.
    expect((await discovery.pick('greeter')).instance.instanceId).toBe(provider.instanceId);
    const sent = registry.requests.length;
    answer('hello');
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['hello']));
    await closed;
    await expect(discovery.find('never-asked')).rejects.toThrow();
    expect(registry.requests).toHaveLength(sent);
  });
});

describe('a module that is switched off', () => {
  const providers = { fixed: { endpoints: ['rest://127.0.0.1:4001'] } };

  async function assertOff(app: TestApp['app'], registry: EmbeddedServiceCenter) {
    const discovery = app.get(Discovery);
    expect((await discovery.pick('fixed')).url).toBe('http://127.0.0.1:4001');
    await expect(discovery.find('greeter')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_NO_INSTANCE',
      message: expect.stringContaining('enabled: false'),
    });
    expect(registry.requests).toEqual([]);
  }

  concurrently('calls fixed endpoints, and says why it finds nobody else', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { enabled: false, discovery: { providers } });
    const { app } = await createApp(cleanup, options);
    await app.listen(0, '127.0.0.1');
    await assertOff(app, registry);
  });

  concurrently('is one that a test has replaced, too', async cleanup => {
    @Module({})
    class NoRegistryModule {}
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { discovery: { providers } });
    const root = rootModule(RegistryModule.forRoot(options));
    const testing = await Test.createTestingModule({ imports: [root] })
      .overrideModule(RegistryModule)
      .useModule(NoRegistryModule)
      .compile();
    const app = testing.createNestApplication(new ExpressAdapter(), { logger: new LogLines() });
    cleanup.add(() => app.close());
    await app.listen(0, '127.0.0.1');
    await assertOff(app, registry);
  });
});

describe('fixed endpoints', () => {
  concurrently('are called without a question to the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    const provider = await new Provider(registry, {}).listen();
    cleanup.add(() => provider.stop());
    const endpoints = [`rest://127.0.0.1:${provider.port}`];
    const options = optionsFor(registry.url, {
      discovery: { providers: { greeter: { endpoints } } },
    });
    const { app } = await startApp(cleanup, options, { imports: [DiscoveryHttpModule.register()] });
    const discovery = app.get(Discovery);
    expect((await discovery.find('greeter')).map(instance => instance.endpoints)).toEqual([
      endpoints,
    ]);
    expect(questionsTo(registry)).toEqual([]);
    expect(discovery.snapshot().providers).toMatchObject([{ state: 'fixed' }]);
  });
});
