import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { NoInstanceError } from '../../../lib/errors.js';
import { pickers } from '../../../lib/discovery/pickers.js';
import type { ProviderChange } from '../../../lib/discovery/provider.js';
import type { ProviderSettings } from '../../../lib/discovery/settings.js';
import { DiscoveryCore } from '../../../lib/discovery/core.js';
import { DiscoveryHarness, discoverySettings } from '../../support/discovery-harness.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeProviders, instanceOf, refusal, unreachable } from '../../support/fake-providers.js';

function settingsOf(serviceName: string, changed: Partial<ProviderSettings> = {}) {
  const settings: ProviderSettings = {
    environment: '',
    appId: 'default',
    serviceName,
    versionRule: undefined,
    endpoints: undefined,
    picker: pickers.balanced,
    zone: 'prefer',
    ...changed,
  };
  return settings;
}

function idsOf(instances: readonly { readonly instanceId: string }[]): readonly string[] {
  return instances.map(({ instanceId }) => instanceId);
}

const refusedCall = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

describe('a question before anybody wants to hear that something is due', () => {
  it('is heard of later, so that its provider is polled', async () => {
    const clock = new FakeClock();
    const registry = new FakeProviders(clock);
    registry.list('greeter', [instanceOf('a')]);
    const publisher = { publish: () => undefined, note: () => undefined };
    const parts = { client: registry, clock, random: () => 0.5, publisher };
    const core = new DiscoveryCore(discoverySettings(), parts);
    await core.find('greeter');
    let wakes = 0;
    core.onDue(() => void (wakes += 1));
    expect(wakes).toBe(1);
    await core.stop();
  });
});

describe('before the first question', () => {
  it('nothing is asked, timed or opened, whatever the registration does', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    harness.register();
    harness.notice({
      name: 'servicecomb.instance.registered',
      payload: { registrations: 2, leaseMs: 60_000 },
    });
    harness.notice({ name: 'servicecomb.event-loop.stalled', payload: { lateMs: 5_000 } });
    await expect(harness.core.tick()).resolves.toBeUndefined();
    expect(harness.registry.count()).toBe(0);
    expect(harness.wakes).toBe(0);
    expect(harness.clock.sleepers).toBe(0);
    expect(new Set(harness.watchers[0]?.wanted)).toEqual(new Set([undefined]));
    expect(harness.core.snapshot()).toMatchObject({ watching: false, providers: [] });
  });
});

describe('the snapshot', () => {
  it('counts how providers were read, and what came of it', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    await harness.core.find('nobody').catch(() => undefined);
    harness.registry.fails = () => unreachable();
    await harness.core.find('greeter', { fresh: true }).catch(() => undefined);
    expect(harness.core.snapshot().pulls).toEqual({
      poll: { listed: 0, unchanged: 0, absent: 0, failed: 0 },
      truth: { listed: 1, unchanged: 0, absent: 1, failed: 0 },
      store: { listed: 0, unchanged: 0, absent: 0, failed: 1 },
    });
    harness.registry.fails = () => undefined;
    await harness.run(120_000);
    expect(harness.core.snapshot().pulls.poll.unchanged).toBeGreaterThan(0);
  });

  it('counts the calls of a provider, by whatever name', async () => {
    const { core, registry } = new DiscoveryHarness({
      providers: new Map([['modern', settingsOf('greeter', { versionRule: '2.0.0+' })]]),
    });
    registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await core.call('greeter', async () => 'hello');
    await expect(core.call('modern', async () => 'hello')).rejects.toThrow(NoInstanceError);
    let attempts = 0;
    const second = async (): Promise<string> => {
      attempts += 1;
      if (attempts === 1) throw refusedCall;
      return 'hello';
    };
    await core.call('greeter', second);
    await core
      .call('greeter', async () => Promise.reject(refusedCall), { retries: 0 })
      .catch(() => undefined);
    const [provider] = core.snapshot().providers;
    expect(provider?.calls).toMatchObject({ good: 2, unsent: 1, 'no-instance': 1 });
    expect(provider?.calls.retries).toBeGreaterThan(0);
    expect(Object.isFrozen(provider?.calls)).toBe(true);
  });
});

describe('a known list', () => {
  it('answers at once, however old, also while the registry is away', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.registry.fails = () => unreachable();
    await harness.run(600_000);
    harness.clear();
    await expect(harness.core.find('greeter')).resolves.toEqual([instanceOf('a')]);
    await expect(harness.core.pick('greeter')).resolves.toMatchObject({ url: 'http://a:80' });
    expect(harness.registry.count()).toBe(0);
  });

  it('is of one application and one environment', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    await harness.core.find({ serviceName: 'greeter' });
    await harness.core.find({ serviceName: 'greeter', appId: 'default', environment: '' });
    expect(harness.registry.count()).toBe(1);
    await harness.core.find({ serviceName: 'greeter', appId: 'finance' });
    await harness.core.find({ serviceName: 'greeter', environment: 'testing' });
    expect(harness.registry.count()).toBe(3);
    expect(harness.core.snapshot().providers.map(({ provider }) => provider)).toEqual([
      { environment: '', appId: 'default', serviceName: 'greeter' },
      { environment: '', appId: 'finance', serviceName: 'greeter' },
      { environment: 'testing', appId: 'default', serviceName: 'greeter' },
    ]);
  });

  it('has all versions, and shows each asker its own', async () => {
    const harness = new DiscoveryHarness({
      providers: new Map([['modern', settingsOf('greeter', { versionRule: '2.0.0+' })]]),
    });
    const instances = ['1.0.0', '2.0.0', '3.0.0'].map(version =>
      instanceOf(`v${version.charAt(0)}`, { version }),
    );
    harness.registry.list('greeter', instances);
    const { core } = harness;
    await expect(core.find('greeter')).resolves.toHaveLength(3);
    expect(idsOf(await core.find('modern'))).toEqual(['v2', 'v3']);
    const latest = { serviceName: 'greeter', versionRule: 'latest' };
    expect(idsOf(await core.find(latest))).toEqual(['v3']);
    expect(core.pickKnown(latest)?.instance.instanceId).toBe('v3');
    const both = { serviceName: 'modern', versionRule: '1.0.0-3.0.0' };
    expect(idsOf(await core.find(both))).toEqual(['v2']);
    expect(core.pickKnown(both)?.instance.instanceId).toBe('v2');
    expect(core.pickKnown(both, { versionRule: '3.0.0' })?.instance.instanceId).toBe('v3');
    expect(harness.registry.count()).toBe(1);
  });

  it('is shown whole, or what may be called of it', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a'), instanceOf('b', { status: 'DOWN' })]);
    expect(idsOf(await core.find('greeter'))).toEqual(['a']);
    expect(idsOf(await core.find('greeter', { status: 'any' }))).toEqual(['a', 'b']);
  });

  it('may be empty, and then says what is lacking', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', []);
    await expect(core.find('greeter')).resolves.toEqual([]);
    await expect(core.pick('greeter')).rejects.toMatchObject({ reason: 'none-registered' });
    await expect(core.call('greeter', async () => 1)).rejects.toThrow(NoInstanceError);
    expect(core.pickKnown('greeter')).toBeUndefined();
  });

  it('is forgotten after half an hour without a question', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    await harness.run(29 * 60_000);
    await harness.core.find('greeter');
    await harness.run(29 * 60_000);
    expect(harness.core.snapshot().providers).toHaveLength(1);
    await harness.run(2 * 60_000);
    expect(harness.core.snapshot().providers).toEqual([]);
    harness.clear();
    await expect(harness.core.tick()).resolves.toBeUndefined();
    await harness.run(60_000);
    expect(harness.registry.count()).toBe(0);
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
  });

  it('is not forgotten while somebody follows it', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    const end = harness.core.onChange('greeter', () => undefined);
    await harness.run(35 * 60_000);
    expect(harness.core.snapshot().providers).toHaveLength(1);
    end();
    await harness.run(60_000);
    expect(harness.core.snapshot().providers).toEqual([]);
  });

  it('of a provider that does not exist is forgotten after a minute', async () => {
    const harness = new DiscoveryHarness();
    await expect(harness.core.find('greeter')).rejects.toMatchObject({
      reason: 'unknown-provider',
      provider: { environment: '', appId: 'default', serviceName: 'greeter' },
    });
    await harness.run(59_000);
    expect(harness.core.snapshot().providers).toMatchObject([{ state: 'absent' }]);
    await harness.run(31_000);
    expect(harness.core.snapshot().providers).toEqual([]);
  });
});

describe('our own service', () => {
  it('is named from its registration on, and everything is asked for again then', async () => {
    const harness = new DiscoveryHarness();
    for (const name of ['a', 'b']) harness.registry.list(name, [instanceOf(name)]);
    await Promise.all(['a', 'b'].map(name => harness.core.find(name)));
    expect(harness.registry.asked.map(({ consumerId }) => consumerId)).toEqual([
      undefined,
      undefined,
    ]);
    harness.clear();
    harness.register('consumer-1');
    expect(harness.core.consumerId).toBe('consumer-1');
    expect(harness.registry.asked).toMatchObject([
      { names: ['a', 'b'], consumerId: 'consumer-1', revisions: ['0', '0'] },
    ]);
    await harness.run(15_000);
    harness.clear();
    harness.register('consumer-1');
    await harness.run(0);
    expect(harness.registry.count()).toBe(0);
    harness.register('consumer-2');
    expect(harness.registry.asked).toMatchObject([{ consumerId: 'consumer-2' }]);
  });

  it('is not named by an id that no header can hold', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('a', [instanceOf('a')]);
    harness.register('Größe');
    await expect(harness.core.find('a')).resolves.toHaveLength(1);
    expect(harness.registry.asked).toMatchObject([{ consumerId: undefined }]);
  });

  it('is watched for while there is a provider in our environment', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    const wanted = () => harness.watchers[0]?.wanted.at(-1);
    harness.register();
    await harness.core
      .find({ serviceName: 'greeter', environment: 'testing' })
      .catch((error: unknown) => error);
    expect(wanted()).toBeUndefined();
    harness.registry.list('greeter', [instanceOf('a')]);
    const wakes = harness.wakes;
    await harness.core.find('greeter');
    expect(wanted()).toBe('consumer');
    expect(harness.wakes).toBeGreaterThan(wakes);
    await harness.run(32 * 60_000);
    expect(wanted()).toBeUndefined();
  });

  it('is watched for anew when it was registered again under its old id', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    harness.register();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.register();
    expect(harness.watchers[0]?.wanted.slice(-2)).toEqual([undefined, 'consumer']);
  });

  it('is not watched for where polls are to do', () => {
    expect(new DiscoveryHarness({ watch: false }).watchers).toEqual([]);
  });

  it('that lost its instance makes the next answer doubtful', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await harness.core.find('greeter');
    harness.notice({
      name: 'servicecomb.instance.lost',
      payload: { reason: 'forgotten', foundBy: 'heartbeat', error: undefined, retryInMs: 1 },
    });
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.run(5_000);
    expect(harness.core.snapshot().providers[0]?.instances).toMatchObject([
      { instanceId: 'a', kept: false },
      { instanceId: 'b', kept: true },
    ]);
  });
});

describe('following a provider', () => {
  it('shows the list now, and each change of what may be called', async () => {
    const harness = new DiscoveryHarness();
    const changes: ProviderChange[] = [];
    harness.registry.list('greeter', [instanceOf('a')]);
    harness.core.onChange('greeter', change => changes.push(change));
    expect(changes).toEqual([]);
    await harness.run(15_000);
    expect(changes).toMatchObject([{ added: [{ instanceId: 'a' }], removed: [], updated: [] }]);
    harness.registry.list('greeter', [instanceOf('b')]);
    await harness.run(15_000);
    expect(changes).toHaveLength(2);
    expect(changes[1]).toMatchObject({
      provider: { appId: 'default', serviceName: 'greeter' },
      instances: [{ instanceId: 'b' }],
      added: [{ instanceId: 'b' }],
      removed: [{ instanceId: 'a' }],
    });
    const late: ProviderChange[] = [];
    harness.core.onChange('greeter', change => late.push(change));
    expect(late).toMatchObject([{ instances: [{ instanceId: 'b' }] }]);
  });

  it('shows only the versions that are asked for', async () => {
    const harness = new DiscoveryHarness();
    const lists: (readonly string[])[] = [];
    harness.registry.list('greeter', [instanceOf('a')]);
    harness.core.onChange({ serviceName: 'greeter', versionRule: '2.0.0' }, ({ instances }) =>
      lists.push(idsOf(instances)),
    );
    await harness.run(15_000);
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('c')]);
    await harness.run(15_000);
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b', { version: '2.0.0' })]);
    await harness.run(15_000);
    expect(lists).toEqual([[], ['b']]);
  });

  it('of an unknown one shows that there is none, and never fails', async () => {
    const harness = new DiscoveryHarness();
    const lists: (readonly string[])[] = [];
    harness.registry.fails = () => unreachable();
    harness.core.onChange('greeter', ({ instances }) => lists.push(idsOf(instances)));
    await harness.run(30_000);
    expect(lists).toEqual([]);
    harness.registry.fails = () => undefined;
    await harness.run(15_000);
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.run(15_000);
    expect(lists).toEqual([[], ['a']]);
  });

  it('ends with the function that it returns', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    const changes: ProviderChange[] = [];
    harness.core.onChange('greeter', change => changes.push(change))();
    await harness.run(15_000);
    expect(changes).toEqual([]);
  });
});

describe('events', () => {
  it('say what changed of what may be called, with endpoints and our own instance', async () => {
    const harness = new DiscoveryHarness();
    const instance = {
      serviceId: 's',
      instanceId: 'own',
      serviceName: 'caller',
      version: '1.0.0',
      endpoints: [],
    };
    harness.core.notice(
      { name: 'servicecomb.instance.registered', payload: { registrations: 1, leaseMs: 1 } },
      { at: 'now', instance },
    );
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    expect(harness.events).toEqual([
      {
        name: 'servicecomb.discovery.changed',
        payload: {
          provider: { environment: '', appId: 'default', serviceName: 'greeter' },
          added: [{ instanceId: 'a', endpoints: ['rest://a:80'] }],
          removed: [],
          updated: [],
        },
      },
    ]);
    expect(harness.contexts).toMatchObject([{ at: '2026-01-01T00:00:01.000Z', instance }]);
  });

  it('say once that an answer was not believed', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.registry.list('greeter', undefined);
    harness.clear();
    await harness.run(100_000);
    expect(harness.events).toMatchObject([
      {
        name: 'servicecomb.discovery.emptied',
        payload: { kept: [{ instanceId: 'a' }], keptForMs: 120_000, reason: 'absent' },
      },
    ]);
    await harness.run(40_000);
    expect(harness.names()).toEqual(['discovery.emptied', 'discovery.changed']);
    await expect(harness.core.find('greeter')).rejects.toMatchObject({
      reason: 'unknown-provider',
    });
  });

  it('say once that the registry does not serve, and once that it does again (D6)', async () => {
    const harness = new DiscoveryHarness();
    const names = ['a', 'b', 'c'];
    for (const name of names) harness.registry.list(name, [instanceOf(name)]);
    await Promise.all(names.map(name => harness.core.find(name)));
    harness.clear();
    harness.registry.fails = () => unreachable();
    await harness.run(300_000);
    expect(harness.registry.count()).toBeLessThanOrEqual(25);
    for (const name of names) await expect(harness.core.find(name)).resolves.toHaveLength(1);
    harness.registry.fails = () => undefined;
    await harness.run(30_000);
    expect(harness.events).toMatchObject([
      { name: 'servicecomb.discovery.failed', payload: { failures: 1 } },
      { name: 'servicecomb.discovery.recovered', payload: { failures: 20 } },
    ]);
    expect(harness.events.every(({ payload }) => !('provider' in payload))).toBe(true);
  });

  it('say it anew for an outage after the providers of an earlier one were forgotten', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.fails = () => unreachable();
    await expect(harness.core.find('greeter')).rejects.toThrow();
    await harness.run(31 * 60_000);
    harness.registry.fails = () => undefined;
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.registry.fails = () => unreachable();
    harness.clear();
    await harness.run(15_000);
    expect(harness.names()).toEqual(['discovery.failed']);
  });

  it('say it anew for an outage after one that ended in a refusal', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.registry.fails = () => unreachable();
    await harness.run(15_000);
    harness.registry.fails = () => refusal(403_205);
    await harness.run(15_000);
    harness.registry.fails = () => undefined;
    await harness.run(75_000);
    harness.registry.fails = () => unreachable();
    harness.clear();
    await harness.run(15_000);
    expect(harness.names()).toEqual(['discovery.failed']);
  });

  it('say nothing of a provider that was forgotten while it was asked for', async () => {
    const harness = new DiscoveryHarness();
    await expect(harness.core.find('greeter')).rejects.toThrow(NoInstanceError);
    harness.clear();
    harness.registry.latencyMs = 70_000;
    harness.registry.fails = () => unreachable();
    await harness.run(170_000);
    expect(harness.core.snapshot().providers).toEqual([]);
    expect(harness.registry.count()).toBeGreaterThan(0);
    expect(harness.names()).toEqual([]);
  });

  it('name the provider that is refused', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('a', [instanceOf('a')]);
    await harness.core.find('a');
    harness.clear();
    harness.registry.fails = () => refusal(403_205);
    await harness.run(200_000);
    harness.registry.fails = () => undefined;
    await harness.run(75_000);
    const provider = { environment: '', appId: 'default', serviceName: 'a' };
    expect(harness.events).toMatchObject([
      { name: 'servicecomb.discovery.failed', payload: { provider, failures: 1 } },
      { name: 'servicecomb.discovery.recovered', payload: { provider } },
    ]);
  });

  it('say who is set aside and who is called again', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await harness.core.find('greeter');
    harness.clear();
    const call = () =>
      harness.core.call('greeter', ({ instance }) =>
        instance.instanceId === 'a' ? Promise.reject(refusedCall) : Promise.resolve('b'),
      );
    await expect(Promise.all([call(), call()])).resolves.toEqual(['b', 'b']);
    expect(harness.events).toMatchObject([
      {
        name: 'servicecomb.endpoint.ejected',
        payload: {
          provider: { serviceName: 'greeter' },
          instanceId: 'a',
          endpoint: 'rest://a:80',
          error: { code: 'ECONNREFUSED', message: 'refused' },
          failures: 1,
        },
      },
    ]);
    expect(harness.core.snapshot().providers[0]?.instances[0]).toMatchObject({
      instanceId: 'a',
      ejectedForMs: 5_000,
    });
    await harness.run(6_000);
    for (const _ of [1, 2, 3]) await harness.core.call('greeter', async () => 1);
    expect(harness.names()).toContain('endpoint.restored');
  });

  it('say when changes are pushed, and when not', () => {
    const harness = new DiscoveryHarness({ watch: true });
    const error = unreachable();
    const [watcher] = harness.watchers;
    watcher?.events.opened('http://a:1');
    watcher?.events.lost('http://a:1', error, 500);
    watcher?.events.failed('http://a:1', error, 600);
    watcher?.events.silentRegistry(undefined, error, 700);
    watcher?.events.unavailable(error);
    watcher?.events.due();
    expect(harness.events).toEqual([
      { name: 'servicecomb.watch.opened', payload: { address: 'http://a:1' } },
      {
        name: 'servicecomb.watch.lost',
        payload: { address: 'http://a:1', error, retryInMs: 500 },
      },
    ]);
    expect(harness.notes.map(({ kind }) => kind)).toEqual([
      'unwatched',
      'unwatchable',
      'no-web-socket',
    ]);
    expect(harness.wakes).toBe(1);
  });

  it('note an endpoint that cannot be read', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a', { endpoints: ['nonsense', 'rest://a:80'] })]);
    await harness.core.pick('greeter');
    expect(harness.notes).toMatchObject([{ kind: 'unreadable', endpoint: 'nonsense' }]);
  });
});

describe('a cut watch', () => {
  it('makes the next answer doubtful', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    harness.registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await harness.core.find('greeter');
    harness.watchers[0]?.events.lost('http://a:1', unreachable(), 500);
    harness.registry.list('greeter', [instanceOf('a')]);
    harness.watchers[0]?.events.opened('http://a:1');
    await harness.run(500);
    expect(idsOf(await harness.core.find('greeter'))).toEqual(['a', 'b']);
    await harness.core
      .call('greeter', ({ instance }) =>
        instance.instanceId === 'b' ? Promise.reject(refusedCall) : Promise.resolve(),
      )
      .then(() =>
        harness.core.call('greeter', ({ instance }) =>
          instance.instanceId === 'b' ? Promise.reject(refusedCall) : Promise.resolve(),
        ),
      );
    expect(idsOf(await harness.core.find('greeter'))).toEqual(['a']);
  });

  it('is told of what happens to the process and to its address', () => {
    const harness = new DiscoveryHarness({ watch: true });
    const error = unreachable();
    harness.notice({ name: 'servicecomb.event-loop.stalled', payload: { lateMs: 5_000 } });
    harness.notice({
      name: 'servicecomb.address.isolated',
      payload: { address: 'http://a:1', error, isLast: true },
    });
    expect(harness.watchers[0]?.calls).toEqual(['probe', 'isolated http://a:1']);
  });
});

describe('a call that its caller aborts', () => {
  it('asks nothing when it is aborted before', async () => {
    const { core, registry } = new DiscoveryHarness();
    const signal = AbortSignal.abort('enough');
    await expect(core.call('greeter', async () => 1, { signal })).rejects.toBe('enough');
    await expect(core.find('greeter', { signal })).rejects.toBe('enough');
    expect(registry.count()).toBe(0);
  });

  it('is not repeated when a listener aborts it because of its first failure', async () => {
    const harness = new DiscoveryHarness();
    const { core, registry } = harness;
    registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await core.find('greeter');
    registry.list('greeter', []);
    await core.find('greeter', { fresh: true });
    const caller = new AbortController();
    core.onChange('greeter', ({ removed }) => {
      if (removed.length > 0) caller.abort('enough');
    });
    const called: string[] = [];
    const call = core.call(
      'greeter',
      ({ url }) => {
        called.push(url);
        return Promise.reject(refusedCall);
      },
      { signal: caller.signal },
    );
    await expect(call).rejects.toBe('enough');
    expect(called).toHaveLength(1);
  });

  it('leaves no listener at its signal while it waits for the first answer', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    const { signal } = new AbortController();
    await core.find('greeter', { signal });
    await core.call('greeter', async () => 1, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('fixed endpoints', () => {
  const providers = new Map([
    ['greeter', settingsOf('greeter', { endpoints: ['rest://127.0.0.1:4001'], zone: 'only' })],
  ]);

  it.each([true, false])('never ask the registry; enabled: %s', async enabled => {
    const harness = new DiscoveryHarness({ enabled, providers });
    await expect(harness.core.pick('greeter')).resolves.toMatchObject({
      url: 'http://127.0.0.1:4001',
    });
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
    await expect(harness.core.find('greeter', { fresh: true })).resolves.toHaveLength(1);
    await expect(harness.core.call('greeter', () => Promise.reject(refusedCall))).rejects.toBe(
      refusedCall,
    );
    const lists: number[] = [];
    harness.core.onChange('greeter', ({ instances }) => lists.push(instances.length));
    await harness.run(40 * 60_000);
    expect(lists).toEqual([1]);
    expect(harness.registry.count()).toBe(0);
    expect(harness.core.snapshot().providers).toMatchObject([
      {
        state: 'fixed',
        pulledAgoMs: null,
        instances: [{ endpoints: ['rest://127.0.0.1:4001'], kept: false, pending: 0 }],
      },
    ]);
  });

  it('are not asked by other names', async () => {
    const harness = new DiscoveryHarness({ providers });
    await expect(harness.core.pick('other')).rejects.toThrow(NoInstanceError);
    expect(harness.registry.asked).toMatchObject([{ names: ['other'] }]);
  });

  it('have no version that a rule could leave out', async () => {
    const settings = { endpoints: ['rest://127.0.0.1:4001'], versionRule: '2.0.0+' };
    const harness = new DiscoveryHarness({
      providers: new Map([['greeter', settingsOf('greeter', settings)]]),
    });
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
    await expect(harness.core.pick('greeter')).resolves.toBeDefined();
  });
});

describe('a library that is switched off', () => {
  it('asks nobody, and says so', async () => {
    const harness = new DiscoveryHarness({ enabled: false, warmUp: ['greeter'] });
    await harness.core.warmUp();
    await expect(harness.core.find('greeter')).rejects.toThrow('enabled: false');
    await expect(harness.core.pick('greeter')).rejects.toThrow(NoInstanceError);
    await expect(harness.core.find('greeter', { fresh: true })).rejects.toThrow(NoInstanceError);
    harness.core.onChange('greeter', () => undefined);
    await harness.run(60_000);
    expect(harness.registry.count()).toBe(0);
  });
});

describe('names', () => {
  it('and rules from requests do not grow for ever, and a query that was dropped is read again', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a', { version: '0.0.7' })]);
    await core.find('greeter');
    const find = (nth: number) =>
      core.find({ serviceName: 'greeter', versionRule: `0.${nth >> 12}.${nth % 4_096}` });
    for (let nth = 0; nth < 20_100; nth++) await find(nth);
    await expect(find(7)).resolves.toHaveLength(1);
    await expect(find(8)).resolves.toEqual([]);
    expect(registry.count()).toBe(1);
  });

  it('of an application that is a star is not our own', async () => {
    const { core, registry } = new DiscoveryHarness();
    registry.list('greeter', [instanceOf('a')]);
    await core.find({ serviceName: 'greeter' });
    await core.find({ serviceName: 'greeter', appId: '*' });
    expect(core.snapshot().providers.map(({ provider }) => provider.appId)).toEqual([
      'default',
      '*',
    ]);
  });

  it.each([
    ['an empty one', { serviceName: '' }],
    ['one with a line break', { serviceName: 'a\nb' }],
    ['half a character', { serviceName: '\uD800' }],
    ['an application with a control character', { serviceName: 'a', appId: '\0' }],
  ])('are refused where no URL could hold them: %s', async (_, query) => {
    const { core, registry } = new DiscoveryHarness();
    await expect(core.find(query)).rejects.toThrow(RangeError);
    expect(registry.count()).toBe(0);
  });

  it('are called with a rule that can be read', async () => {
    const { core } = new DiscoveryHarness();
    await expect(core.find({ serviceName: 'a', versionRule: 'newest' })).rejects.toThrow(
      RangeError,
    );
  });
});

describe('warming up', () => {
  it('asks for the names that are listed, and never fails', async () => {
    const { core, registry } = new DiscoveryHarness({ warmUp: ['a', 'b'] });
    registry.list('a', [instanceOf('a')]);
    await core.warmUp();
    expect(registry.asked.map(({ names }) => names)).toEqual([['a'], ['b']]);
    expect(core.pickKnown('a')).toBeDefined();
  });

  it('ends when the registry does not answer', async () => {
    const { core, registry } = new DiscoveryHarness({ warmUp: ['a'] });
    registry.fails = () => unreachable();
    await expect(core.warmUp()).resolves.toBeUndefined();
  });
});

describe('the end', () => {
  it('asks nothing more, ends what is under way, and picks from memory', async () => {
    const harness = new DiscoveryHarness({ watch: true });
    harness.registry.list('greeter', [instanceOf('a')]);
    await harness.core.find('greeter');
    harness.registry.latencyMs = 1_000;
    const waiting = harness.core.find('other');
    await harness.core.stop();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await expect(harness.core.find('third')).rejects.toMatchObject({ name: 'AbortError' });
    harness.clear();
    await expect(harness.core.pick('greeter')).resolves.toMatchObject({ url: 'http://a:80' });
    await expect(harness.core.call('greeter', async ({ url }) => url)).resolves.toBe('http://a:80');
    harness.register();
    harness.watchers[0]?.events.hint('all');
    await harness.run(60_000);
    expect(harness.registry.count()).toBe(0);
    expect(harness.watchers[0]?.calls).toContain('stop');
    expect(harness.watchers[0]?.wanted.at(-1)).toBeUndefined();
    expect(harness.clock.sleepers).toBe(0);
    await harness.core.stop();
  });
});

describe('a bug of a listener', () => {
  it('belongs to the next tick, and ends no question', async () => {
    const harness = new DiscoveryHarness();
    harness.registry.list('greeter', [instanceOf('a')]);
    harness.core.onChange('greeter', () => {
      throw new Error('bug');
    });
    await expect(harness.core.find('greeter')).resolves.toHaveLength(1);
    await expect(harness.core.tick()).rejects.toThrow('bug');
    await expect(harness.core.tick()).resolves.toBeGreaterThan(0);
  });
});
