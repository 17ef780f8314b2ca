import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter, type TlsOptions } from 'embedded-service-center';
import type { RegistryModuleOptions } from '../../lib/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { startForwardProxy } from '../support/forward-proxy.js';
import { registryProxyAgent } from '../support/registry-proxy-agent.js';
import { registryClock, requestsOf, SteeredApp } from '../support/steered-app.js';
import { Cleanup } from '../support/test-app.js';
import { TlsFront } from '../support/tls-front.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const authority = certificateAuthority();
const other = certificateAuthority('Other CA');
const server = authority.issue(['127.0.0.1']);
const client = authority.issue(['client'], 'ec');
const ca = authority.cert;

type ServiceCenter = NonNullable<RegistryModuleOptions['serviceCenter']>;
type Context = Partial<TlsOptions>;

async function start(context: Context, serviceCenter: ServiceCenter) {
  const clock = new FakeClock();
  const registry = new EmbeddedServiceCenter({ port: 0, clock: registryClock(clock) });
  cleanup.add(() => registry.stop());
  const { url } = await registry.start();
  const front = await TlsFront.start(cleanup, url, { ...server, ...context });
  const app = await SteeredApp.start(cleanup, clock, {
    serviceCenter: { addresses: [front.url], ...serviceCenter },
    microservice: { serviceName: 'orders', version: '1.0.0' },
    heartbeat: { intervalMs: 15_000 },
    instance: { instanceId: 'orders-0' },
  });
  return { app, front, registry };
}

/** What a failure says in full. */
function failure(operation: string, address: string, [reason, advice]: readonly [string, string]) {
  return {
    code: 'ERR_SERVICECOMB_UNREACHABLE',
    operation,
    addresses: [address],
    reason,
    advice,
    message: `Service Center is unreachable for "${operation}" at ${address}: ${reason}. ${advice}`,
  };
}

const wrongs: readonly (readonly [string, Context, readonly [string, string]])[] = [
  [
    'has expired',
    authority.issue(['127.0.0.1'], 'rsa', Date.now() - 60_000),
    [
      'CERT_HAS_EXPIRED',
      'Its certificate, or that of its authority, has expired: replace it, or correct the clock of this ' +
        'machine',
    ],
  ],
  [
    'is of an unknown authority',
    other.issue(['127.0.0.1']),
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'No authority that is trusted here has signed its certificate: set serviceCenter.tls.ca or ' +
        'caFile to the certificate of its authority',
    ],
  ],
  [
    'is for another host name',
    authority.issue(['elsewhere.example']),
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'Its certificate is for another host name: use a name of the certificate in ' +
        'serviceCenter.addresses, or set serviceCenter.tls.servername',
    ],
  ],
  [
    'wants one of this client, which has none',
    { ca },
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'It demands a certificate of this client that it accepts: set serviceCenter.tls.cert and key, ' +
        'or certFile and keyFile',
    ],
  ],
];

describe('a registry whose certificate', () => {
  it.each(wrongs)(
    '%s is not registered at, and is once that has changed',
    async (_, wrong, told) => {
      const { app, front } = await start(wrong, { tls: { ca } });
      await app.until(() => app.events.all.length > 0, 5_000);
      const error = failure('getExistence', front.url, told);
      expect(app.events.all).toEqual([
        {
          name: 'servicecomb.registration.failed',
          payload: expect.objectContaining({ failures: 1, error: expect.objectContaining(error) }),
        },
      ]);
      expect(await app.health()).toEqual([
        503,
        {
          status: 'down',
          state: 'registering',
          serviceId: null,
          instanceId: 'orders-0',
          address: front.url,
          addresses: [{ address: front.url, isServing: true }],
          renewedAgoMs: null,
          leaseRemainingMs: null,
          failures: 1,
          registrations: 0,
          lastError: { code: error.code, message: error.message },
          problem: null,
          eventLoopLagMs: 0,
          schemas: null,
        },
      ]);
      front.use(server);
      await app.until(() => app.core.state === 'registered', 60_000);
    },
  );

  it.each(wrongs)('%s costs no lease when that ends in time', async (_, wrong, told) => {
    const { app, front, registry } = await start({}, { tls: { ca } });
    await app.until(() => requestsOf(registry, 'heartbeat').length > 0, 30_000);
    front.use({ ...server, ...wrong });
    const failed = () => app.events.of('servicecomb.heartbeat.failed');
    await app.until(() => failed().length > 0, 30_000);
    const error = failure('heartbeat', front.url, told);
    expect(failed()).toEqual([
      expect.objectContaining({ failures: 1, error: expect.objectContaining(error) }),
    ]);
    const [leaseRemainingMs] = failed().map(event => event.leaseRemainingMs);
    expect(await app.health()).toEqual([
      200,
      {
        status: 'degraded',
        state: 'degraded',
        serviceId: expect.any(String),
        instanceId: 'orders-0',
        address: front.url,
        addresses: [{ address: front.url, isServing: true }],
        renewedAgoMs: 60_000 - Math.round(leaseRemainingMs ?? 0),
        leaseRemainingMs: Math.round(leaseRemainingMs ?? 0),
        failures: 1,
        registrations: 1,
        lastError: { code: error.code, message: error.message },
        problem: null,
        eventLoopLagMs: 0,
        schemas: null,
      },
    ]);
    front.use(server);
    await app.until(() => app.core.state === 'registered', 30_000);
    expect(app.events.of('servicecomb.heartbeat.recovered')).toHaveLength(1);
    expect(app.events.of('servicecomb.instance.lost')).toEqual([]);
    expect(requestsOf(registry, 'registerInstance')).toHaveLength(1);
    expect(await app.health()).toMatchObject([200, { status: 'up', failures: 0, lastError: null }]);
  });
});

it('a registry that is not verified is a warning at each start', async () => {
  for (const _ of ['first', 'second']) {
    const { app } = await start(other.issue(['elsewhere.example']), {
      tls: { rejectUnauthorized: false },
    });
    await app.until(() => app.core.state === 'registered', 5_000);
    expect(app.log.matching(/INSECURE/)).toEqual([
      'warn INSECURE: serviceCenter.tls.rejectUnauthorized is false, so the certificate of the ' +
        'registry is not verified: whoever answers in its place can read and change all that is sent. ' +
        'Set serviceCenter.tls.ca or caFile instead',
    ]);
    await cleanup.run();
  }
});

/** A registered application, whose certificates are in files. */
async function withFiles(context: Context) {
  const folder = await mkdtemp(join(tmpdir(), 'servicecomb-tls-'));
  cleanup.add(() => rm(folder, { recursive: true }));
  const write = async (contents: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, name), text);
  };
  await write({ ca, ...client });
  const files = ['ca', 'cert', 'key'].map(name => [`${name}File`, join(folder, name)]);
  const started = await start(context, { tls: Object.fromEntries(files) });
  const { app, registry } = started;
  await app.until(() => app.core.state === 'registered', 5_000);
  const beat = async () => {
    const before = requestsOf(registry, 'heartbeat').length;
    await app.until(() => requestsOf(registry, 'heartbeat').length > before, 30_000);
  };
  // Files are read by the machine's time: however long it takes, by the clock of the test.
  const noticed = () =>
    app.until(
      () => app.log.matching(/^log The files of serviceCenter\.tls have changed/).length > 0,
      Infinity,
    );
  return { ...started, write, beat, noticed };
}

describe('certificates in files that change', () => {
  const next = other.issue(['client'], 'rsa');

  it('are used before the old ones end, and no heartbeat is lost', async () => {
    const { app, front, write, beat, noticed } = await withFiles({ ca: ca + other.cert });
    await beat();
    await write({ ...next });
    await noticed();
    front.use({ ...server, ca: other.cert });
    await beat();
    await beat();
    expect(app.events.of('servicecomb.heartbeat.failed')).toEqual([]);
    expect(app.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });

  it('are used after the old ones have ended, and the lease is kept', async () => {
    const { app, front, write, beat } = await withFiles({ ca });
    await beat();
    front.use({ ...other.issue(['127.0.0.1']), ca: other.cert });
    await app.until(() => app.core.state === 'degraded', 30_000);
    await write({ ...next, ca: other.cert });
    await app.until(() => app.core.state === 'registered', 40_000);
    expect(app.events.of('servicecomb.instance.lost')).toEqual([]);
    expect(app.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });

  it('are used by a process that is not registered', async () => {
    const { app, front, write, noticed } = await withFiles({ ca: ca + other.cert });
    await app.core.leave();
    await write({ ...next });
    await noticed();
    front.use({ ...server, ca: other.cert });
    const registered = app.core.register();
    await app.until(() => app.core.state === 'registered', 5_000);
    await registered;
    expect(app.events.of('servicecomb.registration.failed')).toEqual([]);
  });
});

/** Nobody resolves these names: only the proxy knows where they are. */
const [one, two] = ['https://one.example:30100', 'https://two.example:30100'] as const;

describe('a registry behind a proxy, which demands a certificate and a token', () => {
  it('is logged in to, fallen back on, probed and left by the same way', async () => {
    const clock = new FakeClock();
    const registry = new EmbeddedServiceCenter({
      port: 0,
      clock: registryClock(clock),
      rbac: { rootPassword: 'Complicated.1' },
      tls: { ...authority.issue(['one.example', 'two.example']), ca },
    });
    cleanup.add(() => registry.stop());
    const { url } = await registry.start();
    const port = Number(new URL(url).port);
    const nodes = { 'one.example:30100': 1, 'two.example:30100': port };
    const proxy = await startForwardProxy({ portOf: target => Reflect.get(nodes, target) });
    cleanup.add(async () => proxy.close());
    const app = await SteeredApp.start(cleanup, clock, {
      serviceCenter: {
        addresses: [one, two],
        axios: { httpsAgent: registryProxyAgent(`http://${proxy.host}`, { ca, ...client }) },
        auth: { username: 'root', password: 'Complicated.1' },
      },
      microservice: { serviceName: 'orders', version: '1.0.0' },
      heartbeat: { intervalMs: 15_000 },
    });
    await app.until(() => app.core.state === 'registered', 10_000);
    expect(app.core.snapshot().address).toBe(two);
    expect(registry.requests[0]).toMatchObject({ path: '/v4/token', status: 200 });

    nodes['two.example:30100'] = 1;
    proxy.cut();
    await app.until(() => app.events.of('servicecomb.address.isolated').length === 2, 50_000);
    nodes['one.example:30100'] = port;
    nodes['two.example:30100'] = port;
    // One of them by a heartbeat, the other one by a probe.
    await app.until(() => app.events.of('servicecomb.address.restored').length === 2, 50_000);
    expect(registry.requests.map(({ operation }) => operation)).toContain('getVersion');
    expect(app.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });

    await app.core.close();
    expect(registry.instances()).toEqual([]);
    expect(new Set(proxy.asked.map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set(['CONNECT one.example:30100', 'CONNECT two.example:30100']),
    );
  });
});
