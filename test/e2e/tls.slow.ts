import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect } from '@jest/globals';
import { EmbeddedServiceCenter, type TlsOptions } from 'embedded-service-center';
import { RegistryHealthModule, type RegistryModuleOptions } from '../../lib/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { concurrently } from '../support/concurrently.js';
import {
  type Cleanup,
  createApp,
  optionsFor,
  startApp,
  startRegistry,
  type TestApp,
} from '../support/test-app.js';
import { TlsFront } from '../support/tls-front.js';

const authority = certificateAuthority();
const other = certificateAuthority('Other CA');
const server = authority.issue(['127.0.0.1', 'localhost']);
const client = authority.issue(['client'], 'ec');

type Tls = NonNullable<RegistryModuleOptions['serviceCenter']>['tls'];

async function secureRegistry(cleanup: Cleanup, tls: Partial<TlsOptions> = {}): Promise<string> {
  const registry = new EmbeddedServiceCenter({
    port: 0,
    minIntervalMs: 1_000,
    tls: { ...server, ...tls },
  });
  const { url } = await registry.start();
  cleanup.add(() => registry.stop());
  return url;
}

const withHealth = { imports: [RegistryHealthModule.forRoot()] };

function overTls(url: string, tls: Tls): RegistryModuleOptions {
  // A lease that a busy machine does not outlast.
  return optionsFor(url, {
    serviceCenter: { addresses: [url], tls },
    heartbeat: { intervalMs: 1_000, times: 20 },
  });
}

async function unregistered(cleanup: Cleanup, url: string, tls?: Tls): Promise<TestApp> {
  const started = await createApp(cleanup, overTls(url, tls), withHealth);
  await started.app.listen(0, '127.0.0.1');
  await started.events.nth('servicecomb.registration.failed');
  return started;
}

async function healthOf({ app }: TestApp): Promise<[number, unknown]> {
  const reply = await fetch(`${await app.getUrl()}/health`);
  return [reply.status, await reply.json()];
}

/** Fails, and is told with this reason and advice, by the event and by health alike. */
async function expectReason(started: TestApp, reason: RegExp, advice: RegExp): Promise<void> {
  const [failed] = started.events.of('servicecomb.registration.failed');
  expect(failed?.error).toMatchObject({
    code: 'ERR_SERVICECOMB_UNREACHABLE',
    reason: expect.stringMatching(reason),
    advice: expect.stringMatching(advice),
  });
  expect(await healthOf(started)).toMatchObject([
    503,
    {
      status: 'down',
      state: 'registering',
      lastError: {
        code: 'ERR_SERVICECOMB_UNREACHABLE',
        message: expect.stringMatching(advice),
      },
    },
  ]);
}

/** A registered application, whose certificates are in files. */
async function withFiles(
  cleanup: Cleanup,
  url: string,
  contents: Readonly<Record<string, string>>,
): Promise<TestApp & { write(name: string, text: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'servicecomb-tls-'));
  cleanup.add(() => rm(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  for (const [name, text] of Object.entries(contents)) await write(name, text);
  const files = Object.keys(contents).map(name => [`${name}File`, join(folder, name)]);
  const started = await startApp(cleanup, overTls(url, Object.fromEntries(files)), withHealth);
  return { ...started, write };
}

function expectLeaseKept({ events, registration }: TestApp): void {
  expect(events.of('servicecomb.instance.lost')).toEqual([]);
  expect(registration.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
}

describe('a registry over TLS', () => {
  concurrently('is registered at by who knows its authority', async cleanup => {
    const url = await secureRegistry(cleanup);
    const { events } = await startApp(cleanup, overTls(url, { ca: authority.cert }));
    await events.nth('servicecomb.heartbeat.succeeded', 2);
    expect(events.of('servicecomb.heartbeat.failed')).toEqual([]);
  });

  concurrently('of another host name is trusted under that name', async cleanup => {
    const url = await secureRegistry(cleanup, authority.issue(['elsewhere.example']));
    const tls = { ca: authority.cert, servername: 'elsewhere.example' };
    const { registration } = await startApp(cleanup, overTls(url, tls));
    expect(registration.state).toBe('registered');
  });

  concurrently('that wants a client certificate is shown one', async cleanup => {
    const url = await secureRegistry(cleanup, { ca: authority.cert });
    const tls = { ca: [authority.cert, Buffer.from(other.cert)], ...client };
    const { registration } = await startApp(cleanup, overTls(url, tls));
    expect(registration.state).toBe('registered');
  });

  concurrently('asked in plain HTTP says so', async cleanup => {
    const url = await secureRegistry(cleanup);
    const started = await unregistered(cleanup, url.replace('https', 'http'));
    const [failed] = started.events.of('servicecomb.registration.failed');
    expect(failed?.error).toMatchObject({
      code: 'ERR_SERVICECOMB_PROTOCOL',
      message: expect.stringContaining('must begin with https://'),
    });
  });

  concurrently('that is none is told as such', async cleanup => {
    const registry = await startRegistry(cleanup);
    const started = await unregistered(cleanup, registry.url.replace('http', 'https'));
    await expectReason(started, /^(EPROTO|ERR_SSL_.*)$/, /begins with http:\/\//);
  });

  concurrently('is trusted unseen when told so', async cleanup => {
    const url = await secureRegistry(cleanup);
    const { registration } = await startApp(cleanup, overTls(url, { rejectUnauthorized: false }));
    expect(registration.state).toBe('registered');
  });

  concurrently('never has the private key in an event', async cleanup => {
    const url = await secureRegistry(cleanup);
    const started = await unregistered(cleanup, url, { ...client });
    const shown = inspect(started.events.all, { depth: Infinity, showHidden: true });
    expect(shown).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(shown).not.toContain('PRIVATE KEY');
    expect(shown).not.toContain(client.key.slice(40, 80));
  });
});

describe('certificates that change', () => {
  concurrently('of this client are taken from the files without a lost beat', async cleanup => {
    const registry = await startRegistry(cleanup);
    const both = `${authority.cert}${other.cert}`;
    const front = await TlsFront.start(cleanup, registry.url, { ...server, ca: both });
    const contents = { ca: authority.cert, ...client };
    const started = await withFiles(cleanup, front.url, contents);
    const next = other.issue(['client'], 'rsa');
    await started.write('cert', next.cert);
    await started.write('key', next.key);
    await beats(started, 3); // each of them after another look at the files
    front.use({ ...server, ca: other.cert });
    await beats(started, 2);
    expect(started.events.of('servicecomb.heartbeat.failed')).toEqual([]);
    expectLeaseKept(started);
  });

  concurrently('of this client too late cost no lease', async cleanup => {
    const registry = await startRegistry(cleanup);
    const front = await TlsFront.start(cleanup, registry.url, { ...server, ca: authority.cert });
    const started = await withFiles(cleanup, front.url, { ca: authority.cert, ...client });
    front.use({ ...server, ca: other.cert });
    const { error } = await started.events.nth('servicecomb.heartbeat.failed');
    expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_UNREACHABLE' });
    const next = other.issue(['client'], 'rsa');
    await started.write('cert', next.cert);
    await started.write('key', next.key);
    await started.events.nth('servicecomb.heartbeat.recovered');
    expectLeaseKept(started);
  });

  concurrently('of the authority cost no lease', async cleanup => {
    const registry = await startRegistry(cleanup);
    const front = await TlsFront.start(cleanup, registry.url, server);
    const started = await withFiles(cleanup, front.url, { ca: authority.cert });
    front.use(other.issue(['127.0.0.1']));
    const { error } = await started.events.nth('servicecomb.heartbeat.failed');
    expect(error).toMatchObject({ reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    await started.write('ca', authority.cert + other.cert);
    await started.events.nth('servicecomb.heartbeat.recovered');
    expectLeaseKept(started);
  });

  concurrently('and are half-written change nothing', async cleanup => {
    const registry = await startRegistry(cleanup);
    const front = await TlsFront.start(cleanup, registry.url, { ...server, ca: authority.cert });
    const started = await withFiles(cleanup, front.url, { ca: authority.cert, ...client });
    await started.write('cert', client.cert.slice(0, 200));
    await beats(started, 3);
    front.cut();
    await beats(started, 2);
    expect(started.events.of('servicecomb.heartbeat.failed')).toEqual([]);
    expectLeaseKept(started);
  });
});

/** Waits for that many heartbeats more. */
async function beats({ events }: TestApp, count: number): Promise<void> {
  const before = events.of('servicecomb.heartbeat.succeeded').length;
  await events.nth('servicecomb.heartbeat.succeeded', before + count);
}
