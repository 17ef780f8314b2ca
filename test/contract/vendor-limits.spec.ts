import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { profiles } from '../../lib/options/profiles.js';
import { FakeClock } from '../support/fake-clock.js';
import { registryClock, requestsOf, SteeredApp } from '../support/steered-app.js';
import { Cleanup } from '../support/test-app.js';

// Whatever happens, the vendor's limits are kept: the engine tells of each heartbeat that comes too soon.

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** An application that an engine has heard two heartbeats of, and some seconds. */
async function beating(profile: 'cse-exclusive' | 'cse-professional') {
  const clock = new FakeClock();
  const serviceCenter = new EmbeddedServiceCenter({
    port: 0,
    profile,
    clock: registryClock(clock),
  });
  cleanup.add(() => serviceCenter.stop());
  const { url } = await serviceCenter.start();
  const app = await SteeredApp.start(cleanup, clock, {
    profile,
    serviceCenter: { addresses: [url] },
    microservice: { serviceName: 'orders', version: '1.0.0' },
    heartbeat: { verifyEvery: 2 },
  });
  const { intervalMs } = profiles[profile];
  const answered = () =>
    requestsOf(serviceCenter, 'heartbeat').filter(({ status }) => status === 200);
  const hear = async (count: number) => {
    const before = answered().length;
    await app.until(() => answered().length >= before + count, 2 * count * intervalMs);
  };
  await hear(2);
  const since = clock.now() + 3_000;
  await app.until(() => clock.now() >= since, 4_000);
  return { app, serviceCenter, hear };
}

type Beating = Awaited<ReturnType<typeof beating>>;

const events: [string, (setting: Beating) => unknown][] = [
  ['failed heartbeats', ({ serviceCenter }) => fail(serviceCenter, 3)],
  ['a single failed one', ({ serviceCenter }) => fail(serviceCenter, 1)],
  ['a standstill', ({ app }) => app.standStill(3_500)],
  ['a sleep of the machine', ({ app }) => app.standStill(8_000, { asleep: true })],
  ['a change of the status', ({ app }) => app.core.record.setStatus('TESTING')],
  ['a loss of its record', ({ serviceCenter }) => forget(serviceCenter)],
];

function fail(serviceCenter: EmbeddedServiceCenter, times: number): void {
  serviceCenter.faults.answer(500, { errorCode: 500_003 }, { operation: 'heartbeat', times });
}

function forget(serviceCenter: EmbeddedServiceCenter): void {
  for (const { instanceId } of serviceCenter.instances()) serviceCenter.forget(instanceId);
}

describe.each(['cse-exclusive', 'cse-professional'] as const)(
  'the heartbeats of an instance at %s',
  profile => {
    it.each(events)('keep their distance after %s', async (_, happens) => {
      const setting = await beating(profile);
      await happens(setting);
      await setting.hear(6);
      expect(setting.serviceCenter.warnings).toEqual([]);
      expect(setting.app.core.state).toBe('registered');
    });

    it('keep their distance while the process stands still again and again', async () => {
      const { app, serviceCenter, hear } = await beating(profile);
      for (let times = 0; times < 8; times += 1) {
        await app.standStill(2_500 + 2_000, { asleep: times % 2 === 0 });
        await app.core.tick(500);
      }
      await hear(2);
      expect(serviceCenter.warnings).toEqual([]);
      expect(app.core.state).toBe('registered');
    });
  },
);
