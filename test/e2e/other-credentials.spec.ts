import { describe, expect } from '@jest/globals';
import type { RegistryEventName } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import {
  guarded,
  healthOf,
  impatient,
  logins,
  refusedWith,
  replace,
  startSteered,
  unguarded,
  withAuth,
} from '../support/guarded-app.js';
import { createApp, startApp, startRegistry } from '../support/test-app.js';

const never = () => new Promise<never>(() => undefined);

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

  concurrently('that are never given cost a heartbeat, and no shutdown', async cleanup => {
    const registry = await startRegistry(cleanup);
    let give: () => Promise<string> = async () => 'token';
    const token = () => give();
    const options = { ...impatient(registry.url, { token }), shutdown: { timeoutMs: 500 } };
    const { app, events } = await startApp(cleanup, options);
    await events.nth('servicecomb.heartbeat.succeeded');
    give = never;
    expect(await events.nth('servicecomb.heartbeat.failed')).toMatchObject({
      error: { code: 'ERR_SERVICECOMB_CREDENTIALS', reason: 'it returned nothing within 500 ms' },
    });
    give = async () => 'token';
    await events.nth('servicecomb.heartbeat.recovered');
    give = never;
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('nobody in particular', () => {
  concurrently('is told why, when security is switched on', async cleanup => {
    const {
      app,
      registry: open,
      clock,
    } = await startSteered(cleanup, {
      start: unguarded,
      auth: false,
    });
    const registry = await replace(open, port => guarded(cleanup, { port, clock }));
    const noHeader = (operation: string) =>
      refusedWith(operation, 401, 401_204, 'No authorization header');
    const told = (name: RegistryEventName) => () => app.events.of(name).length > 0;
    await app.until(told('servicecomb.heartbeat.failed'), 60_000);
    expect(app.events.of('servicecomb.heartbeat.failed')).toMatchObject([
      { error: { errorCode: 401_204 }, failures: 1 },
    ]);
    expect(await healthOf(app)).toMatchObject({
      status: 'up',
      degraded: true,
      state: 'degraded',
      lastError: noHeader('heartbeat'),
    });
    await app.until(told('servicecomb.registration.blocked'), 120_000);
    expect(app.events.of('servicecomb.registration.blocked')).toMatchObject([
      { error: { errorCode: 401_204 } },
    ]);
    expect(await healthOf(app)).toMatchObject({
      status: 'down',
      state: 'blocked',
      lastError: noHeader('registerInstance'),
    });
    expect(logins(registry)).toBe(0);
  });
});
