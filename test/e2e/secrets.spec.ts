import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac, createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { Registry } from 'prom-client';
import {
  Discovery,
  Registration,
  REGISTRY_OPTIONS,
  RegistryHealthIndicator,
  type RegistryModuleOptions,
  ServiceCenterClient,
} from '../../lib/index.js';
import { RegistryMetricsModule } from '../../lib/metrics/index.js';
import { RegistryTracingModule } from '../../lib/tracing/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { Cleanup, createApp, optionsFor, type TestApp } from '../support/test-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';

const cleanup = new Cleanup();
const recorder = new TraceRecorder();
const metrics = new Registry();
const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterEach(async () => {
  await cleanup.run();
  recorder.forget();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** No text that anything here would write by itself; needs escaping in JSON, in HTML and in a URL. */
const canary = 'CANARY"7f3a/õ<&>';
const asciiCanary = 'CANARY-7f3a~';

const accessKey = 'ACCESS-7f3a';

/** What a registry sees of a secret key. */
const signature = createHmac('sha256', asciiCanary).update(accessKey).digest('hex');
const jwt = `eyJhbGciOiJSUzUxMiJ9.${btoa('{"account":"CANARY"}')}.${btoa('the signature')}`;
const pair = btoa(`user:${asciiCanary}`);

const authority = certificateAuthority();
const { cert, key } = authority.issue(['client']);
const locked = createPrivateKey(key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: canary })
  .toString();
/** A line out of the middle of a private key. */
const keyLine = (pem: string) => pem.split('\n')[5] ?? '';

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

type ServiceCenter = NonNullable<RegistryModuleOptions['serviceCenter']>;
type Form = readonly [
  name: string,
  options: (url: string) => ServiceCenter,
  /** What a registry or a proxy is sent of the secret. */
  sent: readonly string[],
  /** What nobody is sent. */
  kept?: readonly string[],
];

/** The server that plays the registry plays the proxy, too. */
function proxyAt(url: string): string {
  return url.replace(/^https?:\/\//, `http://user:${asciiCanary}@`);
}

/** Every option that holds a secret. */
const forms: readonly Form[] = [
  ['an account', () => ({ auth: { username: 'root', password: canary } }), [canary]],
  [
    'a password function',
    () => ({ auth: { username: 'root', password: async () => canary } }),
    [canary],
  ],
  [
    'a password file',
    () => ({ auth: { username: 'root', passwordFile: file('password', `${canary}\n`) } }),
    [canary],
  ],
  [
    'a pair of keys',
    () => ({ auth: { accessKey: accessKey, secretKey: asciiCanary } }),
    [signature, accessKey],
  ],
  ['a token', () => ({ auth: { token: jwt } }), jwt.split('.').slice(1).concat(jwt)],
  ['a token function', () => ({ auth: { token: async () => asciiCanary } }), [asciiCanary]],
  [
    'headers',
    () => ({
      auth: { headers: () => ({ 'X-Auth-Token': asciiCanary, Authorization: `Basic ${pair}` }) },
    }),
    [asciiCanary, pair],
  ],
  ['headers of axios', () => ({ axios: { headers: { 'X-Key': asciiCanary } } }), [asciiCanary]],
  [
    'a proxy agent',
    url => ({ axios: { httpsAgent: new HttpsProxyAgent(proxyAt(url)) } }),
    [],
    [asciiCanary, pair],
  ],
  [
    'a private key and its passphrase',
    () => ({ tls: { cert, key: locked, passphrase: canary } }),
    [],
    [canary, keyLine(locked)],
  ],
  [
    'files of a private key and its passphrase',
    () => ({
      tls: {
        cert,
        keyFile: file('key.pem', locked),
        passphraseFile: file('passphrase', canary),
      },
    }),
    [],
    [canary, keyLine(locked)],
  ],
];

/** Starts an application with everything that shows something of it. */
async function startShown(options: RegistryModuleOptions): Promise<TestApp> {
  const started = await createApp(cleanup, options, {
    imports: [
      RegistryMetricsModule.forRoot({ registry: metrics }),
      RegistryTracingModule.forRoot({ heartbeats: true }),
    ],
  });
  await started.app.listen(0, '127.0.0.1');
  return started;
}

/** What an operator could ever see of an application. */
async function visible({ app, registration, events, log }: TestApp): Promise<string> {
  const shown: unknown[] = [
    log.lines,
    events.all,
    registration.snapshot(),
    app.get(Discovery).snapshot(),
    recorder.spans,
    await app.get(RegistryHealthIndicator).isHealthy('registry'),
    app.get(REGISTRY_OPTIONS),
  ];
  const errors = events.all.flatMap(({ payload }) => errorsOf(payload));
  const all = { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null };
  return [
    ...shown.map(each => JSON.stringify(each)),
    ...[...shown, ...errors].map(each => inspect(each, all)),
    ...errors.map(error => (error instanceof Error ? (error.stack ?? '') : '')),
    inspect(app.get(Registration)),
    inspect(app.get(ServiceCenterClient)),
    await metrics.metrics(),
  ].join('\n');
}

function errorsOf(payload: unknown): readonly unknown[] {
  return typeof payload === 'object' && payload !== null && 'error' in payload
    ? [payload.error]
    : [];
}

const inHtml = (text: string) =>
  text.replace(/[<>&"]/g, character => `&#${character.charCodeAt(0)};`);

/** As a gateway's debug page shows what it was sent: in all spellings, and cut off. */
function echoes(secrets: readonly string[]): string {
  return secrets
    .flatMap(secret => [
      secret,
      JSON.stringify(secret),
      encodeURIComponent(secret),
      inHtml(secret),
      secret.slice(0, -3),
    ])
    .join(' ');
}

/** Any of them, also in part. */
function shown(secrets: readonly string[]): RegExp {
  const forms = secrets.flatMap(secret => [secret, encodeURIComponent(secret), secret.slice(0, 9)]);
  const escaped = forms.map(form => form.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(['CANARY', ...escaped].join('|'));
}

async function registryWith(
  options: ConstructorParameters<typeof EmbeddedServiceCenter>[0] = {},
): Promise<EmbeddedServiceCenter> {
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000, ...options });
  await registry.start();
  cleanup.add(() => registry.stop());
  return registry;
}

/** Waits for the first failure of either kind. */
async function failed({ events }: TestApp): Promise<void> {
  await Promise.race([
    events.nth('servicecomb.registration.failed'),
    events.nth('servicecomb.registration.blocked'),
  ]);
}

const rbac = { rootPassword: 'Complicated_password1' };

describe.each(forms)('a secret in %s', (_, serviceCenter, sent, kept = []) => {
  const secrets = [...sent, ...kept];

  async function expectNone(started: TestApp): Promise<void> {
    const lines = (await visible(started)).split('\n');
    expect(lines.filter(line => shown(secrets).test(line))).toEqual([]);
  }

  async function start({ url }: { readonly url: string }, scheme = 'http:'): Promise<TestApp> {
    const options = optionsFor(url.replace(/^https?:/, scheme), {
      serviceCenter: { timeoutMs: 200, ...serviceCenter(url) },
      registration: { retry: { initialMs: 10, maxMs: 20 } },
    });
    return startShown(options);
  }

  it('is nowhere after it was refused', async () => {
    const registry = await registryWith({ rbac });
    const started = await start(registry);
    await failed(started);
    await expectNone(started);
    const isCredential = serviceCenter(registry.url).auth !== undefined;
    if (isCredential) expect(JSON.stringify(registry.requests)).not.toContain('CANARY');
  });

  it.each([500, 400])('is nowhere after an answer %i that shows the request', async status => {
    const registry = await registryWith();
    const body = { errorCode: status * 1_000 + 3, detail: echoes(sent) };
    registry.faults.answer(status, body);
    const started = await start(registry);
    await failed(started);
    await expectNone(started);
  });

  it('is nowhere after a page that shows the request, an answer that never comes, and none', async () => {
    const registry = await registryWith();
    registry.faults.answer(200, `<html>${echoes(sent)}</html>`, { times: 2 });
    const started = await start(registry);
    await started.events.nth('servicecomb.registration.failed');
    registry.faults.hang({ times: 1 });
    await started.events.nth('servicecomb.registration.failed', 3);
    registry.faults.reset();
    await started.events.nth('servicecomb.registration.failed', 5);
    await registry.stop();
    await started.events.nth('servicecomb.registration.failed', 7);
    await expectNone(started);
  });

  it('is nowhere after https was spoken to a plain port', async () => {
    const started = await start(await registryWith(), 'https:');
    await started.events.nth('servicecomb.registration.failed');
    await expectNone(started);
  });

  it('is nowhere after the registry’s certificate was refused', async () => {
    const registry = await registryWith({ tls: authority.issue(['127.0.0.1']) });
    const started = await start(registry, 'https:');
    await started.events.nth('servicecomb.registration.failed');
    await expectNone(started);
  });

  it('is not in what is said of another option that is wrong', async () => {
    const serviceCenterOptions = { timeoutMs: -1, ...serviceCenter('http://127.0.0.1:9') };
    const wrong = optionsFor('http://127.0.0.1:9', { serviceCenter: serviceCenterOptions });
    const error: unknown = await createApp(cleanup, wrong).catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty('code', 'ERR_SERVICECOMB_OPTIONS');
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(shown(secrets));
  });
});

describe('a secret in an option that is refused', () => {
  it('is not in the error', async () => {
    const proxy = { host: '127.0.0.1', port: 9, auth: { username: 'user', password: asciiCanary } };
    const axios: object = { proxy, auth: proxy.auth };
    const wrong = optionsFor('http://127.0.0.1:9', { serviceCenter: { axios } });
    const error: unknown = await createApp(cleanup, wrong).catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty('code', 'ERR_SERVICECOMB_OPTIONS');
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('CANARY');
  });
});

describe('a secret in an address', () => {
  it('is not in the error that refuses the address', async () => {
    const wrong = optionsFor(`http://user:${asciiCanary}@127.0.0.1:9`);
    const error: unknown = await createApp(cleanup, wrong).catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: Infinity, showHidden: true })).toContain('***@127.0.0.1');
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('CANARY');
  });
});

describe('a token that a login gave', () => {
  it('is nowhere after answers that show all that was sent', async () => {
    const [, claims, sign] = jwt.split('.');
    const server = createServer((request, response) => {
      if (request.method === 'POST' && request.url === '/v4/token')
        response.end(JSON.stringify({ token: jwt, note: 'x' }));
      else
        response
          .writeHead(500)
          .end(JSON.stringify({ detail: `${sign} ${claims} ${echoOf(request)}` }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup.add(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const auth = { username: 'root', password: canary };
    const options = optionsFor(`http://127.0.0.1:${port}`, { serviceCenter: { auth } });
    const started = await startShown(options);
    await started.events.nth('servicecomb.token.renewed');
    await started.events.nth('servicecomb.registration.failed', 2);
    const text = await visible(started);
    expect(text).toContain('HTTP 500');
    expect(text).toContain('registry_token_expires_seconds{');
    expect(recorder.spans.map(({ name }) => name)).toContain('POST login');
    expect(text).not.toMatch(shown([jwt, ...jwt.split('.').slice(1)]));
  });
});

function echoOf({ headers }: IncomingMessage): string {
  return headers.authorization ?? '';
}

describe('a process that ends with what nobody caught', () => {
  it('shows no secret in what it writes', async () => {
    const registry = await registryWith();
    registry.faults.answer(400, { errorCode: 400_001, detail: echoes([asciiCanary]) });
    const script = resolve('build/tree/test/support/crashing-context.js');
    const output = await new Promise<string>(done => {
      execFile(process.execPath, [script, registry.url, asciiCanary], (error, stdout, stderr) => {
        done(`${error?.code ?? 0}\n${stdout}\n${stderr}`);
      });
    });
    expect(output).toMatch(/^1\n/);
    expect(output).toContain('ServiceCenterResponseError');
    expect(output).not.toContain('CANARY');
  });
});
