import { setTimeout as wait } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { All, Controller, type Type } from '@nestjs/common';
import { Discovery, DiscoveryHttpModule, type RegistryModuleOptions } from '../../lib/index.js';
import { loadWebSockets } from '../../lib/transport/web-socket.js';
import { type Cleanup, optionsFor, startApp, type TestApp } from './test-app.js';

// Later, jest may refuse the import: nothing may be imported between two tests.
await loadWebSockets();

/** How a provider answers. */
export type Answering = () => Promise<string> | string;

/** Answers after so many milliseconds. */
export function answeringAfter(ms: number): Answering {
  return async () => wait(ms, 'hello', { ref: false });
}

/** Returns a controller that answers calls of `/hello`, whatever their method. */
export function greeterController(answer: Answering): Type {
  @Controller()
  class GreeterController {
    @All('hello')
    hello(): Promise<string> | string {
      return answer();
    }
  }
  return GreeterController;
}

/** A Nest application that is called by its name, `greeter`. */
export interface Greeter {
  readonly instanceId: string;
  readonly calls: () => number;
  readonly close: () => Promise<void>;
}

/** Options of an application, and how it answers. */
export interface GreeterOptions extends RegistryModuleOptions {
  readonly answer: Answering;
}

export function greeterOptions(url: string, options: RegistryModuleOptions): RegistryModuleOptions {
  return optionsFor(url, {
    ...options,
    microservice: { serviceName: 'greeter' },
    heartbeat: { intervalMs: 5_000, ...options.heartbeat },
  });
}

/** Starts a provider, and resolves once it is registered. */
export async function startGreeter(
  cleanup: Cleanup,
  url: string,
  { answer, ...options }: GreeterOptions,
): Promise<Greeter> {
  let calls = 0;
  const counted = () => {
    calls += 1;
    return answer();
  };
  const { app, registration } = await startApp(cleanup, greeterOptions(url, options), {
    controllers: [greeterController(counted)],
  });
  const { instanceId } = registration.snapshot();
  return { instanceId, calls: () => calls, close: () => app.close() };
}

/** A Nest application that calls others by name. */
export interface Caller extends TestApp {
  readonly http: HttpService;
  readonly discovery: Discovery;
}

/** Starts a consumer, and resolves once it is registered. */
export async function startCaller(
  cleanup: Cleanup,
  url: string,
  options: RegistryModuleOptions = {},
): Promise<Caller> {
  const imports = [DiscoveryHttpModule.register()];
  const started = await startApp(cleanup, optionsFor(url, options), { imports });
  const { app } = started;
  return { ...started, http: app.get(HttpService), discovery: app.get(Discovery) };
}
