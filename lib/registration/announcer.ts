import { type RegistryFact, RegistryEvents } from '../events/events.js';
import type { AddressChange } from '../protocol/address-book.js';
import type { OwnRecord } from './own-record.js';
import type { RegistrationParts } from './registration-parts.js';
import { ShortLeaseWatch } from './short-lease-watch.js';

/** Tells what happened: to whom, and when. One that is not enabled says nothing. */
export class Announcer {
  /** The last id of the service that was known, also while it is being resolved anew. */
  serviceId: string | undefined;
  readonly #shortLeases = new ShortLeaseWatch();

  constructor(
    private readonly parts: Pick<RegistrationParts, 'clock' | 'publish' | 'warn'>,
    private readonly enabled: boolean,
    private readonly record: OwnRecord,
  ) {}

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

  /** Tells what became of an address. */
  tellAddress(change: AddressChange): void {
    const { address } = change;
    if (change.kind === 'restored')
      this.tell({ name: RegistryEvents.AddressRestored, payload: { address } });
    else
      this.tell({
        name: RegistryEvents.AddressIsolated,
        payload: { address, error: change.error },
      });
  }
}
