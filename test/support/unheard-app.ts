import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { RegistryModule, type RegistryModuleOptions } from '../../lib/index.js';
import { Ticker } from '../../lib/nest/ticker.js';
import { REGISTRY_CLOCK } from '../../lib/nest/tokens.js';
import { RegistrationCore } from '../../lib/registration/core.js';
import type { FakeClock } from './fake-clock.js';
import { type Cleanup, LogLines, rootModule, track, type TestApp } from './test-app.js';

/** An application by a fake clock that has not started, and its turns, which are the test's to take. */
export interface UnheardApp extends TestApp {
  readonly core: RegistrationCore;
}

export async function createUnheard(
  cleanup: Cleanup,
  clock: FakeClock,
  options: RegistryModuleOptions,
): Promise<UnheardApp> {
  const log = new LogLines();
  const ticker = {
    lateMs: 0,
    start: () => true,
    wake: () => undefined,
    stop: async () => undefined,
  };
  const root = rootModule(RegistryModule.forRoot(options));
  const testing = await Test.createTestingModule({ imports: [root] })
    .overrideProvider(REGISTRY_CLOCK)
    .useValue(clock)
    .overrideProvider(Ticker)
    .useValue(ticker)
    .compile();
  const app: INestApplication = testing.createNestApplication(new ExpressAdapter(), {
    logger: log,
  });
  return { ...track(cleanup, app, log), core: app.get(RegistrationCore) };
}
