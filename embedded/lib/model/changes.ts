import type { StoredInstance, StoredMicroservice } from './records.js';

/**
 * Kind of a change: registered, changed, removed on request, or removed because its lease ended.
 */
export type ChangeKind = 'registered' | 'updated' | 'removed' | 'expired';

/** A change of one instance, emitted after it was made. */
export interface InstanceChanged {
  readonly kind: ChangeKind;
  /** Name of the namespace. */
  readonly tenant: string;
  /** Services of the namespace that depend on the instance's service. */
  readonly consumerIds: readonly string[];
  readonly service: StoredMicroservice;
  /** The instance after the change, or its last state. */
  readonly instance: StoredInstance;
}

/** A service that was registered, changed or removed; emitted afterwards. */
export interface ServiceChanged {
  readonly kind: Exclude<ChangeKind, 'expired'>;
  /** Name of the namespace. */
  readonly tenant: string;
  /**
   * The service after the change, or its last state. No further events are emitted for the
   * instances of a removed service.
   */
  readonly service: StoredMicroservice;
}

/** Called for each change, in the order in which they are made. */
export type ChangeListener = (change: InstanceChanged) => void;
