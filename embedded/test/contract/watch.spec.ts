import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import { FakeClock } from '../support/registry.js';
import { exchange } from '../support/exchange.js';
import { readFrames } from './frame-recording.js';
import type { RecordedFrame } from './frame-recording.js';
import { FrameReplay } from './frame-replay.js';
import type { Stage } from './frame-replay.js';

const registry = '/v4/default/registry';

let clock: FakeClock;
let serviceCenter: EmbeddedServiceCenter;
let replay: FrameReplay | undefined;

beforeEach(async () => {
  clock = new FakeClock();
  serviceCenter = new EmbeddedServiceCenter({
    port: 0,
    clock,
    minIntervalMs: 1000,
    minTimes: 0,
    heartbeatPingIntervalMs: 1000,
  });
  await serviceCenter.start();
});

afterEach(async () => {
  replay?.close();
  await serviceCenter.stop();
});

/** The fields of a service that a recording depends on. */
interface RecordedService {
  readonly serviceId?: string;
  readonly serviceName: string;
  readonly version?: string;
  readonly alias?: string;
}

async function register(service: RecordedService): Promise<string> {
  const body = { service: { version: '1.0.0', ...service } };
  const path = `${registry}/microservices`;
  const { text } = await exchange(serviceCenter.url, { method: 'POST', path, body });
  return JSON.parse(text).serviceId;
}

async function find(serviceName: string, consumerId: string): Promise<void> {
  const path = `${registry}/instances?appId=default&serviceName=${serviceName}`;
  await exchange(serviceCenter.url, { path, headers: { 'X-ConsumerId': consumerId } });
}

const watcherOf = (serviceId: string) => `${registry}/microservices/${serviceId}/watcher`;

interface Scene {
  readonly consumer?: RecordedService;
  /** Registered and found by the consumer before the recording starts. */
  readonly found?: readonly RecordedService[];
  /** Registered before, but not found. */
  readonly known?: readonly RecordedService[];
  /** Registered before the HTTP request of a name. */
  readonly late?: Readonly<Record<string, RecordedService>>;
}

async function setUp({ consumer, found = [], known = [], late = {} }: Scene): Promise<Stage> {
  const consumerId = await register(consumer ?? { serviceName: 'consumer' });
  for (const service of [...known, ...found]) await register(service);
  for (const { serviceName } of found) await find(serviceName, consumerId);
  const before = Object.fromEntries(
    Object.entries(late).map(([name, service]) => [
      name,
      async () => void (await register(service)),
    ]),
  );
  return { path: watcherOf(consumerId), consumerId, before };
}

const tagged = {
  serviceId: 'e2cdcff4d766889ff2480e2defa935948a37003e',
  serviceName: 'tagged',
};

/** State before each recorded scenario; only a consumer if not listed. */
const scenes: Readonly<Record<string, Scene>> = {
  'several changes at once': {
    found: ['1.0.0', '2.0.0'].map(version => ({ serviceName: 'mp-etcd-16010', version })),
  },
  'no dependency: no events': {
    consumer: { serviceName: 'nc-etcd-16010' },
    late: { register: { serviceName: 'np-etcd-16010' } },
  },
  'own service': { consumer: { serviceName: 'oc-etcd-16010' } },
  'create, update, delete of a provider instance': {
    known: [{ serviceName: 'wp-etcd-16010', alias: 'alias-etcd-16010' }],
  },
  'two watchers of one consumer': { found: [{ serviceName: 'tp-etcd-16010' }] },
  'tag change of the provider': { found: [tagged] },
  'properties change of the provider service': { found: [tagged] },
  'consumer deleted while watching': {
    consumer: {
      serviceId: '1e26fe16a685f41101b2f768472bab76a9949b0a',
      serviceName: 'deleted',
    },
  },
  'events flow and the client sends small text frames, but no pong': {
    found: [{ serviceName: 'dp-etcd-16010' }],
  },
};

/**
 * The real server publishes 0.3 s late, and removals 2 s late, so a removal followed by a
 * registration arrived as one UPDATE (M2). This registry publishes both at once.
 */
function withoutLag(frames: readonly RecordedFrame[]): RecordedFrame[] {
  let last: unknown;
  return frames.flatMap((frame, at): RecordedFrame[] => {
    if (frame.direction !== 'received' || frame.type !== 'text') return [frame];
    const { json } = frame.payload;
    const before = last;
    last = json;
    if (frames[at - 1]?.type !== 'register at once') return [frame];
    return [
      { ...frame, payload: { json: { ...Object(before), action: 'DELETE' } } },
      { ...frame, payload: { json: { ...Object(json), action: 'CREATE' } } },
    ];
  });
}

describe('the embedded Service Center sends a watcher what a real one does', () => {
  it.each(readFrames('watch'))('$scenario', async ({ scenario, frames }) => {
    const stage = await setUp(scenes[scenario] ?? {});
    const path = scenario === 'unknown serviceId' ? watcherOf('nosuch') : stage.path;
    replay = new FrameReplay(serviceCenter, clock, { ...stage, path });
    expect(await replay.differences(withoutLag(frames))).toEqual([]);
  });
});

/**
 * The frames if no other client removes an instance: on the real server the window for these
 * removals was open already (datasource/etcd/sd/instance_event_handler.go).
 */
function inOwnWindow(frames: readonly RecordedFrame[], windowMs: number): RecordedFrame[] {
  return frames.map(frame => {
    const isRemoval = frame.direction === 'received' && JSON.stringify(frame).includes('"DELETE"');
    return isRemoval ? { ...frame, t_ms: frame.t_ms + windowMs } : frame;
  });
}

describe('with the lags of a real one the embedded Service Center sends a watcher the same', () => {
  it.each(readFrames('watch'))('$scenario', async ({ scenario, frames }) => {
    const stage = await setUp(scenes[scenario] ?? {});
    const path = scenario === 'unknown serviceId' ? watcherOf('nosuch') : stage.path;
    serviceCenter.oddities.set({ publicationMs: 300, deletionWindowMs: 2000 });
    replay = new FrameReplay(serviceCenter, clock, { ...stage, path });
    expect(await replay.differences(inOwnWindow(frames, 2000))).toEqual([]);
  });
});

/** Ids of the recorded instances, by the HTTP requests that name them. */
const beating: Readonly<Record<string, string>> = {
  'pongs keep the instance alive, then it is deleted': 'de0e112bc57a44c484756c34ee1e44ee',
  'client that does not answer pings': 'e61250cd46324ef7b2f8fb290046ff70',
  'unsolicited pongs each 100 ms': '1648804725274e349cda3ea6fae7d5c7',
};

describe('the embedded Service Center sends a heartbeat what a real one does', () => {
  it.each(readFrames('ws-heartbeat'))('$scenario', async ({ scenario, frames }) => {
    const serviceId = await register({ serviceName: 'hb-19303' });
    const instanceId = beating[scenario] ?? 'beating';
    const healthCheck = { mode: 'push', interval: 1, times: 1 };
    const endpoints = ['rest://127.0.0.1:8080'];
    const instances = `${registry}/microservices/${serviceId}/instances`;
    const body = { instance: { instanceId, hostName: 'h1', endpoints, healthCheck } };
    await exchange(serviceCenter.url, { method: 'POST', path: instances, body });
    const paths: Readonly<Record<string, string>> = {
      'unknown instance': `${instances}/nobody/heartbeat`,
      'unknown service': `${registry}/microservices/nosuch/instances/${instanceId}/heartbeat`,
    };
    const path = paths[scenario] ?? `${instances}/${instanceId}/heartbeat`;
    replay = new FrameReplay(serviceCenter, clock, { path });
    expect(await replay.differences(frames)).toEqual([]);
  });
});
