/**
 * The registry's addresses and which of them is in use. The one that answered last stays in use until
 * it fails; then the next in the list takes its place.
 */
export class AddressBook {
  #current = 0;

  constructor(private readonly addresses: readonly [string, ...string[]]) {}

  /** The address that the next request goes to. */
  get current(): string {
    return this.#at(this.#current);
  }

  /** The address to try when the one in use has just failed; undefined when it is the only one. */
  get next(): string | undefined {
    return this.addresses.length > 1 ? this.#at(this.#current + 1) : undefined;
  }

  /** Notes that an address failed. Only the one in use is left: a late failure of another changes nothing. */
  failed(address: string): void {
    if (address === this.current) this.#current = (this.#current + 1) % this.addresses.length;
  }

  #at(index: number): string {
    return this.addresses[index % this.addresses.length] ?? this.addresses[0];
  }
}
