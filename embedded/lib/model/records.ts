import type { Microservice, MicroserviceInstance } from './wire.js';
import type { Lease } from './leases.js';

/** A service as the registry keeps it. */
export interface StoredMicroservice extends Omit<Microservice, 'registerBy'> {
  readonly serviceId: string;
  readonly environment?: string | undefined;
  readonly appId: string;
  readonly registerBy?: string | undefined;
  readonly paths?: readonly unknown[] | undefined;
  readonly providers?: readonly unknown[] | undefined;
  readonly LBStrategy?: Readonly<Record<string, string>> | undefined;
}

/** An instance as the registry keeps it. */
export interface StoredInstance extends Omit<MicroserviceInstance, 'status'> {
  readonly instanceId: string;
  readonly serviceId: string;
  /** One of the five, unless the unchecked PUT instances/status wrote another text or none. */
  readonly status?: string | undefined;
}

/** A registered instance; replaced as a whole by each change, its lease excepted. */
export interface InstanceRecord {
  readonly instance: StoredInstance;
  /** Number of the change that wrote it; part of every revision that is told. */
  readonly modRevision: number;
  /** Absent for the Service Center itself, which stays while it runs. */
  readonly lease?: Lease | undefined;
}

/** The uploaded text of a schema. */
export interface SchemaRecord {
  readonly content: string;
  readonly summary: string;
}

/** A service with all that is filed under its id. */
export interface ServiceRecord {
  service: StoredMicroservice;
  tags: ReadonlyMap<string, string>;
  schemas: Map<string, SchemaRecord>;
  readonly instances: Map<string, InstanceRecord>;
}
