import {
  type CallCounts,
  type HeartbeatSucceededEvent,
  type ProviderSnapshot,
  type RegistrationState,
  RegistryEvents,
} from '../index.js';
import type { Facts, LabelledProvider } from './facts.js';

/** A value of an instrument, and its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Named {
  /** As OpenTelemetry writes it; {@link prometheusName} makes the other one of it. */
  readonly name: `registry.${string}`;
  /** `s` for seconds; `{…}` says what is counted and is no part of a name. */
  readonly unit: 's' | `{${string}}`;
  readonly help: string;
  readonly labels: readonly string[];
}

/** An instrument that is read when somebody asks for the metrics. */
export interface ReadInstrument extends Named {
  readonly kind: 'gauge' | 'counter';
  read(facts: Facts): readonly Sample[];
}

/** An instrument that gets each value when it arises. */
export interface Histogram extends Named {
  readonly kind: 'histogram';
  /** Upper bounds. */
  readonly buckets: readonly number[];
  readonly event: typeof RegistryEvents.HeartbeatSucceeded;
  readonly valueOf: (event: HeartbeatSucceededEvent) => number;
}

export type Instrument = ReadInstrument | Histogram;

/** Returns the name of an instrument in Prometheus: the one that OpenTelemetry's exporters make of it, too. */
export function prometheusName({ name, unit, kind }: Instrument): string {
  const base = name.replaceAll('.', '_');
  return `${base}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`;
}

const states = Object.keys({
  idle: 0,
  registering: 0,
  registered: 0,
  degraded: 0,
  'at-risk': 0,
  lost: 0,
  blocked: 0,
  leaving: 0,
  left: 0,
  disabled: 0,
} satisfies Record<RegistrationState, 0>);

const providerStates = Object.keys({
  asked: 0,
  absent: 0,
  known: 0,
  fixed: 0,
} satisfies Record<ProviderSnapshot['state'], 0>);

const outcomes = [
  'good',
  'unsent',
  'stale',
  'broken',
  'busy',
  'late',
  'nothing',
  'no-instance',
] as const satisfies readonly (keyof CallCounts)[];

const registrationInstruments: readonly Instrument[] = [
  {
    name: 'registry.state',
    kind: 'gauge',
    unit: '{state}',
    labels: ['state'],
    help: 'State of the registration: 1 for the current one, 0 for the others.',
    read: ({ registration }) =>
      states.map(state => ({ labels: { state }, value: registration.state === state ? 1 : 0 })),
  },
  {
    name: 'registry.heartbeat',
    kind: 'counter',
    unit: '{heartbeat}',
    labels: ['result'],
    help: 'Heartbeats by their result: success, forgotten, or the kind of the failure.',
    read: ({ events }) => counted('result', events.heartbeats),
  },
  {
    name: 'registry.heartbeat.duration',
    kind: 'histogram',
    unit: 's',
    labels: [],
    help: 'Duration of heartbeats that succeeded.',
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    event: RegistryEvents.HeartbeatSucceeded,
    valueOf: ({ tookMs }) => tookMs / 1_000,
  },
  {
    name: 'registry.last_ack.age',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'Time since the last heartbeat or registration that succeeded. No value before the first.',
    read: ({ lastSuccessAgoMs }) => seconds(lastSuccessAgoMs),
  },
  {
    name: 'registry.lease.remaining',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'Time until the lease ends unless a heartbeat succeeds. No value without a lease.',
    read: ({ registration }) => seconds(registration.leaseRemainingMs),
  },
  {
    name: 'registry.reregistrations',
    kind: 'counter',
    unit: '{registration}',
    labels: ['reason'],
    help: 'Registrations after the first one, by what had ended the one before.',
    read: ({ events }) => counted('reason', events.reregistrations),
  },
  {
    name: 'registry.address.up',
    kind: 'gauge',
    unit: '{address}',
    labels: ['address'],
    help: 'Whether an address of Service Center serves: 0 while it is isolated.',
    read: ({ registration }) =>
      registration.addresses.map(({ address, isServing }) => ({
        labels: { address },
        value: isServing ? 1 : 0,
      })),
  },
  {
    name: 'registry.token.expires',
    kind: 'gauge',
    unit: 's',
    labels: ['address'],
    help: 'Time until the token of an address expires, by the local clock. No value without a login.',
    read: ({ tokens }) =>
      tokens.map(({ address, leftMs }) => ({ labels: { address }, value: leftMs / 1_000 })),
  },
  {
    name: 'registry.eventloop.lag',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: "How late the last turn of the heartbeat's timer came, because the event loop was busy.",
    read: ({ registration }) => seconds(registration.eventLoopLagMs),
  },
  {
    name: 'registry.eventloop.stalls',
    kind: 'counter',
    unit: '{stall}',
    labels: [],
    help: 'Times that the process stood still for two seconds or longer.',
    read: ({ events }) => [{ labels: {}, value: events.stalls }],
  },
];

const discoveryInstruments: readonly Instrument[] = [
  {
    name: 'registry.discovery.providers',
    kind: 'gauge',
    unit: '{provider}',
    labels: ['state'],
    help: 'Services that this one has asked for, by what is known of them.',
    read: ({ discovery }) =>
      providerStates.map(state => ({
        labels: { state },
        value: discovery.providers.filter(provider => provider.state === state).length,
      })),
  },
  {
    name: 'registry.discovery.instances',
    kind: 'gauge',
    unit: '{instance}',
    labels: ['provider', 'state'],
    help: 'Instances of a provider: up, ejected after failed calls, or of another status than UP.',
    read: ({ providers }) => summed(providers.flatMap(instancesOf)),
  },
  {
    name: 'registry.discovery.pull.age',
    kind: 'gauge',
    unit: 's',
    labels: ['provider'],
    help: 'Time since the last good answer to a request for the instances of a provider.',
    read: ({ providers }) => oldest(providers),
  },
  {
    name: 'registry.discovery.pulls',
    kind: 'counter',
    unit: '{pull}',
    labels: ['kind', 'result'],
    help: 'Requests for the instances of a provider, by kind and result; each provider of a batch is one.',
    read: ({ discovery }) =>
      Object.entries(discovery.pulls).flatMap(([kind, results]) =>
        Object.entries(results).map(([result, value]) => ({ labels: { kind, result }, value })),
      ),
  },
  {
    name: 'registry.discovery.watch.open',
    kind: 'gauge',
    unit: '{connection}',
    labels: [],
    help: 'Whether the registry pushes changes of providers now.',
    read: ({ discovery }) => [{ labels: {}, value: discovery.watching ? 1 : 0 }],
  },
  {
    name: 'registry.calls',
    kind: 'counter',
    unit: '{call}',
    labels: ['provider', 'outcome'],
    help: 'Calls by name, by what came of their last attempt.',
    read: ({ calls }) =>
      [...calls].flatMap(([provider, counts]) =>
        outcomes.map(outcome => ({ labels: { provider, outcome }, value: counts[outcome] })),
      ),
  },
  {
    name: 'registry.call.retries',
    kind: 'counter',
    unit: '{attempt}',
    labels: ['provider'],
    help: 'Further attempts of calls by name.',
    read: ({ calls }) =>
      [...calls].map(([provider, { retries }]) => ({ labels: { provider }, value: retries })),
  },
  {
    name: 'registry.ejections',
    kind: 'counter',
    unit: '{ejection}',
    labels: ['provider'],
    help: 'Times that an endpoint of a provider was set aside after failed calls.',
    read: ({ calls, events: { ejections } }) =>
      [...new Set([...calls.keys(), ...ejections.keys()])].map(provider => ({
        labels: { provider },
        value: ejections.get(provider) ?? 0,
      })),
  },
];

/** All instruments, for Prometheus and for OpenTelemetry. */
export const instruments: readonly Instrument[] = [
  ...registrationInstruments,
  ...discoveryInstruments,
];

function counted(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function seconds(ms: number | null): readonly Sample[] {
  return ms === null ? [] : [{ labels: {}, value: ms / 1_000 }];
}

function instancesOf({ label, snapshot }: LabelledProvider): readonly Sample[] {
  const counts = { up: 0, ejected: 0, unavailable: 0 };
  for (const { status = 'UP', ejectedForMs } of snapshot.instances) {
    if (status !== 'UP') counts.unavailable += 1;
    else if (ejectedForMs === null) counts.up += 1;
    else counts.ejected += 1;
  }
  return counted('state', counts).map(({ labels, value }) => ({
    labels: { provider: label, ...labels },
    value,
  }));
}

/** Providers beyond the cap share a label. */
function summed(samples: readonly Sample[]): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    sums.set(key, { labels, value: value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

function oldest(providers: readonly LabelledProvider[]): readonly Sample[] {
  const ages = new Map<string, number>();
  for (const { label, snapshot } of providers)
    if (snapshot.pulledAgoMs !== null)
      ages.set(label, Math.max(snapshot.pulledAgoMs / 1_000, ages.get(label) ?? 0));
  return counted('provider', Object.fromEntries(ages));
}
