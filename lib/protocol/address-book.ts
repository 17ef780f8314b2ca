import type { ServiceCombError } from '../errors.js';

/** Failures in a row after which an address is left alone until it is seen again. */
const patience = 3;

/** What became of an address. */
export type AddressChange =
  | { readonly kind: 'isolated'; readonly address: string; readonly error: ServiceCombError }
  | { readonly kind: 'restored'; readonly address: string };

/**
 * The registry's addresses, each once, and which of them is in use. The one that answered last stays
 * in use until it fails; then the next one in the list that is not isolated takes its place.
 *
 * An address that failed three times in a row is isolated: no request goes there while another one is
 * left. It is restored by any answer of its own.
 */
export class AddressBook {
  readonly #failures = new Map<string, number>();
  readonly #isolated = new Set<string>();
  /** Learned, and never heard of since: left alone like an isolated one, and nobody is told. */
  readonly #unproven = new Set<string>();
  readonly #listeners = new Set<(change: AddressChange) => void>();
  #current: string;

  #addresses: readonly string[];

  constructor(private readonly configured: readonly [string, ...string[]]) {
    [this.#current] = configured;
    this.#addresses = configured;
  }

  /** The address that the next request goes to. */
  get current(): string {
    return this.#current;
  }

  /** The addresses that are left alone until they answer a probe. */
  get isolated(): readonly string[] {
    return [...this.#isolated, ...this.#unproven];
  }

  /**
   * Takes addresses that the registry tells of, in the order in which they are to be used, in the
   * place of those it told of before. They are left alone until they answer a probe. Where all that
   * were configured are https, no other one is learned: credentials would go there in the clear.
   */
  learn(told: readonly string[]): void {
    const isSecure = this.configured.every(address => address.startsWith('https:'));
    const addresses = isSecure ? told.filter(address => address.startsWith('https:')) : told;
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

  /** Calls back with each isolation and restoration; returns the function that ends it. */
  onChange(listener: (change: AddressChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notes that an address answered a request, whatever it said. */
  answered(address: string): void {
    this.#failures.delete(address);
    this.#unproven.delete(address);
    if (this.#isolated.delete(address)) this.#tell({ kind: 'restored', address });
  }

  /** Notes that an address did not serve a request, and leaves it. */
  failed(address: string, error: ServiceCombError): void {
    const failures = (this.#failures.get(address) ?? 0) + 1;
    this.#failures.set(address, failures);
    const isNew = failures >= patience && !this.#isolated.has(address);
    if (isNew) this.#isolated.add(address);
    this.leave(address);
    if (isNew) this.#tell({ kind: 'isolated', address, error });
  }

  /**
   * Uses the next address from now on. Only the one in use is left: a late failure of another
   * changes nothing.
   */
  leave(address: string): void {
    if (address === this.#current) this.#current = this.#after(address);
  }

  /** Whether a request that fails can go to another address. */
  get hasAnother(): boolean {
    return this.#after(this.#current) !== this.#current;
  }

  #after(address: string): string {
    const at = this.#addresses.indexOf(address);
    const ring = [...this.#addresses.slice(at + 1), ...this.#addresses.slice(0, at + 1)];
    const proven = ring.filter(each => !this.#unproven.has(each));
    return proven.find(each => !this.#isolated.has(each)) ?? proven[0] ?? address;
  }

  /**
   * Notes that an isolated address answered a probe. While another one serves, it is restored, and
   * isolated again by its next failure: it may answer probes and nothing else. With none left it is
   * the one to ask next, and the answer restores it: a registry may be up, and its store down
   * (measured M7).
   */
  seen(address: string): void {
    const others = this.#addresses.filter(each => !this.isolated.includes(each));
    if (others.includes(address)) return;
    if (others.length === 0) this.#current = address;
    else {
      this.answered(address);
      this.#failures.set(address, patience - 1);
    }
  }

  #tell(change: AddressChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
