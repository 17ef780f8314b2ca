import { describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { RegistryEvents } from '../../../lib/index.js';
import { EventCounts } from '../../../lib/metrics/event-counts.js';
import { FactReader } from '../../../lib/metrics/facts.js';
import { instruments, prometheusName } from '../../../lib/metrics/instruments.js';
import { ProviderLabels } from '../../../lib/metrics/provider-labels.js';
import { noCalls } from '../../../lib/discovery/balancer.js';
import { Registration } from '../../../lib/nest/registration.js';
import { CoreHarness } from '../../support/core-harness.js';
import { DiscoveryHarness } from '../../support/discovery-harness.js';
import { instanceOf, refusal, unreachable } from '../../support/fake-providers.js';

const own = { appId: 'default', environment: '' };

/** The facts of one application, of which a test makes the events and the providers. */
function metrics({ maxProviders = 100 } = {}) {
  const discovery = new DiscoveryHarness();
  const { core, clock } = new CoreHarness();
  const labels = new ProviderLabels(own, maxProviders);
  const events = new EventCounts(labels, clock);
  const emitter = new EventEmitter2();
  const end = events.follow(emitter);
  const registration = new Registration(core, { lateMs: 0 });
  const parts = { registration, discovery: discovery.core, events, labels, clock };
  const reader = new FactReader(parts);
  /** Values of an instrument by its labels, as `registry=up`; those that are 0 left out. */
  const read = async (name: string): Promise<Readonly<Record<string, number>>> => {
    await Promise.resolve();
    const instrument = instruments.find(each => prometheusName(each) === name);
    if (instrument === undefined || instrument.kind === 'histogram')
      throw new Error(`${name} cannot be read`);
    const samples = instrument.read(reader.read()).filter(({ value }) => value !== 0);
    return Object.fromEntries(
      samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    );
  };
  const { registry } = discovery;
  return { discovery, registry, events, emitter, end, clock, read, reader, parts };
}

describe('counts of events', () => {
  it('tell heartbeats by their result', async () => {
    const { emitter, read } = metrics();
    emitter.emit(RegistryEvents.HeartbeatSucceeded, { tookMs: 3 });
    emitter.emit(RegistryEvents.HeartbeatFailed, { error: unreachable() });
    emitter.emit(RegistryEvents.HeartbeatFailed, { error: refusal(500) });
    emitter.emit(RegistryEvents.InstanceLost, { reason: 'forgotten', foundBy: 'heartbeat' });
    emitter.emit(RegistryEvents.InstanceLost, { reason: 'forgotten', foundBy: 'read-back' });
    expect(await read('registry_heartbeat_total')).toEqual({
      success: 1,
      unreachable: 1,
      response: 1,
      forgotten: 1,
    });
  });

  it('tell registrations by what had ended the one before', async () => {
    const { emitter, read } = metrics();
    const registered = (registrations: number) =>
      emitter.emit(RegistryEvents.InstanceRegistered, { registrations });
    registered(1);
    expect(await read('registry_reregistrations_total')).toEqual({});
    emitter.emit(RegistryEvents.InstanceLost, { reason: 'expired', foundBy: 'clock' });
    registered(2);
    emitter.emit(RegistryEvents.InstanceTakenOver, {});
    registered(3);
    emitter.emit(RegistryEvents.InstanceUnregistered, { confirmed: true });
    registered(4);
    registered(5);
    emitter.emit(RegistryEvents.InstanceUnregisterFailed, {});
    registered(6);
    expect(await read('registry_reregistrations_total')).toEqual({
      expired: 1,
      'taken-over': 1,
      rejoined: 2,
      replaced: 1,
    });
  });

  it('tell the age of the last success, also when there is no lease any more', async () => {
    const { emitter, clock, read } = metrics();
    expect(await read('registry_last_ack_age_seconds')).toEqual({});
    emitter.emit(RegistryEvents.InstanceRegistered, { registrations: 1 });
    await clock.advance(90_000);
    expect(await read('registry_last_ack_age_seconds')).toEqual({ '': 90 });
  });

  it('tell how long a token lives, of the addresses that are known', async () => {
    const { emitter, clock, read, reader } = metrics();
    const { address } = reader.read().registration;
    const expiresAt = new Date(clock.wallNow() + 60_000).toISOString();
    for (const each of [address, 'http://elsewhere'])
      emitter.emit(RegistryEvents.TokenRenewed, { address: each, expiresAt });
    expect(await read('registry_token_expires_seconds')).toEqual({ [address]: 60 });
    await clock.advance(61_000);
    expect(await read('registry_token_expires_seconds')).toEqual({});
  });

  it('tell ejections by provider, from 0 on, and standstills', async () => {
    const { discovery, registry, emitter, reader, read } = metrics();
    registry.list('greeter', [instanceOf('a')]);
    await discovery.core.find('greeter');
    const instrument = instruments.find(({ name }) => name === 'registry.ejections');
    if (instrument?.kind !== 'counter') throw new Error('there is no such counter');
    const before = [{ labels: { provider: 'greeter' }, value: 0 }];
    expect(instrument.read(reader.read())).toEqual(before);
    const provider = { ...own, serviceName: 'greeter' };
    emitter.emit(RegistryEvents.EndpointEjected, { provider });
    emitter.emit(RegistryEvents.EventLoopStalled, { lateMs: 5_000 });
    expect(await read('registry_ejections_total')).toEqual({ greeter: 1 });
    expect(await read('registry_eventloop_stalls_total')).toEqual({ '': 1 });
  });

  it('end', () => {
    const { emitter, end } = metrics();
    end();
    expect(emitter.eventNames()).toEqual([]);
  });
});

describe('providers', () => {
  it('have a label each, with application and environment where they are not our own', async () => {
    const { discovery, registry, read } = metrics();
    registry.list('greeter', [instanceOf('a'), instanceOf('b', { status: 'DOWN' })]);
    await discovery.core.find('greeter');
    await discovery.core.find({ serviceName: 'greeter', appId: 'finance' });
    await discovery.core.find({ serviceName: 'greeter', environment: 'testing' });
    expect(await read('registry_discovery_instances')).toEqual({
      'greeter up': 1,
      'greeter unavailable': 1,
      'finance/greeter up': 1,
      'finance/greeter unavailable': 1,
      'testing/default/greeter up': 1,
      'testing/default/greeter unavailable': 1,
    });
  });

  it('share one label beyond the cap, and keep their own', async () => {
    const { discovery, registry, read } = metrics({ maxProviders: 1 });
    for (const name of ['first', 'second', 'third']) {
      registry.list(name, [instanceOf(`${name}-1`)]);
      await discovery.core.find(name);
      await read('registry_calls_total');
      await discovery.core.call(name, async () => 'hello');
    }
    expect(await read('registry_discovery_instances')).toEqual({ 'first up': 1, '_other up': 2 });
    expect(await read('registry_calls_total')).toEqual({ 'first good': 1, '_other good': 2 });
  });

  it('that the registry does not know use up no label', async () => {
    const { discovery, registry, read, reader } = metrics({ maxProviders: 1 });
    for (const name of ['guess-1', 'guess-2'])
      await discovery.core.find(name).catch(() => undefined);
    expect(reader.read().providers).toEqual([]);
    expect(await read('registry_discovery_providers')).toEqual({ absent: 2 });
    registry.list('greeter', [instanceOf('a')]);
    await discovery.core.find('greeter');
    expect(await read('registry_discovery_instances')).toEqual({ 'greeter up': 1 });
  });

  it('show who is set aside, how old their list is, and whether changes are pushed', async () => {
    const { discovery, registry, read } = metrics();
    registry.list('greeter', [instanceOf('a'), instanceOf('b')]);
    await discovery.core.find('greeter');
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const once = { retries: 0, idempotent: true };
    const failing = discovery.core.call('greeter', async () => Promise.reject(refused), once);
    await expect(failing).rejects.toThrow('refused');
    const instances = await read('registry_discovery_instances');
    expect(instances['greeter ejected']).toBeGreaterThan(0);
    await discovery.clock.advance(5_000);
    expect(await read('registry_discovery_pull_age_seconds')).toEqual({
      greeter: expect.any(Number),
    });
    expect(await read('registry_discovery_watch_open')).toEqual({});
  });

  it('have a label of their own once they are known', () => {
    const labels = new ProviderLabels(own, 1);
    const provider = { ...own, serviceName: 'greeter' };
    expect(labels.labelOf({ provider, state: 'absent' })).toBe('_other');
    expect(labels.labelOf({ provider, state: 'known' })).toBe('greeter');
    expect(labels.labelOf({ provider, state: 'absent' })).toBe('greeter');
  });

  it('keep the count of their calls when they are forgotten and asked for again', async () => {
    const { discovery, registry, read } = metrics();
    registry.list('greeter', [instanceOf('a')]);
    for (let call = 0; call < 3; call++) await discovery.core.call('greeter', async () => 'hello');
    expect(await read('registry_calls_total')).toEqual({ 'greeter good': 3 });
    await discovery.run(31 * 60_000);
    expect(discovery.core.snapshot().providers).toEqual([]);
    expect(await read('registry_calls_total')).toEqual({ 'greeter good': 3 });
    await discovery.core.call('greeter', async () => 'hello');
    expect(await read('registry_calls_total')).toEqual({ 'greeter good': 4 });
    expect(await read('registry_calls_total')).toEqual({ 'greeter good': 4 });
  });
});

describe('facts', () => {
  /** What is known of a provider that was called three times. */
  async function greeted() {
    const { discovery, registry, parts } = metrics();
    registry.list('greeter', [instanceOf('a')]);
    for (let call = 0; call < 3; call++) await discovery.core.call('greeter', async () => 'hello');
    return { discovery, parts, known: discovery.core.snapshot() };
  }

  it('count calls of a provider that was forgotten and asked for again between two reads', async () => {
    const { discovery, parts } = await greeted();
    const reader = new FactReader(parts);
    expect(reader.read().calls.get('greeter')).toMatchObject({ good: 3 });
    await discovery.run(31 * 60_000);
    await discovery.core.call('greeter', async () => 'hello');
    expect(discovery.core.snapshot().providers[0]?.calls.good).toBe(1);
    expect(reader.read().calls.get('greeter')).toMatchObject({ good: 4 });
  });

  it('add up a service that is known by two names', async () => {
    const { parts, known } = await greeted();
    const providers = [...known.providers, ...known.providers];
    const reader = new FactReader({
      ...parts,
      discovery: { snapshot: () => ({ ...known, providers }) },
    });
    expect(reader.read().calls.get('greeter')).toMatchObject({ good: 6 });
    await Promise.resolve();
    expect(reader.read().calls.get('greeter')).toMatchObject({ good: 6 });
  });

  it('have instances that are kept though the registry has forgotten their service', async () => {
    const { parts, known } = await greeted();
    const calls = noCalls();
    const providers = known.providers.map(each => ({ ...each, state: 'absent', calls }) as const);
    const snapshot = () => ({ ...known, providers });
    const reader = new FactReader({ ...parts, discovery: { snapshot } });
    expect(reader.read().providers).toMatchObject([{ label: '_other' }]);
  });

  it('take the age of the last success from the lease while there is one', () => {
    const { parts, events } = metrics();
    events.succeededAt = parts.clock.now() - 90_000;
    const snapshot = () => ({ ...parts.registration.snapshot(), renewedAgoMs: 4_000 });
    const reader = new FactReader({ ...parts, registration: { snapshot } });
    expect(reader.read().lastSuccessAgoMs).toBe(4_000);
  });
});

it('the facts are read once for all that ask at a time', async () => {
  const { reader } = metrics();
  const facts = reader.read();
  expect(reader.read()).toBe(facts);
  await Promise.resolve();
  expect(reader.read()).not.toBe(facts);
});
