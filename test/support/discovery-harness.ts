import type { EventContext, PendingEvent } from '../../lib/events.js';
import { DiscoveryCore, noticedEvents, type WatcherOfCore } from '../../lib/discovery/core.js';
import { pickers } from '../../lib/discovery/pickers.js';
import type { DiscoverySettings } from '../../lib/discovery/settings.js';
import type { WatcherEvents } from '../../lib/discovery/watcher.js';
import type { PendingNote } from '../../lib/notes.js';
import { FakeClock } from './fake-clock.js';
import { FakeProviders } from './fake-providers.js';

/** The settings of discovery under test: polls each 15 s. */
export function discoverySettings(changed: Partial<DiscoverySettings> = {}): DiscoverySettings {
  return {
    enabled: true,
    pollIntervalMs: 15_000,
    neverEarly: false,
    watch: false,
    keepMs: 120_000,
    warmUp: [],
    picker: pickers.balanced,
    zone: 'prefer',
    ejection: { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 },
    providers: new Map(),
    own: { environment: '', appId: 'default', dataCenter: undefined },
    ...changed,
  };
}

/** A watcher that does nothing but note what is wanted of it. */
export class FakeWatcher implements WatcherOfCore {
  readonly wanted: (string | undefined)[] = [];
  readonly calls: string[] = [];
  isOpen = false;

  constructor(readonly events: WatcherEvents) {}

  want(consumerId: string | undefined): void {
    this.wanted.push(consumerId);
  }

  tick(): number {
    return Infinity;
  }

  probe(): void {
    this.calls.push('probe');
  }

  isolated(address: string): void {
    this.calls.push(`isolated ${address}`);
  }

  stop(): void {
    this.calls.push('stop');
  }
}

/** Discovery on a fake clock, and a registry that lists what a test says. */
export class DiscoveryHarness {
  readonly clock = new FakeClock();
  readonly registry = new FakeProviders(this.clock);
  readonly events: PendingEvent[] = [];
  readonly contexts: EventContext[] = [];
  readonly notes: PendingNote[] = [];
  readonly core: DiscoveryCore;
  readonly watchers: FakeWatcher[] = [];
  /** How often the ticker was woken. */
  wakes = 0;
  /** What becomes of a random number: 0.5 makes each wait its mean. */
  random: () => number = () => 0.5;

  constructor(settings: Partial<DiscoverySettings> = {}) {
    this.core = new DiscoveryCore(discoverySettings(settings), {
      client: this.registry,
      clock: this.clock,
      random: () => this.random(),
      publisher: {
        publish: (event, context) => {
          this.events.push(event);
          this.contexts.push(context);
        },
        note: note => this.notes.push(note),
      },
      watcher: events => {
        const watcher = new FakeWatcher(events);
        this.watchers.push(watcher);
        return watcher;
      },
    });
    this.core.onDue(() => {
      this.wakes += 1;
    });
  }

  /** Lets time pass, with a tick whenever one is due or was asked for, as the ticker does. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      const wakes = this.wakes;
      const due = (await this.core.tick()) ?? Infinity;
      await this.clock.advance(0);
      if (this.wakes > wakes) continue;
      const left = end - this.clock.now();
      if (left <= 0) return;
      // What an answer brings forward is noticed after this step.
      const longest = this.registry.latencyMs > 0 ? 50 : 20_000;
      await this.clock.advance(Math.min(Math.max(due, 1), longest, left));
    }
  }

  /** Tells that our own service is registered. */
  register(serviceId = 'consumer'): void {
    this.registry.consumers.add(serviceId);
    this.notice({
      name: 'servicecomb.service.registered',
      payload: { serviceId, created: true },
    });
  }

  /** Passes on what the library passes on. */
  notice(event: PendingEvent): void {
    if (noticedEvents.includes(event.name)) this.core.notice(event, { at: 'now' });
  }

  /** Names of the events so far, without their beginning. */
  names(): readonly string[] {
    return this.events.map(({ name }) => name.replace('servicecomb.', ''));
  }

  /** Forgets the events and the requests so far. */
  clear(): void {
    this.events.length = 0;
    this.registry.asked.length = 0;
  }
}
