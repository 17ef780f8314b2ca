import type { Microservice, MicroserviceInstance } from './wire.js';
import type { Lease } from './leases.js';

/** A service as the registry stores it. */
export interface StoredMicroservice extends Omit<Microservice, 'registerBy'> {
  readonly serviceId: string;
  readonly environment?: string | undefined;
  readonly appId: string;
  readonly registerBy?: string | undefined;
  readonly paths?: readonly unknown[] | undefined;
  readonly providers?: readonly unknown[] | undefined;
  readonly LBStrategy?: Readonly<Record<string, string>> | undefined;
}

/** An instance as the registry stores it. */
export interface StoredInstance extends Omit<MicroserviceInstance, 'status'> {
  readonly instanceId: string;
  readonly serviceId: string;
  /**
   * One of the five statuses, unless PUT instances/status, which does not check it, wrote another
   * text or none.
   */
  readonly status?: string | undefined;
}

/** A registered instance. Each change replaces the record, but not its lease. */
export interface InstanceRecord {
  readonly instance: StoredInstance;
  /** Number of the change that wrote it; part of every revision. */
  readonly modRevision: number;
  /** Absent for the Service Center itself, which never expires. */
  readonly lease?: Lease | undefined;
}

/** An uploaded schema. */
export interface SchemaRecord {
  readonly content: string;
  readonly summary: string;
}
