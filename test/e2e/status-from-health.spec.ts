import { describe, expect } from '@jest/globals';
import { Injectable, Scope } from '@nestjs/common';
import { concurrently } from '../support/concurrently.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

@Injectable()
class Health {
  isGood = true;

  isHealthy(): boolean {
    return this.isGood;
  }
}

@Injectable()
class Indicator {
  status: 'up' | 'down' = 'up';

  async isHealthy<Key extends string>(key: Key): Promise<Record<Key, { status: 'up' | 'down' }>> {
    return { [key]: { status: this.status } } as Record<Key, { status: 'up' | 'down' }>;
  }
}

describe('instance.statusFromHealth', () => {
  concurrently('lets the status follow a provider of the application', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { instance: { statusFromHealth: Health } });
    const { app, events } = await startApp(cleanup, options, { providers: [Health] });
    const health = app.get(Health);
    health.isGood = false;
    await events.nth('servicecomb.status.changed');
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    health.isGood = true;
    await events.nth('servicecomb.status.changed', 2);
    expect(registry.instances()).toMatchObject([{ status: 'UP' }]);
  });

  concurrently('fails the start when there is no such provider', async cleanup => {
    const registry = await startRegistry(cleanup);
    for (const statusFromHealth of [Health, 'NO_SUCH_PROVIDER']) {
      const options = optionsFor(registry.url, { instance: { statusFromHealth } });
      const { app } = await createApp(cleanup, options);
      await expect(app.init()).rejects.toThrow(
        'instance.statusFromHealth must name a provider of this application',
      );
    }
  });

  concurrently('takes the results of a terminus indicator', async cleanup => {
    const registry = await startRegistry(cleanup);
    const options = optionsFor(registry.url, { instance: { statusFromHealth: Indicator } });
    const { app, events } = await startApp(cleanup, options, { providers: [Indicator] });
    app.get(Indicator).status = 'down';
    await events.nth('servicecomb.status.changed');
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    app.get(Indicator).status = 'up';
    await events.nth('servicecomb.status.changed', 2);
    expect(registry.instances()).toMatchObject([{ status: 'UP' }]);
  });

  concurrently('fails the start with the reason when the provider is scoped', async cleanup => {
    const registry = await startRegistry(cleanup);
    for (const scope of [Scope.REQUEST, Scope.TRANSIENT]) {
      const options = optionsFor(registry.url, { instance: { statusFromHealth: Health } });
      const providers = [{ provide: Health, useClass: Health, scope }];
      const { app } = await createApp(cleanup, options, { providers });
      await expect(app.init()).rejects.toThrow(
        'instance.statusFromHealth must not name a request-scoped or transient provider',
      );
    }
  });
});
