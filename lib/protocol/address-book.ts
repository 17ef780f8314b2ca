import type { ServiceCombError } from '../errors.js';
import type { DataCenterInfo, MicroserviceInstance } from './wire.js';

/** Failures in a row after which an address is isolated. */
const failuresUntilIsolated = 3;
/** Learned addresses that are kept: more nodes than a registry has, and few enough to probe. */
const mostLearned = 16;

/** A change of an address. */
export type AddressChange =
  | {
      readonly kind: 'isolated';
      readonly address: string;
      readonly error: ServiceCombError;
      /** Whether no other address serves, so that requests still go to this one, too. */
      readonly isLast: boolean;
    }
  | { readonly kind: 'restored'; readonly address: string };

/** An address of the registry. */
export interface KnownAddress {
  readonly address: string;
  /** false while it gets no request until it answers a probe, unless no other address serves. */
  readonly isServing: boolean;
}

/**
 * The addresses of the registry, each once, and which of them is in use. The address that answered last
 * stays in use until it fails; the next one in the list that is not isolated then takes its place.
 *
 * An address that fails three times in a row is isolated: it gets no request while another address is
 * left. Any answer from it restores it.
 */
export class AddressBook {
  readonly #failures = new Map<string, number>();
  readonly #isolated = new Set<string>();
  /** Learned addresses that have never answered: avoided like isolated ones, without an event. */
  readonly #unproven = new Set<string>();
  /** Whether nodes are known that have a store each. */
  #isSplit = false;
  readonly #listeners = new Set<(change: AddressChange) => void>();
  #addresses: readonly string[];
  #current: string;

  constructor(private readonly configured: readonly [string, ...string[]]) {
    [this.#current] = configured;
    this.#addresses = configured;
  }

  /** The address that the next request goes to. */
  get current(): string {
    return this.#current;
  }

  /** The addresses that get no request until they answer a probe. */
  get isolated(): readonly string[] {
    return [...this.#isolated, ...this.#unproven];
  }

  /** Every address, in order of preference, and whether it is in use, or would be: one that is isolated is not. */
  get all(): readonly KnownAddress[] {
    const { isolated } = this;
    return this.#addresses.map(address => ({ address, isServing: !isolated.includes(address) }));
  }

  /**
   * Replaces the addresses that were learned before with the first 16 of these, in order of preference. New
   * ones are used once they answer a probe. If every configured address is https, http ones are ignored: credentials
   * would be sent to them unencrypted.
   */
  learn(learned: readonly string[]): void {
    const isSecure = this.configured.every(address => address.startsWith('https:'));
    const addresses = learned
      .filter(address => !isSecure || address.startsWith('https:'))
      .slice(0, mostLearned);
    const known = new Set(this.#addresses);
    const rest = this.configured.filter(address => !addresses.includes(address));
    this.#addresses = [...addresses, ...rest];
    for (const address of addresses) if (!known.has(address)) this.#unproven.add(address);
    for (const address of known) if (!this.#addresses.includes(address)) this.#forget(address);
  }

  #forget(address: string): void {
    this.leave(address);
    this.#failures.delete(address);
    this.#isolated.delete(address);
    this.#unproven.delete(address);
  }

  /**
   * Whether a record that one address stored was missing at another one. Nobody can tell which of two such
   * nodes consumers ask, so the instance is registered at each, and they take turns.
   */
  get isSplit(): boolean {
    return this.#isSplit;
  }

  /** Notes whether the addresses have a store each. */
  noteSplit(isSplit: boolean): void {
    this.#isSplit = isSplit;
    this.takeTurns();
  }

  /** Moves on to the next address while the addresses have a store each. */
  takeTurns(): void {
    if (this.#isSplit) this.leave(this.#current);
  }

  /** Calls the listener with each isolation and restoration; returns a function that removes it. */
  onChange(listener: (change: AddressChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notes that an address answered a request, whatever the answer was. */
  answered(address: string): void {
    this.#failures.delete(address);
    this.#unproven.delete(address);
    if (this.#isolated.delete(address)) this.#notify({ kind: 'restored', address });
  }

  /** Notes that an address did not serve a request, and moves on to the next one. */
  failed(address: string, error: ServiceCombError): void {
    const failures = (this.#failures.get(address) ?? 0) + 1;
    this.#failures.set(address, failures);
    const isNew = failures >= failuresUntilIsolated && !this.#isolated.has(address);
    if (isNew) this.#isolated.add(address);
    this.leave(address);
    if (!isNew) return;
    const isLast = this.#addresses.every(each => this.isolated.includes(each));
    this.#notify({ kind: 'isolated', address, error, isLast });
  }

  /**
   * Notes that an isolated address answered a probe. While another address serves, this one is restored,
   * but its next failure isolates it again: an address may answer probes and nothing else. If every
   * address is isolated, this one is asked next, and only its answer to a request restores it: a
   * registry may be up while its store is down (docs/registry-behaviour.md, M7).
   */
  probeAnswered(address: string): void {
    const others = this.#addresses.filter(each => !this.isolated.includes(each));
    if (others.includes(address)) return;
    if (others.length === 0) this.#current = address;
    else {
      this.answered(address);
      this.#failures.set(address, failuresUntilIsolated - 1);
    }
  }

  /** Moves on from an address if it is the one in use: a late failure of another changes nothing. */
  leave(address: string): void {
    if (address === this.#current) this.#current = this.#after(address);
  }

  /** Whether a request that fails can be sent to another address. */
  get hasAnother(): boolean {
    return this.hasOther && this.#after(this.#current) !== this.#current;
  }

  /** Whether more than one address is known, isolated or not. */
  get hasOther(): boolean {
    return this.#addresses.length > 1;
  }

  /** Returns another address that can be asked for a second opinion; undefined when there is none. */
  opinionBeside(address: string): string | undefined {
    const silent = new Set([address, ...this.isolated]);
    const others = this.#addresses.filter(each => !silent.has(each));
    return others.find(each => !this.#failures.has(each)) ?? others[0];
  }

  /** Returns the next address, those first that have not failed since their last answer. */
  #after(address: string): string {
    const at = this.#addresses.indexOf(address);
    const ring = [...this.#addresses.slice(at + 1), ...this.#addresses.slice(0, at + 1)];
    const proven = ring.filter(each => !this.#unproven.has(each));
    const serving = proven.filter(each => !this.#isolated.has(each));
    const others = serving.filter(each => each !== address);
    return (
      others.find(each => !this.#failures.has(each)) ??
      others[0] ??
      serving[0] ??
      proven[0] ??
      address
    );
  }

  #notify(change: AddressChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/**
 * Returns the addresses of the registry's own instances, each once: first those in the same zone, then
 * those in the same region, then the rest, each group in the order of the answer.
 */
export function learnedAddresses(
  nodes: readonly MicroserviceInstance[],
  own: DataCenterInfo | undefined,
): readonly string[] {
  const nearestFirst = nodes
    .filter(({ status = 'UP' }) => status === 'UP')
    .toSorted((left, right) => distance(left, own) - distance(right, own));
  return [...new Set(nearestFirst.flatMap(({ endpoints = [] }) => endpoints.flatMap(addressOf)))];
}

function distance({ dataCenterInfo: its }: MicroserviceInstance, own?: DataCenterInfo): number {
  if (its === undefined || own === undefined || its.region !== own.region) return 2;
  return its.availableZone === own.availableZone ? 0 : 1;
}

/** Returns the address of an endpoint, `https:` for `?sslEnabled=true`; none for other protocols. */
function addressOf(endpoint: string): readonly string[] {
  const [, authority, query = ''] = /^rest:\/\/([^/?#\s@]+:\d+)\/?(\?\S*)?$/.exec(endpoint) ?? [];
  if (authority === undefined) return [];
  const isSecure = new URLSearchParams(query).get('sslEnabled') === 'true';
  const address = `${isSecure ? 'https' : 'http'}://${authority}`;
  return URL.canParse(address) ? [address] : [];
}
