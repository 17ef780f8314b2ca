import { describe, expect } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { concurrently } from '../support/concurrently.js';
import { startProxied, startProxy } from '../support/proxied.js';
import { optionsFor, startApp } from '../support/test-app.js';

const registered = 'servicecomb.instance.registered';
const succeeded = 'servicecomb.heartbeat.succeeded';
const failed = 'servicecomb.heartbeat.failed';

/** Resolves when a registration arrives. */
function nextPost(registry: EmbeddedServiceCenter): Promise<void> {
  return new Promise(resolve => {
    registry.onRequest(({ operation }) => {
      if (operation === 'registerInstance') resolve();
    });
  });
}

describe('the registration over a network that fails', () => {
  concurrently('T2 loses no heartbeat when one of two nodes hangs', async cleanup => {
    const { registry, proxy } = await startProxied(cleanup);
    const other = await startProxy(cleanup, registry.url);
    const options = optionsFor('', { serviceCenter: { addresses: [proxy.url, other.url] } });
    const { events, registration } = await startApp(cleanup, options);
    await events.nth(succeeded);
    proxy.suspend();
    await events.nth(succeeded, 5);
    expect(events.of(failed)).toEqual([]);
    expect(registration.snapshot()).toMatchObject({
      state: 'registered',
      registrations: 1,
      address: other.url,
    });
    const { tookMs } = events.of(succeeded)[1] ?? {};
    // Half of the deadline of 500 ms for the first node, once; the heartbeats after it go to the other one.
    expect(tookMs).toBeGreaterThanOrEqual(240);
    for (const { tookMs } of events.of(succeeded).slice(2)) expect(tookMs).toBeLessThan(400);
  });

  concurrently('T7 ends a re-registration under way with the removal', async cleanup => {
    const { registry } = await startProxied(cleanup);
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url));
    const posted = nextPost(registry);
    registry.faults.delay(300, { operation: 'registerInstance' });
    registry.forget(registration.snapshot().instanceId);
    await posted;
    await app.close();
    const last = registry.requests.at(-1);
    expect(last).toMatchObject({ operation: 'unregisterInstance', status: 200 });
    expect(registry.instances()).toEqual([]);
  });

  concurrently('T14 does not feel that a kept connection was closed under it', async cleanup => {
    const { registry, proxy } = await startProxied(cleanup);
    const { events } = await startApp(cleanup, optionsFor(proxy.url));
    for (let nth = 1; nth <= 3; nth += 1) {
      await events.nth(succeeded, nth);
      expect(proxy.connections).toBe(1);
      proxy.expireConnections();
    }
    await events.nth(succeeded, 4);
    expect(events.of(failed)).toEqual([]);
    expect(registry.requests.filter(({ operation }) => operation === 'heartbeat')).toHaveLength(4);
  });

  concurrently(
    'an answer that trickles in has failed at the deadline of its heartbeat',
    async cleanup => {
      const { proxy } = await startProxied(cleanup);
      const { events } = await startApp(cleanup, optionsFor(proxy.url));
      await events.nth(succeeded);
      proxy.trickle(1, 100);
      const { error } = await events.nth(failed);
      expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_TIMEOUT', timeoutMs: 500 });
      proxy.resume();
      await events.nth(succeeded, 2);
      expect(events.of(registered)).toHaveLength(1);
    },
  );

  concurrently(
    'is back when all of its connections were broken and refused for a while',
    async cleanup => {
      const { registry, proxy } = await startProxied(cleanup);
      const { events, registration } = await startApp(cleanup, optionsFor(proxy.url));
      await proxy.refuse();
      await events.nth('servicecomb.instance.lost');
      await proxy.start();
      await events.nth(registered, 2);
      expect(registration.state).toBe('registered');
      expect(registry.instances()).toHaveLength(1);
    },
  );

  concurrently(
    'an answer that is lost on its way leads to no second registration',
    async cleanup => {
      const { registry, proxy } = await startProxied(cleanup);
      const { events } = await startApp(cleanup, optionsFor(proxy.url));
      await events.nth(succeeded);
      proxy.pause('from');
      await events.nth(failed);
      proxy.resume();
      await events.nth('servicecomb.heartbeat.recovered');
      const posts = registry.requests.filter(({ operation }) => operation === 'registerInstance');
      expect(posts).toHaveLength(1);
    },
  );
});

describe('a registry with all oddities of a real one', () => {
  concurrently(
    'is joined, beaten, rejoined after it forgot, written to, and left',
    async cleanup => {
      const registry = new EmbeddedServiceCenter({
        port: 0,
        minIntervalMs: 1_000,
        oddities: 'realistic',
      });
      const { url } = await registry.start();
      cleanup.add(() => registry.stop());
      const { app, registration, events } = await startApp(cleanup, optionsFor(url));
      await events.nth(succeeded, 2);
      registry.forget(registration.snapshot().instanceId);
      await events.nth(registered, 2);
      await Promise.all([
        registration.setStatus('TESTING'),
        registration.setProperties({ canary: 'yes' }),
      ]);
      await events.nth(succeeded, 6);
      expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
      expect(registry.instances()).toMatchObject([
        { status: 'TESTING', properties: { canary: 'yes' } },
      ]);
      await app.close();
      expect(registry.instances()).toEqual([]);
      expect(events.of('servicecomb.instance.unregistered')).toMatchObject([{ confirmed: true }]);
    },
  );
});
