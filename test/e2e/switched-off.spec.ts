import { describe, expect } from '@jest/globals';
import { Inject, Injectable, Module } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import {
  Registration,
  REGISTRY_MODULE_OPTIONS,
  RegistryHealthModule,
  RegistryModule,
} from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import {
  type Cleanup,
  LogLines,
  optionsFor,
  rootModule,
  startRegistry,
} from '../support/test-app.js';

@Injectable()
class Feature {
  constructor(@Inject(Registration) readonly registration: Registration) {}
}

@Module({})
class NoRegistryModule {}

@Module({ providers: [Feature] })
class FeatureModule {}

async function testing(cleanup: Cleanup) {
  const registry = await startRegistry(cleanup);
  const imports = [FeatureModule, RegistryHealthModule.forRoot()];
  const root = rootModule(RegistryModule.forRoot(optionsFor(registry.url)), { imports });
  return { registry, builder: Test.createTestingModule({ imports: [root] }) };
}

async function start(cleanup: Cleanup, builder: Awaited<ReturnType<typeof testing>>['builder']) {
  const module = await builder.compile();
  const app = module.createNestApplication(new ExpressAdapter(), { logger: new LogLines() });
  cleanup.add(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('a test', () => {
  concurrently('switches the registry off by overrideModule(RegistryModule)', async cleanup => {
    const { registry, builder } = await testing(cleanup);
    const replaced = builder.overrideModule(RegistryModule).useModule(NoRegistryModule);
    const app = await start(cleanup, replaced);
    const { registration } = app.get(Feature, { strict: false });
    await registration.register();
    expect(registration.state).toBe('disabled');
    expect(registry.requests).toEqual([]);
  });

  concurrently('switches the registry off by overriding the raw options', async cleanup => {
    const { registry, builder } = await testing(cleanup);
    const off = builder.overrideProvider(REGISTRY_MODULE_OPTIONS).useValue({ enabled: false });
    const app = await start(cleanup, off);
    expect(app.get(Registration).state).toBe('disabled');
    expect(registry.requests).toEqual([]);
  });
});
