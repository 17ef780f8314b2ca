import type { ProviderName } from '../errors.js';
import type { Environment, StoredInstance } from '../protocol/wire.js';

export type { ProviderName };

/** Asks for the instances of a provider. */
export interface ProviderQuery {
  /** Name of the service, or an alias that is registered for it. */
  readonly serviceName: string;
  /** @default the application of this service */
  readonly appId?: string | undefined;
  /** Another environment than our own is polled, never watched. @default the environment of this service */
  readonly environment?: Environment | undefined;
  /** `1.0.0`, `1.0.0+`, `1.0.0-2.0.0` (without the last) or `latest`. @default all versions */
  readonly versionRule?: string | undefined;
}

/** How to find. */
export interface FindOptions {
  /** `any` returns instances of every status. @default 'UP' */
  readonly status?: 'UP' | 'any' | undefined;
  /** Asks the registry's store now, rather than memory. @default false */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How to pick one instance. */
export interface PickOptions {
  /** Schemes that the caller speaks; of each instance, the first endpoint that has one of them. @default rest, http, https */
  readonly scheme?: string | readonly string[] | undefined;
  /** For `pickers.sticky`: the same key gets the same instance while that can be called. */
  readonly key?: string | undefined;
  /** Narrows the provider's own rule. */
  readonly versionRule?: string | undefined;
}

/** How to call. */
export interface ProviderCallOptions extends PickOptions {
  /** Whether the call may be repeated although it may have arrived. @default false */
  readonly idempotent?: boolean | undefined;
  /** Further attempts after one that may have arrived, 0 to 10; after one that never left, 2 are added. @default 1 */
  readonly retries?: number | undefined;
  /** All attempts together, in milliseconds; a first question to the registry has its own time before. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One attempt of a call. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  /** Aborted when the caller's is, and when the time of the call is up. */
  readonly signal: AbortSignal;
  /** The rest of the time of the call, in milliseconds. */
  readonly remainingMs: number;
  /**
   * Whether a connection that was kept from an earlier call turned out to be closed, so that the call is
   * repeated at the same instance: use a new connection.
   */
  readonly needsNewConnection: boolean;
}

/** A change of the instances of a provider that may be called. */
export interface ProviderChange {
  readonly provider: ProviderName;
  /** All that may be called, in an order that stays the same. */
  readonly instances: readonly StoredInstance[];
  readonly added: readonly StoredInstance[];
  readonly removed: readonly StoredInstance[];
  /** Same id, another record. */
  readonly updated: readonly StoredInstance[];
}
