import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { startBlackHole } from '../support/black-hole.js';
import { concurrently, inTurn } from '../support/concurrently.js';
import { startCaller, startGreeter } from '../support/greeter-app.js';
import { OwnClock } from '../support/own-clock.js';
import { Provider } from '../support/providers.js';
import { type Cleanup, startRegistry } from '../support/test-app.js';

describe('a host that does not answer at all', () => {
  concurrently(
    'costs one call 1.1 s, whatever its method, and later ones nothing (D5)',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const registry = await startRegistry(cleanup);
      const port = await startBlackHole(cleanup);
      new Provider(registry, {}).register([`rest://127.0.0.1:${port}`]);
      for (const _ of [1, 2]) await startGreeter(cleanup, registry.url, { answer: () => 'hello' });
      const { http, discovery } = await startCaller(cleanup, registry.url);
      expect(await discovery.find('greeter')).toHaveLength(3);
      const tookMs: number[] = [];
      for (const method of Array.from({ length: 20 }, () => ['POST', 'GET', 'POST']).flat()) {
        const startedAt = clock.now();
        await http.axiosRef.request({ method, url: 'http://greeter/hello' });
        tookMs.push(clock.now() - startedAt);
      }
      const [first, second] = tookMs.toSorted((a, b) => b - a);
      expect(first).toBeGreaterThan(500);
      expect(first).toBeLessThanOrEqual(1_100);
      expect(second).toBeLessThan(100);
    },
  );
});

const names = Array.from({ length: 1_000 }, (_, index) => `provider-${index}`);

/** A registry with a thousand services, each with an instance. */
async function startCrowded(cleanup: Cleanup): Promise<EmbeddedServiceCenter> {
  const registry = await startRegistry(cleanup);
  registry.load({
    format: 1,
    services: names.map(serviceName => ({
      service: { serviceId: serviceName, serviceName },
      instances: [{ instanceId: serviceName, hostName: 'host', endpoints: ['rest://host:3000'] }],
    })),
  });
  return registry;
}

/** Has the registry push a change of one provider after the other, 200 a second. */
function flood(cleanup: Cleanup, registry: EmbeddedServiceCenter): void {
  let count = 0;
  const change = () => {
    const name = names[(count += 1) % names.length] ?? '';
    const target = `/v4/default/registry/microservices/${name}/instances/${name}/properties`;
    const body = Buffer.from(JSON.stringify({ properties: { count: String(count) } }));
    expect(registry.answer({ method: 'PUT', target, headers: {}, body }).status).toBe(200);
  };
  const timer = setInterval(() => {
    for (let each = 0; each < 2; each += 1) change();
  }, 10);
  cleanup.add(async () => clearInterval(timer));
}

/** On a machine that does other things as well. */
const patienceMs = 60_000;

describe('a heartbeat', () => {
  inTurn(patienceMs)(
    'is not later for a thousand providers, a flood of changes, or polls that hang',
    async cleanup => {
      const clock = OwnClock.start(cleanup);
      const registry = await startCrowded(cleanup);
      const beats: number[] = [];
      registry.onRequest(({ operation }) => {
        if (operation === 'heartbeat') beats.push(clock.now());
      });
      const { discovery, events } = await startCaller(cleanup, registry.url, {
        serviceCenter: { addresses: [registry.url], timeoutMs: 5_000 },
        discovery: { pollIntervalMs: 1_000 },
      });
      const moreBeats = (count: number) =>
        events.nth('servicecomb.heartbeat.succeeded', beats.length + count);
      await moreBeats(1);
      for (const name of names) await discovery.find(name);
      await moreBeats(2);
      flood(cleanup, registry);
      await moreBeats(2);
      for (const operation of ['findInstances', 'queryInstances'] as const)
        registry.faults.hang({ operation });
      await moreBeats(2);
      const gaps = beats.slice(1).map((at, index) => Math.round(at - (beats[index] ?? 0)));
      expect(gaps.filter(ms => ms > 1_100)).toEqual([]);
      expect(registry.requests.some(({ operation }) => operation === 'queryInstances')).toBe(true);
    },
  );
});
