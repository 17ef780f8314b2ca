import { describe, expect } from '@jest/globals';
import { Controller, Get, Inject, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { RegistryHealthIndicator, RegistryHealthModule, RegistryModule } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import {
  createApp,
  LogLines,
  optionsFor,
  rootModule,
  startApp,
  startRegistry,
  track,
} from '../support/test-app.js';

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(RegistryHealthIndicator) private readonly registry: RegistryHealthIndicator,
  ) {}

  @Get()
  check(): unknown {
    return this.health.check([() => this.registry.isHealthy('registry')]);
  }
}

const withTerminus = {
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
};
const withoutTerminus = { imports: [RegistryHealthModule.forRoot()] };

async function healthOf(app: INestApplication, path = 'health'): Promise<[number, unknown]> {
  const reply = await fetch(`${await app.getUrl()}/${path}`);
  return [reply.status, await reply.json()];
}

function failHeartbeats(registry: EmbeddedServiceCenter): void {
  registry.faults.answer(500, { errorCode: 500_003 }, { operation: 'heartbeat' });
}

describe('health', () => {
  concurrently(
    'is up while heartbeats are answered, with the snapshot as details',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { app, registration } = await startApp(cleanup, optionsFor(registry.url), withTerminus);
      const [status, body] = await healthOf(app);
      const { serviceId, instanceId } = registration.snapshot();
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: 'ok',
        info: {
          registry: {
            status: 'up',
            state: 'registered',
            serviceId,
            instanceId,
            address: registry.url,
            renewedAgoMs: expect.any(Number),
            leaseRemainingMs: expect.any(Number),
            failures: 0,
            registrations: 1,
            lastError: null,
          },
        },
      });
    },
  );

  concurrently('is up and degraded while heartbeats fail and the lease lives', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url), withTerminus);
    failHeartbeats(registry);
    await events.nth('servicecomb.heartbeat.failed');
    const [status, body] = await healthOf(app);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      info: {
        registry: {
          status: 'up',
          degraded: true,
          failures: 1,
          lastError: { code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 500_003 },
        },
      },
    });
  });

  concurrently('is down with 503 until the first registration', async cleanup => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const { app, events } = await createApp(cleanup, optionsFor(registry.url), withTerminus);
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.registration.failed');
    const [status, body] = await healthOf(app);
    expect(status).toBe(503);
    expect(body).toMatchObject({
      error: { registry: { status: 'down', state: 'registering', registrations: 0 } },
    });
  });

  concurrently('asks nothing of the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    // No heartbeat is due meanwhile, and no read of the record is given up on a busy machine.
    const options = optionsFor(registry.url, { heartbeat: { intervalMs: 600_000 } });
    const { app } = await startApp(cleanup, options, withTerminus);
    const before = registry.requests.length;
    for (let check = 0; check < 20; check += 1) await healthOf(app);
    expect(registry.requests).toHaveLength(before);
  });

  concurrently('without terminus answers 200 and up', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app } = await startApp(cleanup, optionsFor(registry.url), withoutTerminus);
    expect(await healthOf(app)).toMatchObject([200, { status: 'up', state: 'registered' }]);
  });

  concurrently('without terminus answers 200 and degraded while heartbeats fail', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, events } = await startApp(cleanup, optionsFor(registry.url), withoutTerminus);
    failHeartbeats(registry);
    await events.nth('servicecomb.heartbeat.failed');
    expect(await healthOf(app)).toMatchObject([200, { status: 'degraded', failures: 1 }]);
  });

  concurrently(
    'without terminus answers 503 and down once the instance has left',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { app, registration } = await startApp(
        cleanup,
        optionsFor(registry.url),
        withoutTerminus,
      );
      await registration.leave();
      expect(await healthOf(app)).toMatchObject([503, { status: 'down', state: 'left' }]);
    },
  );

  concurrently('without terminus answers at another path, on Fastify too', async cleanup => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const log = new LogLines();
    const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)), {
      imports: [RegistryHealthModule.forRoot({ path: 'ops/registry' })],
    });
    const app = await NestFactory.create(root, new FastifyAdapter(), { logger: log });
    track(cleanup, app, log);
    await app.listen(0, '127.0.0.1');
    expect(await healthOf(app, 'ops/registry')).toMatchObject([
      503,
      { status: 'down', state: 'registering' },
    ]);
  });
});
