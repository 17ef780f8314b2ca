import type { ChangeKind } from './changes.js';
import type { InstanceRecord, ServiceRecord, StoredInstance } from './records.js';

/** A change of an instance that was made, and is to be published. */
export interface InstanceWrite {
  readonly kind: ChangeKind;
  /** The same for all changes of one instance. */
  readonly key: string;
  readonly owner: ServiceRecord;
  readonly before: InstanceRecord | undefined;
  /** Absent when the instance was taken out. */
  readonly after: InstanceRecord | undefined;
  /** As it is now, or was last. */
  readonly instance: StoredInstance;
  /** False once the service is removed: then nobody is told any more. */
  readonly isFiled: () => boolean;
  /** Tells those who go by what is published. */
  readonly tell: (kind: ChangeKind) => void;
}
