import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { describe, expect } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { RegistryEvents, RegistryModule } from '../../lib/index.js';
import { REGISTRY_CLOCK } from '../../lib/nest/tokens.js';
import { concurrently } from '../support/concurrently.js';
import { FakeClock } from '../support/fake-clock.js';
import {
  type Cleanup,
  EventLog,
  LogLines,
  optionsFor,
  rootModule,
  startRegistry,
} from '../support/test-app.js';

/** The files that CONTRIBUTING names: those of the walk, and those that run beside it. */
function filesOfTheWalk(): {
  readonly walk: readonly string[];
  readonly beside: readonly string[];
} {
  const [, section = ''] = readFileSync('CONTRIBUTING.md', 'utf8').split('\n### A heartbeat\n');
  const [text = ''] = section.split(/\n##/);
  const walk = [...text.matchAll(/^\d+\. `([\w./-]+\.ts)`/gm)].map(([, file = '']) => file);
  const [, rest = ''] = text.split('Beside it');
  return { walk, beside: [...rest.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) => file) };
}

/** An application that has registered, with the real timer on a clock that stands still. */
async function registeredApp(cleanup: Cleanup) {
  const registry = await startRegistry(cleanup);
  const clock = new FakeClock();
  const log = new LogLines();
  const testing = await Test.createTestingModule({
    imports: [rootModule(RegistryModule.forRoot(optionsFor(registry.url)))],
  })
    .overrideProvider(REGISTRY_CLOCK)
    .useValue(clock)
    .compile();
  const app = testing.createNestApplication(new ExpressAdapter(), { logger: log });
  cleanup.add(() => clock.until(app.close()));
  const events = new EventLog(app.get(EventEmitter2));
  await app.listen(0, '127.0.0.1');
  await events.nth(RegistryEvents.InstanceRegistered);
  return { clock, events, log };
}

/**
 * The files of lib of which a function runs meanwhile, by V8's own count. Other test files of the same process
 * may have left an application that still runs on modules of its own: those were compiled before this file.
 */
async function filesThatRun(meanwhile: () => Promise<unknown>): Promise<readonly string[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    await meanwhile();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const ran = result.filter(({ functions }) =>
      functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0),
    );
    const thisFile = ran.find(({ url }) => url.endsWith('/test/e2e/walk.spec.js'));
    return ran
      .filter(({ scriptId }) => Number(scriptId) > Number(thisFile?.scriptId))
      .flatMap(({ url }) => /\/build\/tree\/lib\/(.*)\.js$/.exec(url)?.[1] ?? [])
      .filter(file => !file.startsWith('embedded/'))
      .map(file => `${file}.ts`)
      .toSorted();
  } finally {
    session.disconnect();
  }
}

describe('the walk of a good heartbeat', () => {
  concurrently('runs code of the files that CONTRIBUTING names, and of no other', async cleanup => {
    const { clock, events, log } = await registeredApp(cleanup);
    const ran = await filesThatRun(async () => {
      // Two seconds after the registration, less the half period that a heartbeat may be early.
      await clock.advance(1_960);
      await events.nth(RegistryEvents.HeartbeatSucceeded);
    });
    expect(log.matching(/^verbose A heartbeat of orders .* succeeded/)).toHaveLength(1);
    const { walk, beside } = filesOfTheWalk();
    expect(walk.length).toBeLessThanOrEqual(12);
    expect(ran.filter(file => !beside.includes(file))).toEqual(walk.toSorted());
  });
});
