import { generateKeyPairSync } from 'node:crypto';
import { expect } from '@jest/globals';
import { EmbeddedServiceCenter, type EmbeddedServiceCenterOptions } from 'embedded-service-center';
import {
  type AuthOptions,
  RegistryHealthIndicator,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import { FakeClock } from './fake-clock.js';
import { registryClock, SteeredApp } from './steered-app.js';
import { type Cleanup, createApp, optionsFor, type TestApp } from './test-app.js';

/** The password of root in each guarded registry. */
export const rootPassword = 'Complicated_password1';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The key that guarded registries sign tokens with; one for all, as keys take time to make. */
export const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The account that each guarded registry begins with. */
export const root: AuthOptions = { username: 'root', password: rootPassword };

/** Starts a registry that asks for tokens. */
export function guarded(
  cleanup: Cleanup,
  { privateKey = pem, ...options }: EmbeddedServiceCenterOptions & { privateKey?: string } = {},
): Promise<EmbeddedServiceCenter> {
  return unguarded(cleanup, { ...options, rbac: { rootPassword, privateKey } });
}

/** Starts a registry that asks nobody, unless told to. */
export async function unguarded(
  cleanup: Cleanup,
  options: EmbeddedServiceCenterOptions = {},
): Promise<EmbeddedServiceCenter> {
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000, ...options });
  await registry.start();
  cleanup.add(() => registry.stop());
  return registry;
}

/** Options for a registry, with credentials. */
export function withAuth(url: string, auth: AuthOptions): RegistryModuleOptions {
  return optionsFor(url, { serviceCenter: { auth, timeoutMs: 5_000 } });
}

/** The same, and no request may take longer than a second. */
export function impatient(url: string, auth: AuthOptions): RegistryModuleOptions {
  return optionsFor(url, { serviceCenter: { auth, timeoutMs: 1_000 } });
}

/** A registry and an application with an account of its, both by a clock that the test moves on. */
export async function startSteered(
  cleanup: Cleanup,
  { auth = root, start = guarded, aheadMs = 0 }: Partial<Steered> = {},
): Promise<{ app: SteeredApp; registry: EmbeddedServiceCenter; clock: { now: () => number } }> {
  const steering = new FakeClock();
  const time = registryClock(steering);
  const clock = { now: () => time.now() + aheadMs };
  const registry = await start(cleanup, { clock });
  const account = typeof auth === 'function' ? await auth(registry) : auth;
  const app = await SteeredApp.start(cleanup, steering, {
    serviceCenter: { addresses: [registry.url], auth: account === false ? undefined : account },
    microservice: { serviceName: 'orders', version: '1.0.0' },
  });
  await app.beats(1);
  return { app, registry, clock };
}

interface Steered {
  /** The account, or none; a function makes it first. */
  readonly auth: false | AuthOptions | ((registry: EmbeddedServiceCenter) => Promise<AuthOptions>);
  readonly start: typeof guarded;
  /** How far the registry's clock is ahead of the application's. */
  readonly aheadMs: number;
}

/** How many logins a registry has seen. */
export function logins(registry: EmbeddedServiceCenter): number {
  return registry.requests.filter(({ path }) => path === '/v4/token').length;
}

/** Changes an account of the registry in the name of root. */
export async function change(
  registry: EmbeddedServiceCenter,
  method: string,
  path: string,
  body?: object,
): Promise<void> {
  const token = registry.rbac?.sign({ account: 'root', roles: ['admin'] }) ?? '';
  const { ok } = await fetch(`${registry.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(ok).toBe(true);
}

/** Stops a registry; what follows has its port and what it knew. */
export async function replace(
  old: EmbeddedServiceCenter,
  start: (port: number) => Promise<EmbeddedServiceCenter>,
): Promise<EmbeddedServiceCenter> {
  const data = old.dump();
  await old.stop();
  const registry = await start(Number(new URL(old.url).port));
  registry.load(data);
  return registry;
}

/** What terminus would show, but for the times. */
export async function healthOf({ app }: TestApp): Promise<unknown> {
  const { registry } = await app.get(RegistryHealthIndicator).isHealthy('registry');
  return registry;
}

/** The detail of an error of the registry. */
export function refusedWith(
  operation: string,
  status: number,
  errorCode: number,
  text: string,
): object {
  return {
    code: 'ERR_SERVICECOMB_RESPONSE',
    errorCode,
    message: expect.stringMatching(
      new RegExp(
        `^Service Center refused "${operation}" at http://[\\w.]+:\\d+: ` +
          `HTTP ${status}, errorCode ${errorCode}: ${text.replaceAll(/[()[\]]/g, '\\$&')}$`,
      ),
    ),
  };
}

/** The detail of a login with a wrong password. */
export const wrongPassword = refusedWith('login', 401, 401_202, 'User name or password is wrong');

/** Health of one who never lost its lease, but for ids and times. */
export const well = {
  status: 'up',
  state: 'registered',
  registrations: 1,
  failures: 0,
  lastError: null,
};

/** Starts an application that the registry will not let in. */
export async function startRefused(
  cleanup: Cleanup,
  options: RegistryModuleOptions,
): Promise<TestApp> {
  const started = await createApp(cleanup, options);
  await started.app.listen(0, '127.0.0.1');
  await started.events.nth('servicecomb.registration.blocked');
  return started;
}
