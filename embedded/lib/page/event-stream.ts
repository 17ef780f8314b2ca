import type { ServerResponse } from 'node:http';
import { Timer, systemClock } from '../clock.js';
import type { Lease } from '../model/leases.js';
import type { InstanceChanged, ServiceChanged } from '../model/changes.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { Faults } from '../server/faults.js';
import type { ChangeView, PageEvents, RenewalView } from './messages.js';
import * as view from './registry-view.js';

/** Milliseconds during which events are collected before they are sent. */
const batchMs = 100;

/** Milliseconds between two comments that keep the connection alive. */
const keepAliveMs = 15_000;

/** If a batch has more changes, the whole registry is sent instead. */
const maxChanges = 1000;

/** A client with more unsent bytes gets no more events until it has received them. */
const maxQueuedBytes = 1024 * 1024;

type Change = Omit<InstanceChanged | ServiceChanged, 'consumerIds'> & {
  readonly at: number;
  readonly instance?: InstanceChanged['instance'];
};

/**
 * Sends events to browsers as server-sent events. The events of one batch are sent together, with
 * one renewal per instance. Nothing is collected without a client, and leases end on time while
 * there is one.
 */
export class EventStream {
  readonly #model: RegistryModel;
  readonly #faults: Faults;
  readonly #listeners = new Set<ServerResponse>();
  readonly #slow = new WeakSet<ServerResponse>();
  readonly #batch = new Timer(systemClock, () => this.#flush());
  readonly #keepAlive = new Timer(systemClock, () => this.#sendKeepAlive());
  #changes: Change[] = [];
  #renewed = new Set<Lease>();
  #areFaultsNew = false;
  #isGathering = false;
  #stopListening: () => void = () => {};

  constructor(model: RegistryModel, faults: Faults) {
    this.#model = model;
    this.#faults = faults;
  }

  /** Sends the whole registry to a client, and each event from then on. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    response.writeHead(200, {
      ...headers,
      'Content-Type': 'text/event-stream',
      'X-Accel-Buffering': 'no',
    });
    if (this.#listeners.size === 0) this.#startListening();
    this.#listeners.add(response);
    response.once('close', () => this.#leave(response));
    this.#sendAll(response);
  }

  /** Closes the connections of all clients. */
  close(): void {
    for (const response of this.#listeners) {
      response.destroy();
      this.#leave(response);
    }
  }

  #leave(response: ServerResponse): void {
    if (!this.#listeners.delete(response) || this.#listeners.size > 0) return;
    this.#stopListening();
    this.#batch.cancel();
    this.#keepAlive.cancel();
    this.#forget();
  }

  #startListening(): void {
    const { shared } = this.#model;
    const gather = (change: Omit<Change, 'at'>) => this.#gather(change);
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

  #gather(change: Omit<Change, 'at'>): void {
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
      for (const response of this.#listeners) this.#sendAll(response);
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

  #viewsOf(changes: readonly Change[]): ChangeView[] {
    const namespaces = new Map(this.#model.namespaces().map(each => [each.name, each]));
    return changes.map(({ kind, at, tenant, service, instance }) => {
      const event = { kind, at, service: view.serviceView(tenant, service) };
      if (instance === undefined) return event;
      const owner = namespaces.get(tenant)?.services.get(service.serviceId);
      const lease = owner?.instances.get(instance.instanceId)?.lease;
      return { ...event, instance: view.instanceView(tenant, instance, lease) };
    });
  }

  #sendAll(response: ServerResponse): void {
    const registry = messageOf('registry', view.registryView(this.#model));
    this.#send(response, registry + messageOf('faults', this.#faults.list().map(view.faultView)));
  }

  #sendEach<Name extends keyof PageEvents>(name: Name, data: PageEvents[Name]): void {
    const message = messageOf(name, data);
    for (const response of this.#listeners) this.#send(response, message);
  }

  #send(response: ServerResponse, message: string): void {
    if (response.destroyed || this.#slow.has(response)) return;
    response.write(message);
    if (response.writableLength <= maxQueuedBytes) return;
    this.#slow.add(response);
    response.once('drain', () => {
      this.#slow.delete(response);
      this.#sendAll(response);
    });
  }

  #sendKeepAlive(): void {
    for (const response of this.#listeners) this.#send(response, ': alive\n\n');
    this.#keepAlive.start(keepAliveMs);
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
