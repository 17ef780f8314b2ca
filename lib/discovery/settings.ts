import type { ProviderName } from '../errors.js';
import type { DataCenterInfo } from '../protocol/wire.js';
import type { Picker } from './candidate.js';

/** `prefer`: the own zone, and others when it is loaded. `only`: never another. `ignore`: all alike. */
export type ZoneUse = 'prefer' | 'only' | 'ignore';

/** When candidates are set aside. */
export interface EjectionSettings {
  /** Failures in a row of calls that may have arrived; one that never left is enough by itself. */
  readonly failures: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** The largest part of the candidates that is set aside at a time. */
  readonly share: number;
}

/** The settings of one provider, by the name that it is called by. */
export interface ProviderSettings extends ProviderName {
  readonly versionRule: string | undefined;
  /** Fixed endpoints: the registry is not asked. */
  readonly endpoints: readonly string[] | undefined;
  readonly picker: Picker;
  readonly zone: ZoneUse;
}

/** The settings of discovery; the resolved options are passed as they are. */
export interface DiscoverySettings {
  /** Whether the registry may be asked; fixed endpoints work in any case. */
  readonly enabled: boolean;
  readonly pollIntervalMs: number;
  /** Whether the interval is a minimum, and causes other than the first question wait for it. */
  readonly neverEarly: boolean;
  readonly watch: boolean;
  readonly keepMs: number;
  readonly warmUp: readonly string[];
  readonly picker: Picker;
  readonly zone: ZoneUse;
  /** undefined: none. */
  readonly ejection: EjectionSettings | undefined;
  /** By the name that is called. */
  readonly providers: ReadonlyMap<string, ProviderSettings>;
  /** Completes a query that leaves them out. */
  readonly own: {
    readonly environment: string;
    readonly appId: string;
    readonly dataCenter: DataCenterInfo | undefined;
  };
}
