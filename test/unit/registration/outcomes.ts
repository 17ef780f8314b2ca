import type { Outcome } from '../../../lib/registration/outcome.js';
import { errors, lease, recordOf } from './parts.js';

/** The record of a predecessor. */
export const stored = { instanceId: 'i', hostName: 'other' };

/** An outcome of each kind, and a failure of each meaning. */
export const outcomes = {
  elapsed: { kind: 'elapsed' },
  stalled: { kind: 'stalled', lateMs: 3_000, asleepMs: 0 },
  'probe-answered': { kind: 'probe-answered', wasSilent: true },
  'service-found': { kind: 'service-found', serviceId: 's2', created: true },
  posted: { kind: 'posted', serviceId: 's2', sentAt: 900, instance: recordOf().instance },
  granted: {
    kind: 'granted',
    lease,
    stored: recordOf().instance,
    isReadBack: true,
    isRewritten: false,
    taken: {},
  },
  stale: { kind: 'stale', serviceId: 's2', stored },
  'stale-removed': { kind: 'stale-removed', serviceId: 's2' },
  'taken-over': { kind: 'taken-over', serviceId: 's2', holder: stored },
  'holder-gone': { kind: 'holder-gone', serviceId: 's2' },
  intact: { kind: 'intact', lengthMs: 20_000, taken: {} },
  written: { kind: 'written', fields: ['status'], taken: {} },
  'not-read-back': { kind: 'not-read-back' },
  contradicted: { kind: 'contradicted', error: errors.instanceGone },
  renewed: { kind: 'renewed', sentAt: 900, tookMs: 100 },
  failed: { kind: 'failed', error: errors.network },
  refused: { kind: 'failed', error: errors.refused },
  'instance-gone': { kind: 'failed', error: errors.instanceGone },
  'service-gone': { kind: 'failed', error: errors.serviceGone },
} as const satisfies Record<
  Outcome['kind'] | 'refused' | 'instance-gone' | 'service-gone',
  Outcome
>;
