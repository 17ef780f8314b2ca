import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { EmbeddedServiceCenter } from '../../lib/embedded/index.js';
import { type TimerWatch, watchTimers } from '../support/live-timers.js';
import { Cleanup, createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

const cleanup = new Cleanup();
let timers: TimerWatch;

beforeEach(() => {
  timers = watchTimers();
});

afterEach(async () => {
  await cleanup.run();
  timers.end();
});

function writesOf(registry: EmbeddedServiceCenter): readonly string[] {
  return registry.requests
    .filter(({ method, path }) => method !== 'GET' && path.includes('/instances'))
    .map(({ method, path }) => `${method}${path.endsWith('/heartbeat') ? ' heartbeat' : ''}`);
}

@Controller()
class GreetController {
  @Get('hello')
  greet(): string {
    return 'hello';
  }
}

async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

describe('an application that closes', () => {
  it('takes its instance off the registry', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await startApp(cleanup, optionsFor(registry.url));
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(registration.state).toBe('left');
    expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
  });

  it('still answers HTTP when the removal arrives', async () => {
    const registry = await startRegistry(cleanup);
    const { app } = await startApp(cleanup, optionsFor(registry.url), {
      controllers: [GreetController],
    });
    const url = await app.getUrl();
    const answer = new Promise<string>((resolve, reject) => {
      registry.onRequest(({ method }) => {
        if (method !== 'DELETE') return;
        fetch(`${url}/hello`)
          .then(reply => reply.text())
          .then(resolve, reject);
      });
    });
    registry.faults.delay(200, { operation: 'unregisterInstance' });
    await app.close();
    expect(await answer).toBe('hello');
  });

  it('leaves no timer and no interval behind', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth('servicecomb.heartbeat.succeeded');
    expect(timers.live()).not.toEqual([]);
    await app.close();
    expect(app.get(SchedulerRegistry).getIntervals()).toEqual([]);
    await new Promise(resolve => setImmediate(resolve));
    expect(timers.live()).toEqual([]);
  });

  it('sends nothing after the removal', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth('servicecomb.heartbeat.succeeded');
    await app.close();
    expect(writesOf(registry).at(-1)).toBe('DELETE');
    expect(registry.requests.at(-1)?.method).toBe('DELETE');
  });

  it('ends a heartbeat under way at once, and removes the instance', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    const arrived = new Promise<void>(resolve => {
      registry.onRequest(() => resolve());
    });
    registry.faults.hang({ operation: 'heartbeat' });
    await arrived;
    expect(await elapsedMs(app.close())).toBeLessThan(400);
    expect(registry.instances()).toEqual([]);
    expect(events.names()).not.toContain('servicecomb.heartbeat.failed');
  });

  it('does not register again when a heartbeat is answered "forgotten" while it leaves', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url));
    const arrived = new Promise<void>(resolve => {
      registry.onRequest(() => resolve());
    });
    registry.faults.delay(300, { operation: 'heartbeat' });
    registry.forget(registration.snapshot().instanceId);
    await arrived;
    await app.close();
    expect(writesOf(registry)).toEqual(['POST', 'PUT heartbeat', 'DELETE']);
  });

  it('lets a first registration under way land, and removes it', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.delay(300, { operation: 'registerInstance' });
    const { app } = await createApp(cleanup, optionsFor(registry.url));
    const posted = new Promise<void>(resolve => {
      registry.onRequest(({ method, path }) => {
        if (method === 'POST' && path.endsWith('/instances')) resolve();
      });
    });
    await app.listen(0, '127.0.0.1');
    await posted;
    await app.close();
    expect(writesOf(registry)).toEqual(['POST', 'DELETE']);
    expect(registry.instances()).toEqual([]);
  });

  it('cuts off a registration that takes too long, and removes what it may have left', async () => {
    const registry = await startRegistry(cleanup);
    registry.faults.hang({ operation: 'registerInstance', when: 'after' });
    const options = optionsFor(registry.url, {
      shutdown: { timeoutMs: 600 },
      serviceCenter: { timeoutMs: 5_000 },
    });
    const { app } = await createApp(cleanup, options);
    const posted = new Promise<void>(resolve => {
      registry.onRequest(({ method, path }) => {
        if (method === 'POST' && path.endsWith('/instances')) resolve();
      });
    });
    await app.listen(0, '127.0.0.1');
    await posted;
    expect(await elapsedMs(app.close())).toBeLessThan(900);
    expect(registry.instances()).toEqual([]);
  });

  it('is bounded by shutdown.timeoutMs when the registry hangs', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { timeoutMs: 600 } });
    const { app, events, registration } = await startApp(cleanup, options);
    registry.faults.hang();
    expect(await elapsedMs(app.close())).toBeLessThan(900);
    expect(events.of('servicecomb.instance.unregister-failed')).toMatchObject([
      { error: { code: 'ERR_SERVICECOMB_TIMEOUT' } },
    ]);
    expect(registration.state).toBe('left');
  });

  it('ends at once when the registry refuses connections', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await registry.faults.refuse();
    expect(await elapsedMs(app.close())).toBeLessThan(600);
    expect(events.of('servicecomb.instance.unregister-failed')).toHaveLength(1);
  });

  it('counts an instance that is gone already as removed', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await startApp(cleanup, optionsFor(registry.url));
    registry.forget(registration.snapshot().instanceId);
    await app.close();
    expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
  });

  it('removes nothing, and says nothing, when it had never been registered', async () => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.init();
    await app.close();
    expect(registry.requests).toEqual([]);
    expect(events.names()).toEqual([]);
  });

  it('keeps serving for shutdown.drainMs after the removal', async () => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { drainMs: 300 } });
    const { app, events } = await startApp(cleanup, options, { controllers: [GreetController] });
    const url = await app.getUrl();
    const closed = app.close();
    await events.nth('servicecomb.instance.unregistered');
    const reply = await fetch(`${url}/hello`);
    expect(await reply.text()).toBe('hello');
    expect(await elapsedMs(closed)).toBeGreaterThan(150);
  });

  it('rejects register() from then on', async () => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url));
    await app.close();
    await expect(registration.register()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('leave()', () => {
  it('gives every caller the same promise, and one removal', async () => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    const first = registration.leave();
    expect(registration.leave()).toBe(first);
    await first;
    expect(writesOf(registry)).toEqual(['POST', 'DELETE']);
  });

  it('may be followed by register()', async () => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    await registration.leave();
    await registration.register();
    expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
    expect(registry.instances()).toHaveLength(1);
  });

  it('rejects a register() that waits', async () => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const { app, registration, events } = await createApp(cleanup, optionsFor(registry.url));
    await app.listen(0, '127.0.0.1');
    const waiting = registration.register();
    await events.nth('servicecomb.registration.failed');
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ name: 'AbortError' }),
      registration.leave(),
    ]);
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
