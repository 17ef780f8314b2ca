import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { DiscoveryCore } from '../../lib/discovery/core.js';
import type { PendingEvent } from '../../lib/events.js';
import type { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import { discoverySettings } from '../support/discovery-harness.js';
import { FakeClock } from '../support/fake-clock.js';
import { fresh, httpClient, type RegistryUnderTest, startRegistry } from './registry-under-test.js';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Discovery over HTTP at a registry, by a clock that the test moves: one poll after the other. */
class Subject {
  readonly clock = new FakeClock();
  readonly events: PendingEvent[] = [];
  readonly core: DiscoveryCore;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(readonly client: ServiceCenterClient) {
    this.core = new DiscoveryCore(discoverySettings(), {
      client: {
        address: client.address,
        findInstances: (query, options) => this.#note(client.findInstances(query, options)),
        findInstancesInBatch: (queries, options) =>
          this.#note(client.findInstancesInBatch(queries, options)),
      },
      clock: this.clock,
      random: () => 0.5,
      publisher: { publish: event => this.events.push(event), note: () => undefined },
    });
    cleanUps.push(() => this.core.stop());
  }

  #note<T>(request: Promise<T>): Promise<T> {
    this.#underWay.add(request);
    return request.finally(() => this.#underWay.delete(request));
  }

  /** Waits until no request is under way, and none follows from the last one. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.allSettled(this.#underWay);
      await setImmediate();
    }
  }

  /** Polls once, and waits for the end of it. */
  async poll(): Promise<void> {
    await this.clock.advance(15_000);
    await this.core.tick();
    await this.settled();
  }

  /**
   * Polls until something is seen, which takes four polls at most: a registry that has lost a removal says that
   * nothing is modified until it is asked for the truth.
   */
  async pollUntil(isSeen: () => Promise<boolean>): Promise<void> {
    for (let polls = 0; polls < 4 && !(await isSeen()); polls += 1) await this.poll();
  }

  async addressesOf(name: string): Promise<readonly string[]> {
    const found = await this.core.find(name);
    return found.flatMap(({ endpoints = [] }) => endpoints);
  }

  register(serviceId: string): void {
    const event = {
      name: 'servicecomb.service.registered',
      payload: { serviceId, created: true },
    } as const;
    this.core.notice(event, { at: 'now' });
  }

  names(): readonly string[] {
    return this.events.map(({ name }) => name.replace('servicecomb.discovery.', ''));
  }
}

/** A provider in a registry. */
class Provider {
  readonly name = fresh('provider');
  readonly #ids = new Map<number, string>();
  serviceId = '';

  constructor(private readonly client: ServiceCenterClient) {}

  async create(): Promise<void> {
    const service = { appId: 'default', serviceName: this.name, version: '1.0.0' };
    this.serviceId = await this.client.registerMicroservice(service);
  }

  async start(port: number): Promise<void> {
    const instance = { hostName: 'host', endpoints: [`rest://10.0.0.1:${port}`] };
    this.#ids.set(port, await this.client.registerInstance(this.serviceId, instance));
  }

  async stop(port: number): Promise<void> {
    const instanceId = this.#ids.get(port) ?? '';
    await this.client.unregisterInstance({ serviceId: this.serviceId, instanceId });
  }

  async remove(): Promise<void> {
    await this.client.unregisterMicroservice(this.serviceId, { force: true });
  }
}

async function stage(): Promise<{
  readonly registry: RegistryUnderTest;
  readonly subject: Subject;
  readonly provider: Provider;
}> {
  const registry = await startRegistry();
  cleanUps.push(() => registry.stop());
  const client = httpClient(registry.address);
  const provider = new Provider(client);
  return { registry, subject: new Subject(client), provider };
}

/** A registry shows what was written to it after a while, and removals last (docs/registry-behaviour.md, M9). */
const lagMs = 1_500;
const removalLagMs = 3_000;

describe('discovery at a registry', () => {
  it('finds a provider with the first question, and what changed with the next poll', async () => {
    const { registry, subject, provider } = await stage();
    await provider.create();
    await provider.start(1);
    await registry.wait(lagMs);
    await expect(subject.addressesOf(provider.name)).resolves.toEqual(['rest://10.0.0.1:1']);
    await subject.poll();
    expect(subject.names()).toEqual(['changed']);
    expect(subject.core.snapshot().providers).toMatchObject([{ pulledAgoMs: 0, failures: 0 }]);
    await provider.start(2);
    await registry.wait(lagMs);
    await subject.poll();
    await expect(subject.addressesOf(provider.name)).resolves.toHaveLength(2);
    await provider.stop(1);
    await registry.wait(removalLagMs);
    await subject.pollUntil(async () => (await subject.addressesOf(provider.name)).length === 1);
    await expect(subject.addressesOf(provider.name)).resolves.toEqual(['rest://10.0.0.1:2']);
    expect(subject.names()).toEqual(['changed', 'changed', 'changed']);
  });

  it('finds several with one poll, and says which of them is unknown', async () => {
    const { registry, subject, provider } = await stage();
    const other = new Provider(subject.client);
    for (const each of [provider, other]) {
      await each.create();
      await each.start(1);
    }
    await registry.wait(lagMs);
    const unheardOf = fresh('unheard-of');
    await expect(subject.addressesOf(provider.name)).resolves.toHaveLength(1);
    await expect(subject.addressesOf(other.name)).resolves.toHaveLength(1);
    await expect(subject.core.find(unheardOf)).rejects.toMatchObject({
      reason: 'unknown-provider',
    });
    await other.start(2);
    await registry.wait(lagMs);
    await subject.poll();
    await expect(subject.addressesOf(other.name)).resolves.toHaveLength(2);
    expect(subject.core.snapshot().providers.map(({ state }) => state)).toEqual([
      'known',
      'known',
      'absent',
    ]);
  });

  it('tells a provider without instances from one that does not exist', async () => {
    const { registry, subject, provider } = await stage();
    await expect(subject.core.pick(provider.name)).rejects.toMatchObject({
      reason: 'unknown-provider',
    });
    await provider.create();
    await registry.wait(lagMs);
    await subject.poll();
    await expect(subject.core.pick(provider.name)).rejects.toMatchObject({
      reason: 'none-registered',
    });
  });

  it('keeps what an empty answer lacks, until a call fails', async () => {
    const { registry, subject, provider } = await stage();
    await provider.create();
    await provider.start(1);
    await registry.wait(lagMs);
    await subject.core.find(provider.name);
    await provider.stop(1);
    await registry.wait(removalLagMs);
    await subject.pollUntil(async () => {
      await subject.core.find(provider.name);
      return subject.names().includes('emptied');
    });
    await expect(subject.addressesOf(provider.name)).resolves.toHaveLength(1);
    expect(subject.names()).toEqual(['changed', 'emptied']);
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    await expect(subject.core.call(provider.name, () => Promise.reject(refused))).rejects.toBe(
      refused,
    );
    await expect(subject.core.find(provider.name)).resolves.toEqual([]);
  });

  it('recovers a provider whose service was deleted and created again', async () => {
    const { registry, subject, provider } = await stage();
    await provider.create();
    await provider.start(1);
    await registry.wait(lagMs);
    await subject.core.find(provider.name);
    await provider.remove();
    await registry.wait(removalLagMs);
    await subject.pollUntil(async () => {
      await subject.core.find(provider.name);
      return subject.core.snapshot().providers[0]?.state === 'absent';
    });
    await expect(subject.addressesOf(provider.name)).resolves.toEqual(['rest://10.0.0.1:1']);
    expect(subject.core.snapshot().providers).toMatchObject([
      { state: 'absent', instances: [{ kept: true }] },
    ]);
    await provider.create();
    await provider.start(1);
    await registry.wait(lagMs);
    await subject.poll();
    await expect(subject.addressesOf(provider.name)).resolves.toEqual(['rest://10.0.0.1:1']);
    expect(subject.core.snapshot().providers).toMatchObject([
      { state: 'known', instances: [{ kept: false }] },
    ]);
  });

  it('has the registry note the dependency with each pull, whatever that answers', async () => {
    const { registry, subject, provider } = await stage();
    const consumer = new Provider(subject.client);
    for (const each of [provider, consumer]) await each.create();
    await provider.start(1);
    await registry.wait(lagMs);
    await subject.core.find(provider.name);
    const dependencies = async () => {
      await registry.wait(3_000);
      const services = await subject.client.listProviders(consumer.serviceId);
      return services.map(({ serviceName }) => serviceName);
    };
    await expect(dependencies()).resolves.toEqual([]);
    subject.register(consumer.serviceId);
    await subject.settled();
    await expect(dependencies()).resolves.toEqual([provider.name]);
  });

  it('asks without our own service where the registry does not know that', async () => {
    const { registry, subject, provider } = await stage();
    await provider.create();
    await provider.start(1);
    await registry.wait(lagMs);
    subject.register('0123456789abcdef0123456789abcdef01234567');
    await expect(subject.core.find(provider.name)).resolves.toHaveLength(1);
    expect(subject.names()).toEqual(['changed']);
  });
});

describe('a registry that restarts empty', () => {
  it('is not believed when it answers "not modified" to a revision of its former life', async () => {
    const serviceCenter = new EmbeddedServiceCenter({ port: 0 });
    const { url } = await serviceCenter.start();
    cleanUps.push(() => serviceCenter.stop());
    const client = httpClient(url);
    const subject = new Subject(client);
    const provider = new Provider(client);
    await provider.create();
    await provider.start(1);
    await provider.start(2);
    await subject.core.find(provider.name);
    serviceCenter.reset();
    await provider.create();
    await provider.start(3);
    await provider.start(4);
    await subject.poll();
    const former = ['rest://10.0.0.1:1', 'rest://10.0.0.1:2'];
    expect([...(await subject.addressesOf(provider.name))].sort()).toEqual(former);
    expect(subject.names()).toEqual(['changed']);
    for (const _ of ['cheap', 'cheap', 'truth']) await subject.poll();
    const present = ['rest://10.0.0.1:3', 'rest://10.0.0.1:4'];
    expect([...(await subject.addressesOf(provider.name))].sort()).toEqual(present);
  });
});
