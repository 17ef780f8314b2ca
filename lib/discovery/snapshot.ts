import { type ErrorSummary, type ProviderName, summaryOf } from '../errors.js';
import type { InstanceStatus } from '../protocol/wire.js';
import { callCounts, type CallCounts, noCalls } from './balancer.js';
import type { KnownProvider } from './known-provider.js';
import { keptOf } from './provider-state.js';
import type { PullCounts } from './puller.js';

/** The state of discovery: plain, frozen, safe to log. */
export interface DiscoverySnapshot {
  /** Whether the registry pushes changes now. */
  readonly watching: boolean;
  readonly providers: readonly ProviderSnapshot[];
  /** Pulls so far, by how providers were read and what came of it; each provider of a batch is one. */
  readonly pulls: PullCounts;
}

/** A provider in a snapshot. */
export interface ProviderSnapshot {
  readonly provider: ProviderName;
  /**
   * - `asked`: nothing is known yet
   * - `absent`: the registry does not know the service
   * - `known`: its instances are known; there may be none
   * - `fixed`: its endpoints are options, and the registry is not asked
   */
  readonly state: 'asked' | 'absent' | 'known' | 'fixed';
  /** Since the last good answer, in milliseconds; null before the first. */
  readonly pulledAgoMs: number | null;
  /** Failed requests in a row. */
  readonly failures: number;
  readonly lastError: ErrorSummary | null;
  readonly instances: readonly InstanceSnapshot[];
  /** Calls so far, since the provider was first asked for. */
  readonly calls: CallCounts;
}

/** An instance in a snapshot. */
export interface InstanceSnapshot {
  readonly instanceId: string;
  readonly endpoints: readonly string[];
  readonly status: InstanceStatus | undefined;
  readonly version: string | undefined;
  /** Whether the last answer lacked it, and is not believed. */
  readonly kept: boolean;
  /** Until a call is tried there, in milliseconds; null: it is not set aside. */
  readonly ejectedForMs: number | null;
  /** Calls of this process that are under way. */
  readonly pending: number;
  readonly latencyMs: number | null;
}

/** @internal Returns a frozen copy of the counts. */
export function frozenCounts({ poll, truth, store }: PullCounts): PullCounts {
  return Object.freeze({
    poll: Object.freeze({ ...poll }),
    truth: Object.freeze({ ...truth }),
    store: Object.freeze({ ...store }),
  });
}

/** Returns the counts of all balancers of a provider as one. */
function callsOf({ balancers }: KnownProvider): CallCounts {
  const sum = noCalls();
  for (const { calls } of balancers.values())
    for (const count of callCounts) sum[count] += calls[count];
  return Object.freeze(sum);
}

type Standing = Pick<InstanceSnapshot, 'ejectedForMs' | 'pending' | 'latencyMs'>;

/** @internal Returns the snapshot of a provider, frozen. */
export function snapshotOf(provider: KnownProvider, now: number): ProviderSnapshot {
  const { name, state, isFixed, instances, balancers } = provider;
  const [balancer] = balancers.values();
  const standings = balancer?.standings();
  const kept = new Set(keptOf(state).map(({ instance }) => instance.instanceId));
  const unknown = { ejectedForMs: null, pending: 0, latencyMs: null };
  return Object.freeze({
    provider: name,
    state: isFixed ? 'fixed' : state.kind,
    pulledAgoMs: state.kind === 'asked' ? null : Math.round(now - state.pulledAt),
    failures: state.trouble?.failures ?? 0,
    lastError: state.trouble === undefined ? null : summaryOf(state.trouble.error),
    instances: Object.freeze(
      instances.map(({ instanceId, endpoints = [], status, version }) =>
        Object.freeze({
          instanceId,
          endpoints: Object.freeze([...endpoints]),
          status,
          version,
          kept: kept.has(instanceId),
          ...rounded(standings?.get(instanceId) ?? unknown),
        }),
      ),
    ),
    calls: callsOf(provider),
  });
}

function rounded({ ejectedForMs, pending, latencyMs }: Standing): Standing {
  const whole = (ms: number | null) => (ms === null ? null : Math.round(ms));
  return { ejectedForMs: whole(ejectedForMs), pending, latencyMs: whole(latencyMs) };
}
