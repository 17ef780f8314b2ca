import type { Outcome } from '../../../lib/registration/outcome.js';
import { errors, lease, listingOf } from './parts.js';

/** The record of a predecessor. */
export const stored = { instanceId: 'i', hostName: 'other' };

/** An outcome of each kind. */
export const outcomes = {
  elapsed: { kind: 'elapsed' },
  stalled: { kind: 'stalled', lateMs: 3_000, asleepMs: 0 },
  'in-sight': { kind: 'in-sight', returned: true },
  'service-known': { kind: 'service-known', serviceId: 's2', created: true },
  posted: { kind: 'posted', serviceId: 's2', sentAt: 900, instance: listingOf().instance },
  granted: { kind: 'granted', lease, verified: true },
  stale: { kind: 'stale', serviceId: 's2', stored },
  cleared: { kind: 'cleared', serviceId: 's2' },
  verified: { kind: 'verified', lengthMs: 20_000 },
  drifted: { kind: 'drifted', serviceId: 's2', stored, fields: ['status'] },
  repaired: { kind: 'repaired' },
  unverified: { kind: 'unverified' },
  doubtful: { kind: 'doubtful', error: errors.instanceGone },
  renewed: { kind: 'renewed', sentAt: 900, tookMs: 100 },
  failed: { kind: 'failed', error: errors.network },
  refused: { kind: 'refused', error: errors.refused },
  'instance-gone': { kind: 'instance-gone', error: errors.instanceGone },
  'service-gone': { kind: 'service-gone', error: errors.serviceGone },
} as const satisfies Record<Outcome['kind'], Outcome>;
