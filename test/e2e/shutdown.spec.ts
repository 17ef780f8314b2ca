import type { Agent } from 'node:http';
import { describe, expect } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { Connections } from '../../lib/transport/http.js';
import { concurrently } from '../support/concurrently.js';
import { FakeClock } from '../support/fake-clock.js';
import { SteeredApp } from '../support/steered-app.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

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
  concurrently('takes its instance off the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await startApp(cleanup, optionsFor(registry.url));
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(registration.state).toBe('left');
    expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
  });

  concurrently('keeps no connection to the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app } = await startApp(cleanup, optionsFor(registry.url));
    const httpAgent: Agent = app.get(Connections).agents.httpAgent;
    const sockets = () => Object.values(httpAgent.freeSockets).flat();
    expect(sockets()).toHaveLength(1);
    await app.close();
    expect(sockets().filter(socket => socket?.destroyed === false)).toEqual([]);
  });

  concurrently('still answers HTTP when the removal arrives', async cleanup => {
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

  concurrently('sends nothing after the removal', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth('servicecomb.heartbeat.succeeded');
    await app.close();
    expect(writesOf(registry).at(-1)).toBe('DELETE');
    expect(registry.requests.at(-1)?.method).toBe('DELETE');
  });

  concurrently('ends a heartbeat under way at once, and removes the instance', async cleanup => {
    const registry = await startRegistry(cleanup);
    // Its deadline is a third of the interval.
    const options = optionsFor(registry.url, { heartbeat: { intervalMs: 6_000 } });
    const { app, events } = await startApp(cleanup, options);
    const arrived = new Promise<void>(resolve => {
      registry.onRequest(({ operation }) => operation === 'heartbeat' && resolve());
    });
    registry.faults.hang({ operation: 'heartbeat' });
    await arrived;
    expect(await elapsedMs(app.close())).toBeLessThan(1_500);
    expect(registry.instances()).toEqual([]);
    expect(events.names()).not.toContain('servicecomb.heartbeat.failed');
  });

  concurrently(
    'does not register again when a heartbeat is answered "forgotten" while it leaves',
    async cleanup => {
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
    },
  );

  concurrently('lets a first registration under way land, and removes it', async cleanup => {
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

  concurrently(
    'cuts off a registration that takes too long, and removes what it may have left',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      registry.faults.hang({ operation: 'registerInstance', when: 'after' });
      const options = optionsFor(registry.url, {
        shutdown: { timeoutMs: 2_000 },
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
      expect(await elapsedMs(app.close())).toBeLessThan(4_000);
      expect(registry.instances()).toEqual([]);
    },
  );

  concurrently('is bounded by shutdown.timeoutMs when the registry hangs', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { timeoutMs: 600 } });
    const { app, events, registration } = await startApp(cleanup, options);
    registry.faults.hang();
    expect(await elapsedMs(app.close())).toBeLessThan(1_800);
    expect(events.of('servicecomb.instance.unregister-failed')).toMatchObject([
      { error: { code: 'ERR_SERVICECOMB_TIMEOUT' } },
    ]);
    expect(registration.state).toBe('left');
  });

  concurrently('ends at once when the registry refuses connections', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url));
    await registry.faults.refuse();
    expect(await elapsedMs(app.close())).toBeLessThan(1_500);
    expect(events.of('servicecomb.instance.unregister-failed')).toHaveLength(1);
  });

  concurrently('counts an instance that is gone already as removed', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, registration, events } = await startApp(cleanup, optionsFor(registry.url));
    registry.forget(registration.snapshot().instanceId);
    await app.close();
    expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
  });

  concurrently(
    'removes nothing, and says nothing, when it had never been registered',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { app, events } = await createApp(cleanup, optionsFor(registry.url));
      await app.init();
      await app.close();
      expect(registry.requests).toEqual([]);
      expect(events.names()).toEqual([]);
    },
  );

  concurrently('keeps serving for shutdown.drainMs after the removal', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { drainMs: 1_500 } });
    const { app, events } = await startApp(cleanup, options, { controllers: [GreetController] });
    const url = await app.getUrl();
    const closed = app.close();
    await events.nth('servicecomb.instance.unregistered');
    const reply = await fetch(`${url}/hello`);
    expect(await reply.text()).toBe('hello');
    expect(await elapsedMs(closed)).toBeGreaterThan(150);
  });

  concurrently(
    'is OUTOFSERVICE first with shutdown.statusFirst, drains with heartbeats, then leaves',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const options = optionsFor(registry.url, { shutdown: { statusFirst: true, drainMs: 1_500 } });
      const { app, events } = await startApp(cleanup, options);
      await events.nth('servicecomb.heartbeat.succeeded');
      const from = registry.requests.length;
      await app.close();
      const writes = registry.requests
        .slice(from)
        .filter(({ method }) => method !== 'GET')
        .map(({ operation }) => operation);
      expect(writes[0]).toBe('setInstanceStatus');
      expect(writes.slice(1, -1)).toContain('heartbeat');
      expect(new Set(writes.slice(1, -1))).toEqual(new Set(['heartbeat']));
      expect(writes.at(-1)).toBe('unregisterInstance');
    },
  );

  concurrently('does not wait for a registry that hangs over OUTOFSERVICE', async cleanup => {
    const registry = await startRegistry(cleanup);
    const clock = new FakeClock();
    const options = optionsFor(registry.url, {
      heartbeat: { intervalMs: 60_000 },
      serviceCenter: { timeoutMs: 60_000 },
      shutdown: { statusFirst: true, timeoutMs: 30_000 },
    });
    const steered = await SteeredApp.start(cleanup, clock, options);
    await steered.until(() => steered.registration.state === 'registered', 1_000);
    registry.faults.hang({ operation: 'setInstanceStatus' });
    const asked = new Promise<void>(resolve => {
      registry.onRequest(({ operation }) => {
        if (operation === 'setInstanceStatus') resolve();
      });
    });
    const closed = steered.app.close();
    await asked;
    await clock.advance(29_999);
    expect(registry.instances()).toHaveLength(1);
    await clock.advance(1);
    await closed;
    expect(registry.instances()).toEqual([]);
  });

  concurrently(
    'ends at once in the middle of its bootstrap, while the registry hangs',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      registry.faults.hang();
      const options = optionsFor(registry.url, {
        registration: { failFast: true },
        serviceCenter: { timeoutMs: 20_000 },
      });
      const { app } = await createApp(cleanup, options);
      const asked = new Promise<void>(resolve => {
        registry.onRequest(() => resolve());
      });
      const listening = app.listen(0, '127.0.0.1').then(
        () => undefined,
        (error: unknown) => error,
      );
      await asked;
      expect(await elapsedMs(app.close())).toBeLessThan(2_000);
      expect(await listening).toMatchObject({ name: 'AbortError' });
      expect(registry.instances()).toEqual([]);
    },
  );

  concurrently('does not drain when it had never been registered', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { drainMs: 5_000 } });
    const { app } = await createApp(cleanup, options);
    await app.init();
    expect(await elapsedMs(app.close())).toBeLessThan(1_000);
  });

  concurrently('drains once when it is closed twice', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { shutdown: { drainMs: 1_000 } });
    const { app } = await startApp(cleanup, options);
    expect(await elapsedMs(Promise.all([app.close(), app.close()]))).toBeLessThan(1_900);
  });

  concurrently('removes a registration that lands after it was cut off', async cleanup => {
    const registry = await startRegistry(cleanup);
    registry.faults.hang({ operation: 'registerInstance', times: 1 });
    const options = optionsFor(registry.url, {
      shutdown: { timeoutMs: 2_000 },
      serviceCenter: { timeoutMs: 5_000 },
    });
    const { app, events } = await createApp(cleanup, options);
    const posted = new Promise<void>(resolve => {
      registry.onRequest(({ method, path, body }) => {
        if (method === 'POST' && path.endsWith('/instances')) resolve();
        // The registry comes round to the POST when the first removal has found nothing.
        if (method === 'DELETE' && writesOf(registry).length === 2)
          void fetch(`${registry.url}${path.replace(/\/[^/]+$/, '')}`, {
            method: 'POST',
            body: registry.requests.find(({ path }) => path.endsWith('/instances'))?.body ?? body,
          });
      });
    });
    await app.listen(0, '127.0.0.1');
    await posted;
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
  });

  concurrently('rejects register() from then on', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url));
    await app.close();
    await expect(registration.register()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('leave()', () => {
  concurrently('gives every caller the same promise, and one removal', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    const first = registration.leave();
    expect(registration.leave()).toBe(first);
    await first;
    expect(writesOf(registry)).toEqual(['POST', 'DELETE']);
  });

  concurrently('may be followed by register()', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration } = await startApp(cleanup, optionsFor(registry.url));
    await registration.leave();
    await registration.register();
    expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
    expect(registry.instances()).toHaveLength(1);
  });

  concurrently('before the server listens keeps it from registering then', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await createApp(cleanup, optionsFor(registry.url));
    await app.init();
    await registration.leave();
    await app.listen(0, '127.0.0.1');
    expect(registration.state).toBe('left');
    expect(registry.requests).toEqual([]);
  });

  concurrently('rejects a register() that waits', async cleanup => {
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
