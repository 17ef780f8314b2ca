import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { exchange } from '../support/exchange.js';
import { readCanaries, registerCanaries } from './canaries.js';
import { sendBytes, sendFrames, sendRequests } from './fuzz.js';
import { Random } from './random.js';
import { RegistryProcess } from './registry-process.js';

/** Random in each run, unless a failed one is repeated. */
/** The same in each run unless set: this one once found a CONNECT that ended the process. */
const seed = Number(process.env['FUZZ_SEED'] ?? 186_678);
const root = '/v4/default/registry/microservices';

describe(`whatever is sent to the embedded Service Center (FUZZ_SEED=${seed})`, () => {
  let registry: RegistryProcess;
  let handlesBefore: readonly string[];
  let canariesBefore: readonly string[];

  beforeAll(async () => {
    registry = await RegistryProcess.start();
    await registerCanaries(registry.url);
    canariesBefore = await readCanaries(registry.url);
    handlesBefore = await registry.handles();
  });

  afterAll(() => registry.stop());

  it('answers 80,000 requests that say anything', async () => {
    await sendRequests(registry, new Random(seed), 80_000);
  });

  it('answers 10,000 times what HTTP cannot read', async () => {
    await sendBytes(registry, new Random(seed + 1), 10_000);
  });

  it('bears 10,000 frames of any kind on its WebSockets', async () => {
    await register();
    await sendFrames(registry, new Random(seed + 2), 10_000);
  });

  it('keeps all that other domains and projects hold as it was', async () => {
    expect(await readCanaries(registry.url)).toEqual(canariesBefore);
  });

  it('serves on', async () => {
    await register();
    const beat = { method: 'PUT', path: `${root}/watching/instances/beating/heartbeat` };
    expect(await exchange(registry.url, beat)).toMatchObject({ status: 200 });
  });

  it('holds nothing that it did not hold before', async () => {
    let handles = await registry.handles();
    for (let tries = 0; tries < 50 && handles.length > handlesBefore.length; tries += 1) {
      await setTimeout(100);
      handles = await registry.handles();
    }
    expect(handles).toEqual(handlesBefore);
  });

  async function register(): Promise<void> {
    const service = { serviceId: 'watching', serviceName: 'watching' };
    const instance = { instanceId: 'beating', hostName: 'host' };
    const requests = [
      { path: root, body: { service } },
      { path: `${root}/watching/instances`, body: { instance } },
    ];
    for (const request of requests)
      expect(await exchange(registry.url, { method: 'POST', ...request })).toMatchObject({
        status: 200,
      });
  }
});
