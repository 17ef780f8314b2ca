import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter, type EmbeddedServiceCenterOptions } from 'embedded-service-center';
import { certificateAuthority } from '../support/certificates.js';
import { guarded, root } from '../support/guarded-app.js';
import { LiveWatcher, type LiveWatcherSettings } from '../support/live-watcher.js';
import { SimulatedClock } from '../support/simulated-clock.js';
import { Cleanup, startRegistry } from '../support/test-app.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Its lease outlives each test. */
const instance = { hostName: 'h', healthCheck: { mode: 'push', interval: 600, times: 3 } } as const;
const key = { appId: 'default', serviceName: 'orders' };

interface Watching {
  readonly live: LiveWatcher;
  readonly registry: EmbeddedServiceCenter;
  readonly consumerId: string;
  /** Changes a provider that the consumer has found. */
  readonly change: () => Promise<void>;
}

/** A watcher that is open, of a consumer that has found a provider with an instance. */
async function watching(
  settings: LiveWatcherSettings = {},
  started?: EmbeddedServiceCenter,
  url?: string,
): Promise<Watching> {
  const registry = started ?? (await startRegistry(cleanup));
  const live = new LiveWatcher(url ?? registry.url, settings);
  cleanup.add(async () => live.watcher.stop());
  const { client } = live;
  const consumerId = await client.registerMicroservice({
    ...key,
    serviceName: 'shop',
    version: '1',
  });
  const serviceId = await client.registerMicroservice({ ...key, version: '1' });
  const instanceId = await client.registerInstance(serviceId, instance);
  await client.findInstances({ ...key, consumerId });
  await live.open(consumerId);
  let changes = 0;
  const change = () => {
    const version = String((changes += 1));
    return client.setInstanceProperties({ serviceId, instanceId }, { version });
  };
  return { live, registry, consumerId, change };
}

const hint = ['hint', expect.objectContaining({ serviceName: 'orders' })];

/** A registry and its watcher by a clock that the test moves on. */
async function simulated(options: EmbeddedServiceCenterOptions = {}) {
  const clock = new SimulatedClock();
  const registry = await startRegistry(cleanup, { clock, ...options });
  return { clock, ...(await watching({ clock }, registry)) };
}

describe('a connection that is open', () => {
  it('stays open for minutes on pings of its own, as the registry sends none', async () => {
    const { clock, live, change } = await simulated();
    for (let pings = 1; pings <= 6; pings += 1) {
      await clock.run(30_000);
      live.watcher.tick();
      expect(await live.next()).toEqual(['heard']);
    }
    await change();
    expect(await live.next()).toEqual(hint);
  });

  it.each(['rst', 'fin'] as const)('is opened again when it is cut by %s (D8)', async how => {
    const { live, registry, change } = await watching();
    registry.faults.cutWatchers(how);
    expect(await live.next()).toMatchObject(['lost', { reason: 'closed (1006)' }]);
    expect(await live.next()).toEqual(['opened', registry.url]);
    await change();
    expect(await live.next()).toEqual(hint);
  });

  it('is given up after 90 s of silence when it is frozen, and opened again (D8)', async () => {
    const { clock, live, registry } = await simulated();
    registry.faults.muteWatchers();
    for (const _ of [1, 2]) {
      await clock.run(30_000);
      live.watcher.tick();
    }
    expect(live.watcher.isOpen).toBe(true);
    await clock.run(30_000);
    live.watcher.tick();
    expect(await live.next()).toMatchObject(['lost', { code: 'ERR_SERVICECOMB_TIMEOUT' }]);
    expect(await live.next()).toEqual(['opened', registry.url]);
  });

  it('is not given up when frames are swallowed: nobody can tell', async () => {
    const { live, registry, change } = await watching();
    const end = registry.faults.swallowFrames({ serviceName: 'orders' });
    await change();
    live.watcher.probe();
    expect(await live.next()).toEqual(['heard']);
    end();
    await change();
    expect(await live.next()).toEqual(hint);
  });

  it('tells of a flood once for each frame, and stays open', async () => {
    const { live, registry, change } = await watching();
    const end = registry.faults.muteWatchers();
    for (let changes = 0; changes < 20; changes += 1) await change();
    end();
    for (let changes = 0; changes < 20; changes += 1) expect(await live.next()).toEqual(hint);
    expect(live.watcher.isOpen).toBe(true);
  });

  it('tells nothing more once the watcher is stopped', async () => {
    const { live, change } = await watching();
    live.watcher.stop();
    const told = live.told.length;
    await change();
    expect(live.told).toHaveLength(told);
  });
});

describe('a registry that is started again', () => {
  it('is watched again by the service that it knows', async () => {
    const { live, registry, consumerId } = await watching();
    const data = registry.dump();
    await registry.stop();
    expect(await live.next()).toMatchObject(['lost', { reason: 'closed (1006)' }]);
    live.watcher.want(undefined);
    const next = new EmbeddedServiceCenter({ port: Number(new URL(registry.url).port) });
    cleanup.add(() => next.stop());
    await next.start();
    next.load(data);
    await live.open(consumerId);
  });
});

describe('a registry that asks for tokens', () => {
  it('is asked with the token, and with a new one when that is refused', async () => {
    const registry = await guarded(cleanup);
    const { live, consumerId, change } = await watching(
      { serviceCenter: { auth: root } },
      registry,
    );
    live.watcher.want(undefined);
    registry.faults.answer(200, '', { operation: 'watch', times: 1 });
    await live.open(consumerId);
    expect(live.told.filter(([name]) => name === 'failed')).toEqual([]);
    const logins = registry.requests.filter(({ path }) => path === '/v4/token');
    expect(logins).toHaveLength(2);
    await change();
    expect(await live.next()).toEqual(hint);
  });

  it('refuses a watcher without one', async () => {
    const registry = await guarded(cleanup);
    const live = new LiveWatcher(registry.url);
    cleanup.add(async () => live.watcher.stop());
    live.watcher.want('shop');
    live.watcher.tick();
    expect(await live.next()).toMatchObject(['failed', { received: 'HTTP 200' }]);
  });
});

describe('TLS', () => {
  it('is that of the other connections', async () => {
    const authority = certificateAuthority();
    const registry = await startRegistry(cleanup, { tls: authority.issue(['127.0.0.1']) });
    const { live, change } = await watching(
      { serviceCenter: { tls: { ca: authority.cert } } },
      registry,
    );
    expect(registry.url).toMatch(/^https:/);
    await change();
    expect(await live.next()).toEqual(hint);
  });
});

describe('without push', () => {
  it('of a server that knows no watchers, the third failure tells it', async () => {
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0);
    await once(server, 'listening');
    cleanup.add(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const live = new LiveWatcher(`http://127.0.0.1:${port}`);
    cleanup.add(async () => live.watcher.stop());
    live.watcher.want('shop');
    live.watcher.tick();
    const names: string[] = [];
    for (let told = 0; told < 5; told += 1) names.push((await live.next())[0]);
    expect(names).toEqual(['failed', 'failed', 'failed', 'silent', 'failed']);
  });

  it('and without ws, that is told once', async () => {
    const registry = await startRegistry(cleanup);
    const load = () => Promise.reject(new Error('Cannot find package ws'));
    const live = new LiveWatcher(registry.url, { load });
    live.watcher.want('shop');
    live.watcher.tick();
    expect(await live.next()).toMatchObject(['unavailable', { message: 'Cannot find package ws' }]);
    expect(live.watcher.tick()).toBe(Number.POSITIVE_INFINITY);
    expect(registry.requests).toEqual([]);
  });
});
