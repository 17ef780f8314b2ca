import { afterEach, describe, expect, it } from '@jest/globals';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import axios from 'axios';
import { DiscoveryHttpModule, RegistryEvents, RegistryModule } from '../../lib/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { watchTimers } from '../support/live-timers.js';
import {
  Cleanup,
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
} from '../support/test-app.js';
import { createUnheard, type UnheardApp } from '../support/unheard-app.js';

// What belongs to the whole process: these tests run one after the other.

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('an application that closes', () => {
  it('leaves no timer and no interval behind', async () => {
    const timers = watchTimers();
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth('servicecomb.heartbeat.succeeded');
    expect(timers.live()).not.toEqual([]);
    await app.close();
    expect(app.get(SchedulerRegistry).getIntervals()).toEqual([]);
    await new Promise(resolve => setImmediate(resolve));
    expect(timers.live()).toEqual([]);
    timers.end();
  });
});

describe('an application that injects Discovery and never uses it', () => {
  async function lifeOf(imports: readonly DynamicModule[]) {
    const timers = watchTimers();
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url), {
      imports: [...imports],
    });
    await events.nth('servicecomb.heartbeat.succeeded');
    await new Promise(resolve => setImmediate(resolve));
    // The innermost function of the library that set each.
    const armed = timers
      .live()
      .map(stack => /\bat (\S+) .*\/lib\/(nest|registration)\//.exec(stack)?.[1]);
    await app.close();
    timers.end();
    const sent = registry.requests.map(({ method, operation }) => `${method} ${operation}`);
    return { armed: new Set(armed), sent };
  }

  it('sends the same requests as one without it, and has the same timers (D16)', async () => {
    expect(await lifeOf([DiscoveryHttpModule.register()])).toEqual(await lifeOf([]));
  });
});

describe('shutdown hooks', () => {
  const missed = /^warn .*app\.enableShutdownHooks\(\)/;

  async function afterTenSeconds(
    prepare: (app: UnheardApp) => Promise<unknown>,
  ): Promise<LogLines> {
    const registry = await startRegistry(cleanup);
    const clock = new FakeClock();
    const app = await createUnheard(cleanup, clock, optionsFor(registry.url));
    await prepare(app);
    await app.core.tick(0);
    await clock.advance(10_000);
    await app.core.tick(0);
    await app.core.tick(0);
    return app.log;
  }

  it('are missed with one warning', async () => {
    const log = await afterTenSeconds(({ app }) => app.listen(0, '127.0.0.1'));
    expect(log.matching(missed)).toHaveLength(1);
  });

  it('are missed also when somebody else listens to SIGTERM', async () => {
    const listener = () => undefined;
    process.on('SIGTERM', listener);
    try {
      const log = await afterTenSeconds(({ app }) => app.listen(0, '127.0.0.1'));
      expect(log.matching(missed)).toHaveLength(1);
    } finally {
      process.off('SIGTERM', listener);
    }
  });

  it('are not missed when they are switched on after listen()', async () => {
    const log = await afterTenSeconds(async ({ app, core }) => {
      await app.listen(0, '127.0.0.1');
      await core.tick(0);
      app.enableShutdownHooks();
    });
    expect(log.matching(missed)).toEqual([]);
  });
});

describe('RegistryModule', () => {
  async function start(module: Type): Promise<LogLines> {
    const logger = new LogLines();
    const app = await NestFactory.create(module, new ExpressAdapter(), { logger });
    cleanup.add(() => app.close());
    await app.init();
    return logger;
  }

  it('is missed in the root module, once, when it is imported below', async () => {
    const registry = await startRegistry(cleanup);
    @Module({ imports: [RegistryModule.forRoot(optionsFor(registry.url))] })
    class InfrastructureModule {}
    @Module({
      imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), InfrastructureModule],
    })
    class Root {}
    const log = await start(Root);
    expect(log.matching(/^warn RegistryModule is imported by InfrastructureModule/)).toHaveLength(
      1,
    );
  });

  it('is not missed in the root module, nor in that of a testing module', async () => {
    const registry = await startRegistry(cleanup);
    const { app, log } = await createUnheard(cleanup, new FakeClock(), optionsFor(registry.url));
    await app.init();
    const own = await start(rootModule(RegistryModule.forRoot(optionsFor(registry.url))));
    expect([log, own].flatMap(each => each.matching(/is imported by/))).toEqual([]);
  });
});

describe('the heartbeat', () => {
  it('leaves the process-wide axios alone', async () => {
    const registry = await startRegistry(cleanup);
    let intercepted = 0;
    const interceptor = axios.interceptors.request.use(config => {
      intercepted += 1;
      return config;
    });
    const before = JSON.stringify(axios.defaults);
    const { events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth('servicecomb.heartbeat.succeeded');
    await cleanup.run();
    axios.interceptors.request.eject(interceptor);
    expect(intercepted).toBe(0);
    expect(JSON.stringify(axios.defaults)).toBe(before);
  });
});

describe('the log, which Nest keeps for the whole process', () => {
  it('has one line for a listener that throws, and the heartbeat goes on', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events, log } = await startApp(cleanup, optionsFor(registry.url));
    app.get(EventEmitter2).on(RegistryEvents.HeartbeatSucceeded, () => {
      throw new Error('a bug in the application');
    });
    await events.nth(RegistryEvents.HeartbeatSucceeded, 3);
    expect(log.matching(/^error A listener of servicecomb\.heartbeat\.succeeded threw/)).toEqual([
      expect.stringContaining('a bug in the application'),
    ]);
  });

  it('has no line per heartbeat at any level, since Nest shows them all by default', async () => {
    const registry = await startRegistry(cleanup);
    const { events, log } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth(RegistryEvents.HeartbeatSucceeded, 3);
    expect(log.matching(/heartbeat of orders/i)).toEqual([expect.stringMatching(/^verbose /)]);
  });

  it('has a line once a change, not once a beat', async () => {
    const registry = await startRegistry(cleanup);
    const { events, log } = await startApp(cleanup, optionsFor(registry.url));
    registry.faults.answer(503, 'away', { operation: 'heartbeat', times: 2 });
    await events.nth(RegistryEvents.HeartbeatRecovered);
    expect(log.matching(/^warn A heartbeat of orders/)).toHaveLength(1);
    expect(log.matching(/succeed again/)).toHaveLength(1);
  });
});

describe('defaults of the process-wide axios, and a proxy of the environment', () => {
  it('do not reach the registry', async () => {
    const { timeout } = axios.defaults;
    axios.defaults.headers.common.Authorization = 'Bearer of-the-application';
    axios.defaults.params = { tenant: 'x' };
    axios.defaults.baseURL = 'http://127.0.0.1:1';
    axios.defaults.timeout = 1;
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:1';
    const registry = await startRegistry(cleanup);
    try {
      await startApp(cleanup, optionsFor(registry.url));
    } finally {
      delete process.env['HTTP_PROXY'];
      delete axios.defaults.headers.common.Authorization;
      delete axios.defaults.params;
      delete axios.defaults.baseURL;
      axios.defaults.timeout = timeout ?? 0;
    }
    for (const { path, headers } of registry.requests) {
      expect(path).not.toContain('tenant');
      expect(headers).not.toHaveProperty('authorization');
    }
    expect(registry.requests.length).toBeGreaterThan(0);
  });
});

describe('a warning', () => {
  it('says that nobody else can reach an instance on the loopback', async () => {
    const elsewhere = optionsFor('http://registry.invalid:30100');
    const { app, log } = await createApp(cleanup, elsewhere);
    await app.listen(0, '127.0.0.1');
    expect(log.matching(/^warn rest:\/\/127.* can be reached from this machine only/)).toHaveLength(
      1,
    );
  });
});
