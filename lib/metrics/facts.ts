import type {
  CallCounts,
  DiscoverySnapshot,
  ProviderSnapshot,
  RegistrationSnapshot,
} from '../index.js';
import type { EventCounts } from './event-counts.js';
import type { ProviderLabels } from './provider-labels.js';

/** All that the instruments read, at one moment. */
export interface Facts {
  readonly registration: RegistrationSnapshot;
  readonly discovery: DiscoverySnapshot;
  /** Those of the snapshot of which there is something to show, each with its label. */
  readonly providers: readonly LabelledProvider[];
  readonly events: EventCounts;
  /** Since the last heartbeat or registration that succeeded, in milliseconds; null before the first. */
  readonly lastSuccessAgoMs: number | null;
  /** The life that is left of each token, in milliseconds; 0 once it is over. */
  readonly tokens: readonly { readonly address: string; readonly leftMs: number }[];
  /** Calls by the label of their provider. They never become fewer. */
  readonly calls: ReadonlyMap<string, CallCounts>;
}

/** A provider, and what it is called in the metrics. */
export interface LabelledProvider {
  readonly label: string;
  readonly snapshot: ProviderSnapshot;
}

/** Where the facts come from. */
export interface FactSources {
  readonly registration: { snapshot(): RegistrationSnapshot };
  readonly discovery: { snapshot(): DiscoverySnapshot };
  readonly events: EventCounts;
  readonly labels: ProviderLabels;
  readonly clock: { now(): number; wallNow(): number };
}

/** Reads the facts: the snapshots, once for all instruments that are read together. */
export class FactReader {
  readonly #calls = new CallTotals();
  #facts: Facts | undefined;

  constructor(private readonly sources: FactSources) {}

  /** Returns the facts of this moment. All who ask in one turn of the event loop get the same ones. */
  read(): Facts {
    if (this.#facts === undefined) queueMicrotask(() => (this.#facts = undefined));
    return (this.#facts ??= this.#read());
  }

  #read(): Facts {
    const { events, labels, clock } = this.sources;
    const registration = this.sources.registration.snapshot();
    const discovery = this.sources.discovery.snapshot();
    const shown = discovery.providers.filter(isShown);
    const providers = shown.map(snapshot => ({ label: labels.labelOf(snapshot), snapshot }));
    const { succeededAt } = events;
    const sinceEvent = succeededAt === undefined ? null : clock.now() - succeededAt;
    return {
      registration,
      discovery,
      providers,
      events,
      lastSuccessAgoMs: registration.renewedAgoMs ?? sinceEvent,
      tokens: registration.addresses.flatMap(({ address }) => {
        const expiresAt = events.tokens.get(address);
        if (expiresAt === undefined) return [];
        return [{ address, leftMs: Math.max(0, expiresAt - clock.wallNow()) }];
      }),
      calls: this.#calls.add(providers),
    };
  }
}

/** Others have nothing to show: a gateway may ask for any name that it is sent. */
function isShown({ state, instances, calls }: ProviderSnapshot): boolean {
  const isKnown = state === 'known' || state === 'fixed';
  return isKnown || instances.length > 0 || Object.values(calls).some(count => count > 0);
}

/**
 * The calls by label. A provider that nobody calls is forgotten, and its counts with it, which here stay: a
 * counter that becomes smaller would be taken for a process that was started anew.
 */
class CallTotals {
  readonly #totals = new Map<string, CallCounts>();
  /** As they were read last, by the name of the provider. */
  #last: ReadonlyMap<string, LabelledCalls> = new Map();

  /** Adds what is new, and returns the totals. */
  add(providers: Facts['providers']): ReadonlyMap<string, CallCounts> {
    const read = callsByName(providers);
    for (const [name, { label, calls }] of read) {
      const last = this.#last.get(name)?.calls;
      const added = last === undefined ? calls : combined(last, calls, increase);
      const total = this.#totals.get(label);
      this.#totals.set(label, total === undefined ? added : combined(total, added, sum));
    }
    this.#last = read;
    return this.#totals;
  }
}

interface LabelledCalls {
  readonly label: string;
  readonly calls: CallCounts;
}

/** Endpoints that are options may stand under several names that mean one service. */
function callsByName(providers: Facts['providers']): ReadonlyMap<string, LabelledCalls> {
  const found = new Map<string, LabelledCalls>();
  for (const { label, snapshot } of providers) {
    const { provider, calls } = snapshot;
    const { environment, appId, serviceName } = provider;
    const name = JSON.stringify([environment, appId, serviceName]);
    const same = found.get(name)?.calls;
    found.set(name, { label, calls: same === undefined ? calls : combined(same, calls, sum) });
  }
  return found;
}

function combined(
  left: CallCounts,
  right: CallCounts,
  of: (left: number, right: number) => number,
): CallCounts {
  return {
    good: of(left.good, right.good),
    unsent: of(left.unsent, right.unsent),
    stale: of(left.stale, right.stale),
    broken: of(left.broken, right.broken),
    busy: of(left.busy, right.busy),
    late: of(left.late, right.late),
    nothing: of(left.nothing, right.nothing),
    'no-instance': of(left['no-instance'], right['no-instance']),
    retries: of(left.retries, right.retries),
  };
}

function sum(left: number, right: number): number {
  return left + right;
}

/** A count that is smaller than before began anew. */
function increase(before: number, now: number): number {
  return now < before ? now : now - before;
}
