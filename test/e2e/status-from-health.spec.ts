import { describe, expect } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { concurrently } from '../support/concurrently.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

@Injectable()
class Health {
  isGood = true;

  isHealthy(): boolean {
    return this.isGood;
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
});
