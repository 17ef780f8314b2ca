import { describe, expect } from '@jest/globals';
import { Controller, Get, Inject, type INestApplication } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  RegistryHealthIndicator,
  RegistryHealthModule,
  type RegistryHealthOptions,
} from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

async function get(app: INestApplication, path: string): Promise<readonly [number, unknown]> {
  const reply = await fetch(`${await app.getUrl()}/${path}`);
  return [reply.status, await reply.json()];
}

function withHealth(options?: RegistryHealthOptions) {
  return { imports: [RegistryHealthModule.forRoot(options)] };
}

@Controller('probes')
class ProbeController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(RegistryHealthIndicator) private readonly registry: RegistryHealthIndicator,
  ) {}

  @Get('ready')
  ready(): unknown {
    return this.health.check([() => this.registry.isReady('registry')]);
  }

  @Get('listed')
  listed(): unknown {
    const options = { readyWhen: 'registered' } as const;
    return this.health.check([() => this.registry.isReady('registry', options)]);
  }
}

const withTerminus = {
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [ProbeController],
};

describe('readiness', () => {
  concurrently(
    'lasts when the registry is away for longer than a lease, though health is down',
    async cleanup => {
      const registry = await startRegistry(cleanup, { minIntervalMs: 1_000 });
      const options = optionsFor(registry.url, { heartbeat: { intervalMs: 1_000, times: 1 } });
      const { app, registration } = await startApp(cleanup, options, withHealth());
      await registry.faults.refuse();
      await new Promise<void>(resolve => {
        registration.state$.subscribe(state => {
          if (state === 'lost') resolve();
        });
      });
      expect(await get(app, 'health')).toMatchObject([503, { status: 'down', state: 'lost' }]);
      expect(await get(app, 'health/ready')).toMatchObject([200, { status: 'up', state: 'lost' }]);
    },
  );

  concurrently('comes to a new pod while the registry is away', async cleanup => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const { app, events } = await createApp(cleanup, optionsFor(registry.url), withHealth());
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.registration.failed');
    expect(await get(app, 'health')).toMatchObject([503, { state: 'registering' }]);
    expect(await get(app, 'health/ready')).toMatchObject([200, { status: 'up' }]);
  });

  concurrently(
    "with readyWhen: 'registered' waits for the first registration, and lasts from then on",
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const recover = await registry.faults.refuse();
      const { app, events, registration } = await createApp(
        cleanup,
        optionsFor(registry.url),
        withHealth({ readyWhen: 'registered' }),
      );
      await app.listen(0, '127.0.0.1');
      await events.nth('servicecomb.registration.failed');
      expect(await get(app, 'health/ready')).toMatchObject([503, { status: 'down' }]);
      await recover();
      await registration.register();
      expect(await get(app, 'health/ready')).toMatchObject([200, { status: 'up' }]);
      registry.forget(registration.snapshot().instanceId);
      await registry.faults.refuse();
      await events.nth('servicecomb.heartbeat.failed');
      expect(await get(app, 'health/ready')).toMatchObject([200, { status: 'up' }]);
    },
  );

  concurrently('ends when the instance leaves', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url), withHealth());
    registry.faults.delay(200, { operation: 'unregisterInstance' });
    const left = registration.leave();
    expect(await get(app, 'health/ready')).toMatchObject([503, { state: 'leaving' }]);
    await left;
    expect(await get(app, 'health/ready')).toMatchObject([503, { status: 'down', state: 'left' }]);
  });

  concurrently('ends also where the routes are not below the global prefix', async cleanup => {
    const registry = await startRegistry(cleanup);
    const health = withHealth({ globalPrefix: false });
    const { app, registration } = await startApp(cleanup, optionsFor(registry.url), health);
    expect(await get(app, 'health/ready')).toMatchObject([200, { state: 'registered' }]);
    await registration.leave();
    expect(await get(app, 'health/ready')).toMatchObject([503, { status: 'down', state: 'left' }]);
    expect(await get(app, 'health')).toMatchObject([503, { status: 'down' }]);
  });

  concurrently("of a disabled module is there, also with 'registered'", async cleanup => {
    const { app } = await createApp(
      cleanup,
      { enabled: false },
      withHealth({ readyWhen: 'registered' }),
    );
    await app.listen(0, '127.0.0.1');
    expect(await get(app, 'health/ready')).toMatchObject([
      200,
      { status: 'up', state: 'disabled' },
    ]);
  });

  concurrently('is a question of its own to the indicator of terminus', async cleanup => {
    const registry = await startRegistry(cleanup);
    await registry.faults.refuse();
    const { app, registration, events } = await createApp(
      cleanup,
      optionsFor(registry.url),
      withTerminus,
    );
    await app.listen(0, '127.0.0.1');
    await events.nth('servicecomb.registration.failed');
    expect(await get(app, 'probes/ready')).toMatchObject([
      200,
      { details: { registry: { status: 'up', state: 'registering' } } },
    ]);
    expect(await get(app, 'probes/listed')).toMatchObject([
      503,
      { details: { registry: { status: 'down' } } },
    ]);
    await registration.leave();
    expect(await get(app, 'probes/ready')).toMatchObject([
      503,
      { details: { registry: { status: 'down', state: 'left' } } },
    ]);
  });
});
