import type { FaultTarget } from '../../lib/server/faults.js';

/** A registry on which faults have no effect. */
export const idleTarget: FaultTarget = {
  close: () => Promise.resolve(),
  open: () => Promise.resolve(),
  closeIdle: () => 0,
  cutWatchers: () => 0,
  muteWatchers: () => ({ watchers: 0, end: () => undefined }),
  withoutRenewals: act => act(),
  skew: () => undefined,
};
