import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/embedded/index.js';
import type { AuthOptions, RegistryModuleOptions } from '../../lib/index.js';
import { pem, rootPassword } from '../unit/embedded/guarded-registry.js';
import { concurrently } from '../support/concurrently.js';
import {
  type Cleanup,
  createApp,
  optionsFor,
  startApp,
  startRegistry,
  type TestApp,
} from '../support/test-app.js';

const otherPassword = 'Complicated_password2';
const rbac = { rootPassword, privateKey: pem };
const root: AuthOptions = { username: 'root', password: rootPassword };

async function guarded(cleanup: Cleanup, port = 0): Promise<EmbeddedServiceCenter> {
  const registry = new EmbeddedServiceCenter({
    port,
    minIntervalMs: 1_000,
    rbac,
  });
  await registry.start();
  cleanup.add(() => registry.stop());
  return registry;
}

function withAuth(url: string, auth: AuthOptions): RegistryModuleOptions {
  return optionsFor(url, { serviceCenter: { auth } });
}

function logins(registry: EmbeddedServiceCenter): number {
  return registry.requests.filter(({ path }) => path === '/v4/token').length;
}

/** Changes an account of the registry in the name of root. */
async function change(
  registry: EmbeddedServiceCenter,
  method: string,
  path: string,
  body?: object,
): Promise<void> {
  const token = registry.rbac?.sign({ account: 'root', roles: ['admin'] }) ?? '';
  const { ok } = await fetch(`${registry.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(ok).toBe(true);
}

/** Starts an application that the registry will not let in. */
async function startRefused(cleanup: Cleanup, options: RegistryModuleOptions): Promise<TestApp> {
  const started = await createApp(cleanup, options);
  await started.app.listen(0, '127.0.0.1');
  await started.events.nth('servicecomb.registration.blocked');
  return started;
}

describe('an account', () => {
  concurrently('is traded for one token, with which everything else is asked', async cleanup => {
    const registry = await guarded(cleanup);
    const { app, events } = await startApp(cleanup, withAuth(registry.url, root));
    await events.nth('servicecomb.heartbeat.succeeded', 2);
    await app.close();
    expect(registry.instances()).toEqual([]);
    expect(logins(registry)).toBe(1);
    expect(events.of('servicecomb.token.renewed')).toMatchObject([{ address: registry.url }]);
    expect(registry.requests.filter(({ status }) => status === 401)).toEqual([]);
  });

  concurrently(
    'T10 whose password is wrong is tried once, by three registrations that share it',
    async cleanup => {
      const registry = await guarded(cleanup);
      const options = withAuth(registry.url, { username: 'root', password: 'wrong' });
      const apps = await Promise.all([1, 2, 3].map(() => startRefused(cleanup, options)));
      for (const { events, registration } of apps) {
        expect(events.of('servicecomb.token.refused')).toMatchObject([
          { error: { errorCode: 401_202 }, address: registry.url },
        ]);
        expect(registration.snapshot()).toMatchObject({
          state: 'blocked',
          lastError: { code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 401_202 },
        });
        void registration.register().catch(() => undefined);
        await events.nth('servicecomb.registration.blocked', 2);
      }
      expect(logins(registry)).toBe(1);
    },
  );

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
        const registry = await guarded(cleanup);
        const { registration, events } = await startApp(cleanup, withAuth(registry.url, root));
        await events.nth('servicecomb.heartbeat.succeeded');
        const body = refusal.errorCode === 0 ? 'Unauthorized' : refusal;
        registry.faults.answer(401, body, { operation: 'heartbeat', times: 1 });
        await events.nth('servicecomb.heartbeat.succeeded', 3);
        expect(logins(registry)).toBe(2);
        expect(events.of('servicecomb.token.renewed')).toHaveLength(2);
        expect(events.names()).not.toContain('servicecomb.heartbeat.failed');
        expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      },
    );

  for (const hours of [-1, 1])
    concurrently(
      `is good for its whole life with a registry whose clock is off by ${hours} h`,
      async cleanup => {
        const clock = { now: () => Date.now() + hours * 3_600_000 };
        const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000, rbac, clock });
        await registry.start();
        cleanup.add(() => registry.stop());
        const { registration, events } = await startApp(cleanup, withAuth(registry.url, root));
        await events.nth('servicecomb.heartbeat.succeeded', 2);
        const [renewed] = events.of('servicecomb.token.renewed');
        const lifeMs = Date.parse(renewed?.expiresAt ?? '') - Date.parse(renewed?.at ?? '');
        expect(Math.abs(lifeMs - 12 * 3_600_000)).toBeLessThan(2_000);
        expect(logins(registry)).toBe(1);
        expect(registration.state).toBe('registered');
      },
    );

  concurrently(
    'logs in no more than once for a token that is refused from the start',
    async cleanup => {
      const registry = await guarded(cleanup);
      registry.faults.answer(401, { errorCode: 401_205 }, { path: /microservices|existence/ });
      const { registration, events } = await startRefused(cleanup, withAuth(registry.url, root));
      void registration.register().catch(() => undefined);
      await events.nth('servicecomb.registration.blocked', 2);
      expect(logins(registry)).toBe(1);
      expect(registration.snapshot().lastError).toMatchObject({ errorCode: 401_205 });
    },
  );

  concurrently('that is deleted is told, after one login', async cleanup => {
    const registry = await guarded(cleanup);
    const account = { name: 'orders', password: otherPassword, roles: ['developer'] };
    await change(registry, 'POST', '/v4/accounts', account);
    const auth = { username: 'orders', password: otherPassword };
    const { registration, events } = await startApp(cleanup, withAuth(registry.url, auth));
    await events.nth('servicecomb.heartbeat.succeeded');
    const before = logins(registry);
    await change(registry, 'DELETE', '/v4/accounts/orders');
    expect(await events.nth('servicecomb.token.refused')).toMatchObject({
      error: { errorCode: 401_202 },
    });
    await events.nth('servicecomb.heartbeat.failed', 3);
    expect(logins(registry) - before).toBe(1);
    expect(registration.state).not.toBe('registered');
  });

  concurrently('without permission is refused, and logs in no more for it', async cleanup => {
    const registry = await guarded(cleanup);
    const perms = [{ resources: [{ type: 'service' }], verbs: ['get'] }];
    await change(registry, 'POST', '/v4/roles', { name: 'reader', perms });
    const account = { name: 'reader', password: otherPassword, roles: ['reader'] };
    await change(registry, 'POST', '/v4/accounts', account);
    const auth = { username: 'reader', password: otherPassword };
    const { registration } = await startRefused(cleanup, withAuth(registry.url, auth));
    expect(registration.snapshot()).toMatchObject({
      state: 'blocked',
      lastError: { errorCode: 403_205 },
    });
    expect(logins(registry)).toBe(1);
  });

  concurrently(
    'of a developer whose service is deleted registers it anew, without a login',
    async cleanup => {
      const registry = await guarded(cleanup);
      const account = { name: 'dev', password: otherPassword, roles: ['developer'] };
      await change(registry, 'POST', '/v4/accounts', account);
      const auth = { username: 'dev', password: otherPassword };
      const { registration, events } = await startApp(cleanup, withAuth(registry.url, auth));
      const before = logins(registry);
      registry.forgetService(registration.snapshot().serviceId ?? '');
      await events.nth('servicecomb.instance.registered', 2);
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
      const open = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000 });
      await open.start();
      cleanup.add(() => open.stop());
      const { registration, events } = await startApp(cleanup, withAuth(open.url, root));
      await events.nth('servicecomb.heartbeat.succeeded');
      expect(events.names()).not.toContain('servicecomb.token.renewed');
      const data = open.dump();
      await open.stop();
      const registry = await guarded(cleanup, Number(new URL(open.url).port));
      registry.load(data);
      await events.nth('servicecomb.token.renewed');
      const from = events.of('servicecomb.heartbeat.succeeded').length;
      await events.nth('servicecomb.heartbeat.succeeded', from + 1);
      expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    },
  );

  concurrently(
    'of a registry that is away is not refused: its login is asked again',
    async cleanup => {
      const registry = await guarded(cleanup);
      registry.faults.hang({ path: /^\/v4\/token/, times: 1 });
      const { registration, events } = await startApp(cleanup, withAuth(registry.url, root));
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
});

describe('other credentials', () => {
  concurrently('of a cloud sign the access key, and do not send the secret one', async cleanup => {
    const registry = await startRegistry(cleanup);
    const auth = { accessKey: 'AK', secretKey: 'SK', project: 'süd' };
    await startApp(cleanup, withAuth(registry.url, auth));
    const headers = registry.requests.at(-1)?.headers;
    expect(headers).toMatchObject({
      'x-service-ak': 'AK',
      'x-service-shaaksk': '32d633d480c6d326ddd8f439f4fbfc7c9a4e0fa3fc0565ccd56e027700d41b14',
      'x-service-project': 's%C3%BCd',
    });
  });

  concurrently('as a token are sent with each request, also one that changes', async cleanup => {
    const registry = await guarded(cleanup);
    let asked = 0;
    const token = async () => {
      asked += 1;
      return registry.rbac?.sign({ account: 'root', roles: ['admin'], n: asked }) ?? '';
    };
    const { events } = await startApp(cleanup, withAuth(registry.url, { token }));
    await events.nth('servicecomb.heartbeat.succeeded');
    expect(asked).toBeGreaterThanOrEqual(4);
    expect(logins(registry)).toBe(0);
  });

  concurrently('as headers are sent with each request', async cleanup => {
    const registry = await startRegistry(cleanup);
    const headers = () => ({ 'X-Auth-Token': 'iam' });
    await startApp(cleanup, withAuth(registry.url, { headers }));
    // The journal shows no token, and that there was one.
    for (const request of registry.requests)
      expect(request.headers).toMatchObject({ 'x-auth-token': '***' });
  });

  concurrently(
    'that the application cannot give are told without its words, and asked for again',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      let isFailing = true;
      const token = () => {
        if (isFailing) throw new RangeError('the secret is s3cr3t');
        return 'token';
      };
      const { app, events, registration } = await createApp(
        cleanup,
        withAuth(registry.url, { token }),
      );
      await app.listen(0, '127.0.0.1');
      const { error } = await events.nth('servicecomb.registration.failed', 4);
      expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_CREDENTIALS', source: 'token' });
      expect(error.message).toBe(
        'No credentials for Service Center from serviceCenter.auth.token: it failed with RangeError',
      );
      expect(events.names()).not.toContain('servicecomb.address.isolated');
      expect(registry.requests).toEqual([]);
      isFailing = false;
      await registration.register();
      expect(registration.state).toBe('registered');
    },
  );
});
