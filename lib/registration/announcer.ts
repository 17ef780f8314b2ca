import { type RegistryFact, RegistryEvents } from '../events/events.js';
import type { AddressChange } from '../protocol/address-book.js';
import type { TokenChange } from '../protocol/channel.js';
import type { Clock } from './clock.js';
import type { OwnRecord } from './own-record.js';
import type { RegistrationParts } from './registration-parts.js';
import { ShortLeaseWatch } from './short-lease-watch.js';

/** Tells what happened: to whom, and when. One that is not enabled says nothing. */
export class Announcer {
  /** The last id of the service that was known, also while it is being resolved anew. */
  serviceId: string | undefined;
  readonly #shortLeases = new ShortLeaseWatch();

  constructor(
    private readonly parts: Pick<RegistrationParts, 'caller' | 'clock' | 'publish' | 'warn'>,
    private readonly enabled: boolean,
    private readonly record: OwnRecord,
  ) {
    parts.caller.addresses.onChange(change => this.tell(addressFact(change)));
    parts.caller.credentials.onChange(change => this.tell(tokenFact(change, parts.clock)));
  }

  /** Tells a fact, and warns when it is the last of a row that somebody should know about. */
  tell(fact: RegistryFact): void {
    if (!this.enabled) return;
    const { clock, publish, warn } = this.parts;
    const at = new Date(clock.wallNow()).toISOString();
    const instance =
      this.serviceId === undefined ? {} : { instance: this.record.describe(this.serviceId) };
    publish(fact, { at, ...instance });
    const warning = this.#shortLeases.note(fact);
    if (warning !== undefined) warn(warning);
  }
}

function addressFact(change: AddressChange): RegistryFact {
  const { address } = change;
  if (change.kind === 'restored')
    return { name: RegistryEvents.AddressRestored, payload: { address } };
  return { name: RegistryEvents.AddressIsolated, payload: { address, error: change.error } };
}

function tokenFact(change: TokenChange, clock: Clock): RegistryFact {
  switch (change.kind) {
    case 'renewed': {
      const { address, lifeMs } = change;
      const expiresAt = new Date(clock.wallNow() + lifeMs).toISOString();
      return { name: RegistryEvents.TokenRenewed, payload: { address, expiresAt } };
    }
    case 'failed': {
      const { kind: _, ...payload } = change;
      return { name: RegistryEvents.TokenRenewalFailed, payload };
    }
    case 'refused': {
      const { kind: _, ...payload } = change;
      return { name: RegistryEvents.TokenRefused, payload };
    }
  }
}
