import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/embedded/index.js';
import { type AuthOptions, RegistryHealthIndicator, REGISTRY_OPTIONS } from '../../lib/index.js';
import { Cleanup, createApp, optionsFor, type TestApp } from '../support/test-app.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** No text that anything here would write by itself; needs escaping in JSON and in a URL. */
const canary = 'CANARY"7f3a/õ';
const asciiCanary = 'CANARY-7f3a~';

/** What a registry sees of a secret key. */
const signature = createHmac('sha256', asciiCanary).update('AK').digest('hex');

/** The credentials, and what a registry sees of their secret. */
const forms: readonly (readonly [string, AuthOptions, string])[] = [
  ['an account', { username: 'root', password: canary }, canary],
  ['a password function', { username: 'root', password: async () => canary }, canary],
  ['a pair of keys', { accessKey: 'AK', secretKey: asciiCanary }, signature],
  ['a token', { token: asciiCanary }, asciiCanary],
  ['headers', { headers: () => ({ 'X-Auth-Token': asciiCanary }) }, asciiCanary],
];

/** What an operator could ever see of an application. */
function visible({ app, registration, events, log }: TestApp): string {
  const shown: unknown[] = [
    log.lines,
    events.all,
    registration.snapshot(),
    app.get(RegistryHealthIndicator).isHealthy('registry'),
    app.get(REGISTRY_OPTIONS),
  ];
  const errors = events.all.flatMap(({ payload }) => errorsOf(payload));
  return [
    ...shown.map(each => JSON.stringify(each)),
    ...[...shown, ...errors].map(each => inspect(each, { depth: 8 })),
    ...errors.map(error => (error instanceof Error ? (error.stack ?? '') : '')),
  ].join('\n');
}

function errorsOf(payload: unknown): readonly unknown[] {
  return typeof payload === 'object' && payload !== null && 'error' in payload
    ? [payload.error]
    : [];
}

/** Has the registry answer with what it may have been sent, as a gateway's debug page does. */
function echo(registry: EmbeddedServiceCenter, status: number, secret: string): void {
  const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret)];
  const detail = forms.join(' ');
  registry.faults.answer(status, { errorCode: status * 1_000 + 3, detail });
}

describe.each(forms)('a secret in %s', (_, auth, secret) => {
  const expectNone = (started: TestApp) => {
    const lines = visible(started).split('\n');
    expect(lines.filter(line => line.includes('CANARY') || line.includes(secret))).toEqual([]);
  };

  async function start(registry: EmbeddedServiceCenter): Promise<TestApp> {
    const options = optionsFor(registry.url, { serviceCenter: { auth, timeoutMs: 200 } });
    const started = await createApp(cleanup, options);
    await started.app.listen(0, '127.0.0.1');
    return started;
  }

  async function registryWith(
    options: ConstructorParameters<typeof EmbeddedServiceCenter>[0],
  ): Promise<EmbeddedServiceCenter> {
    const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000, ...options });
    await registry.start();
    cleanup.add(() => registry.stop());
    return registry;
  }

  it('is nowhere after it was refused', async () => {
    const registry = await registryWith({ rbac: { rootPassword: 'Complicated_password1' } });
    const started = await start(registry);
    await started.events.nth('servicecomb.registration.blocked');
    expectNone(started);
    expect(JSON.stringify(registry.requests)).not.toContain('CANARY');
  });

  it.each([500, 400])('is nowhere after an answer %i that shows the request', async status => {
    const registry = await registryWith({});
    echo(registry, status, secret);
    const started = await start(registry);
    await started.events.nth(
      status === 500 ? 'servicecomb.registration.failed' : 'servicecomb.registration.blocked',
    );
    expectNone(started);
  });

  it('is nowhere after a page that shows the request, an answer that never comes, and none', async () => {
    const registry = await registryWith({});
    registry.faults.answer(200, `<html>${secret}</html>`, { times: 2 });
    const started = await start(registry);
    await started.events.nth('servicecomb.registration.failed');
    registry.faults.hang({ times: 1 });
    await started.events.nth('servicecomb.registration.failed', 3);
    registry.faults.reset();
    await started.events.nth('servicecomb.registration.failed', 5);
    await registry.stop();
    await started.events.nth('servicecomb.registration.failed', 7);
    expectNone(started);
  });

  it('is nowhere after https was spoken to a plain port', async () => {
    const registry = await registryWith({});
    const options = optionsFor(registry.url.replace('http:', 'https:'), {
      serviceCenter: { auth },
    });
    const started = await createApp(cleanup, options);
    await started.app.listen(0, '127.0.0.1');
    await started.events.nth('servicecomb.registration.failed');
    expectNone(started);
  });
});
