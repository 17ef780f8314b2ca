import { describe, expect } from '@jest/globals';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import type { EmbeddedServiceCenter, RecordedRequest } from 'embedded-service-center';
import { ServiceCenterTimeoutError, version } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { FakeClock } from '../support/fake-clock.js';
import { registryClock, SteeredApp } from '../support/steered-app.js';
import { optionsFor, startApp, startRegistry } from '../support/test-app.js';

const succeeded = 'servicecomb.heartbeat.succeeded';
const failed = 'servicecomb.heartbeat.failed';
const registered = 'servicecomb.instance.registered';

function heartbeatsOf(registry: EmbeddedServiceCenter): readonly RecordedRequest[] {
  return registry.requests.filter(({ path }) => path.endsWith('/heartbeat'));
}

function postsOf(registry: EmbeddedServiceCenter): readonly RecordedRequest[] {
  return registry.requests.filter(
    ({ method, path }) => method === 'POST' && path.endsWith('/instances'),
  );
}

describe('the heartbeat', () => {
  concurrently(
    'is a PUT without a body, with the domain, as the API page documents it',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const serviceCenter = {
        addresses: [registry.url],
        project: 'd9f4da085f2c11e8959a00ff2d7c69b7',
        domain: 'tenant',
      };
      const instance = { instanceId: 'com.huawei.instance.InstanceService' };
      const { registration, events } = await startApp(
        cleanup,
        optionsFor(registry.url, { serviceCenter, instance }),
      );
      await events.nth(succeeded);
      const { serviceId } = registration.snapshot();
      const [beat] = heartbeatsOf(registry);
      expect(beat).toMatchObject({
        method: 'PUT',
        path: `/v4/d9f4da085f2c11e8959a00ff2d7c69b7/registry/microservices/${serviceId}/instances/com.huawei.instance.InstanceService/heartbeat`,
        body: '',
        status: 200,
      });
      expect(beat?.headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': '0',
        'x-domain-name': 'tenant',
        'user-agent': `nestjs-servicecomb/${version}`,
      });
    },
  );

  concurrently('keeps the lease beyond its length', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    await events.nth(succeeded, 4);
    expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    expect(registry.instances()).toHaveLength(1);
  });

  concurrently(
    'is sent from one interval of the host, named servicecomb.heartbeat',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { app } = await startApp(cleanup, optionsFor(registry.url));
      expect(app.get(SchedulerRegistry).getIntervals()).toEqual(['servicecomb.heartbeat']);
    },
  );

  concurrently('is sent once a period when ScheduleModule is imported twice', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { events } = await startApp(
      cleanup,
      optionsFor(registry.url, { heartbeat: { intervalMs: 1_000, jitter: 0 } }),
      { imports: [ScheduleModule.forRoot({ cronJobs: false })] },
    );
    await events.nth(succeeded, 3);
    const [first, , third] = heartbeatsOf(registry).map(({ at }) => at);
    expect(heartbeatsOf(registry)).toHaveLength(3);
    expect((third ?? 0) - (first ?? 0)).toBeGreaterThan(1_800);
  });

  concurrently('is never sent while another is under way, nor any other write', async cleanup => {
    const registry = await startRegistry(cleanup);
    const heartbeat = { intervalMs: 1_000, times: 20 };
    const { events } = await startApp(cleanup, optionsFor(registry.url, { heartbeat }));
    let underWay = 0;
    let most = 0;
    registry.onRequest(({ method }) => {
      // A probe of an isolated address is the one thing that nobody waits for.
      if (method === 'GET') return;
      underWay += 1;
      most = Math.max(most, underWay);
    });
    registry.faults.hang({ operation: 'heartbeat' });
    for (let nth = 1; nth <= 5; nth += 1) {
      await events.nth(failed, nth);
      underWay -= 1;
    }
    expect(most).toBe(1);
  });

  concurrently('that hangs has failed within its deadline', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { events } = await startApp(cleanup, optionsFor(registry.url));
    const arrived = new Promise<number>(resolve => {
      registry.onRequest(() => resolve(performance.now()));
    });
    registry.faults.hang({ operation: 'heartbeat' });
    const sentAt = await arrived;
    const { error, failures, leaseRemainingMs } = await events.nth(failed);
    expect(performance.now() - sentAt).toBeLessThan(1_000);
    expect(error).toBeInstanceOf(ServiceCenterTimeoutError);
    // What the beginning of the request has taken of it is gone.
    expect(error.message).toMatch(/within (4\d\d|500) ms$/);
    expect(failures).toBe(1);
    expect(leaseRemainingMs).toBeLessThan(2_000);
  });

  concurrently('recovers, and says how many were missed', async cleanup => {
    const clock = new FakeClock();
    const registry = await startRegistry(cleanup, { clock: registryClock(clock) });
    const heartbeat = { intervalMs: 15_000 };
    const app = await SteeredApp.start(cleanup, clock, { ...optionsFor(registry.url), heartbeat });
    await app.beats(1);
    const fault = registry.faults.answer(503, 'upstream is away', { operation: 'heartbeat' });
    await app.until(() => app.events.of(failed).length === 2, 60_000);
    expect(app.registration.state).toBe('degraded');
    fault();
    await app.beats(1);
    expect(app.events.of('servicecomb.heartbeat.recovered')).toMatchObject([{ missed: 2 }]);
    expect(app.registration.snapshot()).toMatchObject({
      state: 'registered',
      failures: 0,
      lastError: null,
    });
    expect(postsOf(registry)).toHaveLength(1);
  });

  concurrently(
    'of a forgotten instance leads to one registration, under the same id',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
      const { instanceId } = registration.snapshot();
      registry.forget(instanceId);
      expect(await events.nth('servicecomb.instance.lost')).toMatchObject({
        reason: 'forgotten',
        error: { errorCode: 400_017, status: 400 },
      });
      await events.nth(registered, 2);
      await events.nth(succeeded);
      expect(postsOf(registry)).toHaveLength(2);
      expect(registration.snapshot()).toMatchObject({ instanceId, registrations: 2 });
    },
  );

  concurrently(
    'leads to one registration even when the registry says so late and often',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
      registry.faults.delay(400, { operation: 'heartbeat' });
      registry.forget(registration.snapshot().instanceId);
      await events.nth(registered, 2);
      await events.nth(succeeded, 2);
      expect(postsOf(registry)).toHaveLength(2);
      expect(events.of('servicecomb.instance.lost')).toHaveLength(1);
    },
  );

  concurrently('leads to the service first when that is gone too', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { registration, events } = await startApp(cleanup, optionsFor(registry.url));
    registry.forgetService(registration.snapshot().serviceId ?? '');
    await events.nth(registered, 2);
    expect(events.of('servicecomb.service.registered')).toHaveLength(2);
    expect(events.names()).not.toContain('servicecomb.registration.failed');
    expect(registry.instances()).toHaveLength(1);
  });
});
