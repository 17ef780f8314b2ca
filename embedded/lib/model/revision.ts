import { createHash } from 'node:crypto';
import type { InstanceRecord } from './records.js';

/**
 * The opaque text that changes when any of these instances does, or their number: a hash of the
 * latest change among them and of their count (FormatRevision in datasource/etcd/util). Heartbeats
 * are no change.
 */
export function revisionOf(instances: readonly InstanceRecord[]): string {
  const latest = instances.reduce((max, { modRevision }) => Math.max(max, modRevision), 0);
  return createHash('sha1').update(`${latest}.${instances.length},`).digest('hex');
}
