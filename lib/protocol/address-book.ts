/**
 * The registry's addresses, each once, and which of them is in use. The one that answered last stays
 * in use until it fails; then the next in the list takes its place.
 */
export class AddressBook {
  #current: string;

  constructor(private readonly addresses: readonly [string, ...string[]]) {
    [this.#current] = addresses;
  }

  /** The address that the next request goes to. */
  get current(): string {
    return this.#current;
  }

  /** Notes that an address failed. Only the one in use is left: a late failure of another changes nothing. */
  failed(address: string): void {
    if (address !== this.#current) return;
    const next = this.addresses.indexOf(address) + 1;
    this.#current = this.addresses[next] ?? this.addresses[0];
  }
}
