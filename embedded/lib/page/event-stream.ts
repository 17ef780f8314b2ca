import type { ServerResponse } from 'node:http';
import { Timer, systemClock } from '../clock.js';
import type { Lease } from '../model/leases.js';
import type { PastChange } from '../model/history.js';
import type { OddityKnobs } from '../model/oddities.js';
import type { RegistryModel } from '../model/registry-model.js';
import { Backlog } from '../server/backlog.js';
import type { Reader } from '../server/backlog.js';
import type { Faults } from '../server/faults.js';
import type { ChangeView, PageEvents, RenewalView, SetupView } from './messages.js';
import * as view from './registry-view.js';

/** Milliseconds during which events are collected before they are sent. */
const batchMs = 100;

/** Milliseconds between two comments that keep the connection alive. */
const keepAliveMs = 15_000;

/** If a batch has more changes, the whole registry is sent instead. */
const maxChanges = 1000;

/** A client with more unsent bytes gets no more events until it has received them. */
const maxQueuedBytes = 1024 * 1024;

/** What the page shows of how the registry was set up. */
export interface Setup {
  readonly profile: string;
  readonly oddities: OddityKnobs;
}

/**
 * Sends events to browsers as server-sent events. The events of one batch are sent together, with
 * one renewal per instance. Nothing is collected without a client, and leases end on time while
 * there is one.
 */
export class EventStream {
  readonly #model: RegistryModel;
  readonly #faults: Faults;
  readonly #setup: Setup;
  readonly #listeners = new Set<Listener>();
  readonly #backlog = new Backlog<Listener>();
  readonly #batch = new Timer(systemClock, () => this.#flush());
  readonly #keepAlive = new Timer(systemClock, () => this.#sendKeepAlive());
  #changes: PastChange[] = [];
  #renewed = new Set<Lease>();
  #areFaultsNew = false;
  #isGathering = false;
  #stopListening: () => void = () => {};

  constructor(model: RegistryModel, faults: Faults, setup: Setup) {
    this.#model = model;
    this.#faults = faults;
    this.#setup = setup;
    setup.oddities.onChange({
      after: () => {
        if (this.#listeners.size > 0) this.#sendEach('setup', this.#setupView);
      },
    });
  }

  /** Sends the whole registry to a client, and each event from then on. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    response.writeHead(200, {
      ...headers,
      'Content-Type': 'text/event-stream',
      'X-Accel-Buffering': 'no',
    });
    if (this.#listeners.size === 0) this.#startListening();
    const listener = new Listener(response);
    this.#listeners.add(listener);
    response.once('close', () => this.#leave(listener));
    this.#sendAll(listener);
  }

  /** Closes the connections of all clients. */
  close(): void {
    for (const listener of this.#listeners) {
      listener.close();
      this.#leave(listener);
    }
  }

  #leave(listener: Listener): void {
    this.#backlog.forget(listener);
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    this.#stopListening();
    this.#batch.cancel();
    this.#keepAlive.cancel();
    this.#forget();
  }

  #startListening(): void {
    const { shared } = this.#model;
    const gather = (change: Omit<PastChange, 'at'>) => this.#gather(change);
    const ends = [
      this.#model.onChange(gather),
      shared.serviceChanges.add(gather),
      shared.renewals.renewed.add(lease => {
        this.#renewed.add(lease);
        this.#startBatch();
      }),
      this.#faults.onChange(() => {
        this.#areFaultsNew = true;
        this.#startBatch();
      }),
    ];
    this.#stopListening = () => {
      for (const end of ends) end();
    };
    this.#keepAlive.start(keepAliveMs);
  }

  #gather(change: Omit<PastChange, 'at'>): void {
    if (this.#changes.length <= maxChanges)
      this.#changes.push({ ...change, at: this.#model.shared.now() });
    this.#startBatch();
  }

  #startBatch(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#batch.start(batchMs);
  }

  #flush(): void {
    const [changes, renewed] = [this.#changes, this.#renewed];
    const faults = this.#areFaultsNew;
    this.#forget();
    if (changes.length > maxChanges) {
      this.#toEach(this.#everything());
      return;
    }
    if (changes.length > 0) this.#sendEach('changes', this.#viewsOf(changes));
    const living = [...renewed].filter(lease => lease.isAliveAt(this.#model.shared.now()));
    if (living.length > 0) this.#sendEach('renewals', living.map(renewalView));
    if (faults) this.#sendEach('faults', this.#faults.list().map(view.faultView));
  }

  #forget(): void {
    this.#changes = [];
    this.#renewed = new Set();
    this.#areFaultsNew = false;
    this.#isGathering = false;
  }

  #viewsOf(changes: readonly PastChange[]): ChangeView[] {
    const namespaces = new Map(this.#model.namespaces().map(each => [each.name, each]));
    return changes.map(({ kind, at, tenant, service, instance }) => {
      const event = { kind, at, service: view.serviceView(tenant, service) };
      if (instance === undefined) return event;
      const owner = namespaces.get(tenant)?.services.get(service.serviceId);
      const lease = owner?.instances.get(instance.instanceId)?.lease;
      return { ...event, instance: view.instanceView(tenant, instance, lease) };
    });
  }

  #sendAll(listener: Listener): void {
    this.#send(listener, this.#everything());
  }

  #everything(): string {
    const { changes } = this.#model.shared.history;
    return (
      messageOf('registry', view.registryView(this.#model)) +
      messageOf('history', this.#viewsOf(changes)) +
      messageOf('setup', this.#setupView) +
      messageOf('faults', this.#faults.list().map(view.faultView))
    );
  }

  get #setupView(): SetupView {
    const { profile, oddities } = this.#setup;
    return { profile, oddities: oddities.switchedOn };
  }

  #sendEach<Name extends keyof PageEvents>(name: Name, data: PageEvents[Name]): void {
    this.#toEach(messageOf(name, data));
  }

  #toEach(message: string): void {
    for (const listener of this.#listeners) this.#send(listener, message);
  }

  #send(listener: Listener, message: string): void {
    if (!listener.takes) return;
    listener.send(message, () => this.#sendAll(listener));
    this.#backlog.check(listener);
  }

  #sendKeepAlive(): void {
    this.#toEach(': alive\n\n');
    this.#keepAlive.start(keepAliveMs);
  }
}

/** A client of the stream. */
class Listener implements Reader {
  readonly #response: ServerResponse;
  #isSlow = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  /** Whether it has received so much that it gets more. */
  get takes(): boolean {
    return !this.#response.destroyed && !this.#isSlow;
  }

  /** @param onCaughtUp called once a client that was too slow has received everything */
  send(message: string, onCaughtUp: () => void): void {
    this.#response.write(message);
    if (this.waitingBytes <= maxQueuedBytes) return;
    this.#isSlow = true;
    this.#response.once('drain', () => {
      this.#isSlow = false;
      onCaughtUp();
    });
  }

  close(): void {
    this.#response.destroy();
  }
}

function renewalView(lease: Lease): RenewalView {
  const { tenant, serviceId } = lease.holder;
  return {
    serviceKey: view.serviceKey(tenant, serviceId),
    instanceKey: view.instanceKey(tenant, lease.holder),
    lease: view.leaseView(lease),
  };
}

function messageOf<Name extends keyof PageEvents>(name: Name, data: PageEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
