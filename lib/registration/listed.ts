import type { RegistryFact } from '../events/events.js';
import type { InstanceRef } from '../protocol/wire.js';
import { depart, type DepartureContext, departureFact } from './departure.js';
import type { Outcome } from './outcome.js';

/** What a POST may have listed: what there is to remove at the end, and whether to wait for it. */
export class Listed {
  /** `answered` once the registry has said so. */
  #posted: { readonly ref: InstanceRef; readonly answered: boolean } | undefined;

  /** Notes that a POST is sent. */
  post(ref: InstanceRef): void {
    this.#posted = { ref, answered: false };
  }

  /** Notes how a request ended: a refused first POST has listed nothing. */
  note(outcome: Outcome, registrations: number): void {
    if (this.#posted === undefined) return;
    if (outcome.kind === 'posted') this.#posted = { ...this.#posted, answered: true };
    const refused = outcome.kind === 'refused' || outcome.kind === 'service-gone';
    const nothingListed = !this.#posted.answered && registrations === 0;
    if (refused && nothingListed) this.#posted = undefined;
  }

  /** Removes what there is to remove, and says how that ended; undefined when there is nothing. */
  async depart(context: Omit<DepartureContext, 'mayStillLand'>): Promise<RegistryFact | undefined> {
    if (this.#posted === undefined) return undefined;
    const { ref, answered } = this.#posted;
    const departure = await depart(ref, { ...context, mayStillLand: !answered });
    this.#posted = undefined;
    return departureFact(departure);
  }
}
