import type { StoredInstance, StoredMicroservice } from './records.js';

/** What happened to an instance: written, changed, taken out on demand, or taken out by its lease. */
export type ChangeKind = 'registered' | 'updated' | 'removed' | 'expired';

/** A change of one instance, told after it was made. */
export interface InstanceChanged {
  readonly kind: ChangeKind;
  /** Name of the namespace it happened in. */
  readonly tenant: string;
  /** The services of that namespace that depend on the instance's. */
  readonly consumerIds: readonly string[];
  readonly service: StoredMicroservice;
  /** As it is now, or was last. */
  readonly instance: StoredInstance;
}

/** A service that was registered, changed or removed; told after it happened. */
export interface ServiceChanged {
  readonly kind: Exclude<ChangeKind, 'expired'>;
  /** Name of the namespace it happened in. */
  readonly tenant: string;
  /** As it is now, or was last. What is filed under a removed one goes without another word. */
  readonly service: StoredMicroservice;
}

/** Is told of changes, in the order in which they are made. */
export type ChangeListener = (change: InstanceChanged) => void;
