import 'reflect-metadata';
import {
  type DynamicModule,
  type INestApplication,
  type INestApplicationContext,
  type LoggerService,
  Module,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { ScheduleModule } from '@nestjs/schedule';
import {
  Registration,
  type RegistryEventMap,
  type RegistryEventName,
  RegistryModule,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import { EmbeddedServiceCenter, type EmbeddedServiceCenterOptions } from 'embedded-service-center';

/** Ends what a test started, last first. */
export class Cleanup {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

/** An event as a listener saw it. */
export interface Seen {
  readonly name: string;
  readonly payload: unknown;
}

/** Remembers all events of an application, and waits for one. */
export class EventLog {
  readonly all: Seen[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(emitter: EventEmitter2) {
    emitter.onAny((name, payload: unknown) => {
      this.all.push({ name: String(name), payload });
      for (const check of this.#waiting) check();
    });
  }

  names(): readonly string[] {
    return this.all.map(({ name }) => name);
  }

  of<Name extends RegistryEventName>(name: Name): readonly RegistryEventMap[Name][] {
    return this.all
      .filter(seen => seen.name === name)
      .map(({ payload }) => payload as RegistryEventMap[Name]);
  }

  /** Resolves with the nth event of a name, counted from 1, also when it has been already. */
  nth<Name extends RegistryEventName>(name: Name, nth = 1): Promise<RegistryEventMap[Name]> {
    return new Promise(resolve => {
      const check = () => {
        const found = this.of(name)[nth - 1];
        if (found === undefined) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** Keeps what is logged. */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];

  log(message: unknown): void {
    this.#keep('log', message);
  }
  warn(message: unknown): void {
    this.#keep('warn', message);
  }
  error(message: unknown): void {
    this.#keep('error', message);
  }
  debug(message: unknown): void {
    this.#keep('debug', message);
  }
  verbose(message: unknown): void {
    this.#keep('verbose', message);
  }

  matching(pattern: RegExp): readonly string[] {
    return this.lines.filter(line => pattern.test(line));
  }

  #keep(level: string, message: unknown): void {
    this.lines.push(`${level} ${String(message)}`);
  }
}

/** Starts an embedded Service Center on a free port, without a floor for the interval. */
export async function startRegistry(
  cleanup: Cleanup,
  options: EmbeddedServiceCenterOptions = {},
): Promise<EmbeddedServiceCenter> {
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000, ...options });
  await registry.start();
  cleanup.add(() => registry.stop());
  return registry;
}

/** A name that no other test uses. */
export function optionsFor(
  url: string,
  options: RegistryModuleOptions = {},
): RegistryModuleOptions {
  return {
    ...options,
    serviceCenter: { addresses: [url], timeoutMs: 1_000, ...options.serviceCenter },
    microservice: { serviceName: 'orders', version: '1.0.0', ...options.microservice },
    heartbeat: { intervalMs: 1_000, ...options.heartbeat },
    registration: { retry: { initialMs: 50, maxMs: 200 }, ...options.registration },
  };
}

/** An application under test. */
export interface TestApp<App extends INestApplicationContext = INestApplication> {
  readonly app: App;
  readonly registration: Registration;
  readonly events: EventLog;
  readonly log: LogLines;
}

/** The root module that the README shows: the registry is imported last. */
export function rootModule(
  registry: DynamicModule,
  { imports = [], ...metadata }: ModuleMetadata = {},
): Type {
  @Module({
    ...metadata,
    imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), ...imports, registry],
  })
  class RootModule {}
  return RootModule;
}

/** Creates an application that has not started to listen. */
export async function createApp(
  cleanup: Cleanup,
  options: RegistryModuleOptions,
  metadata?: ModuleMetadata,
): Promise<TestApp> {
  const log = new LogLines();
  const root = rootModule(RegistryModule.forRoot(options), metadata);
  // Nest would import the adapter by itself: jest has no imports between two concurrent tests.
  const settings = { logger: log, abortOnError: false };
  const app = await NestFactory.create(root, new ExpressAdapter(), settings);
  return track(cleanup, app, log);
}

/** Gives a test what it looks at, and closes the application at its end. */
export function track<App extends INestApplicationContext>(
  cleanup: Cleanup,
  app: App,
  log: LogLines,
): TestApp<App> {
  cleanup.add(() => app.close());
  const events = new EventLog(app.get(EventEmitter2));
  return { app, registration: app.get(Registration), events, log };
}

/** Creates an application, listens on a free port of this machine, and waits for the lease. */
export async function startApp(
  cleanup: Cleanup,
  options: RegistryModuleOptions,
  metadata?: ModuleMetadata,
): Promise<TestApp> {
  const started = await createApp(cleanup, options, metadata);
  await started.app.listen(0, '127.0.0.1');
  await started.events.nth('servicecomb.instance.registered');
  return started;
}
