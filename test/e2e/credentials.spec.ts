import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import {
  change,
  guarded,
  healthOf,
  impatient,
  logins,
  refusedWith,
  replace,
  root,
  rootPassword,
  startRefused,
  startSteered,
  unguarded,
  well,
  withAuth,
  wrongPassword,
} from '../support/guarded-app.js';
import { createApp, optionsFor, startApp } from '../support/test-app.js';

const otherPassword = 'Complicated_password2';

function urlOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** A proxy before a registry that shows a page of its own in place of a 401. */
function ownPage(target: string): RequestListener {
  const passOn = async (...[request, answer]: Parameters<RequestListener>) => {
    const { method = '', url = '' } = request;
    const { authorization = '' } = request.headers;
    const body = method === 'POST' || method === 'PUT' ? await text(request) : null;
    const reply = await fetch(`${target}${url}`, { method, headers: { authorization }, body });
    const answered = await reply.text();
    answer.writeHead(reply.status).end(reply.status === 401 ? '<html>No</html>' : answered);
  };
  // At the end of a test, the registry may be gone before the last answer.
  return (request, answer) => void passOn(request, answer).catch(() => answer.destroy());
}

describe('an account', () => {
  concurrently('is traded for one token, with which everything else is asked', async cleanup => {
    const { app: steered, registry } = await startSteered(cleanup);
    const { app, events } = steered;
    await steered.beats(1);
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(logins(registry)).toBe(1);
    expect(events.of('servicecomb.token.renewed')).toMatchObject([{ address: registry.url }]);
    expect(registry.requests.filter(({ status }) => status === 401)).toEqual([]);
  });

  concurrently('T10 whose password is wrong is tried once', async cleanup => {
    const registry = await guarded(cleanup);
    const options = withAuth(registry.url, { username: 'root', password: 'another' });
    const app = await startRefused(cleanup, options);
    const { events, registration } = app;
    const [refused, ...more] = events.of('servicecomb.token.refused');
    expect(refused).toMatchObject({ error: { errorCode: 401_202 }, address: registry.url });
    expect(refused?.retryInMs).toBeGreaterThan(14 * 60_000);
    expect(refused?.retryInMs).toBeLessThanOrEqual(15 * 60_000);
    expect(more).toEqual([]);
    expect(events.of('servicecomb.registration.blocked')).toMatchObject([
      { error: { errorCode: 401_202 } },
    ]);
    expect(await healthOf(app)).toMatchObject({
      status: 'down',
      state: 'blocked',
      failures: 1,
      registrations: 0,
      leaseRemainingMs: null,
      lastError: wrongPassword,
    });
    void registration.register().catch(() => undefined);
    await events.nth('servicecomb.registration.blocked', 2);
    expect(logins(registry)).toBe(1);
  });

  concurrently('is not banned behind a proxy with a page of its own for 401', async cleanup => {
    const registry = await guarded(cleanup);
    const server = createServer(ownPage(registry.url)).listen(0, '127.0.0.1');
    cleanup.add(async () => server.close());
    await once(server, 'listening');
    const options = withAuth(urlOf(server), { username: 'root', password: 'another' });
    const { app, events } = await createApp(cleanup, options);
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.token.refused');
    await events.nth('servicecomb.registration.failed', 5);
    const refused = registry.requests.filter(({ status }) => status === 401);
    expect(refused).toHaveLength(2);
    const body = JSON.stringify({ name: 'root', password: rootPassword });
    const login = await fetch(`${registry.url}/v4/token`, { method: 'POST', body });
    expect(login.status).toBe(200);
  });

  concurrently('whose password has changed in its file is tried at once', async cleanup => {
    const directory = mkdtempSync(join(tmpdir(), 'password-'));
    cleanup.add(async () => rmSync(directory, { recursive: true }));
    const passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, 'not-yet\n');
    const registry = await guarded(cleanup);
    const options = withAuth(registry.url, { username: 'root', passwordFile });
    const { registration, events } = await startRefused(cleanup, options);
    writeFileSync(passwordFile, `${rootPassword}\n`);
    await registration.register();
    expect(registration.state).toBe('registered');
    expect(logins(registry)).toBe(2);
    expect(events.names().filter(name => name === 'servicecomb.token.refused')).toHaveLength(1);
  });

  const refusals = [
    ['has expired on the way', { errorCode: 401_205, detail: 'Token is expired' }],
    ['was signed by other keys', { errorCode: 401_201, detail: 'crypto/rsa: verification error' }],
    ['is not known to a gateway', { errorCode: 0, detail: '' }],
  ] as const;
  for (const [what, refusal] of refusals)
    concurrently(
      `T9 keeps its lease, and misses no heartbeat, when its token ${what}`,
      async cleanup => {
        const { app, registry } = await startSteered(cleanup);
        const { events } = app;
        const body = refusal.errorCode === 0 ? 'Unauthorized' : refusal;
        registry.faults.answer(401, body, { operation: 'heartbeat', times: 1 });
        await app.beats(2);
        expect(logins(registry)).toBe(2);
        expect(events.of('servicecomb.token.renewed')).toMatchObject([
          { address: registry.url },
          { address: registry.url },
        ]);
        expect(events.names()).not.toContain('servicecomb.heartbeat.failed');
        expect(await healthOf(app)).toMatchObject(well);
      },
    );

  concurrently('T9 keeps its lease when the registry has other keys', async cleanup => {
    const { app, registry: old, clock } = await startSteered(cleanup);
    const { events } = app;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const registry = await replace(old, port =>
      guarded(cleanup, { port, clock, privateKey: other }),
    );
    await app.beats(2);
    expect(events.of('servicecomb.token.renewed')).toMatchObject([
      { address: registry.url },
      { address: registry.url },
    ]);
    expect(logins(registry)).toBe(1);
    expect(events.names()).not.toContain('servicecomb.token.refused');
    expect(await healthOf(app)).toMatchObject(well);
  });

  for (const hours of [-1, 1])
    concurrently(
      `is good for its whole life with a registry whose clock is off by ${hours} h`,
      async cleanup => {
        const { app, registry } = await startSteered(cleanup, { aheadMs: hours * 3_600_000 });
        await app.beats(1);
        const [renewed] = app.events.of('servicecomb.token.renewed');
        const lifeMs = Date.parse(renewed?.expiresAt ?? '') - Date.parse(renewed?.at ?? '');
        expect(Math.abs(lifeMs - 12 * 3_600_000)).toBeLessThan(2_000);
        expect(logins(registry)).toBe(1);
        expect(await healthOf(app)).toMatchObject(well);
      },
    );

  concurrently(
    'logs in again for a token that is refused from the start, with pauses, and is not banned',
    async cleanup => {
      const registry = await guarded(cleanup);
      registry.faults.answer(401, { errorCode: 401_205 }, { path: /microservices|existence/ });
      const { registration, events } = await startRefused(cleanup, withAuth(registry.url, root));
      void registration.register().catch(() => undefined);
      await events.nth('servicecomb.registration.blocked', 2);
      expect(logins(registry)).toBeLessThanOrEqual(3);
      expect(events.names()).not.toContain('servicecomb.token.refused');
      expect(registration.snapshot().lastError).toMatchObject({ errorCode: 401_205 });
    },
  );

  concurrently('that is deleted is told, after one login', async cleanup => {
    const { app, registry } = await startSteered(cleanup, {
      auth: async made => {
        const account = { name: 'orders', password: otherPassword, roles: ['developer'] };
        await change(made, 'POST', '/v4/accounts', account);
        return { username: 'orders', password: otherPassword };
      },
    });
    const { events } = app;
    const before = logins(registry);
    await change(registry, 'DELETE', '/v4/accounts/orders');
    await app.until(() => events.of('servicecomb.heartbeat.failed').length > 0, 60_000);
    expect(events.of('servicecomb.heartbeat.failed')).toMatchObject([
      { error: { errorCode: 401_202 }, failures: 1 },
    ]);
    expect(await healthOf(app)).toMatchObject({
      status: 'up',
      degraded: true,
      state: 'degraded',
      failures: 1,
      lastError: wrongPassword,
    });
    await app.until(() => events.of('servicecomb.registration.blocked').length > 0, 120_000);
    expect(events.of('servicecomb.instance.lost')).toMatchObject([{ reason: 'expired' }]);
    expect(await healthOf(app)).toMatchObject({
      status: 'down',
      state: 'blocked',
      lastError: wrongPassword,
    });
    expect(events.of('servicecomb.token.refused')).toMatchObject([
      { address: registry.url, error: { errorCode: 401_202 } },
    ]);
    expect(logins(registry) - before).toBe(1);
  });

  concurrently('without permission is refused, and logs in no more for it', async cleanup => {
    const registry = await guarded(cleanup);
    const perms = [{ resources: [{ type: 'service' }], verbs: ['get'] }];
    await change(registry, 'POST', '/v4/roles', { name: 'reader', perms });
    const account = { name: 'reader', password: otherPassword, roles: ['reader'] };
    await change(registry, 'POST', '/v4/accounts', account);
    const auth = { username: 'reader', password: otherPassword };
    const app = await startRefused(cleanup, withAuth(registry.url, auth));
    const text = 'No permission(s) - role has no permissions[service:create]';
    expect(await healthOf(app)).toMatchObject({
      status: 'down',
      state: 'blocked',
      registrations: 0,
      lastError: refusedWith('registerMicroservice', 403, 403_205, text),
    });
    void app.registration.register().catch(() => undefined);
    await app.events.nth('servicecomb.registration.blocked', 2);
    expect(app.events.names()).not.toContain('servicecomb.token.refused');
    expect(logins(registry)).toBe(1);
  });

  concurrently(
    'of a developer whose service is deleted registers it anew, without a login',
    async cleanup => {
      const { app, registry } = await startSteered(cleanup, {
        auth: async made => {
          const account = { name: 'dev', password: otherPassword, roles: ['developer'] };
          await change(made, 'POST', '/v4/accounts', account);
          return { username: 'dev', password: otherPassword };
        },
      });
      const { registration, events } = app;
      const before = logins(registry);
      registry.forgetService(registration.snapshot().serviceId ?? '');
      await app.until(() => registration.snapshot().registrations === 2, 60_000);
      expect(logins(registry)).toBe(before);
      expect(events.of('servicecomb.service.registered')).toMatchObject([
        { created: true },
        { created: true },
      ]);
    },
  );

  concurrently(
    'costs nothing where security is off, and keeps the lease when it is switched on',
    async cleanup => {
      const { app, registry: open, clock } = await startSteered(cleanup, { start: unguarded });
      const { events } = app;
      expect(events.names()).not.toContain('servicecomb.token.renewed');
      const registry = await replace(open, port => guarded(cleanup, { port, clock }));
      await app.beats(2);
      expect(events.of('servicecomb.token.renewed')).toMatchObject([{ address: registry.url }]);
      expect(logins(registry)).toBe(1);
      expect(events.names()).not.toContain('servicecomb.token.refused');
      expect(await healthOf(app)).toMatchObject(well);
    },
  );

  concurrently('keeps the lease when security is switched off, and on again', async cleanup => {
    const { app, registry: first, clock } = await startSteered(cleanup);
    const open = await replace(first, port => unguarded(cleanup, { port, clock }));
    await app.beats(2);
    expect(logins(open)).toBe(0);
    expect(await healthOf(app)).toMatchObject(well);
    const second = await replace(open, port => guarded(cleanup, { port, clock }));
    await app.beats(2);
    // The same keys, and the token has not ended.
    expect(logins(second)).toBe(0);
    expect(await healthOf(app)).toMatchObject(well);
  });

  concurrently(
    'of a registry that is away is not refused: its login is asked again',
    async cleanup => {
      const registry = await guarded(cleanup);
      registry.faults.hang({ path: /^\/v4\/token/, times: 1 });
      const { registration, events } = await startApp(cleanup, impatient(registry.url, root));
      expect(registration.state).toBe('registered');
      expect(events.names()).not.toContain('servicecomb.token.refused');
    },
  );

  concurrently('does not delay a shutdown while its login hangs', async cleanup => {
    const registry = await guarded(cleanup);
    registry.faults.hang({ path: /^\/v4\/token/ });
    const options = withAuth(registry.url, root);
    const { app } = await createApp(cleanup, {
      ...options,
      serviceCenter: { ...options.serviceCenter, timeoutMs: 20_000 },
    });
    const asked = new Promise<void>(resolve => {
      registry.onRequest(() => resolve());
    });
    await app.listen(0, '127.0.0.1');
    await asked;
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  concurrently('leaves no login behind that keeps the process alive', async cleanup => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    cleanup.add(async () => server.close());
    await once(server, 'listening');
    const options = optionsFor(urlOf(server), {
      serviceCenter: { auth: root, timeoutMs: 20_000 },
    });
    const { app } = await createApp(cleanup, options);
    const connected = once(server, 'connection');
    await app.listen(0, '127.0.0.1');
    const [socket]: Socket[] = await connected;
    if (socket === undefined) throw new Error('no connection');
    const closed = once(socket, 'close');
    const startedAt = performance.now();
    await app.close();
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
