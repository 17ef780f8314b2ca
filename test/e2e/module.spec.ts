import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import {
  Registration,
  REGISTRY_OPTIONS,
  RegistryModule,
  type RegistryModuleOptions,
  type RegistryOptionsFactory,
  type ResolvedOptions,
  ServiceCenterClient,
} from '../../lib/index.js';
import {
  Cleanup,
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
} from '../support/test-app.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Starts an application with a registry module, and gives the options that it uses. */
async function optionsUsedBy(registry: DynamicModule): Promise<ResolvedOptions> {
  const app = await NestFactory.create(rootModule(registry), {
    logger: false,
    abortOnError: false,
  });
  cleanup.add(() => app.close());
  return app.get<ResolvedOptions>(REGISTRY_OPTIONS);
}

@Injectable()
class Config {
  readonly serviceName: string = 'from-config';
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class OptionsFromConfig implements RegistryOptionsFactory {
  constructor(@Inject(Config) private readonly config: Config) {}

  async createRegistryOptions(): Promise<RegistryModuleOptions> {
    return { microservice: { serviceName: this.config.serviceName } };
  }
}

@Module({ imports: [ConfigModule], providers: [OptionsFromConfig], exports: [OptionsFromConfig] })
class OptionsModule {}

describe('RegistryModule.forRoot()', () => {
  const { SERVICE_CENTER_ADDRESS } = process.env;

  beforeEach(() => {
    delete process.env['SERVICE_CENTER_ADDRESS'];
  });

  afterEach(() => {
    if (SERVICE_CENTER_ADDRESS !== undefined)
      process.env['SERVICE_CENTER_ADDRESS'] = SERVICE_CENTER_ADDRESS;
  });

  it('works without arguments, with the name and version of package.json', async () => {
    const { microservice, serviceCenter } = await optionsUsedBy(RegistryModule.forRoot());
    expect(microservice).toMatchObject({ serviceName: 'nestjs-servicecomb', version: '0.1.0' });
    expect(serviceCenter.addresses).toEqual(['http://127.0.0.1:30100']);
  });

  it('warns once that the package.json belongs to a workspace, as that of this project', async () => {
    const { app, log } = await createApp(cleanup, { registration: { when: 'manual' } });
    await app.init();
    expect(
      log.matching(/^warn microservice\.serviceName "nestjs-servicecomb" .* workspace/),
    ).toHaveLength(1);
  });

  it('takes the address of the registry from the environment', async () => {
    process.env['SERVICE_CENTER_ADDRESS'] = 'http://one:30100, http://two:30100';
    const { serviceCenter } = await optionsUsedBy(RegistryModule.forRoot());
    delete process.env['SERVICE_CENTER_ADDRESS'];
    expect(serviceCenter.addresses).toEqual(['http://one:30100', 'http://two:30100']);
  });

  it('names every wrong option and its value in one error', async () => {
    const wrong = { heartbeat: { intervalMs: 1_500, times: 0 }, serviceCenter: { addresses: [] } };
    await expect(optionsUsedBy(RegistryModule.forRoot(wrong))).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_OPTIONS',
      issues: [
        { path: 'serviceCenter.addresses' },
        { path: 'heartbeat.intervalMs', message: expect.stringContaining('1500') },
        { path: 'heartbeat.times', message: expect.stringContaining('0') },
      ],
    });
  });

  it('offers its providers everywhere', async () => {
    @Injectable()
    class Feature {
      constructor(
        @Inject(Registration) readonly registration: Registration,
        @Inject(ServiceCenterClient) readonly client: ServiceCenterClient,
      ) {}
    }
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const root = rootModule(RegistryModule.forRoot(), { imports: [FeatureModule] });
    const app = await NestFactory.create(root, { logger: false });
    cleanup.add(() => app.close());
    expect(app.get(Feature, { strict: false }).registration.state).toBe('idle');
  });

  it('offers them to importers only when isGlobal is false', async () => {
    @Injectable()
    class Feature {
      constructor(@Inject(Registration) readonly registration: Registration) {}
    }
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const root = rootModule(RegistryModule.forRoot({ isGlobal: false }), {
      imports: [FeatureModule],
    });
    const start = NestFactory.create(root, { logger: false, abortOnError: false });
    await expect(start).rejects.toThrow(/can't resolve dependencies of the Feature/);
  });

  it('is inert when it is not enabled', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { enabled: false });
    const { app, registration, events } = await createApp(cleanup, options);
    await app.listen(0, '127.0.0.1');
    await registration.register();
    await app.close();
    expect(registration.state).toBe('disabled');
    expect(registry.requests).toEqual([]);
    expect(events.names()).toEqual([]);
  });
});

describe('RegistryModule.forRootAsync()', () => {
  it('takes a factory with what it injects from its imports', async () => {
    const registry = RegistryModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: ({ serviceName }: Config) => ({ microservice: { serviceName } }),
    });
    expect((await optionsUsedBy(registry)).microservice.serviceName).toBe('from-config');
  });

  it('takes a class, which it makes itself', async () => {
    const registry = RegistryModule.forRootAsync({
      imports: [ConfigModule],
      useClass: OptionsFromConfig,
    });
    expect((await optionsUsedBy(registry)).microservice.serviceName).toBe('from-config');
  });

  it('takes a class that a module provides already', async () => {
    const registry = RegistryModule.forRootAsync({
      imports: [OptionsModule],
      useExisting: OptionsFromConfig,
    });
    expect((await optionsUsedBy(registry)).microservice.serviceName).toBe('from-config');
  });

  it('takes providers that only its factory needs', async () => {
    const registry = RegistryModule.forRootAsync({
      extraProviders: [{ provide: 'NAME', useValue: 'from-extra' }],
      inject: ['NAME'],
      useFactory: (serviceName: string) => ({ microservice: { serviceName } }),
    });
    expect((await optionsUsedBy(registry)).microservice.serviceName).toBe('from-extra');
  });

  it('refuses a factory that returns nothing', async () => {
    const options: RegistryModuleOptions | undefined = undefined;
    const registry = RegistryModule.forRootAsync({
      useFactory: () => options as unknown as RegistryModuleOptions,
    });
    await expect(optionsUsedBy(registry)).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_OPTIONS',
      message: expect.stringContaining('its factory, which returned undefined'),
    });
  });

  it('checks what the factory made', async () => {
    const registry = RegistryModule.forRootAsync({
      useFactory: () => ({ microservice: { version: 'latest' } }),
    });
    await expect(optionsUsedBy(registry)).rejects.toThrow(/microservice\.version/);
  });

  it('can be kept from the other modules', async () => {
    @Injectable()
    class Feature {
      constructor(@Inject(Registration) readonly registration: Registration) {}
    }
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const registry = RegistryModule.forRootAsync({ isGlobal: false, useFactory: () => ({}) });
    const root = rootModule(registry, { imports: [FeatureModule] });
    const start = NestFactory.create(root, { logger: false, abortOnError: false });
    await expect(start).rejects.toThrow(/can't resolve dependencies of the Feature/);
  });
});

describe('what the host must bring', () => {
  it('is named with the line to add when ScheduleModule is missing', async () => {
    @Module({ imports: [EventEmitterModule.forRoot(), RegistryModule.forRoot()] })
    class Root {}
    const app = await NestFactory.create(Root, { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow(/add ScheduleModule\.forRoot\(\) to the imports/);
  });

  it('is not called missing when it is of a second copy of @nestjs/schedule', async () => {
    const Copy = { SchedulerRegistry: class SchedulerRegistry {} }.SchedulerRegistry;
    @Module({
      imports: [EventEmitterModule.forRoot(), RegistryModule.forRoot()],
      providers: [Copy],
    })
    class Root {}
    const app = await NestFactory.create(Root, { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow(
      /ScheduleModule is of another copy of @nestjs\/schedule .*run npm ls @nestjs\/schedule/,
    );
  });

  it('costs the events, and one warning, when EventEmitterModule is missing', async () => {
    const registry = await startRegistry(cleanup);
    @Module({
      imports: [ScheduleModule.forRoot(), RegistryModule.forRoot(optionsFor(registry.url))],
    })
    class Root {}
    const log = new LogLines();
    const app = await NestFactory.create(Root, { logger: log });
    cleanup.add(() => app.close());
    const states: string[] = [];
    app.get(Registration).state$.subscribe(state => states.push(state));
    await app.listen(0, '127.0.0.1');
    await app.get(Registration).register();
    expect(log.matching(/^warn .*add EventEmitterModule\.forRoot\(\)/)).toHaveLength(1);
    expect(states).toEqual(['idle', 'registering', 'registered']);
  });

  it.each([
    [
      'of a second copy of @nestjs/event-emitter',
      /is of another copy of .*run npm ls eventemitter2/,
    ],
    ["Node's own emitter", /add EventEmitterModule\.forRoot\(\)/],
  ])('costs the events, and a true warning, when the emitter is %s', async (kind, warning) => {
    const registry = await startRegistry(cleanup);
    const Copy = { EventEmitter: class EventEmitter {} }.EventEmitter;
    @Module({
      imports: [ScheduleModule.forRoot(), RegistryModule.forRoot(optionsFor(registry.url))],
      providers: [kind.startsWith('of') ? Copy : EventEmitter],
    })
    class Root {}
    const log = new LogLines();
    const app = await NestFactory.create(Root, { logger: log });
    cleanup.add(() => app.close());
    await app.init();
    expect(log.matching(/^warn No events are sent/)).toEqual([expect.stringMatching(warning)]);
  });

  it('is one RegistryModule.forRoot(), not two', async () => {
    const second = RegistryModule.forRoot({ microservice: { serviceName: 'second' } });
    const root = rootModule(RegistryModule.forRoot(), { imports: [second] });
    const app = await NestFactory.create(root, { logger: false, abortOnError: false });
    cleanup.add(() => app.close());
    await expect(app.init()).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_OPTIONS',
      message: expect.stringContaining('RegistryModule.forRoot()'),
    });
  });
});

describe('shutdown.statusFirst', () => {
  it('leaves all the same, with a warning, when the registry does not take OUTOFSERVICE', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { statusFirst: true } });
    const { app, log } = await startApp(cleanup, options);
    registry.faults.answer(403, { errorCode: 403205 }, { operation: 'setInstanceStatus' });
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(log.matching(/^warn Could not set OUTOFSERVICE before leaving: .*403205/)).toHaveLength(
      1,
    );
  });
});
