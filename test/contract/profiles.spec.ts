import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { RegistryEvents, type RegistryModuleOptions } from '../../lib/index.js';
import { profiles } from '../../lib/options/profiles.js';
import { FakeClock } from '../support/fake-clock.js';
import { codesIn, tableOf } from '../support/docs.js';
import { pem, rootPassword } from '../support/guarded-app.js';
import { registryClock, requestsOf, SteeredApp } from '../support/steered-app.js';
import { Cleanup } from '../support/test-app.js';

// The tables of registries and of answers in docs/cse.md are the list of these tests, and what they expect.

interface Registry {
  readonly name: string;
  readonly options: RegistryModuleOptions;
  /** Method, path and headers, as far as they are its own. */
  readonly heartbeat: readonly string[];
}

interface Answer {
  readonly title: string;
  readonly status: number;
  readonly errorCode: number | undefined;
  readonly detail: string | undefined;
  readonly state: string;
  readonly event: string;
  readonly next: string;
}

/** The environment that the options of the page are read in. */
const env = { CSE_PASSWORD: rootPassword };

const registries = tableOf('docs/cse.md', 'registry', 'options', 'heartbeat').map(
  ({ registry = '', options, heartbeat }): Registry => ({
    name: registry,
    options: runInNewContext(`(${codesIn(options)[0]})`, { process: { env } }),
    heartbeat: codesIn(heartbeat),
  }),
);

const answers = tableOf(
  'docs/cse.md',
  'answer to a heartbeat',
  'from',
  'state',
  'event',
  'next request',
).flatMap(row => {
  const [status, errorCode, detail] = codesIn(row['answer to a heartbeat']);
  const answer: Answer = {
    title: row['answer to a heartbeat'] ?? '',
    status: Number(status),
    errorCode: Number(errorCode) || undefined,
    detail,
    state: codesIn(row['state'])[0] ?? '',
    event: codesIn(row['event'])[0] ?? '',
    next: row['next request'] ?? '',
  };
  return registries
    .filter(registry => gives(registry, row['from']))
    .map(registry => ({ registry, answer }));
});

function gives({ options }: Registry, from: string | undefined): boolean {
  if (from === 'all') return true;
  if (from === 'with authentication') return isGuarded(options);
  if (from === 'CSE') return profileOf(options) !== 'open-source';
  throw new Error(`Nobody knows from where "${from}" is`);
}

function isGuarded({ serviceCenter }: RegistryModuleOptions): boolean {
  return serviceCenter?.auth !== undefined;
}

function profileOf({ profile = 'open-source' }: RegistryModuleOptions) {
  return profile;
}

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** An application that the registry has just heard a heartbeat of. */
async function beating(options: RegistryModuleOptions) {
  const clock = new FakeClock();
  const profile = profileOf(options);
  const serviceCenter = new EmbeddedServiceCenter({
    port: 0,
    profile,
    clock: registryClock(clock),
    rbac: options.serviceCenter?.auth && { rootPassword, privateKey: pem },
  });
  cleanup.add(() => serviceCenter.stop());
  const { url } = await serviceCenter.start();
  const app = await SteeredApp.start(cleanup, clock, {
    ...options,
    serviceCenter: { ...options.serviceCenter, addresses: [url] },
    microservice: { serviceName: 'orders', version: '1.0.0' },
  });
  const { intervalMs } = profiles[profile];
  const heartbeats = () => requestsOf(serviceCenter, 'heartbeat');
  await app.until(() => heartbeats().length === 1, intervalMs);
  return { app, serviceCenter, intervalMs, heartbeats, isCloud: profile !== 'open-source' };
}

type Beating = Awaited<ReturnType<typeof beating>>;

/** Arranges for the next heartbeat to be answered so. */
function arrange({ serviceCenter }: Beating, { status, errorCode, detail }: Answer): void {
  if (status === 200) return;
  if (errorCode === 400_017) {
    for (const { instanceId } of serviceCenter.instances()) serviceCenter.forget(instanceId);
    return;
  }
  const match = { operation: 'heartbeat', times: 1 } as const;
  serviceCenter.faults.answer(status, { errorCode: errorCode ?? 0, detail }, match);
}

/** What fractions of milliseconds add up to. */
const roundingMs = 5;

/** How much sooner a turn of the timer may send a heartbeat, where no least distance is wanted. */
const toleranceMs = 500;

/** The request that the page says comes next, and when, in milliseconds since the answer. */
function nextOf(text: string, { intervalMs, isCloud }: Beating) {
  const early = isCloud ? 0 : toleranceMs;
  switch (text) {
    case 'heartbeat after the interval': {
      const least = isCloud ? intervalMs : intervalMs * 0.9;
      return { operation: 'heartbeat', from: least - early, to: intervalMs * 1.1 } as const;
    }
    case 'heartbeat after about 1 s':
      return { operation: 'heartbeat', from: 1_000 - early, to: 1_000 } as const;
    case 'registration within 1 s':
      return { operation: 'registerInstance', from: 0, to: 1_000 } as const;
    default:
      throw new Error(`Nobody knows what "${text}" is`);
  }
}

describe('the tables of docs/cse.md', () => {
  it('have each system that the vendor and Apache describe, with and without authentication', () => {
    const systems = registries.map(({ options }) => [profileOf(options), isGuarded(options)]);
    expect(systems).toEqual([
      ['open-source', false],
      ['open-source', true],
      ['cse-exclusive', false],
      ['cse-exclusive', true],
      ['cse-professional', false],
      ['cse-legacy', false],
    ]);
  });

  it.each(registries)('have each status that is documented for $name', ({ name, options }) => {
    const own = answers.filter(({ registry }) => registry.name === name);
    const refused = isGuarded(options) ? [401, 403] : [];
    expect(new Set(own.map(({ answer }) => answer.status))).toEqual(
      new Set([200, 400, 500, ...refused]),
    );
    expect(own.map(({ answer }) => answer.errorCode)).toEqual(
      expect.arrayContaining(profileOf(options) === 'open-source' ? [400_017] : [400_017, 400_011]),
    );
  });
});

describe.each(registries)('$name', ({ options, heartbeat }) => {
  it('is told of a heartbeat as the page says, and of nothing else', async () => {
    const { heartbeats, serviceCenter } = await beating(options);
    const [beat] = heartbeats();
    const [instance] = serviceCenter.instances();
    const path = (beat?.path ?? '')
      .replace(instance?.serviceId ?? '', '{serviceId}')
      .replace(instance?.instanceId ?? '', '{instanceId}');
    const {
      'content-type': contentType,
      'content-length': contentLength,
      'user-agent': userAgent,
      accept: _accept,
      'accept-encoding': _encoding,
      host: _host,
      connection: _connection,
      ...own
    } = beat?.headers ?? {};
    const headers = Object.entries(own).map(([name, value]) => `${name}: ${String(value)}`);
    // The journal shows neither how a header was written nor a token.
    const [request, ...written] = heartbeat.map(line => line.replace('{token}', '***'));
    expect(`${beat?.method} ${path}`).toBe(request);
    expect(headers).toEqual(
      written.map(line => line.replace(/^[\w-]+/, name => name.toLowerCase())),
    );
    expect([contentType, contentLength]).toEqual(['application/json', '0']);
    expect(userAgent).toMatch(/^nestjs-servicecomb\//);
    expect(beat?.body).toBe('');
  });

  it('is beaten without a warning, and never sooner than its vendor allows', async () => {
    const { app, heartbeats, serviceCenter, intervalMs } = await beating(options);
    await app.until(() => heartbeats().length === 30, 33 * intervalMs);
    expect(serviceCenter.warnings).toEqual([]);
    expect(app.log.matching(/^warn .*heartbeat\.intervalMs/)).toEqual([]);
    if (profileOf(options) === 'open-source') return;
    const times = heartbeats().map(({ at }) => at);
    const distances = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(intervalMs - roundingMs);
  });

  it('is started with one warning when the interval is too short for it', async () => {
    const { leastIntervalMs } = profiles[profileOf(options)];
    const intervalMs = leastIntervalMs - 1_000;
    const { app } = await beating({ ...options, heartbeat: { intervalMs } });
    const about = app.log.matching(/^warn .*heartbeat\.intervalMs/);
    expect(about).toEqual([expect.stringContaining(String(leastIntervalMs))]);
  });
});

/** Between a heartbeat whose token is refused and its repetition, from which the interval counts. */
const repetitionMs = 250;

describe('the client', () => {
  it.each(answers)('at $registry.name: $answer.title', async ({ registry, answer }) => {
    const setting = await beating(registry.options);
    const { app, serviceCenter } = setting;
    const told = () => app.events.names().filter(name => outcomes.has(name));
    const before = told().length;
    arrange(setting, answer);
    const heard = setting.heartbeats().length;
    await app.until(() => told().length > before, 1.2 * setting.intervalMs);
    expect(told().at(-1)).toBe(answer.event);
    expect(app.core.state).toBe(answer.state);
    const [answered] = setting.heartbeats().slice(heard);
    expect(answered?.status).toBe(answer.status);
    const next = nextOf(answer.next, setting);
    const requests = () => requestsOf(serviceCenter, next.operation);
    const count = requests().length;
    await app.until(() => requests().length > count, next.to + roundingMs);
    const waitedMs = (requests().at(-1)?.at ?? 0) - (answered?.at ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(next.from - roundingMs);
    expect(waitedMs).toBeLessThanOrEqual(next.to + repetitionMs + roundingMs);
  });
});

/** What a heartbeat comes to. */
const outcomes: ReadonlySet<string> = new Set([
  RegistryEvents.HeartbeatSucceeded,
  RegistryEvents.HeartbeatFailed,
  RegistryEvents.InstanceLost,
]);
