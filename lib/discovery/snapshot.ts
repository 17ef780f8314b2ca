import { type ErrorSummary, type ProviderName, summaryOf } from '../errors.js';
import type { InstanceStatus } from '../protocol/wire.js';
import type { KnownProvider } from './known-provider.js';
import { keptOf } from './provider-state.js';

/** The state of discovery: plain, frozen, safe to log. */
export interface DiscoverySnapshot {
  /** Whether the registry pushes changes now. */
  readonly watching: boolean;
  readonly providers: readonly ProviderSnapshot[];
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
  });
}

function rounded({ ejectedForMs, pending, latencyMs }: Standing): Standing {
  const whole = (ms: number | null) => (ms === null ? null : Math.round(ms));
  return { ejectedForMs: whole(ejectedForMs), pending, latencyMs: whole(latencyMs) };
}
