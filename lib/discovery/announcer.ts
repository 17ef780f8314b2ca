import type { Clock } from '../background/clock.js';
import type { ListedInstance } from '../event-payloads.js';
import {
  type EventContext,
  type EventInstance,
  type PendingEvent,
  RegistryEvents,
} from '../events.js';
import type { PendingNote } from '../notes.js';
import { isRegistryFailure } from './finder.js';
import type { Instances } from './instance-list.js';
import type { ProviderName } from './provider.js';
import type { Fact, Trouble } from './provider-state.js';

/** Emits and logs events, and logs notes. Must not throw. */
export interface Publisher {
  publish(event: PendingEvent, context: EventContext): void;
  note(note: PendingNote, context: EventContext): void;
}

/** Turns facts of providers into events. */
export class Announcer {
  /** Our own instance, which each event names; undefined before it is known. */
  instance: EventInstance | undefined;
  #isFailing = false;
  /** Providers whose refusal was announced. */
  readonly #refused = new WeakSet<ProviderName>();

  constructor(
    private readonly clock: Pick<Clock, 'wallNow'>,
    private readonly publisher: Publisher,
  ) {}

  /** Whether the registry did not serve when it was last asked. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Announces a fact of a provider, which is the same object each time. */
  announce(provider: ProviderName, fact: Fact): void {
    switch (fact.kind) {
      case 'changed': {
        const { added, removed, updated } = fact;
        const payload = {
          provider,
          added: listed(added),
          removed: listed(removed),
          updated: listed(updated),
        };
        return this.publish({ name: RegistryEvents.DiscoveryChanged, payload });
      }
      case 'doubted': {
        const { kept, keptForMs, reason } = fact;
        const payload = { provider, kept: listed(kept), keptForMs, reason };
        return this.publish({ name: RegistryEvents.DiscoveryEmptied, payload });
      }
      case 'failed':
        return this.#announceFailure(provider, fact);
      case 'recovered':
        return this.#announceRecovery(provider, fact);
    }
  }

  /** A registry that does not serve is announced once, however many providers cannot be asked for. */
  #announceFailure(provider: ProviderName, { error, failures }: Trouble): void {
    const isOfAll = isRegistryFailure(error);
    if (isOfAll ? this.#isFailing : this.#refused.has(provider)) return;
    if (isOfAll) this.#isFailing = true;
    else this.#refused.add(provider);
    const payload = { ...(!isOfAll && { provider }), error, failures };
    this.publish({ name: RegistryEvents.DiscoveryFailed, payload });
  }

  /** Any good answer shows that the registry serves, whatever the provider had failed with last. */
  #announceRecovery(provider: ProviderName, { failures }: Trouble): void {
    const name = RegistryEvents.DiscoveryRecovered;
    if (this.#refused.delete(provider)) this.publish({ name, payload: { provider, failures } });
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.publish({ name, payload: { failures } });
  }

  /** Forgets that the registry did not serve: the providers that failed are forgotten, so that none can recover. */
  forgetFailures(): void {
    this.#isFailing = false;
  }

  publish(event: PendingEvent): void {
    this.publisher.publish(event, this.#context());
  }

  note(note: PendingNote): void {
    this.publisher.note(note, this.#context());
  }

  #context(): EventContext {
    const at = new Date(this.clock.wallNow()).toISOString();
    return this.instance === undefined ? { at } : { at, instance: this.instance };
  }
}

function listed(instances: Instances): readonly ListedInstance[] {
  return instances.map(({ instanceId, endpoints = [] }) => ({ instanceId, endpoints }));
}
