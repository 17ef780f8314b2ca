import { parseEndpoint } from '../discovery/endpoint.js';
import type { Endpoint } from '../discovery/candidate.js';
import { type PendingEvent, RegistryEvents } from '../events.js';

/** Tells who keeps connections to providers which endpoints were removed, by the events of discovery. */
export class RemovedEndpoints {
  readonly #listeners = new Set<(endpoint: Endpoint) => void>();

  listen(listener: (endpoint: Endpoint) => void): void {
    this.#listeners.add(listener);
  }

  note(event: PendingEvent): void {
    if (event.name !== RegistryEvents.DiscoveryChanged) return;
    for (const text of event.payload.removed.flatMap(({ endpoints }) => endpoints)) {
      const endpoint = parseEndpoint(text);
      if (endpoint !== undefined) for (const listener of this.#listeners) listener(endpoint);
    }
  }
}
