import type { HttpService } from '@nestjs/axios';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/embedded/index.js';
import { REGISTRY_HTTP_SERVICE } from '../../lib/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { registryClock, requestsOf, SteeredApp } from '../support/steered-app.js';
import { Cleanup } from '../support/test-app.js';
import { pem, rootPassword } from '../unit/embedded/guarded-registry.js';

// An engine that wants a token, and an application that brings its own.

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** An application with a token of its own, once its first heartbeat was answered. */
async function beating() {
  const clock = new FakeClock();
  const serviceCenter = new EmbeddedServiceCenter({
    port: 0,
    profile: 'cse-exclusive',
    clock: registryClock(clock),
    rbac: { rootPassword, privateKey: pem },
  });
  cleanup.add(() => serviceCenter.stop());
  const { url } = await serviceCenter.start();
  const exp = Math.ceil(Date.now() / 1_000) + 43_200;
  const token = serviceCenter.rbac?.sign({ account: 'root', roles: ['admin'], exp });
  const options = {
    profile: 'cse-exclusive',
    serviceCenter: { addresses: [url] },
    microservice: { serviceName: 'orders', version: '1.0.0' },
  } as const;
  const app = await SteeredApp.start(cleanup, clock, options, app => {
    const http: HttpService = app.get(REGISTRY_HTTP_SERVICE, { strict: false });
    http.axiosRef.interceptors.request.use(config => {
      config.headers.set('Authorization', `Bearer ${token}`);
      return config;
    });
  });
  const heartbeats = () => requestsOf(serviceCenter, 'heartbeat');
  await app.until(() => heartbeats().length === 1, 20_000);
  return { app, serviceCenter, heartbeats };
}

describe('an engine with security authentication', () => {
  it('answers a heartbeat with a token as any other', async () => {
    const { heartbeats } = await beating();
    expect(heartbeats()[0]).toMatchObject({
      status: 200,
      headers: { authorization: 'Bearer ***' },
    });
  });

  it.each([
    [401, 401_206, undefined, 'degraded', 'servicecomb.heartbeat.failed'],
    [401, 401_201, 'no valid resouce scope', 'lost', 'servicecomb.instance.lost'],
    [403, 403_205, undefined, 'degraded', 'servicecomb.heartbeat.failed'],
  ])(
    'may answer %i with %i and %p: the instance is %s, without a registration that is not needed',
    async (status, errorCode, detail, ...[state, event]) => {
      const { app, serviceCenter, heartbeats } = await beating();
      const registrations = requestsOf(serviceCenter, 'registerInstance').length;
      const match = { operation: 'heartbeat', times: 1 } as const;
      serviceCenter.faults.answer(status, { errorCode, detail }, match);
      await app.until(() => heartbeats().length === 2, 22_000);
      expect(app.core.state).toBe(state);
      expect(app.events.names()).toContain(event);
      expect(requestsOf(serviceCenter, 'registerInstance')).toHaveLength(registrations);
      await app.until(() => app.core.state === 'registered', 5_000);
    },
  );
});
