import type { Ledger } from '../model/ledger.js';
import type { Door } from './faults.js';
import type { Listener } from './listener.js';

/** What a door leads to. */
export interface BehindDoor {
  readonly listener: Listener;
  readonly ledger: Ledger;
  /** Closes the port and every connection. */
  readonly shut: () => Promise<void>;
  /** False once the registry has been stopped. */
  readonly isStarted: () => boolean;
}

/** What faults reach of a registry besides the requests that they hit. */
export function doorOf({ listener, ledger, shut, isStarted }: BehindDoor): Door {
  return {
    close: shut,
    // The end of a refusal opens nothing that has been stopped meanwhile.
    open: async () => {
      if (isStarted()) await listener.open();
    },
    closeIdle: () => listener.closeIdle(),
    withoutRenewals: act => ledger.renewals.swallowedDuring(act),
    skew: ms => {
      ledger.skewMs = ms;
    },
  };
}
