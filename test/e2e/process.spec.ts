import { afterEach, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { SchedulerRegistry } from '@nestjs/schedule';
import axios from 'axios';
import { RegistryEvents } from '../../lib/index.js';
import { watchTimers } from '../support/live-timers.js';
import { Cleanup, createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

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

describe('shutdown hooks', () => {
  it('are missed with a warning', async () => {
    const registry = await startRegistry(cleanup);
    const { log } = await startApp(cleanup, optionsFor(registry.url));
    expect(log.matching(/^warn .*app\.enableShutdownHooks\(\)/)).toHaveLength(1);
  });

  it('are not missed when they are on', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events, log } = await createApp(cleanup, optionsFor(registry.url));
    app.enableShutdownHooks();
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.instance.registered');
    expect(log.matching(/enableShutdownHooks/)).toEqual([]);
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
